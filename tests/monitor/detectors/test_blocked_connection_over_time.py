"""blocked-connection over days: what is new pages when it goes on."""

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
    """A host is refused a service."""
    return [
        rejected(f"{CLIENT}:4{n}000", f"{server}:5432", tcp_flags=2, flow_direction=OUT, start=at, end=at + 9)
        for n in range(3)
    ]


def weighed(
    flows: list[Flow], evidence: MemoryEvidence, now: int, known: FakeDirectory | None = None
) -> list[bool]:
    """Whether each blocked connection pages, in a container of its own."""
    container = Container(POLICY, evidence, known or FakeDirectory.of(interface("eni-1")))
    return [each.severity.pages for each in container.detect(blocked_connection.DETECTOR, table(*flows), now)]


def test_a_flood_of_refusals_costs_a_bounded_number_of_writes() -> None:
    """Addresses of ours can be made up where many networks meet; what is beyond pages nobody."""
    evidence = learned()
    at = TODAY + 3600
    flows = [
        rejected(f"10.{n % 200}.7.7:{40_000 + n}", f"10.0.200.1:{1000 + n}", tcp_flags=2, flow_direction=OUT,
                 start=at, end=at + 9, packets=3)
        for n in range(500)
    ]  # fmt: skip
    told = weighed(flows, evidence, at)
    assert len(told) > MOST_REFUSED
    assert not any(told)
    assert sum(key.startswith(REFUSALS.prefix) for key in evidence.written) <= 2 * MOST_REFUSED


def test_what_was_usual_and_is_refused_pages_at_once() -> None:
    """Somebody changed a rule."""
    at = TODAY + 3600
    assert weighed(blocked("10.0.3.1", at), learned(), at) == [True]


def test_what_was_never_usual_pages_when_it_goes_on_for_long() -> None:
    """A release whose rule comes later is nobody's incident; twelve slots of ten minutes are."""
    evidence = learned()
    times = [TODAY + 3600 + n * 600 for n in range(13)]
    paged = [weighed(blocked("10.0.200.1", at), evidence, at) for at in times]
    assert paged == [[False]] * 11 + [[True]] * 2


def test_refusals_that_go_on_over_midnight_do_not_begin_anew() -> None:
    """The slots of the evening count on the next day."""
    evidence = learned()
    times = [TODAY + DAY - 3600 + n * 600 for n in range(13)]
    paged = [weighed(blocked("10.0.200.1", at), evidence, at) for at in times]
    assert paged == [[False]] * 11 + [[True]] * 2


def test_refusals_hours_apart_do_not_add_up() -> None:
    """Twelve slots within six hours; repeats within a slot are one."""
    evidence = learned()
    times = [TODAY + 600 + n * 3600 for n in range(20)]
    assert {tuple(weighed(blocked("10.0.200.1", at), evidence, at)) for at in times * 3} == {(False,)}


def test_while_a_role_is_learned_or_unknown_every_refusal_pages() -> None:
    """Nobody can tell what is usual."""
    at = TODAY + 3600
    assert weighed(blocked("10.0.200.1", at), MemoryEvidence(), at) == [True]
    assert weighed(blocked("10.0.200.1", at), learned(), at, FakeDirectory()) == [True]
