"""Evaluates what the policies of an IAM role allow, without request context. Pure.

IAM User Guide, Policy evaluation logic: a Deny overrides every Allow. The effect of a condition, `NotAction`,
`NotResource` or a policy variable cannot be evaluated here: the answer is then unknown, never no.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

from msgspec import Struct


class Permitted(StrEnum):
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


class AccessRequest(Struct, frozen=True, kw_only=True):
    """An action on resources."""

    action: str
    resources: tuple[str, ...]
    """ARNs that IAM evaluates: the action is permitted if all of them are allowed."""
    possibly: tuple[str, ...] = ()
    """ARNs that a policy may use for these resources, with uncertain effect."""


def evaluate(statements: Sequence[Statement], request: AccessRequest) -> Permitted:
    """Whether the statements permit the action."""
    if Permitted.YES in (denied := _applicable(statements, request, allows=False)):
        return Permitted.NO
    allowed = _applicable(statements, request, allows=True)
    if not allowed:
        return Permitted.NO
    return Permitted.UNKNOWN if denied or Permitted.YES not in allowed else Permitted.YES


def is_denied(statements: Sequence[Statement], request: AccessRequest) -> bool:
    """Whether a statement definitely denies the action, whatever others allow."""
    return Permitted.YES in _applicable(statements, request, allows=False)


def _applicable(statements: Iterable[Statement], request: AccessRequest, *, allows: bool) -> set[Permitted]:
    """How certainly each Allow (or Deny) statement applies to the action; the others are left out."""
    return {_applies(each, request) for each in statements if each.allows is allows} - {Permitted.NO}


def _applies(statement: Statement, request: AccessRequest) -> Permitted:
    """Whether a statement applies to the action."""
    if statement.unclear:
        return Permitted.UNKNOWN
    parts = {_of_action(statement, request.action), _of_resources(statement, request)}
    if Permitted.NO in parts:
        return Permitted.NO
    return Permitted.UNKNOWN if statement.conditional or Permitted.UNKNOWN in parts else Permitted.YES


def _of_action(statement: Statement, action: str) -> Permitted:
    """Whether a statement names the action. Action names are case-insensitive."""
    if statement.not_actions:
        return Permitted.NO if _any(_in_lower(statement.not_actions), action.lower()) else Permitted.UNKNOWN
    return Permitted.YES if _any(_in_lower(statement.actions), action.lower()) else Permitted.NO


def _in_lower(patterns: Iterable[str]) -> Iterator[str]:
    return (each.lower() for each in patterns)


def _of_resources(statement: Statement, request: AccessRequest) -> Permitted:
    if statement.not_resources:
        left_out = all(_any(statement.not_resources, each) for each in request.resources)
        return Permitted.NO if left_out else Permitted.UNKNOWN
    plain = [each for each in statement.resources if "${" not in each]
    named = [_any(plain, each) for each in request.resources]
    if all(named):
        return Permitted.YES
    maybe = any(named) or any(_any(plain, each) for each in request.possibly)
    return Permitted.UNKNOWN if maybe or len(plain) < len(statement.resources) else Permitted.NO


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
