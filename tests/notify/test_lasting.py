"""Incidents that go on for long: exactly the claims are spared that would change nothing."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import Claim, ClaimKey, ClaimState, ClaimTerms, Owner
from flowwarden.notify.evidence import MAX_SUPPRESSED, SPARED, Evidence
from flowwarden.notify.lasting import MOST_REMEMBERED, LastingIncidents
from flowwarden.notify.notification import Notification
from flowwarden.notify.notifier import notify
from flowwarden.notify.run import Run
from tests.notify.fakes import MemoryClaims, MemorySink

HOUR = 3600
TERMS = ClaimTerms(suppression=4 * HOUR, lease=50)
SPAN = TERMS.suppression // SPARED
NOW = 1_764_000_000
SHOWN = Evidence(gravity=1, amount=10)
PAGE = Notification(subject="s", text="t", document={}, attributes={})


class Incident:
    """An incident that was sent, and whose repeats one container notifies of."""

    def __init__(self) -> None:
        self.table = MemoryClaims(TERMS)
        self.sink = MemorySink()
        self.lasting = LastingIncidents(TERMS.suppression)
        self.now = NOW
        self.count = 0
        self.repeat(after=0)

    def repeat(self, evidence: Evidence | None = SHOWN, *, after: int = 60, key: str = "incident") -> int:
        """A repeat so many seconds after the last one, in another batch; returns its calls to the table."""
        self.now += after
        self.count += 1
        before = self.table.calls
        run = Run(
            owner=Owner(f"batch-{self.count}", "attempt"),
            at=self.now,
            time_left=lambda: 40.0,
            lasting=self.lasting,
        )
        alert = Alert(key=key, route=Route.PAGES, title="t", render=lambda _: PAGE, evidence=evidence)
        notify([alert], run, self.table, {Route.PAGES: [self.sink]}, lambda rest: rest[0])
        return self.table.calls - before


def lasting(evidence: Evidence = SHOWN) -> Incident:
    """An incident of which the table counts no further repeats, as the container knows."""
    incident = Incident()
    assert [incident.repeat(evidence) for _ in range(MAX_SUPPRESSED + 1)][-1] == 1
    return incident


def test_further_repeats_cost_a_call_only_after_a_part_of_the_window() -> None:
    """That call extends the suppression; nothing is sent meanwhile."""
    incident = lasting()
    calls = [incident.repeat(after=600) for _ in range(2 * SPAN // 600)]
    assert calls == ([0] * (SPAN // 600 - 1) + [1]) * 2
    assert len(incident.sink.sent) == 1


def test_counted_repeats_are_all_claimed() -> None:
    """The next page states their number."""
    incident = Incident()
    assert [incident.repeat() for _ in range(MAX_SUPPRESSED)] == [1] * MAX_SUPPRESSED


def test_evidence_that_grew_is_claimed_at_once() -> None:
    """And sent if it is new evidence for the table."""
    for more, sent in (
        (replace(SHOWN, amount=11), 1),
        (replace(SHOWN, asks=(("place",),)), 1),
        (replace(SHOWN, gravity=2), 2),
        (replace(SHOWN, amount=100), 2),
        (replace(SHOWN, members=("host",)), 2),
    ):
        incident = lasting()
        assert incident.repeat(more) >= 1
        assert len(incident.sink.sent) == sent


def test_what_several_repeats_showed_is_remembered_together() -> None:
    """A role is rejected at one service, then at another, and amounts vary from batch to batch."""
    one, other = (replace(SHOWN, members=(name,), amount=0) for name in ("tcp/443", "udp/123"))
    both = replace(one, members=("tcp/443", "udp/123"))
    incident = Incident()
    incident.repeat(both, after=2 * TERMS.suppression)  # sent, with both members
    for _ in range(MAX_SUPPRESSED + 1):
        incident.repeat(one)
    assert [incident.repeat(each) for each in (other, one, other, both, one)] == [1, 0, 0, 0, 0]
    assert len(incident.sink.sent) == 2


def test_members_that_depend_on_places_are_not_taken_together() -> None:
    """Another member with another place may be an intruder."""
    one, other = (replace(SHOWN, members=(name,), asks=((name,),)) for name in ("a", "b"))
    assert one.covers(one)
    assert not one.is_like(other)
    assert not replace(one, members=("a", "b")).covers(one)


def test_an_incident_that_pauses_for_the_window_is_sent_again() -> None:
    """The memory is shorter than the window."""
    incident = lasting()
    incident.repeat()
    incident.repeat(after=TERMS.suppression + SPAN)
    assert len(incident.sink.sent) == 2


def test_without_evidence_each_repeat_is_claimed() -> None:
    """Its suppression is not extended, so it may end at any time."""
    incident = lasting()
    assert incident.repeat(None) == 1


def test_another_sink_and_another_incident_are_claimed() -> None:
    """Each has a claim of its own."""
    incident = lasting()
    assert incident.repeat(key="other") == 2
    incident.sink.name = "another"
    assert incident.repeat() == 2


def test_the_memory_is_bounded() -> None:
    """An incident that is forgotten costs its call again."""
    incident = lasting()
    (known,) = incident.table.items.values()
    for number in range(MOST_REMEMBERED):
        key = replace(next(iter(incident.table.items)), incident=f"other-{number}")
        incident.table.items[key] = known
        incident.repeat(key=f"other-{number}", after=0)
    assert incident.repeat(after=0) == 1


@pytest.mark.parametrize(
    "claim",
    [
        Claim(state=ClaimState.CLAIMED, suppressed_batches=99),
        Claim(state=ClaimState.IN_PROGRESS, suppressed_batches=99),
        Claim(state=ClaimState.SUPPRESSED, suppressed_batches=99, joins=True),
        Claim(state=ClaimState.SUPPRESSED, suppressed_batches=99, same_batch=True),
        Claim(state=ClaimState.SUPPRESSED, suppressed_batches=MAX_SUPPRESSED - 1),
    ],
)
def test_any_other_outcome_is_not_remembered(claim: Claim) -> None:
    """Only a repeat that the table suppresses and no longer counts is."""
    alert = Alert(key="k", route=Route.PAGES, title="t", render=lambda _: PAGE, evidence=SHOWN)
    memory, key = LastingIncidents(TERMS.suppression), ClaimKey("sink", "k")
    known = Claim(state=ClaimState.SUPPRESSED, suppressed_batches=MAX_SUPPRESSED)
    memory.note(key, alert, known, NOW)
    assert memory.suppress(key, SHOWN, NOW + 1)
    memory.note(key, alert, claim, NOW + 2)
    assert not memory.suppress(key, SHOWN, NOW + 3)
