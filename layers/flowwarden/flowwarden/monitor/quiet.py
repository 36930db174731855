"""For how long repeats of a finding are suppressed. Pure."""

from __future__ import annotations

from flowwarden.monitor.detectors import BY_NAME
from flowwarden.monitor.findings import Finding, TrafficFinding
from flowwarden.state.sets import DAY


def quiet_of(finding: Finding, suppression_minutes: int) -> int | None:
    """Seconds after its last repeat; None for the stack's setting.

    What counts over a day can find the same once a day: that long a pause is none.

    Args:
        finding: the finding.
        suppression_minutes: the stack's setting.
    """
    quiet = BY_NAME[finding.detector].quiet
    if not isinstance(finding, TrafficFinding) or finding.window is None or finding.window.span != DAY:
        return quiet
    return DAY + (suppression_minutes * 60 if quiet is None else quiet)
