"""Uploads over weeks: usual volumes are learned, much larger ones are reported."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import chain, pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.monitor.baseline.baseline import MEASURED
from flowwarden.monitor.findings import Finding, TrafficFinding
from flowwarden.monitor.traffic.selection import PAGING_CONFIDENCE
from flowwarden.monitor.traffic.usual_volume import MEGABYTE
from flowwarden.policy.policy import Policy
from flowwarden.records.model import Flow, FlowDirection
from flowwarden.state.schema import MOST_UPLOADS
from flowwarden.state.sets import fingerprint
from tests.examples import examples
from tests.flows import flow
from tests.monitor.batches import Container
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence

DAY = 86_400
TODAY = 20_400 * DAY
HOST = "10.0.1.5"


def look(
    flows: Sequence[Flow], evidence: MemoryEvidence, now: int, policy: Policy | None = None, role: str = "web"
) -> list[TrafficFinding]:
    """One batch, in a new container."""
    return Container(policy or Policy(), evidence, FakeDirectory.of(interface("eni-1", role))).found(
        flows, now
    )


def asked(server: str, at: int, size: int = 360, port: int = 40_000) -> list[Flow]:
    """A connection of the host, with its answer."""
    client = f"{HOST}:{port}"
    times = {"start": at, "end": at + 50}
    return [
        flow(client, server, tcp_flags=3, bytes=size, flow_direction=FlowDirection.EGRESS, **times),
        flow(server, client, tcp_flags=19, flow_direction=FlowDirection.INGRESS, **times),
    ]


def sent(megabytes: int, at: int = TODAY + 3600, port: int = 40_000) -> list[Flow]:
    """An upload."""
    return asked("203.0.113.9:443", at, megabytes * MEGABYTE, port)


def learned(megabytes: int = 0, days: int = 21, every: int = 1) -> MemoryEvidence:
    """Evidence of a role with daily internet connections and recurring uploads of this size."""
    return _learned(megabytes, days, every).copy()


@cache
def _learned(megabytes: int, days: int, every: int) -> MemoryEvidence:
    """Several tests begin with the same weeks; none of them changes this original."""
    evidence = MemoryEvidence()
    for ago in range(days, 0, -1):
        at = TODAY - ago * DAY + 3600
        look(asked("203.0.113.9:443", at), evidence, at + 60)
        if megabytes and ago % every == 0:
            look(sent(megabytes, at), evidence, at + 60)
    return evidence


def found(findings: Sequence[Finding]) -> list[str]:
    """The detectors with a finding."""
    return [finding.detector for finding in findings]


def test_gigabytes_of_a_role_without_uploads_are_reported() -> None:
    """In one record or in many, in any batches and containers."""
    assert found(look(sent(600), learned(), TODAY + 3700)) == ["egress-volume"]
    evidence = learned()
    parts = [look(sent(150, port=40_000 + part), evidence, TODAY + 3700) for part in range(4)]
    assert [found(part) for part in parts] == [[], [], [], ["egress-volume"]]
    assert parts[-1][0].subject == HOST


def many(count: int, size: int, per_batch: int = 100) -> list[list[Flow]]:
    """Batches of connections of the same size, to changing hosts."""
    flows = [
        asked(f"203.0.113.{number % 250}:443", TODAY + 3600 + number % 3000, size, 30_000 + number)[0]
        for number in range(count)
    ]
    return [flows[begin : begin + per_batch] for begin in range(0, count, per_batch)]


def test_small_connections_are_summed() -> None:
    """A gigabyte in connections of 2.5 MB or 100 KB is found; a tenth of it is not."""
    for size in (2_500_000, 100_000):
        evidence = learned()
        found_in = [found(look(batch, evidence, TODAY + 7000)) for batch in many(10**9 // size, size)]
        assert ["egress-volume"] in found_in
        evidence = learned()
        found_in = [found(look(batch, evidence, TODAY + 7000)) for batch in many(10**8 // size, size)]
        assert {*map(tuple, found_in)} == {()}


def test_the_page_shows_all_connections_of_the_batch() -> None:
    """Not only the records of the sample."""
    evidence = learned()
    findings = [each for batch in many(400, 2_500_000) for each in look(batch, evidence, TODAY + 7000)]
    assert {each.tally.connections for each in findings} == {100}


def test_a_repeated_delivery_counts_once() -> None:
    """Delivery is at least once."""
    evidence = learned()
    assert [look(sent(400), evidence, TODAY + 3700) for _ in range(5)] == [[]] * 5


@examples(0.25)
@given(cuts=st.sets(st.integers(1, 8)), random=st.randoms(use_true_random=False))
def test_order_repetition_and_partition_of_batches_change_nothing(cuts: set[int], random: Random) -> None:
    """Nine uploads are one incident, seven are none, in any container."""
    base = learned().items
    for count, expected in ((9, {("egress-volume", HOST)}), (7, set())):
        evidence = MemoryEvidence(dict(base))
        records = [sent(60, port=40_000 + number) for number in range(count)]
        ends = [0, *sorted(cut for cut in cuts if cut < count), count]
        parts = [[*chain(*records[a:b])] for a, b in pairwise(ends)] * 2
        random.shuffle(parts)
        found_in_parts = [each for part in parts for each in look(part, evidence, TODAY + 3700)]
        assert {(each.detector, each.subject) for each in found_in_parts} == expected


def hourly(megabytes: int, evidence: MemoryEvidence, first: int, count: int) -> list[list[str]]:
    """The detectors that find something, in a batch each hour; hours since midnight."""
    times = [TODAY + hour * 3600 for hour in range(first, first + count)]
    return [found(look(sent(megabytes, at), evidence, at + 60)) for at in times]


@pytest.mark.parametrize("first", [1, 14, 22])
def test_a_slow_upload_is_summed_over_a_day(first: int) -> None:
    """A gigabyte within 24 hours is found, before midnight, across it and after it; within 48 it is not."""
    assert ["egress-volume"] in hourly(100, learned(), first, 12)
    assert hourly(20, learned(), first, 47) == [[]] * 47
    assert hourly(400, learned(), first, 2) == [[]] * 2


def test_a_burst_is_not_reported_again_by_each_small_upload_of_the_day() -> None:
    """Only if the host goes on sending its share of what is too much for a day."""
    evidence = learned()
    assert hourly(3000, evidence, 1, 1) == [["egress-volume"]]
    assert hourly(20, evidence, 2, 12) == [[]] * 12
    assert hourly(100, evidence, 14, 1) == [["egress-volume"]]


def test_a_slow_upload_in_small_pieces_is_found() -> None:
    """10 MB every five minutes, in connections of 2.5 MB; a tenth of it is not."""
    for size, expected in ((2_500_000, True), (250_000, False)):
        evidence, reported = learned(), []
        for batch in range(12):
            at = TODAY + 3600 * (1 + batch)
            calls = [asked("203.0.113.9:443", at + part, size, 40_000 + part)[0] for part in range(48)]
            reported += look(calls, evidence, at + 60)
        assert bool(reported) is expected


def test_what_a_role_sends_each_day_is_usual() -> None:
    """Telemetry of 100 MB an hour, learned; ten times as much is not usual."""
    evidence = MemoryEvidence()
    for ago in range(21, 0, -1):
        at = TODAY - ago * DAY + 3600
        look([*sent(100, at), *sent(300, at + 7200, 40_001)], evidence, at + 8000)
    usual = evidence.copy()
    assert hourly(100, usual, 1, 12) == [[]] * 12
    assert ["egress-volume"] in hourly(450, evidence, 1, 12)


def to_bucket(megabytes: int, at: int, port: int = 40_000) -> list[Flow]:
    """An upload to object storage."""
    client, server, times = f"{HOST}:{port}", "52.218.1.9:443", {"start": at, "end": at + 50}
    there = {"bytes": megabytes * MEGABYTE, "tcp_flags": 3, "pkt_dst_aws_service": "S3"}
    back = {"tcp_flags": 19, "pkt_src_aws_service": "S3"}
    return [
        flow(client, server, flow_direction=FlowDirection.EGRESS, **there, **times),
        flow(server, client, flow_direction=FlowDirection.INGRESS, **back, **times),
    ]


def using_buckets(megabytes: int, days: int = 21, every: int = 1) -> MemoryEvidence:
    """Evidence of a role that also sends this much to object storage."""
    evidence = MemoryEvidence()
    for ago in range(days, 0, -1):
        at = TODAY - ago * DAY + 3600
        look(asked("203.0.113.9:443", at), evidence, at + 60)
        if megabytes and ago % every == 0:
            look(to_bucket(megabytes, at), evidence, at + 60)
    return evidence


def test_gigabytes_to_a_bucket_are_found_if_the_role_never_sent_any() -> None:
    """Also if it uses object storage for little; a backup there that is usual, daily or weekly, is not."""
    at = TODAY + 3600
    for usual in (using_buckets(0), using_buckets(1)):
        findings = look(to_bucket(2000, at), usual, at + 60)
        assert [(each.detector, each.peer_class) for each in findings] == [("egress-volume", "aws-service")]
        assert look(to_bucket(400, at), using_buckets(0), at + 60) == []
    for every in (1, 7):
        assert look(to_bucket(3000, at), using_buckets(1000, every=every), at + 60) == []


def test_uploads_to_aws_services_are_judged_once_they_were_summed_for_two_weeks() -> None:
    """An earlier version did not sum them, so what is usual is unknown, although the role is learned."""
    evidence = using_buckets(0)
    marks = {fingerprint(*MEASURED)}
    evidence.items = {
        key: {name: numbers - marks for name, numbers in sets.items()} for key, sets in evidence.items.items()
    }
    at = TODAY + 3600
    assert look(to_bucket(2000, at), evidence, at + 60) == []
    assert found(look(sent(2000, at), evidence, at + 60)) == ["egress-volume"]


def test_uploads_to_a_new_network_are_found_whatever_the_usual_volume() -> None:
    """A role with a backup of a gigabyte to one place; not if its uploads go to many places."""
    at = TODAY + 3600
    elsewhere = asked("198.51.100.7:443", at, 2000 * MEGABYTE, 40_001)
    (finding,) = look([*sent(1000, at), *elsewhere], learned(1000), at + 60)
    assert (finding.detector, finding.facts.new_networks) == ("egress-volume", True)
    assert finding.tally.servers == (("198.51.100.7", 1),)
    assert look(sent(2000, at), learned(1000), at + 60) == []
    evidence = MemoryEvidence()
    for ago in range(21, 0, -1):
        then = TODAY - ago * DAY + 3600
        look(asked(f"203.0.{ago}.9:443", then, 1000 * MEGABYTE), evidence, then + 60)
    assert look([*sent(1000, at), *elsewhere], evidence, at + 60) == []


def test_another_network_is_usual_after_two_days() -> None:
    """The backup has moved."""
    evidence = learned(1000)
    days = [TODAY + day * DAY + 3600 for day in range(4)]
    reported = [found(look(asked("198.51.100.7:443", at, 1000 * MEGABYTE), evidence, at + 60)) for at in days]
    assert reported == [["egress-volume"]] * 2 + [[]] * 2


def later(port: int, megabytes: int, at: int, client_port: int = 40_000, **given: object) -> Flow:
    """A record of a connection that began before: it has no flag."""
    times = {"start": at, "end": at + 50}
    return flow(
        f"{HOST}:{client_port}", f"203.0.113.9:{port}", tcp_flags=0, bytes=megabytes * MEGABYTE,
        flow_direction=FlowDirection.EGRESS, **times | given,
    )  # fmt: skip


def test_later_records_of_a_connection_on_a_new_port_count_if_the_role_opened_it() -> None:
    """One long upload: the first record shows the opening, in the same batch or within a day."""
    at = TODAY + 3600
    begun = flow(f"{HOST}:40000", "203.0.113.9:9001", tcp_flags=2, bytes=9000,
                 flow_direction=FlowDirection.EGRESS, start=at, end=at + 50)  # fmt: skip
    answer = flow("203.0.113.9:9001", f"{HOST}:40000", tcp_flags=18, bytes=9000,
                  flow_direction=FlowDirection.INGRESS, start=at, end=at + 50)  # fmt: skip
    evidence = learned()
    look([begun, answer], evidence, at + 60)
    apart = look([later(9001, 900, at + 600)], evidence, at + 700)
    assert "egress-volume" in found(apart)
    assert "egress-volume" in found(look([begun, answer, later(9001, 900, at + 60)], learned(), at + 700))
    assert "egress-volume" not in found(look([later(9001, 900, at + 600)], learned(), at + 700))
    (finding,) = (each for each in apart if each.detector == "egress-volume")
    assert finding.example.confidence >= PAGING_CONFIDENCE


def test_what_a_server_sends_its_clients_is_no_upload() -> None:
    """Without an opening, on a port that the role never opens; between client ports nothing is known."""
    at, evidence = TODAY + 3600, learned()
    assert look([later(51_000, 900, at, client_port=50_051)], evidence, at + 60) == []
    assert look([later(20_000, 900, at, client_port=50_051)], evidence, at + 60) == []


def test_backups_are_usual_and_much_larger_uploads_are_not() -> None:
    """Daily or weekly."""
    for every in (1, 7):
        usual = learned(1000, days=28, every=every)
        assert look(sent(2000), usual, TODAY + 3700) == []
        assert found(look(sent(20_000), usual, TODAY + 3700)) == ["egress-volume"]
    seldom = learned(1000, days=28, every=14)
    assert found(look(sent(2000), seldom, TODAY + 3700)) == ["egress-volume"]


def test_a_reported_volume_is_learned_up_to_the_limit() -> None:
    """Repeated exfiltration is reported each time, and a large backup is usual after some days."""
    evidence = learned()
    days = [TODAY + day * DAY + 3600 for day in range(8)]
    stolen = [found(look(sent(8000, at), evidence, at + 60)) for at in days]
    assert stolen[:5] == [["egress-volume"]] * 5
    assert stolen[-1] == []
    small = learned()
    assert [bool(look(sent(1000, at), small, at + 60)) for at in days] == [True] * 3 + [False] * 5


def stolen(day: int, *, host: int, network: int, parts: int = 1, to_aws: bool = False) -> list[list[Flow]]:
    """2 GB, in batches of their own; what is sent before the limit is reached is part of it."""
    at, batches = TODAY + day * DAY + 3600, []
    for part in range(parts):
        kind = {"pkt_dst_aws_service": "S3"} if to_aws else {}
        server = "52.218.1.9" if to_aws else f"198.51.{network}.9"
        given: dict[str, Any] = {"start": at + part, "end": at + part + 50, "tcp_flags": 3, **kind}
        client, size = f"10.0.1.{host}:{40_000 + part}", 2000 * MEGABYTE // parts
        out = FlowDirection.EGRESS
        batches.append([flow(client, f"{server}:443", bytes=size, flow_direction=out, **given)])
    return batches


def reported_on(days: Sequence[Sequence[Sequence[Flow]]], evidence: MemoryEvidence) -> list[bool]:
    """On which days something was found."""
    found_on = []
    for day, batches in enumerate(days):
        each_batch = [look(batch, evidence, TODAY + day * DAY + 7000) for batch in batches]
        found_on.append(any(each_batch))
    return found_on


@pytest.mark.parametrize("parts", [1, 7])
def test_what_was_stolen_from_other_hosts_is_not_usual(parts: int) -> None:
    """Nor is what was sent before it was too much. After six such days it is a habit of the role."""
    days = [stolen(day, host=50 + day, network=day, parts=parts) for day in range(8)]
    assert reported_on(days, learned()) == [True] * 6 + [False] * 2
    to_buckets = [stolen(day, host=50 + day, network=0, parts=parts, to_aws=True) for day in range(6)]
    assert reported_on(to_buckets, using_buckets(0)) == [True] * 4 + [False] * 2


def test_what_was_stolen_over_the_internet_makes_nothing_to_aws_services_usual() -> None:
    """Each has its own days; four to AWS services are a habit, whatever else was stolen."""
    evidence = using_buckets(0)
    out = [stolen(day, host=50 + day, network=day) for day in range(4)]
    to_buckets = [stolen(day, host=70 + day, network=0, to_aws=True) for day in range(5)]
    both = [[*some, *others] for some, others in zip([*out, []], to_buckets, strict=True)]
    counts = []
    for day, batches in enumerate(both):
        now = TODAY + day * DAY + 7000
        counts.append(sum(len(look(batch, evidence, now)) for batch in batches))
    assert counts == [2, 2, 2, 2, 0]


def test_uploads_that_recur_are_usual_soon() -> None:
    """A backup of one host to changing networks, and one of changing hosts to one network."""
    of_one = [stolen(day, host=50, network=day) for day in range(5)]
    to_one = [stolen(day, host=50 + day, network=7) for day in range(5)]
    for days in (of_one, to_one):
        assert reported_on(days, learned()) == [True] * 3 + [False] * 2
    to_a_bucket = [stolen(day, host=50, network=0, to_aws=True) for day in range(4)]
    assert reported_on(to_a_bucket, using_buckets(0)) == [True] * 2 + [False] * 2


def test_a_stolen_upload_makes_no_network_usual_for_other_hosts() -> None:
    """A role with a backup to one place, from which data is stolen on three days, each time to another."""
    days = [stolen(day, host=50 + day, network=day) for day in range(4)]
    assert reported_on(days, learned(1000)) == [True] * 4


def test_a_slow_theft_does_not_make_the_day_before_usual() -> None:
    """It is found after midnight, so part of it belongs to a day on which nothing was found."""
    evidence = learned()
    for day in range(0, 8, 2):
        found_in = []
        for hour in range(18, 32):
            at = TODAY + day * DAY + hour * 3600
            size = 130 * MEGABYTE
            flows = [flow(f"10.0.1.{50 + day}:40000", f"198.51.{day}.9:443", bytes=size, tcp_flags=3,
                          flow_direction=FlowDirection.EGRESS, start=at, end=at + 50)]  # fmt: skip
            found_in += look(flows, evidence, at + 60)
        assert found_in, day


def test_learning_roles_exempt_hosts_and_gateways_are_not_a_finding() -> None:
    """Backups of a learning role are new; gateways send for other hosts."""
    assert look(sent(2000), learned(days=3), TODAY + 3700) == []
    assert look(sent(2000), learned(), TODAY + 3700, Policy(exempt=(HOST,))) == []
    assert look(sent(2000), MemoryEvidence(), TODAY + 3700, role="nat") == []


def test_without_the_table_nothing_is_reported() -> None:
    """The usual volume is unknown."""
    evidence = learned(1000)
    container = Container(evidence=evidence, directory=FakeDirectory.of(interface("eni-1")))
    at = TODAY + 3600
    container.found(asked("203.0.113.9:443", at), at)
    evidence.is_away = True
    assert container.found(sent(2000), at + 60) == []


def test_ordinary_traffic_writes_nothing_and_a_flood_of_uploads_a_bounded_number() -> None:
    """Two writes for each of a few hosts and hours."""
    evidence = learned()
    before = evidence.writes
    calls = [asked("203.0.113.9:443", TODAY + 3600, 9000, port) for port in range(40_000, 40_030)]
    look([*chain(*calls)], evidence, TODAY + 3700)
    ordinary = evidence.writes - before
    hosts = [
        flow(f"10.0.{n}.5:40000", "203.0.113.9:443", tcp_flags=2, bytes=600 * MEGABYTE,
             flow_direction=FlowDirection.EGRESS, start=TODAY + 3600)
        for n in range(100)
    ]  # fmt: skip
    assert ordinary <= 1, "the day's edges of the role"
    container = Container(evidence=evidence, directory=FakeDirectory.of(interface("eni-1")))
    before = evidence.writes
    container.found(hosts, TODAY + 3700)
    sums = [key for key in evidence.written[before:] if key.startswith(("uploads#", "upload-sizes#"))]
    assert 0 < len(sums) <= 2 * MOST_UPLOADS
    assert len(set(sums)) == len(sums)


def upload(megabytes: int, port: int, host: str = HOST, interface_id: str = "eni-1") -> Flow:
    """A record of an upload."""
    usual = {"tcp_flags": 3, "flow_direction": FlowDirection.EGRESS, "start": TODAY + 3600}
    size = megabytes * MEGABYTE
    return flow(f"{host}:{port}", "203.0.113.9:443", bytes=size, interface_id=interface_id, **usual)


@pytest.mark.parametrize(("there", "reported"), [(9, ["eni-1"]), (900, ["eni-1", "eni-2"])])
def test_a_page_shows_the_uploads_of_its_own_interface(there: int, reported: list[str]) -> None:
    """Another VPC has the same address, and its host sends too; each finding has its own records."""
    vpcs = interface("eni-1"), replace(interface("eni-2"), vpc_id="vpc-2")
    flows = [upload(600, 1), upload(7, 2), *(upload(there, port, HOST, "eni-2") for port in (3, 4, 5))]
    for order in (flows, flows[::-1]):
        findings = Container(evidence=learned(), directory=FakeDirectory.of(*vpcs)).found(order, TODAY + 3700)
        shown = [(each.example.flow.interface_id, each.tally.records) for each in findings]
        assert sorted(shown, key=str) == [(each, 2 if each == "eni-1" else 3) for each in reported]


def test_the_hosts_that_send_most_are_judged_however_many_records_others_have() -> None:
    """Many hosts with more, smaller records; exempt ones take no room."""
    hosts = range(1, 3 * MOST_UPLOADS)
    others = [upload(5, port, f"10.0.2.{host}") for host in hosts for port in range(3)]
    exempt = [upload(5000, 1, f"10.0.3.{host}") for host in hosts]
    for flows in ([*others, *exempt, upload(600, 1)], [upload(600, 1), *exempt, *others]):
        findings = look(flows, learned(), TODAY + 3700, Policy(exempt=("10.0.3.0/24",)))
        assert [(each.detector, each.subject) for each in findings] == [("egress-volume", HOST)]
