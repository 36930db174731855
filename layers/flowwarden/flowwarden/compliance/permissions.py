"""What the policies of an IAM role allow, as far as they tell by themselves. Pure.

IAM User Guide, Policy evaluation logic: a Deny outweighs every Allow. What a condition, `NotAction`,
`NotResource` or a policy variable would make of it nobody knows here: then the answer is unknown, never no.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cache

from msgspec import Struct


class Able(StrEnum):
    """Whether something may be done."""

    YES = "YES"
    NO = "NO"
    UNKNOWN = "UNKNOWN"


class Statement(Struct, frozen=True, kw_only=True):
    """One statement of an IAM policy."""

    allows: bool
    """Else it denies."""
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    conditional: bool = False
    """Whether a condition decides when it holds."""


class Deed(Struct, frozen=True, kw_only=True):
    """An action on resources."""

    action: str
    resources: tuple[str, ...]
    """ARNs that IAM asks about: it may be done if all of them are allowed."""
    nearly: tuple[str, ...] = ()
    """ARNs by which a policy may or may not mean these."""


def able(statements: Sequence[Statement], deed: Deed) -> Able:
    """Whether the statements let it be done."""
    if Able.YES in (denied := _reached(statements, deed, allows=False)):
        return Able.NO
    allowed = _reached(statements, deed, allows=True)
    if not allowed:
        return Able.NO
    return Able.UNKNOWN if denied or Able.YES not in allowed else Able.YES


def is_denied(statements: Sequence[Statement], deed: Deed) -> bool:
    """Whether a statement surely denies it, whatever others allow."""
    return Able.YES in _reached(statements, deed, allows=False)


def _reached(statements: Iterable[Statement], deed: Deed, *, allows: bool) -> set[Able]:
    """How surely each of the statements that allow, or deny, is about it; those that are not are left out."""
    return {_reach(each, deed) for each in statements if each.allows is allows} - {Able.NO}


def _reach(statement: Statement, deed: Deed) -> Able:
    """Whether a statement is about it."""
    parts = {_of_action(statement, deed.action), _of_resources(statement, deed)}
    if Able.NO in parts:
        return Able.NO
    return Able.UNKNOWN if statement.conditional or Able.UNKNOWN in parts else Able.YES


def _of_action(statement: Statement, action: str) -> Able:
    """Actions are told in any case."""
    if statement.not_actions:
        return Able.NO if _any(statement.not_actions, action, re.IGNORECASE) else Able.UNKNOWN
    return Able.YES if _any(statement.actions, action, re.IGNORECASE) else Able.NO


def _of_resources(statement: Statement, deed: Deed) -> Able:
    if statement.not_resources:
        left_out = all(_any(statement.not_resources, each) for each in deed.resources)
        return Able.NO if left_out else Able.UNKNOWN
    plain = [each for each in statement.resources if "${" not in each]
    named = [_any(plain, each) for each in deed.resources]
    if all(named):
        return Able.YES
    maybe = any(named) or any(_any(plain, each) for each in deed.nearly)
    return Able.UNKNOWN if maybe or len(plain) < len(statement.resources) else Able.NO


def _any(patterns: Iterable[str], value: str, flags: int = 0) -> bool:
    return any(_pattern(each, flags).fullmatch(value) for each in patterns)


@cache
def _pattern(told: str, flags: int) -> re.Pattern[str]:
    """What IAM's `*` (any number of characters) and `?` (one) stand for."""
    return re.compile(re.escape(told).replace(r"\*", ".*").replace(r"\?", "."), flags | re.DOTALL)
