"""No notification is lost if a call fails: each call of the scenarios once, in warm and in new containers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import product

import pytest
from msgspec import Struct

from flowwarden.monitor.detectors import DETECTORS
from flowwarden.notify.alert import Route
from tests.faults import Fault, Faults
from tests.matrix import some
from tests.monitor.scenarios import makers, scenario

COPIES = 2
"""A notification may be sent twice: if the answer to sending it or to marking it as sent is lost."""

QUIETLY = {Route.LOG, Route.DIGEST}


@cache
def faultless(name: str) -> tuple[list[str], list[tuple[str, str]]]:
    """The calls and the incidents of a scenario in which no call fails."""
    faults = Faults()
    incidents = scenario(name).run(faults).incidents
    return faults.calls, incidents


def test_the_scenarios_cover_every_detector_that_notifies() -> None:
    """Without a fault, each scenario sends the notifications of its detectors once."""
    found = set[str]()
    for name in makers():
        _, sent = faultless(name)
        assert {detector for detector, _ in sent} == scenario(name).detectors, name
        assert max(Counter(sent).values()) == 1
        found |= scenario(name).detectors
    assert found >= {each.name for each in DETECTORS if each.route not in QUIETLY}


class Cell(Struct, frozen=True):
    """One run with a fault."""

    number: int
    """Of the call that fails."""
    call: str
    fault: Fault
    cold: bool
    late: bool


def cells(calls: Sequence[str]) -> list[Cell]:
    """Every call in every way.

    A retry after the next batch must still send what the first attempt found. If it had found nothing yet,
    the batches have changed their order, which may change what is found: such retries are not compared.
    """
    return [
        Cell(number, call, fault, cold, late)
        for (number, call), fault, cold, late in product(
            enumerate(calls), Fault, (False, True), (False, True)
        )
        if not late or "Claims" in call or "Sink" in call
    ]


@pytest.mark.matrix(10)
@pytest.mark.hypothesis
@pytest.mark.parametrize("name", makers())
def test_a_call_that_fails_once_loses_no_notification(name: str) -> None:
    """Nor does it send another one; `make reliability` tries every call in every way."""
    calls, incidents = faultless(name)
    expected = set(incidents)
    for each in some(cells(calls), 3, name):
        faults = Faults(each.number, each.fault)
        sent = Counter(scenario(name).run(faults, cold=each.cold, late=each.late).incidents)
        copies = max(sent.values(), default=0)
        assert (set(sent), copies <= COPIES) == (expected, True), f"{name}: {each}"


@pytest.mark.matrix(10)
@pytest.mark.parametrize("name", makers())
def test_the_retry_sends_what_a_topic_refused(name: str) -> None:
    """In the same container, without a further batch."""
    notifying, faults = scenario(name).up_to_its_notifications(), Faults()
    expected = notifying.run(faults).incidents
    sends = [number for number, call in enumerate(faults.calls) if "Sink" in call]
    assert sends
    for number in sends:
        assert sorted(notifying.run(Faults(number)).incidents) == sorted(expected)
