"""For how long repeats of a finding are suppressed."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flowwarden.monitor.detectors import DETECTORS
from flowwarden.monitor.findings import TrafficFinding, Window
from flowwarden.monitor.quiet import quiet_of
from flowwarden.state.sets import DAY, HOUR
from tests.monitor.render.examples import EXAMPLES

MINUTES = 240
BY_DETECTOR = {
    each.detector: each for make in EXAMPLES.values() if isinstance(each := make(), TrafficFinding)
}


@pytest.mark.parametrize("name", ["scan", "host-probing", "lateral-movement", "brute-force"])
@pytest.mark.parametrize("span", [None, HOUR, DAY])
def test_findings_that_count_over_a_day_are_suppressed_a_day_longer(name: str, span: int | None) -> None:
    """Whatever window the page shows: a contact hours later repeats the whole count, which is not new."""
    window = span and Window(0, span)
    assert quiet_of(replace(BY_DETECTOR[name], window=window or None), MINUTES) == DAY + MINUTES * 60


def test_other_findings_are_suppressed_as_long_as_the_stack_or_the_detector_says() -> None:
    """Unless they count over a day themselves."""
    own = {each.name: each.quiet for each in DETECTORS}
    for name in ("blocked-connection", "internet-to-private", "egress-denied", "egress-volume"):
        for span in (None, HOUR):
            finding = replace(BY_DETECTOR[name], window=span and Window(0, span))
            assert quiet_of(finding, MINUTES) == own[name]
        daily = replace(BY_DETECTOR[name], window=Window(0, DAY))
        assert quiet_of(daily, MINUTES) == DAY + (own[name] or MINUTES * 60)
