"""The watcher: new and failing, held against what is usual, whoever sees which part of it."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowwarden.errors import StateUnavailable
from flowwarden.monitor.findings import Finding
from flowwarden.monitor.triage import inspect
from flowwarden.network.addresses import AddressBook
from flowwarden.network.direction import Directions, resolve
from flowwarden.network.initiator import Basis
from flowwarden.network.traffic import Traffic
from flowwarden.policy.policy import Policy
from flowwarden.records.columnar.flow_table import FlowTable
from flowwarden.records.model import Flow, FlowDirection
from flowwarden.state.schema import MOST_REFUSED, MOST_SCANNERS
from tests.flows import flow, rejected
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence, watcher

DAY = 86_400
TODAY = 20_400 * DAY
CLIENT = "10.0.1.5"
OUT, IN = FlowDirection.EGRESS, FlowDirection.INGRESS
POLICY = Policy()


def look(
    flows: Sequence[Flow],
    evidence: MemoryEvidence,
    now: int = TODAY + 7200,
    policy: Policy = POLICY,
    known: FakeDirectory | None = None,
) -> list[Finding]:
    """One batch, in a container of its own."""
    directory = known or FakeDirectory.of(interface("eni-1"), interface("eni-nat", "nat"))
    directions = Directions(Traffic(FlowTable.of(flows)), AddressBook())
    container = watcher(policy, evidence, directory)
    findings = container.inspect(directions, now)
    container.remember(findings)
    return findings


def tried(server: str, port: int, at: int = TODAY + 3600, client_port: int = 40_000, **given: object) -> Flow:
    """A request of the client that gets no answer."""
    usual = {"tcp_flags": 2, "flow_direction": OUT, "start": at, "end": at + 9}
    return flow(f"{CLIENT}:{client_port}", f"{server}:{port}", **usual | given)


def got(server: str, port: int, at: int = TODAY + 3600, client_port: int = 40_000) -> list[Flow]:
    """A request with its answer."""
    client = f"{CLIENT}:{client_port}"
    answer = flow(f"{server}:{port}", client, tcp_flags=18, flow_direction=IN, start=at, end=at + 9)
    return [tried(server, port, at, client_port=client_port), answer]


def learned(*usual: Flow, days: int = 21) -> MemoryEvidence:
    """Evidence of a role that did this every day for three weeks."""
    evidence = MemoryEvidence()
    for ago in range(days, 0, -1):
        at = TODAY - ago * DAY + 3600
        flows = [*got("10.0.3.1", 5432, at), *(_moved(each, at) for each in usual)]
        assert look(flows, evidence, at) == []
    return evidence


def _moved(one: Flow, at: int) -> Flow:
    return flow(
        f"{one.srcaddr}:{one.srcport}", f"{one.dstaddr}:{one.dstport}", tcp_flags=one.tcp_flags,
        flow_direction=one.flow_direction, start=at, end=at + 9,
    )  # fmt: skip


SCAN = [tried(f"10.0.9.{host}", 8080) for host in range(1, 15)]


def test_a_host_that_tries_many_places_in_vain_scans() -> None:
    """Spread over batches of one probe each, every one in another container."""
    evidence = learned()
    findings = [found for probe in SCAN for found in look([probe], evidence)]
    assert {found.detector for found in findings} == {"scan"}
    assert {found.subject for found in findings} == {CLIENT}
    assert findings[0].example.confidence >= 0.95
    assert "tag:Role=web" in findings[0].because


def test_slow_probes_are_found_within_the_day() -> None:
    """One every twenty minutes is at no time twelve within an hour."""
    evidence = learned()
    probes = [tried(f"10.0.9.{n}", 22 + n, TODAY + 600 + n * 1200) for n in range(1, 40)]
    arrived = [(probe, TODAY + 900 + n * 1200) for n, probe in enumerate(probes, 1)]
    findings = [found for probe, now in arrived for found in look([probe], evidence, now)]
    assert {found.detector for found in findings} == {"scan"}
    assert "within 24h" in findings[0].summary


def test_what_is_usual_may_fail_as_it_likes() -> None:
    """An outage of the database's network: the edge is known, so it is nobody's scan."""
    evidence = learned()
    outage = [tried(f"10.0.3.{host}", 5432) for host in range(1, 60)]
    assert look(outage, evidence) == []


def test_answers_outweigh_failures() -> None:
    """A host that finds what it asks for knows whom to ask."""
    evidence = learned()
    found = [each for host in range(1, 21) for each in got(f"10.0.8.{host}", 9200)]
    assert look([*SCAN, *found], evidence) == []


def test_three_hosts_asked_for_administration_are_lateral_movement() -> None:
    """Answered or not, over several batches."""
    evidence = learned()
    moves = [got("10.0.9.1", 22), [tried("10.0.9.2", 3389)], got("10.0.9.3", 5985)]
    *before, last = [look(move, evidence) for move in moves]
    assert before == [[], []]
    assert [(found.detector, found.subject) for found in last] == [("lateral-movement", CLIENT)]


def test_one_host_logged_in_on_again_and_again_is_brute_force() -> None:
    """Over several batches, of which none shows enough."""
    evidence = learned()
    batches = [
        [each for port in range(begin, begin + 11) for each in got("10.0.9.1", 22, client_port=port)]
        for begin in (41_000, 41_011, 41_022, 41_033)
    ]
    *before, last = [look(batch, evidence) for batch in batches]
    assert before == [[], [], []]
    assert [(found.detector, found.subject) for found in last] == [("brute-force", CLIENT)]
    bastion = learned(*got("10.0.9.200", 22))
    assert [look(batch, bastion) for batch in batches] == [[]] * 4


def test_administration_that_is_usual_is_no_movement() -> None:
    """A bastion does nothing else, and may do it in a network where it never was."""
    evidence = learned(*got("10.0.9.200", 22))
    assert [look(got(f"10.0.{net}.1", 22), evidence) for net in (9, 11, 12, 13)] == [[]] * 4
    smb = [look(got(f"10.0.{net}.1", 445), evidence) for net in (9, 11, 12, 13)]
    assert [bool(found) for found in smb] == [False, False, True, True]


def test_while_a_role_is_learned_it_takes_more_failures_and_nothing_else_counts() -> None:
    """All that it does is new."""
    assert look([*SCAN, *got("10.0.9.1", 22), *got("10.0.9.2", 22)], MemoryEvidence()) == []
    many = [tried(f"10.0.9.{host}", 8080) for host in range(1, 60)]
    assert [found.detector for found in look(many, MemoryEvidence())] == ["scan"]
    unknown = FakeDirectory()
    assert [found.detector for found in look(many, MemoryEvidence(), known=unknown)] == ["scan"]
    internet = [tried(f"203.0.113.{host}", 8080) for host in range(1, 60)]
    assert look(internet, MemoryEvidence(), known=unknown) == [], "it may be a NAT gateway"


def test_gateways_and_exempt_hosts_scan_nobody() -> None:
    """A NAT gateway asks in others' names; a scanner of ours may."""
    evidence = learned()
    gateway = FakeDirectory({"eni-1": interface("eni-1")})
    nat = interface("eni-1")
    gateway.known["eni-1"] = type(nat)(
        **{name: getattr(nat, name) for name in nat.__struct_fields__} | {"kind": "nat_gateway"}
    )
    assert look(SCAN, evidence, known=gateway) == []
    assert look(SCAN, evidence, policy=Policy(exempt=(CLIENT,))) == []


def test_what_an_incident_does_is_not_learned() -> None:
    """Or three days of it would be usual."""
    evidence = learned()
    with_success = [*SCAN, *got("10.0.9.99", 8080)]
    for ago in range(4):
        at = TODAY + ago * DAY + 3600
        flows = [_moved(each, at) for each in with_success]
        assert [found.detector for found in look(flows, evidence, at)] == ["scan"]


def test_without_the_table_a_batch_is_judged_by_itself() -> None:
    """Its own failures are enough if they are many; the loss is counted."""
    evidence = MemoryEvidence(is_away=True)
    many = [tried(f"10.0.9.{host}", 8080) for host in range(1, 60)]
    assert [found.detector for found in look(many, evidence)] == ["scan"]


def test_a_container_writes_what_is_new_to_it_once() -> None:
    """And an ordinary batch nothing at all."""
    evidence = learned()
    writes = evidence.writes
    one = watcher(POLICY, evidence, FakeDirectory.of(interface("eni-1")))
    directions = Directions(Traffic(FlowTable.of(got("10.0.3.1", 5432))), AddressBook())
    for _ in range(5):
        one.remember(one.inspect(directions, TODAY + 7200))
    assert evidence.writes == writes + 1, "the day's edges"


@pytest.mark.parametrize("seed", range(3))
@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 30), max_size=6), random=st.randoms(use_true_random=False))
def test_order_repetition_and_partition_of_batches_change_no_incident(
    seed: int, cuts: list[int], random: Random
) -> None:
    """What is found in the end is the same, whoever saw which part of it, how often and in which order."""
    base = learned()
    source = Random(seed)  # noqa: S311 - draws traffic
    flows = [tried(f"10.0.9.{source.randrange(1, 30)}", source.choice((22, 445, 8080))) for _ in range(24)]
    flows += [each for host in range(4) for each in got(f"10.0.9.{host + 40}", 22)]

    def incidents(batches: list[list[Flow]]) -> set[tuple[str, str]]:
        evidence = MemoryEvidence(dict(base.items))
        found = [each for batch in batches for each in look(batch, evidence)]
        return {(each.detector, each.subject) for each in found}

    places = sorted({0, len(flows) // 2 * 2, *(cut // 2 * 2 for cut in cuts)})
    parts = [flows[a:b] for a, b in zip(places, [*places[1:], len(flows)], strict=True)]
    random.shuffle(parts)
    assert incidents([part for part in parts * 2 if part]) == incidents([flows])
    assert ("scan", CLIENT) in incidents([flows])


def test_a_rejected_scan_is_told_like_an_unanswered_one() -> None:
    """Whatever stops it."""
    evidence = learned()
    refused = [
        rejected(
            f"{CLIENT}:40000", f"10.0.9.{host}:8080", tcp_flags=2, flow_direction=OUT, start=TODAY + 3600
        )
        for host in range(1, 15)
    ]
    assert [found.detector for found in look(refused, evidence)] == ["scan"]


def test_a_batch_over_the_end_of_a_window_hides_no_scan() -> None:
    """Every window that it touches is judged."""
    evidence = learned()
    midnight = TODAY + DAY
    before = [tried(f"10.0.9.{host}", 8080, midnight - 600) for host in range(1, 15)]
    assert [
        each.detector
        for each in look([*before, tried("10.0.9.99", 8080, midnight + 5)], evidence, midnight + 60)
    ] == ["scan"]


def test_a_record_with_a_wrong_time_hides_no_scan() -> None:
    """One of a year ahead makes no batch of the future."""
    assert [
        each.detector for each in look([*SCAN, tried("10.0.9.99", 8080, TODAY + 400 * DAY)], learned())
    ] == ["scan"]


def test_hosts_of_other_vpcs_with_the_same_address_are_others() -> None:
    """172.31.0.0/16 is everybody's."""
    evidence = learned()
    other = interface("eni-1")
    values = {name: getattr(other, name) for name in other.__struct_fields__} | {"vpc_id": "vpc-2"}
    elsewhere = FakeDirectory({"eni-1": type(other)(**values)})
    assert look(SCAN[:8], evidence) == []
    assert look(SCAN[8:], evidence, known=elsewhere) == []


def test_sessions_with_the_internet_are_no_lateral_movement() -> None:
    """Code is fetched by SSH."""
    evidence = learned()
    assert look([each for host in (3, 4, 5) for each in got(f"140.82.121.{host}", 22)], evidence) == []


def test_udp_that_the_internet_does_not_get_is_no_scan() -> None:
    """Browsers try QUIC and do without."""
    refused = [
        rejected(f"{CLIENT}:4000", f"203.0.113.{host}:443", protocol=17, flow_direction=OUT, start=TODAY + 60)
        for host in range(1, 30)
    ]
    assert look(refused, learned()) == []


def test_udp_that_was_usual_is_usual() -> None:
    """Learned though its initiator is only likely; an outage of it is none of the host's doing."""
    asked = [
        flow(f"{CLIENT}:40000", "10.0.4.2:53", protocol=17, flow_direction=OUT),
        flow("10.0.4.2:53", f"{CLIENT}:40000", protocol=17, flow_direction=IN),
    ]
    evidence = MemoryEvidence()
    for ago in range(21, 0, -1):
        at = TODAY - ago * DAY + 3600
        told = [
            flow(
                f"{one.srcaddr}:{one.srcport}", f"{one.dstaddr}:{one.dstport}", protocol=17,
                flow_direction=one.flow_direction, start=at, end=at + 9,
            )
            for one in asked
        ]  # fmt: skip
        look(told, evidence, at)
    outage = [
        rejected(f"{CLIENT}:4000", f"10.0.4.{host}:53", protocol=17, flow_direction=OUT, start=TODAY + 60)
        for host in range(1, 30)
    ]
    assert look(outage, evidence) == []


class Hanging(MemoryEvidence):
    """A table that answers nothing, and counts who waits for it."""

    waited: int = 0

    def _answer(self) -> None:
        self.waited += 1
        raise StateUnavailable("ReadTimeoutError, by the test")


def test_a_table_that_hangs_is_waited_for_once_a_batch() -> None:
    """Each wait takes seconds of those in which pages go out."""
    table = Hanging()
    many = [tried(f"10.0.9.{host}", 8080) for host in range(1, 60)]
    assert [found.detector for found in look([*many, *KNOCKS], table)] == ["scan"]
    assert table.waited == 1


def test_an_exempt_host_teaches_its_role_nothing() -> None:
    """What only it may do is not usual for the others."""
    policy = Policy(exempt=("10.0.0.1",))  # the interface's address, as EC2 tells it
    evidence = MemoryEvidence()
    for ago in range(21, 0, -1):
        look(got("10.0.9.200", 22, TODAY - ago * DAY + 3600), evidence, TODAY - ago * DAY + 3600, policy)
    assert evidence.items == {}


def test_a_flood_of_visitors_is_no_flood_of_writes() -> None:
    """The internet decides how many there are."""
    evidence = learned()
    writes = evidence.writes
    flood = [
        rejected(
            f"198.51.100.{host}:50000", f"{CLIENT}:{port}", tcp_flags=2, flow_direction=IN, start=TODAY + 60
        )
        for host in range(1, 101)
        for port in range(8000, 8012)
    ]
    look(flood, evidence)
    assert evidence.writes - writes <= 20


VISITOR = "198.51.100.66"


@pytest.mark.parametrize("turned", [False, True])
def test_of_many_that_scan_alike_the_same_are_remembered_by_every_container(turned: bool) -> None:  # noqa: FBT001
    """Whatever it read before: which are cut off is a matter of their addresses."""
    evidence = learned()
    scanners = [f"198.51.100.{host}" for host in range(1, 40)]
    flows = [
        rejected(f"{each}:50000", f"{CLIENT}:{port}", tcp_flags=2, flow_direction=IN, start=TODAY + 60)
        for each in (reversed(scanners) if turned else scanners)
        for port in range(8000, 8012)
    ]
    look(flows, evidence)
    kept = {key.rpartition("#")[2] for key in evidence.items if key.startswith("scanner#")}
    assert kept == set(sorted(scanners)[:MOST_SCANNERS])


def knock(port: int, **given: object) -> Flow:
    """The visitor is refused a port."""
    usual = {"tcp_flags": 2, "flow_direction": IN, "start": TODAY + 3600, "end": TODAY + 3609}
    return rejected(f"{VISITOR}:50000", f"{CLIENT}:{port}", **usual | given)


def visit(port: int, at: int = TODAY + 5400, visitor: str = VISITOR) -> list[Flow]:
    """The visitor is let in and answered."""
    told = {"start": at, "end": at + 9}
    return [
        flow(f"{visitor}:50001", f"{CLIENT}:{port}", tcp_flags=2, flow_direction=IN, **told),
        flow(f"{CLIENT}:{port}", f"{visitor}:50001", tcp_flags=18, flow_direction=OUT, **told),
    ]


KNOCKS = [knock(port) for port in range(8000, 8012)]


def test_a_scanner_that_is_let_in_somewhere_new_is_a_hit() -> None:
    """Refused in one batch, let in in another, of another container."""
    evidence = learned()
    assert look(KNOCKS, evidence) == []
    (found,) = look(visit(8081), evidence)
    assert (found.detector, found.subject, str(found.service)) == ("scanner-connected", CLIENT, "tcp/8081")
    (together,) = look([*KNOCKS, *visit(8081)], learned())
    assert together.detector == "scanner-connected"


def test_a_scanner_who_takes_his_time_is_one_all_the_same() -> None:
    """A few places in each batch, each in a container of its own; the same six are six."""
    slow = learned()
    assert [look(KNOCKS[at : at + 4], slow) for at in range(0, 12, 4)] == [[]] * 3
    assert look(visit(8081), slow) != []
    evidence = learned()
    assert look(KNOCKS[:6], evidence) == []
    assert look([*KNOCKS[:6], *visit(8081)], evidence) == []
    assert look([*KNOCKS[6:], *visit(8081)], evidence) != []
    assert look(visit(8082), evidence) != []


def test_a_hit_is_told_though_the_refusals_come_after_it() -> None:
    """Batches overtake each other: of twelve refusals four came before the visit, and eight after it."""
    evidence = learned()
    assert look(KNOCKS[:4], evidence) == []
    assert look(visit(8081), evidence) == []
    (found,) = look(KNOCKS[4:], evidence)
    assert (found.detector, found.subject, str(found.service)) == ("scanner-connected", CLIENT, "tcp/8081")
    in_order = learned()
    (usual,) = [each for batch in (KNOCKS, visit(8081)) for each in look(batch, in_order)]
    assert (usual.subject, usual.service, usual.severity) == (found.subject, found.service, found.severity)


def test_a_late_hit_is_told_once_and_whichever_day_the_refusals_are_of() -> None:
    """Not again with each refusal of the day; and refused yesterday, let in, and refused again today."""
    evidence = learned()
    assert look(KNOCKS[:4], evidence) == []
    assert look(visit(8081), evidence) == []
    container = watcher(POLICY, evidence, FakeDirectory.of(interface("eni-1")))
    batch = Directions(Traffic(FlowTable.of(KNOCKS)), AddressBook())
    told = [len(container.inspect(batch, TODAY + 7200)) for _ in range(4)]
    assert told == [1, 0, 0, 0]
    over_midnight = learned()
    yesterday = [knock(port, start=TODAY - 3600, end=TODAY - 3590) for port in range(9000, 9004)]
    assert look(yesterday, over_midnight, TODAY - 1800) == []
    assert look(visit(8081), over_midnight) == []
    assert [found.detector for found in look(KNOCKS, over_midnight)] == ["scanner-connected"]


def test_a_failed_login_leaves_the_table_what_else_there_is() -> None:
    """It has no connections to count."""
    evidence = learned()
    batches = [[tried(f"10.0.9.{host}", 22)] for host in range(1, 30)]
    told = {found.detector for batch in batches for found in look(batch, evidence)}
    assert told == {"scan", "lateral-movement"}


def test_visits_of_who_was_refused_nowhere_are_not_written_down() -> None:
    """Or each user of a new service were a write."""
    evidence = learned()
    writes = evidence.writes
    look([each for n in range(40) for each in visit(8081, visitor=f"203.0.113.{n}")], evidence)
    assert evidence.writes - writes <= 1, "the edges of the day"


def test_who_is_known_for_a_scanner_costs_no_more_writes() -> None:
    """However many places he tries after that."""
    evidence = learned()
    look(KNOCKS, evidence)
    writes = evidence.writes
    container = watcher(POLICY, evidence, FakeDirectory.of(interface("eni-1")))
    for first in range(9000, 9600, 12):
        knocks = [knock(port) for port in range(first, first + 12)]
        container.inspect(Directions(Traffic(FlowTable.of(knocks)), AddressBook()), TODAY + 7200)
    assert evidence.writes - writes <= 1
    (places,) = [sets for key, sets in evidence.items.items() if key.startswith("scanner#")]
    assert len(places["refused-at"]) <= 20


def test_visitors_who_knocked_nowhere_and_usual_services_are_no_hits() -> None:
    """Nor is a handful of refusals, nor a reset."""
    evidence = learned(*visit(443))
    assert look([*KNOCKS, *visit(443)], evidence) == []
    assert look(visit(8081, visitor="203.0.113.77"), evidence) == []
    few = learned()
    assert look([*KNOCKS[:6], *visit(8081)], few) == []
    request, answer = visit(8081)
    reset = flow(f"{CLIENT}:8081", f"{VISITOR}:50001", tcp_flags=4, flow_direction=OUT, start=answer.start)
    assert look([*KNOCKS, request, reset], learned()) == []


def test_without_flags_the_refusals_tell_who_started_it() -> None:
    """Two ports that nobody knows say little; that he was refused elsewhere says the rest."""
    evidence = learned()
    assert look([knock(port, tcp_flags=None) for port in range(7000, 7012)], evidence) == []
    (found,) = look(_unflagged(visit(8888)), evidence)
    assert (found.detector, found.subject, str(found.service)) == ("scanner-connected", CLIENT, "tcp/8888")
    assert (found.example.confidence, found.example.verdict.evidence) == (0.95, Basis.SCANNER)
    assert look(_unflagged(visit(8888, visitor="203.0.113.77")), evidence) == []
    assert look(_unflagged(visit(8888))[:1], evidence) == [], "not answered"


def test_answers_that_come_too_late_make_nobody_a_scanner() -> None:
    """Without flags they look like attempts at our clients' ports; nor is such a port a service."""
    evidence = learned()
    late = [
        rejected(f"{VISITOR}:61000", f"{CLIENT}:{port}", flow_direction=IN, start=TODAY + 3600)
        for port in range(40000, 40012)
    ]
    assert look(late, evidence) == []
    ours = [
        flow(f"{CLIENT}:40100", f"{VISITOR}:61000", start=TODAY + 5400),
        flow(f"{VISITOR}:61000", f"{CLIENT}:40100", start=TODAY + 5400),
    ]
    assert look(ours, evidence) == []
    look([knock(port, tcp_flags=None) for port in range(7000, 7012)], evidence)
    assert look(ours, evidence) == [], "a port of clients"


def _unflagged(flows: Sequence[Flow]) -> list[Flow]:
    return [
        flow(
            f"{each.srcaddr}:{each.srcport}", f"{each.dstaddr}:{each.dstport}", start=each.start, end=each.end
        )
        for each in flows
    ]


def test_a_database_that_initiates_is_known_by_what_its_role_serves() -> None:
    """For three weeks others asked it; now it asks."""
    served = [
        flow("10.0.7.7:41000", f"{CLIENT}:5432", tcp_flags=2, flow_direction=IN),
        flow(f"{CLIENT}:5432", "10.0.7.7:41000", tcp_flags=18, flow_direction=OUT),
    ]
    evidence = learned(*served)
    findings = look(got("203.0.113.9", 443), evidence)
    assert {found.detector for found in findings} == {"database-egress", "unexpected-egress"}
    (told,) = inspect([], POLICY, findings)
    assert (told.detector, told.subject) == ("database-egress", CLIENT)
    assert look(got("203.0.113.9", 443), learned()) == []


def test_a_database_that_is_learned_may_not_go_where_no_database_goes() -> None:
    """It takes two days to see that it is one; what it did on these is usual."""
    served = [
        flow("10.0.7.7:41000", f"{CLIENT}:5432", tcp_flags=2, flow_direction=IN),
        flow(f"{CLIENT}:5432", "10.0.7.7:41000", tcp_flags=18, flow_direction=OUT),
    ]
    for strange in got("10.0.9.1", 22), got("203.0.113.9", 4444):
        (found,) = look(strange, learned(*served, days=2))
        assert (found.detector, found.subject) == ("database-egress", CLIENT)
        assert look(strange, learned(*served, days=1)) == []
        assert look(strange, learned(days=2)) == [], "serves no database"
        assert look(strange, learned(*served, *strange, days=2)) == []
    assert look(got("203.0.113.9", 443), learned(*served, days=2)) == []


def test_a_scanner_that_is_let_in_to_administer_is_a_hit_while_a_role_is_learned() -> None:
    """Any other service may be what the role is for, and so may this one on the first two days."""
    for grave in (22, 3389, 6379):
        (found,) = look([*KNOCKS, *visit(grave)], learned(days=2))
        assert (found.detector, found.subject) == ("scanner-connected", CLIENT)
        assert look([*KNOCKS, *visit(grave)], learned(days=1)) == []
        assert look([*KNOCKS, *visit(grave)], learned(*visit(grave), days=2)) == [], "a bastion"
    assert look([*KNOCKS, *visit(443), *visit(8081)], learned(days=2)) == []


def test_a_role_that_only_listened_and_goes_out_is_told_until_that_is_usual() -> None:
    """For three weeks it answered others on a port that is no database's."""
    served = [
        flow("10.0.7.7:41000", f"{CLIENT}:8080", tcp_flags=2, flow_direction=IN),
        flow(f"{CLIENT}:8080", "10.0.7.7:41000", tcp_flags=18, flow_direction=OUT),
    ]
    evidence = learned(*served)
    (found,) = look(got("203.0.113.9", 443), evidence)
    assert (found.detector, found.subject) == ("unexpected-egress", CLIENT)
    goes_out = learned(*served, *got("203.0.113.9", 80))
    assert look(got("203.0.113.9", 443), goes_out) == []
    later = [
        bool(look(got("203.0.113.9", 443, at), evidence, at))
        for at in range(TODAY + DAY + 3600, TODAY + 4 * DAY, DAY)
    ]
    assert later == [True, False, False], "told on two days, and then it is usual"


def test_two_logins_do_not_make_an_administrator() -> None:
    """Who prepares for more would let them pass for usual; a bastion logs in on most days."""
    moves = [each for host in range(1, 9) for each in got(f"10.0.9.{host}", 22)]
    evidence = learned()
    for ago in (2, 1):
        assert look(got("10.0.200.1", 22, TODAY - ago * DAY + 3600), evidence, TODAY - ago * DAY + 3600) == []
    assert [found.detector for found in look(moves, evidence)] == ["lateral-movement"]
    assert look(moves, learned(*got("10.0.200.1", 22))) == []


def test_a_flood_of_refusals_costs_a_bounded_number_of_writes() -> None:
    """Addresses of ours can be made up where many networks meet; what is beyond pages nobody."""
    evidence = learned()
    at = TODAY + 3600
    flows = [
        rejected(f"10.{n % 200}.7.7:{40_000 + n}", f"10.0.200.1:{1000 + n}", tcp_flags=2, flow_direction=OUT,
                 start=at, end=at + 9, packets=3)
        for n in range(500)
    ]  # fmt: skip
    findings = inspect(resolve(Traffic(FlowTable.of(flows)), AddressBook()), POLICY)
    before = evidence.writes
    told = weighed(findings, evidence, at)
    assert len(told) > MOST_REFUSED
    assert not any(told)
    assert evidence.writes - before <= 2 * MOST_REFUSED


def blocked(server: str, at: int) -> list[Finding]:
    """What the batch alone says about a host that is refused a service."""
    flows = [
        rejected(f"{CLIENT}:4{n}000", f"{server}:5432", tcp_flags=2, flow_direction=OUT, start=at, end=at + 9)
        for n in range(3)
    ]
    return inspect(resolve(Traffic(FlowTable.of(flows)), AddressBook()), POLICY)


def weighed(
    findings: list[Finding], evidence: MemoryEvidence, now: int, known: FakeDirectory | None = None
) -> list[bool]:
    """Whether each pages, after a container of its own has weighed it."""
    directory = known or FakeDirectory.of(interface("eni-1"))
    return [each.severity.pages for each in watcher(POLICY, evidence, directory).weigh(findings, now)]


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
