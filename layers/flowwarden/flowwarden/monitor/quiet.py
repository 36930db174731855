"""For how long repeats of a finding are suppressed. Pure."""

from __future__ import annotations

from typing import Final

from flowwarden.monitor.detectors import BY_NAME, DETECTORS
from flowwarden.monitor.findings import Finding, TrafficFinding
from flowwarden.state.schema import CONTACTS_DAY
from flowwarden.state.sets import DAY

_OF_A_DAY: Final = [each for each in DETECTORS if CONTACTS_DAY in each.state]
_COUNTED_FOR_A_DAY: Final = frozenset(
    each.name
    for each in DETECTORS
    if each in _OF_A_DAY or any(each.incident and each.incident == other.incident for other in _OF_A_DAY)
)
"""The detectors whose evidence also counts over a day, perhaps by another detector of the same incident: all
that is in a page of an hour or a batch counts again with each further contact of that day."""


def quiet_of(finding: Finding, suppression_minutes: int) -> int | None:
    """Seconds after its last repeat; None for the stack's setting.

    What counts over a day can find the same once a day: that long a pause is none.

    Args:
        finding: the finding.
        suppression_minutes: the stack's setting.
    """
    quiet = BY_NAME[finding.detector].quiet
    if not isinstance(finding, TrafficFinding):
        return quiet
    of_a_day = finding.window is not None and finding.window.span == DAY
    if not of_a_day and finding.detector not in _COUNTED_FOR_A_DAY:
        return quiet
    return DAY + (suppression_minutes * 60 if quiet is None else quiet)
