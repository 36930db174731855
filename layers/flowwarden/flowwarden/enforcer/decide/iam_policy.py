"""Evaluates what the policies of an IAM role allow, without request context. Pure.

IAM User Guide, Policy evaluation logic: a Deny overrides every Allow. The effect of a condition, `NotAction`,
`NotResource` or a policy variable cannot be evaluated here: the answer is then unknown, never no.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

from msgspec import Struct


class Able(StrEnum):
    """Whether an action is permitted."""

    YES = "YES"
    NO = "NO"
    UNKNOWN = "UNKNOWN"


class Statement(Struct, frozen=True, kw_only=True):
    """One statement of an IAM policy."""

    allows: bool
    """True for Allow, False for Deny."""
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    conditional: bool = False
    """Whether a condition restricts the statement."""
    unclear: bool = False
    """Whether a part of the statement cannot be read, so that its scope is unknown."""


class Deed(Struct, frozen=True, kw_only=True):
    """An action on resources."""

    action: str
    resources: tuple[str, ...]
    """ARNs that IAM evaluates: the action is permitted if all of them are allowed."""
    nearly: tuple[str, ...] = ()
    """ARNs that a policy may use for these resources, with uncertain effect."""


def able(statements: Sequence[Statement], deed: Deed) -> Able:
    """Whether the statements permit the action."""
    if Able.YES in (denied := _reached(statements, deed, allows=False)):
        return Able.NO
    allowed = _reached(statements, deed, allows=True)
    if not allowed:
        return Able.NO
    return Able.UNKNOWN if denied or Able.YES not in allowed else Able.YES


def is_denied(statements: Sequence[Statement], deed: Deed) -> bool:
    """Whether a statement definitely denies the action, whatever others allow."""
    return Able.YES in _reached(statements, deed, allows=False)


def _reached(statements: Iterable[Statement], deed: Deed, *, allows: bool) -> set[Able]:
    """How certainly each Allow (or Deny) statement applies to the action; the others are left out."""
    return {_reach(each, deed) for each in statements if each.allows is allows} - {Able.NO}


def _reach(statement: Statement, deed: Deed) -> Able:
    """Whether a statement applies to the action."""
    if statement.unclear:
        return Able.UNKNOWN
    parts = {_of_action(statement, deed.action), _of_resources(statement, deed)}
    if Able.NO in parts:
        return Able.NO
    return Able.UNKNOWN if statement.conditional or Able.UNKNOWN in parts else Able.YES


def _of_action(statement: Statement, action: str) -> Able:
    """Whether a statement names the action. Action names are case-insensitive."""
    if statement.not_actions:
        return Able.NO if _any(_in_lower(statement.not_actions), action.lower()) else Able.UNKNOWN
    return Able.YES if _any(_in_lower(statement.actions), action.lower()) else Able.NO


def _in_lower(patterns: Iterable[str]) -> Iterator[str]:
    return (each.lower() for each in patterns)


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


def _any(patterns: Iterable[str], value: str) -> bool:
    return any(_fits(each, value) for each in patterns)


def _fits(pattern: str, value: str) -> bool:
    """Whether a value matches a pattern with IAM's `*` (any number of characters) and `?` (one character).

    Each part between two `*` is searched once, at its earliest position, because a later position never
    helps the remaining parts. A regular expression would backtrack over all positions of all parts, which
    takes practically forever for patterns with several stars.
    """
    first, *rest = pattern.split("*")
    if not _at(first, value, 0):
        return False
    if not rest:
        return len(first) == len(value)
    *middle, last = rest
    place, end = len(first), len(value) - len(last)
    for part in middle:
        place = next((each for each in range(place, end - len(part) + 1) if _at(part, value, each)), end + 1)
        place += len(part)
    return place <= end and _at(last, value, end)


def _at(part: str, value: str, place: int) -> bool:
    """Whether a part without `*` is in a value at a place."""
    found = value[place : place + len(part)]
    return len(found) == len(part) and all(want in {"?", has} for want, has in zip(part, found, strict=True))
