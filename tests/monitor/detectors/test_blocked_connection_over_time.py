"""blocked-connection over days: rejections of new connections page once they persist."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from flowwarden.monitor.detectors import blocked_connection
from flowwarden.records.model import Flow
from flowwarden.state.schema import MOST_REFUSED, REFUSALS
from tests.flows import rejected
from tests.monitor.batches import Container, table
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.weeks import CLIENT, DAY, IN, OUT, POLICY, TODAY, learned, tried


def blocked(server: str, at: int, **given: Any) -> list[Flow]:
    """A host is rejected at a service."""
    usual = {"tcp_flags": 2, "flow_direction": OUT, "start": at, "end": at + 9}
    return [rejected(f"{CLIENT}:4{n}000", f"{server}:5432", **usual | given) for n in range(3)]


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


def test_each_slot_is_stored_once_also_in_the_evening() -> None:
    """The next day reads the item of the day before instead."""
    evidence = learned()
    for at in (TODAY + DAY - 1800, TODAY + DAY + 1800):
        before = evidence.writes
        weighed(blocked("10.0.200.1", at), evidence, at)
        written = [key for key in evidence.written[before:] if key.startswith("refusals#")]
        assert len(written) == 1


def test_while_rejections_persist_every_second_slot_is_stored() -> None:
    """They page in each slot nevertheless, also in a container that only knows the table."""
    evidence, known = learned(), FakeDirectory.of(interface("eni-1"))
    lasting = Container(POLICY, evidence, known)
    first = TODAY + 3600
    before, slots = evidence.writes, 72
    for at in range(first, first + slots * 600, 600):
        flows = blocked("10.0.200.1", at)
        found = lasting.detect(blocked_connection.DETECTOR, table(*flows), at)
        assert [each.severity.pages for each in found] == [at >= first + 11 * 600]
        if at >= first + 12 * 600:
            assert weighed(flows, evidence.copy(), at) == [True]
    written = [key for key in evidence.written[before:] if key.startswith(REFUSALS.prefix)]
    assert slots // 2 <= len(written) <= 14 + (slots - 14) // 2 + 1


def test_rejections_hours_apart_do_not_add_up() -> None:
    """Twelve slots within six hours are required; repeats within a slot count once."""
    evidence = learned()
    times = [TODAY + 600 + n * 3600 for n in range(20)]
    assert {tuple(weighed(blocked("10.0.200.1", at), evidence, at)) for at in times * 3} == {(False,)}


def test_while_the_account_is_learned_no_rejection_pages() -> None:
    """Everything is new, and it may have been like that for years; it is in the log."""
    evidence = MemoryEvidence()
    times = [TODAY + 3600 + n * 600 for n in range(13)]
    assert [weighed(blocked("10.0.200.1", at), evidence, at) for at in times] == [[False]] * 13


def test_a_usual_connection_that_is_rejected_pages_even_while_the_account_is_learned() -> None:
    """It worked on two days."""
    at = TODAY + 3600
    assert weighed(blocked("10.0.3.1", at), learned(days=2), at) == [True]
    assert weighed(blocked("10.0.3.1", at), learned(days=1), at) == [False]


def test_a_new_role_in_a_learned_account_waits_as_others_do() -> None:
    """The container has seen a role that is learned; the new role's rejections page once they persist."""
    evidence, directory = learned(), FakeDirectory.of(interface("eni-1", "new"), interface("eni-2"))
    container = Container(POLICY, evidence, directory)

    def pages(flows: list[Flow], at: int) -> list[bool]:
        found = container.detect(blocked_connection.DETECTOR, table(*flows), at)
        return [each.severity.pages for each in found]

    times = [TODAY + 3600 + n * 600 for n in range(13)]
    other = [tried("10.0.3.1", 5432, interface_id="eni-2")]
    pages([*blocked("10.0.200.1", times[0] - 600), *other], times[0] - 600)
    assert [pages(blocked("10.0.200.1", at), at) for at in times] == [[False]] * 10 + [[True]] * 3


def test_a_host_without_a_role_is_urgent_only_if_nothing_is_known_of_the_account() -> None:
    """EC2 describes no interface at all, or only this one is missing: another account's, or deleted."""
    at = TODAY + 3600
    assert weighed(blocked("10.0.200.1", at), learned(), at, FakeDirectory()) == [True]
    other = [tried("10.0.3.1", 5432, interface_id="eni-2")]
    some = FakeDirectory.of(interface("eni-2"))
    assert weighed([*blocked("10.0.200.1", at), *other], learned(), at, some) == [False]


@pytest.mark.parametrize(
    ("client_role", "server_role", "seen", "pages"),
    [
        ("web", "db", True, True),
        ("new", "web", True, False),
        ("web", "new", True, True),
        ("web", "new", False, False),
        ("new", "new", False, False),
    ],
    ids=[
        "both known", "a new client of a known server", "a new server of a known client",
        "an unseen client of a new server", "an unseen client, and nothing is learned",
    ],
)  # fmt: skip
def test_a_rejection_that_the_server_logs_is_judged_by_the_client(
    client_role: str, server_role: str, *, seen: bool, pages: bool
) -> None:
    """A server with a new role makes no old rejection urgent; a usual connection that fails is."""
    client = replace(interface("eni-2", client_role), addresses=(CLIENT,))
    server = replace(interface("eni-9", server_role), addresses=("10.0.3.1",))
    container = Container(POLICY, learned(), FakeDirectory.of(client, server))
    at = TODAY + 3600
    if seen:
        view, _ = container.begin(table(), at)
        view.interfaces.known(["eni-2"])
    flows = blocked("10.0.3.1", at, flow_direction=IN, interface_id="eni-9")
    found = container.detect(blocked_connection.DETECTOR, table(*flows), at)
    assert [each.severity.pages for each in found] == [pages]
