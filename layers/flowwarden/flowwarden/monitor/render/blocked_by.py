"""What the rules say about a rejection, on the page and in its document. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from flowwarden.monitor.render.rule_words import (
    components,
    in_words,
    number_of,
    packet_words,
    rule_words,
    several,
)
from flowwarden.monitor.rules.explanation import Explanation
from flowwarden.network.rules.check import Check, Code, Outcome
from flowwarden.network.rules.model import Entry
from flowwarden.network.rules.verdict import Verdict
from flowwarden.notify.text import duration, moment
from flowwarden.printable import one_line
from flowwarden.state.rule_changes import LONGEST, RuleChange

MOST_REASONS: Final = 3
MOST_ALSO: Final = 3
MOST_CHANGES: Final = 3
"""Reasons, further obstacles and changes that a page shows; the rest is counted. The document has up to
`MOST_LISTED` of each."""
MOST_LISTED: Final = 10


def rows(explained: Explanation | None, first: int | None) -> list[tuple[str, str]]:
    """The rows of a page; none if nothing was looked up.

    Args:
        explained: what the rules say.
        first: Unix seconds of the first rejection; None if the record does not contain it.
    """
    if explained is None:
        return []
    verdict = explained.verdict
    also = [obstacle(each) for each in verdict.also] if verdict else []
    found = [("Blocked by", summary(explained))]
    found += [("Also", f"{several(also, MOST_ALSO)}.")] if also else []
    return [*found, *(("Changed", each) for each in _changes(explained, first))]


def summary(explained: Explanation) -> str:
    """Which rule rejected the packet, in a sentence."""
    verdict = explained.verdict
    if verdict is None or verdict.outcome is Outcome.UNDETERMINED:
        return f"Undetermined: {several(_reasons(explained), MOST_REASONS) or 'no rule was evaluated'}."
    if verdict.by is None:
        return _allowed(verdict, explained.at)
    return f"{_denied(verdict.by)} ({verdict.by.code})"


def obstacle(check: Check) -> str:
    """A further component that denies packets: `outbound rules of network ACL acl-1 deny the reply tcp/…`."""
    reply = "the reply " if check.is_reply else ""
    return f"{check.direction} rules of {components(check)} deny {reply}{packet_words(check)}"


def document(explained: Explanation | None) -> dict[str, Any] | None:
    """The same for machines; None if nothing was looked up."""
    if explained is None:
        return None
    verdict = explained.verdict
    return {
        "outcome": verdict.outcome.value if verdict else Outcome.UNDETERMINED.value,
        "summary": summary(explained),
        "as_of": explained.at,
        "by": verdict and verdict.by and _component(verdict.by),
        "also": [_component(each) for each in verdict.also[:MOST_LISTED]] if verdict else [],
        "undetermined_because": list(_reasons(explained))[:MOST_LISTED],
        "changes": [_change(each) for each in explained.changes[:MOST_LISTED]],
        "changes_missing_because": explained.changes_missing or None,
    }


def _denied(check: Check) -> str:
    if check.code is Code.SUBNET_ACL_RESTRICTION:
        return _denied_by_acl(check)
    if check.code is Code.SG_HAS_NO_RULES:
        return f"{components(check)} {'have' if len(check.ids) > 1 else 'has'} no {check.direction} rules."
    closest = f"; the closest is {rule_words(check.closest, check.direction)}" if check.closest else ""
    return f"No {check.direction} rule of {components(check)} allows {packet_words(check)}{closest}."


def _denied_by_acl(check: Check) -> str:
    name = f"{components(check)} of {one_line(check.at, LONGEST)}"
    reply = "the reply " if check.is_reply else ""
    closest = rule_words(check.closest, check.direction) if check.closest else ""
    if isinstance(check.rule, Entry) and not check.rule.is_default:
        later = f"; the closest allow rule is {closest}" if closest else ""
        denying = f"{name[0].upper()}{name[1:]}: {check.direction} rule {number_of(check.rule)}"
        return f"{denying} denies {reply}{packet_words(check)}{later}."
    nearest = f"; the closest is {closest}" if closest else ""
    return f"No {check.direction} rule of {name} allows {reply}{packet_words(check)}{nearest}."


def _allowed(verdict: Verdict, at: int) -> str:
    """The rules allow the packet now."""
    now = f"as read at {moment(at)}"
    if not verdict.examined:
        return f"No rule applies at the interface, {now}."
    of, packet = " and ".join(map(components, verdict.examined)), packet_words(verdict.examined[0])
    direction = verdict.examined[0].direction
    return (
        f"Nothing now: the {direction} rules of {of} allow {packet}, {now}. Either the rules changed after "
        "the rejections, or the packet belonged to an expired connection."
    )


def _reasons(explained: Explanation) -> Iterator[str]:
    """Why something is not known; what EC2 did is first, because it explains the rest."""
    yield from explained.reasons
    if explained.verdict and explained.verdict.outcome is Outcome.UNDETERMINED:
        yield from map(in_words, explained.verdict.doubts)


def _changes(explained: Explanation, first: int | None) -> Iterator[str]:
    for each in explained.changes[:MOST_CHANGES]:
        yield _change_words(each, first)
    if rest := len(explained.changes) - MOST_CHANGES:
        yield from [f"and {rest} more within a day"] if rest > 0 else []
    if explained.changes_missing:
        yield f"unknown: {explained.changes_missing}"


def _change_words(change: RuleChange, first: int | None) -> str:
    what = f" ({one_line(change.what, LONGEST)})" if change.what else ""
    by = f" by {one_line(change.actor, LONGEST)}" if change.actor else ""
    call, resource = one_line(change.call, LONGEST), one_line(change.resource, LONGEST)
    return f"{call} of {resource}{what}{by} at {moment(change.at)}{_before(change.at, first)}"


def _before(at: int, first: int | None) -> str:
    """`, 3 min before the first rejection of this batch`; empty if its time is not known."""
    if first is None:
        return ""
    minutes, relation = abs(first - at) // 60, "before" if at <= first else "after"
    if not minutes:
        return f", less than 1 min {relation} the first rejection of this batch"
    return f", {duration(minutes)} {relation} the first rejection of this batch"


def _component(check: Check) -> dict[str, Any]:
    direction = check.direction
    return {
        "component": check.component.value,
        "direction": direction.value,
        "reply": check.is_reply,
        "at": check.at,
        "ids": list(check.ids[:MOST_LISTED]),
        "names": list(check.names[:MOST_LISTED]),
        "code": check.code and check.code.value,
        "packet": packet_words(check),
        "rule": check.rule and rule_words(check.rule, direction),
        "closest": check.closest and rule_words(check.closest, direction),
        "closest_in": check.closest_in or None,
    }


def _change(change: RuleChange) -> dict[str, Any]:
    return {
        "call": change.call,
        "resource": change.resource,
        "at": change.at,
        "by": change.actor,
        "what": change.what,
        "id": change.call_id,
    }
