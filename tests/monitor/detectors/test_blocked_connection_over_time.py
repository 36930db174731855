"""blocked-connection over days: rejections of new connections page once they persist."""

from __future__ import annotations

from flowwarden.monitor.detectors import blocked_connection
from flowwarden.records.model import Flow
from flowwarden.state.schema import MOST_REFUSED, REFUSALS
from tests.flows import rejected
from tests.monitor.batches import Container, table
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.weeks import CLIENT, DAY, OUT, POLICY, TODAY, learned


def blocked(server: str, at: int) -> list[Flow]:
    """A host is rejected at a service."""
    return [
        rejected(f"{CLIENT}:4{n}000", f"{server}:5432", tcp_flags=2, flow_direction=OUT, start=at, end=at + 9)
        for n in range(3)
    ]


def weighed(
    flows: list[Flow], evidence: MemoryEvidence, now: int, known: FakeDirectory | None = None
) -> list[bool]:
    """Whether each blocked connection pages, in a new container."""
    container = Container(POLICY, evidence, known or FakeDirectory.of(interface("eni-1")))
    return [each.severity.pages for each in container.detect(blocked_connection.DETECTOR, table(*flows), now)]


def test_a_flood_of_rejections_costs_a_bounded_number_of_writes() -> None:
    """Internal addresses can be spoofed where many networks meet; rejections beyond the budget never page."""
    evidence = learned()
    at = TODAY + 3600
    flows = [
        rejected(f"10.{n % 200}.7.7:{40_000 + n}", f"10.0.200.1:{1000 + n}", tcp_flags=2, flow_direction=OUT,
                 start=at, end=at + 9, packets=3)
        for n in range(500)
    ]  # fmt: skip
    paging = weighed(flows, evidence, at)
    assert len(paging) > MOST_REFUSED
    assert not any(paging)
    assert sum(key.startswith(REFUSALS.prefix) for key in evidence.written) <= 2 * MOST_REFUSED


def test_a_rejected_usual_connection_pages_at_once() -> None:
    """A rule was changed."""
    at = TODAY + 3600
    assert weighed(blocked("10.0.3.1", at), learned(), at) == [True]


def test_a_rejected_new_connection_pages_once_it_persists() -> None:
    """A release whose rule follows later is not an incident; rejections in twelve 10-minute slots are."""
    evidence = learned()
    times = [TODAY + 3600 + n * 600 for n in range(13)]
    paged = [weighed(blocked("10.0.200.1", at), evidence, at) for at in times]
    assert paged == [[False]] * 11 + [[True]] * 2


def test_counting_continues_over_midnight() -> None:
    """The slots of the evening count on the next day."""
    evidence = learned()
    times = [TODAY + DAY - 3600 + n * 600 for n in range(13)]
    paged = [weighed(blocked("10.0.200.1", at), evidence, at) for at in times]
    assert paged == [[False]] * 11 + [[True]] * 2


def test_rejections_hours_apart_do_not_add_up() -> None:
    """Twelve slots within six hours are required; repeats within a slot count once."""
    evidence = learned()
    times = [TODAY + 600 + n * 3600 for n in range(20)]
    assert {tuple(weighed(blocked("10.0.200.1", at), evidence, at)) for at in times * 3} == {(False,)}


def test_while_a_role_is_learned_or_unknown_every_rejection_pages() -> None:
    """It is unknown what is usual."""
    at = TODAY + 3600
    assert weighed(blocked("10.0.200.1", at), MemoryEvidence(), at) == [True]
    assert weighed(blocked("10.0.200.1", at), learned(), at, FakeDirectory()) == [True]
