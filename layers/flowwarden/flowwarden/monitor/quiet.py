"""The time for which repeats of a finding are suppressed. Pure."""

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
"""The detectors that count over a day, and those of the same incidents. Each further contact of the day
counts again what a page about a batch or an hour has already reported."""


def quiet_of_host(suppression_minutes: int) -> int:
    """Seconds for which repeats of a host's incident are suppressed, whichever detector reports it.

    A day longer than the stack's setting, because some of its detectors count over a day.
    """
    return DAY + suppression_minutes * 60


def quiet_of(finding: Finding, suppression_minutes: int) -> int | None:
    """Seconds without a repeat after which the finding notifies again; None for the stack's setting.

    A count over a day contains the same evidence until a day has passed, so a day is added.

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
