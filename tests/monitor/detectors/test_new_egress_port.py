"""new-egress-port: TCP ports of the internet that are new for a role."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.monitor.detectors import new_egress_port
from flowwarden.monitor.findings import Severity, SurplusFinding, TrafficFinding
from flowwarden.monitor.render.incident_key import incident_key
from flowwarden.monitor.render.text import describe
from flowwarden.monitor.traffic.new_egress import SLOTS, additions
from flowwarden.monitor.traffic.selection import PAGING_CONFIDENCE
from flowwarden.network.initiator import Basis
from flowwarden.policy.policy import Policy
from flowwarden.records.model import Flow
from tests.examples import examples
from tests.flows import flow
from tests.monitor.batches import Container, table
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.weeks import CLIENT, DAY, IN, OUT, TODAY, got, lasting, learned, look, tried

NAME = new_egress_port.DETECTOR.name
OUTSIDE = "203.0.113.9"
WEB = got("198.51.100.7", 443)
"""What the role usually does: it is not listener-only."""


def of_it(found: list[TrafficFinding]) -> list[TrafficFinding]:
    """Its findings among those of all detectors."""
    return [each for each in found if each.detector == NAME]


def beacon(evidence: MemoryEvidence, port: int, times: range) -> list[Severity]:
    """The severities of the findings about a connection at these times, each in a batch of its own."""
    found = [of_it(look(got(OUTSIDE, port, at), evidence, at + 60)) for at in times]
    return [each.severity for batch in found for each in batch]


def test_a_first_use_is_a_row_of_the_digest() -> None:
    """With the role as its subject and the host as its client."""
    (found,) = of_it(look(got(OUTSIDE, 8443), learned(*WEB)))
    assert (found.severity, found.subject) == (Severity.INFO, "tag:Role=web")
    assert found.main_client == CLIENT
    assert found.main_service.port == 8443


def test_a_continued_use_pages() -> None:
    """In twelve slots of ten minutes: a connection that lasts, or a beacon that returns each hour."""
    for seconds in (600, 3600):
        severities = beacon(learned(*WEB), 4444, range(TODAY + 300, TODAY + 300 + 13 * seconds, seconds))
        assert severities == [Severity.INFO] * 11 + [Severity.MEDIUM] * 2


def used(evidence: MemoryEvidence, opening: list[Flow], later: list[list[Flow]]) -> list[Severity]:
    """The severities of the findings about a connection, each record of it in a batch of its own."""
    batches = [each for each in [opening, *later] if each]
    found = [of_it(look(each, evidence, (each[0].start or 0) + 60)) for each in batches]
    return [each.severity for batch in found for each in batch]


def windows(port: int, count: int, begin: int = TODAY + 900) -> list[list[Flow]]:
    """The later windows of a connection that lasts, ten minutes each."""
    return [lasting(OUTSIDE, port, begin + number * 600) for number in range(count)]


@pytest.mark.parametrize("port", [4444, 9001, 31_337])
def test_a_connection_that_lasts_pages_although_only_its_first_record_has_flags(port: int) -> None:
    """Its later records count in their slots, in any container; the initiator is not a guess then."""
    evidence = learned(*WEB)
    severities = used(evidence, got(OUTSIDE, port, TODAY + 300), windows(port, 12))
    assert severities == [Severity.INFO] * 11 + [Severity.MEDIUM] * 2
    (found,) = of_it(look(lasting(OUTSIDE, port, TODAY + 8100), evidence, TODAY + 8160))
    assert (found.main_client, found.main_server) == (CLIENT, OUTSIDE)
    assert found.example.verdict.evidence is Basis.OPENED_BEFORE
    assert found.example.confidence >= PAGING_CONFIDENCE


def test_use_counts_over_midnight_and_on_the_next_day() -> None:
    """Opened in the evening; the day after, it is reported again, and then it is usual."""
    evidence, begin = learned(*WEB), TODAY + DAY - 1500
    severities = used(evidence, got(OUTSIDE, 4444, begin), windows(4444, 20, begin + 600))
    assert severities == [Severity.INFO] * 11 + [Severity.MEDIUM] * 10
    later = TODAY + 2 * DAY + 3600
    assert of_it(look(lasting(OUTSIDE, 4444, later), evidence, later + 60)) == []


def test_a_connection_whose_opening_is_lost_is_not_reported_and_not_learned() -> None:
    """Its initiator is a guess, which never pages; what was not reported does not become usual."""
    evidence = learned(*WEB)
    for day in range(4):
        assert used(evidence, [], windows(4444, 20, TODAY + day * DAY + 900)) == []
    at = TODAY + 4 * DAY + 3600
    (found,) = of_it(look(got(OUTSIDE, 4444, at), evidence, at + 60))
    assert found.severity is Severity.INFO


@pytest.mark.parametrize("client_port", [9443, 5000])
def test_clients_of_the_host_are_not_taken_for_servers(client_port: int) -> None:
    """An internet host behind a NAT connects from a low port; the role opened that port elsewhere before."""
    evidence = learned(*WEB)
    look(got(OUTSIDE, 4444), evidence)
    guess = [each for number in range(14) for each in [
        lasting("198.51.100.50", 4444, TODAY + 4200 + number * 600, client_port)]]  # fmt: skip
    assert used(evidence, [], guess) == []


def test_an_opening_counts_for_its_port_alone() -> None:
    """Another port, or the same one a day later, is a guess again."""
    evidence = learned(*WEB)
    look(got(OUTSIDE, 4444), evidence)
    assert used(evidence, [], windows(4445, 13)) == []
    assert of_it(look(lasting(OUTSIDE, 4444, TODAY + 2 * DAY), evidence, TODAY + 2 * DAY + 60)) == []


def test_a_table_that_does_not_answer_makes_no_guess_certain() -> None:
    """Only the batch is judged, and nothing is stored."""
    evidence = learned(*WEB)
    look(got(OUTSIDE, 4444), evidence)
    evidence.is_away = True
    assert of_it(look(lasting(OUTSIDE, 4444, TODAY + 4200), evidence)) == []


def test_dynamic_ports_are_one_incident() -> None:
    """Whichever ports the batches contain; the page names them."""
    evidence, keys = learned(*WEB), set()
    for number, port in enumerate((40_000, 50_123, 61_000)):
        at = TODAY + 3600 + number * 600
        (found,) = of_it(look(got(OUTSIDE, port, at, 65_000), evidence, at + 60))
        keys.add(incident_key(found, "111122223333", "eu-west-1", "group"))
        assert f"new port: tcp/{port} at" in describe(found).summary
        assert found.facts.slots == number + 1
    (other,) = of_it(look(got(OUTSIDE, 8081), evidence))
    assert len(keys) == 1
    assert incident_key(other, "111122223333", "eu-west-1", "group") not in keys


def test_records_of_another_day_do_not_count_as_now() -> None:
    """A batch that is delivered days later adds nothing, however often."""
    evidence = learned(*WEB)
    before = {key for key in evidence.items if key.startswith("new-egress")}
    for number in range(13):
        now = TODAY + DAY + 7200 + number * 600
        (found,) = of_it(look(got(OUTSIDE, 4444, TODAY + number * 60), evidence, now))
        assert (found.severity, found.facts.slots) == (Severity.INFO, 0)
    assert {key for key in evidence.items if key.startswith("new-egress")} == before
    (found,) = of_it(look(got(OUTSIDE, 25, TODAY), evidence, TODAY + DAY + 7200))
    assert found.severity is Severity.MEDIUM
    assert "0 periods" not in describe(found).because


@given(st.lists(st.integers(-3 * 144, 3 * 144), max_size=30))
@examples(0.3)
def test_only_slots_of_a_day_are_added(slots: list[int]) -> None:
    """The same slots are added to both days; without slots, nothing is added."""
    now = TODAY + 7200
    at = now // 600
    added = additions("role", 4444, frozenset(at + each for each in slots), now)
    recent = frozenset(at + each for each in slots if each > -144)
    assert [each.sets[SLOTS] for each in added] == ([recent] * 2 if recent else [])


def test_midnight_does_not_restart_the_count() -> None:
    """Slots of the evening count in the night."""
    begin = TODAY + DAY - 6 * 600 + 300
    severities = beacon(learned(*WEB), 4444, range(begin, begin + 12 * 600, 600))
    assert severities == [Severity.INFO] * 11 + [Severity.MEDIUM]


def test_slots_of_the_day_before_do_not_count() -> None:
    """Eleven slots, and one more than 24 h after the last of them."""
    evidence = learned(*WEB)
    beacon(evidence, 4444, range(TODAY + 300, TODAY + 300 + 11 * 600, 600))
    assert beacon(evidence, 4444, range(TODAY + DAY + 7500, TODAY + DAY + 8000, 600)) == [Severity.INFO]


def test_repeated_and_reordered_batches_change_nothing() -> None:
    """Slots are a set."""
    times = [TODAY + 300 + slot * 600 for slot in range(11)]
    evidence = learned(*WEB)
    for at in [*reversed(times), *times]:
        (found,) = of_it(look(got(OUTSIDE, 4444, at), evidence, TODAY + 7200))
        assert found.severity is Severity.INFO


@pytest.mark.parametrize("port", sorted(new_egress_port.GRAVE_PORTS))
def test_a_grave_port_pages_at_once(port: int) -> None:
    """Worms and spam use it."""
    (found,) = of_it(look(got(OUTSIDE, port), learned(*WEB)))
    assert found.severity is Severity.MEDIUM


def test_a_usual_port_is_not_reported() -> None:
    """Whatever the address; and after two days every port is usual."""
    evidence = learned(*WEB)
    assert of_it(look(got("192.0.2.77", 443), evidence)) == []
    for ago in (2, 1):
        at = TODAY - ago * DAY + 5400
        assert of_it(look(got(OUTSIDE, 8443, at), evidence, at + 60))
    assert of_it(look(got(OUTSIDE, 8443), evidence)) == []


def udp() -> list[Flow]:
    """An answered request over UDP."""
    client, server = f"{CLIENT}:40000", f"{OUTSIDE}:25"
    given = {"protocol": 17, "start": TODAY + 60, "end": TODAY + 69}
    return [
        flow(client, server, flow_direction=OUT, **given),
        flow(server, client, flow_direction=IN, **given),
    ]


@pytest.mark.parametrize("flows", [[tried(OUTSIDE, 25)], got("10.0.9.9", 25), udp()])
def test_other_traffic_is_not_reported(flows: list[Flow]) -> None:
    """Without an answer, inside, or over UDP."""
    assert of_it(look(flows, learned(*WEB))) == []


@pytest.mark.parametrize(("port", "detector"), [(8080, "unexpected-egress"), (5432, "database-egress")])
def test_roles_of_other_detectors_are_left_to_them(port: int, detector: str) -> None:
    """A role that answers others and never connects to the internet, and a database."""
    served = flow("10.0.7.7:50001", f"{CLIENT}:{port}", tcp_flags=2, flow_direction=IN)
    answer = flow(f"{CLIENT}:{port}", "10.0.7.7:50001", tcp_flags=18, flow_direction=OUT)
    found = {each.detector for each in look(got(OUTSIDE, 8443), learned(served, answer))}
    assert NAME not in found
    assert detector in found


def test_while_a_role_is_learned_only_grave_ports_are_reported() -> None:
    """In the digest."""
    evidence = learned(*WEB, days=3)
    assert of_it(look(got(OUTSIDE, 8443), evidence)) == []
    (found,) = of_it(look(got(OUTSIDE, 445), evidence))
    assert found.severity is Severity.INFO


def test_gateways_and_exempt_hosts_are_not_reported() -> None:
    """An interface that EC2 does not describe may be a NAT gateway."""
    evidence = learned(*WEB)
    assert of_it(look(got(OUTSIDE, 25), evidence, known=FakeDirectory())) == []
    assert of_it(look(got(OUTSIDE, 25), evidence, known=FakeDirectory.of(interface("eni-1", "other")))) != []
    assert of_it(look(got(OUTSIDE, 25), evidence, policy=Policy(exempt=(CLIENT,)))) == []


def test_many_new_ports_are_summed_up_without_a_page() -> None:
    """At most eight are stored; the rest is counted."""
    flows = [each for port in range(7000, 7020) for each in got(OUTSIDE, port)]
    found = of_it(look(flows, learned(*WEB)))
    assert len(found) == 8
    assert {each.severity for each in found} == {Severity.INFO}
    assert surplus(flows) == [(Severity.INFO, 12)]


def test_grave_ports_beyond_the_budget_page() -> None:
    """Each would page alone; those of a role that is still learned, and other ports, would not."""
    ports = [*sorted(new_egress_port.GRAVE_PORTS), 7000]
    both = [(port, f"eni-{n}") for port in ports for n in (1, 2)]
    flows = [each for port, name in both for each in got(OUTSIDE, port, interface_id=name)]
    roles = FakeDirectory.of(interface("eni-1"), interface("eni-2", "app"))
    evidence = learned(*WEB)
    assert surplus(flows, evidence, roles) == [(Severity.INFO, 1 + len(new_egress_port.GRAVE_PORTS))]
    evidence.items |= {key.replace("=web", "=app"): sets for key, sets in evidence.items.items()}
    grave = len(new_egress_port.GRAVE_PORTS)
    assert surplus(flows, evidence, roles) == [(Severity.MEDIUM, grave), (Severity.INFO, 2)]


def surplus(
    flows: list[Flow], evidence: MemoryEvidence | None = None, directory: FakeDirectory | None = None
) -> list[tuple[Severity, int]]:
    """The findings that a batch of a known role only counts."""
    known = directory or FakeDirectory.of(interface("eni-1"))
    container = Container(Policy(), evidence or learned(*WEB), known)
    found = container.detect(new_egress_port.DETECTOR, table(*flows), TODAY + 7200)
    return [(each.severity, each.count) for each in found if isinstance(each, SurplusFinding)]
