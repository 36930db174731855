"""The verdict of an explanation, in a sentence. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flowwarden.replay.explain.model import Amount, Judgment, Outcome, Traffic

_GRAVEST: Final = (
    Outcome.SENT, Outcome.REPEAT, Outcome.ROLLED_UP, Outcome.HELD, Outcome.UNSENT,
    Outcome.REPORT_ONLY, Outcome.MUTED, Outcome.INHIBITED, Outcome.EXEMPT, Outcome.LEARNING, Outcome.WAITING,
    Outcome.LISTED, Outcome.NOISE,
)  # fmt: skip
_NOTIFIED: Final = frozenset({Outcome.SENT, Outcome.NOTHING})


def suppressed(said: Sequence[Judgment]) -> list[str]:
    """What kept findings from notifying, each with its detector."""
    return [f"{each.detector}: {each.suppressed_by}" for each in said if each.outcome not in _NOTIFIED]


def verdict(said: Sequence[Judgment], traffic: Traffic | None) -> str:
    """Whether the record was flagged, and what followed, or what came closest."""
    found = sorted((each for each in said if each.flagged), key=lambda each: _GRAVEST.index(each.outcome))
    if not found:
        if traffic is None:
            return (
                "Not flagged: it is no flow, and no detector of missing or unreadable records found anything."
            )
        return f"Not flagged: no detector found anything about it. {_closest(said, traffic)}".strip()
    names = ", ".join(dict.fromkeys(each.detector for each in found))
    return f"Flagged by {names}. {_followed(found[0])}"


def _followed(gravest: Judgment) -> str:
    if gravest.outcome is Outcome.SENT:
        return f"A notification about incident {gravest.incident} is sent."
    if gravest.outcome is Outcome.REPEAT:
        return f"Nothing is sent again: incident {gravest.incident} was notified before."
    return f"Nothing is sent because of {gravest.suppressed_by}."


def _closest(said: Sequence[Judgment], traffic: Traffic | None) -> str:
    """The amount that came closest to its limit, of a detector for which the record counted."""
    amounts = [
        (each.value / each.limit, one.detector, each)
        for one in said
        if not one.why_not
        for each in one.measured
        if each.limit and each.value and not each.needed
    ]
    if amounts:
        _, detector, amount = max(amounts, key=lambda each: each[0])
        return f"Closest: {detector}, {described(amount)}."
    if traffic is not None and traffic.baseline is not None and traffic.baseline.usual:
        return "Such connections are usual."
    return ""


def described(amount: Amount) -> str:
    """Such as `host/port pairs that rejected the host, in the batch: 4, limit 5`."""
    return f"{amount.what}: {_number(amount.value)}, {_limit(amount)}"


def _limit(amount: Amount) -> str:
    limit = _number(amount.limit)
    if not amount.needed:
        return f"limit {limit}"
    return f"must be below {limit}" if amount.below else f"must be at least {limit}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"
