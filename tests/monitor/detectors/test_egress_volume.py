"""egress-volume: which records count, their sum, and the usual volume."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.detectors.egress_volume import DETECTOR, EgressVolume, Facts, Unusual, report
from flowwarden.monitor.findings import Severity
from flowwarden.monitor.render.text import describe
from flowwarden.monitor.traffic.host_uploads import Sources
from flowwarden.monitor.traffic.interface_index import InterfaceIndex
from flowwarden.monitor.traffic.record_sizes import Volume, place_number
from flowwarden.monitor.traffic.upload_sums import SENT, Place, Sent, addition, by_day
from flowwarden.monitor.traffic.uploads import LEAST, SAMPLE, counted, size_of
from flowwarden.monitor.traffic.uploads import uploads as upload_rows
from flowwarden.monitor.traffic.usual_volume import (
    AWS_SIZES,
    DAY_SIZES,
    MEGABYTE,
    NETWORKS,
    SIZES,
    learned,
    limit,
    usual,
    usual_networks,
)
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import Directions
from flowwarden.network.host_set import host_set
from flowwarden.records.columnar.tokenizer import Integers
from flowwarden.records.model import Action, Flow, FlowDirection
from flowwarden.state.sets import DAY, HOUR, Sets, fingerprint, merged
from tests.flows import START, directions, flow
from tests.monitor.fakes_interfaces import interface

HOST, FAR = "10.0.1.5", "203.0.113.9"
NOW = START + 600
PROFILE = RoleProfile(NOW // DAY, interface("eni-1"), "tag:Role=web")


def uploads(batch: Directions) -> dict[Place, Integers]:
    """The large uploads of a batch by host, day and class of the far end."""
    return by_day(batch, counted(batch, upload_rows(batch)[0]), NOW)


def sent(
    size: int, port: int = 40_000, server: str = f"{FAR}:443", host: str = HOST, **given: object
) -> Flow:
    """A record of an upload."""
    usual_ones = {"bytes": size, "tcp_flags": 2, "flow_direction": FlowDirection.EGRESS}
    return flow(f"{host}:{port}", server, **usual_ones | given)


def remembered(*flows: Flow) -> Sets:
    """The addition of a batch for the first host and day."""
    batch = directions(*flows)
    found = uploads(batch)
    place, rows = min(found.items())
    return addition(place, "vpc-1", batch, rows, NOW).sets


@pytest.mark.parametrize(
    ("one", "counts"),
    [
        (sent(LEAST), True),
        (sent(1), False),
        (sent(LEAST, action=Action.REJECT), False),
        (sent(LEAST, server="10.0.9.9:443"), False),  # an internal backup
        (sent(LEAST, pkt_dst_aws_service="S3"), True),
        (sent(LEAST, tcp_flags=18), False),  # an answer: a web server's download
        (sent(LEAST, flow_direction=FlowDirection.INGRESS), False),  # at an intermediate gateway
    ],
)
def test_large_records_of_own_connections_to_the_outside_count(one: Flow, *, counts: bool) -> None:
    """And no others."""
    assert bool(uploads(directions(one))) is counts


@pytest.mark.parametrize("size", [500, 20_000, 300_000, 3_999_999])
def test_a_sample_of_small_records_has_their_sum(size: int) -> None:
    """On average; the deviation of a gigabyte is an eighth."""
    count = 10**9 // size
    numbers = range(min(count, 20_000))
    records = [sent(size, 1024 + each % 60_000, start=START + each // 9, packets=each) for each in numbers]
    batch = directions(*records)
    rows, _ = upload_rows(batch)
    assert len(rows) == len(records)
    kept = counted(batch, rows)
    assert {size_of(size)} == {SAMPLE}
    expected = size * len(records) / SAMPLE
    assert abs(len(kept) - expected) <= 4 * max(1, expected) ** 0.5
    again = directions(*reversed(records))
    assert len(counted(again, upload_rows(again)[0])) == len(kept), "whatever the batch"


@given(st.lists(st.integers(LEAST, 10**12), min_size=1, max_size=40), st.randoms())
def test_the_sum_is_independent_of_batches(sizes: list[int], random: object) -> None:
    """Repeated, shuffled, in parts: the same set, and a sum accurate to 5 %."""
    flows = [sent(size, 40_000 + number) for number, size in enumerate(sizes)]
    cut = len(flows) // 2
    parts = [part for part in (flows[cut:], flows[:cut], flows[cut:]) if part]
    random.shuffle(parts)  # type: ignore[attr-defined]
    together: Sets = {}
    for part in parts:
        together = merged(together, remembered(*part))
    assert together == remembered(*flows)
    assert Volume(together[SENT]).total() == pytest.approx(sum(sizes), rel=0.05)


def test_hosts_and_days_are_separate() -> None:
    """Also the classes of far ends; a record from the future counts as current."""
    earlier, later = sent(LEAST, start=NOW - 2 * DAY), sent(LEAST, start=NOW + 9999)
    other = sent(LEAST, host="10.0.1.6", start=NOW)
    aws = sent(LEAST, server="52.218.1.9:443", pkt_dst_aws_service="S3", start=NOW)
    found = uploads(directions(sent(LEAST, start=NOW), earlier, later, other, aws))
    day, internet = NOW // DAY, PeerClass.INTERNET
    assert {place: len(rows) for place, rows in found.items()} == {
        (HOST, day, internet): 2, (HOST, day - 2, internet): 1, ("10.0.1.6", day, internet): 1,
        (HOST, day, PeerClass.AWS_SERVICE): 1,
    }  # fmt: skip


def test_later_records_of_connections_are_found_by_their_ports() -> None:
    """From the port of a client to that of a server, without the flags of an opening."""
    of_client = sent(LEAST, 40_000, f"{FAR}:9001", tcp_flags=0)
    of_server = sent(LEAST, 9001, f"{FAR}:40000", tcp_flags=0)
    unknown = sent(LEAST, 50_051, f"{FAR}:40000", tcp_flags=0)
    without_flags = sent(LEAST, 40_001, f"{FAR}:9001", tcp_flags=None)
    batch = directions(of_client, of_server, unknown, without_flags)
    assert upload_rows(batch)[1].tolist() == [0]


def test_a_volume_reached_on_three_days_is_usual() -> None:
    """Rounded up to a power of two; two days of exfiltration make nothing usual."""
    days = [of_day(HOUR, size) for size in (90, 900, 1000, 5000)]
    assert usual(days[:2]) == 0
    assert usual(days) == 2**30, "the third largest"
    assert usual([{SIZES: frozenset({22, 30})}] * 3) == 2**31, "the largest hour of each day"


def of_day(span: int, megabytes: int, outside: PeerClass = PeerClass.INTERNET, network: int = 7) -> Sets:
    """What a role sent on a day."""
    return learned("role", 20_000, outside, {span: megabytes * MEGABYTE}, [network]).sets


def test_a_volume_sent_to_aws_services_on_two_days_is_usual() -> None:
    """It is stored separately and without networks, because a network of AWS serves many customers."""
    days = [of_day(HOUR, size, PeerClass.AWS_SERVICE) for size in (90, 900)]
    assert usual(days, PeerClass.AWS_SERVICE) == 2**27
    assert usual(days) == usual(days[:1], PeerClass.AWS_SERVICE) == 0
    assert days[0].keys() == {AWS_SIZES}


def test_the_volume_of_a_day_of_which_only_hours_are_known_is_at_most_a_day_of_such_hours() -> None:
    """As stored by earlier versions."""
    assert usual([{SIZES: frozenset({27})}] * 3, span=DAY) == 2**33
    assert usual([{SIZES: frozenset({27}), DAY_SIZES: frozenset({28})}] * 3, span=DAY) == 2**29


def test_networks_are_usual_if_they_recur() -> None:
    """On two days; a role whose networks change has no usual ones."""
    same = [of_day(HOUR, 600)] * 6
    assert usual_networks(same) == frozenset({7})
    assert usual_networks([*same, of_day(HOUR, 600, network=8)]) == frozenset({7})
    assert usual_networks([of_day(HOUR, 600, network=each) for each in range(9)]) is None
    assert usual_networks([{NETWORKS: frozenset(range(64))}] * 9) is None
    assert usual_networks([]) is None


@pytest.mark.parametrize(("before", "expected"), [(0, 500), (99, 500), (200, 1000)])
def test_the_limit_is_far_above_the_usual_volume(before: int, expected: int) -> None:
    """Five times as much, and at least 500 MB; within a day at least twice as much."""
    assert limit(before * MEGABYTE, 500) == expected * MEGABYTE
    assert limit(before * MEGABYTE, 500, DAY) == max(expected, 1000) * MEGABYTE


def reported(facts: Facts, networks: frozenset[int] | None = None) -> EgressVolume:
    """The finding about two uploads."""
    batch = directions(sent(900 * MEGABYTE), sent(90 * MEGABYTE, 40_001, "198.51.100.7:443"))
    sources = Sources(batch, InterfaceIndex(batch.traffic.flows), {0: PROFILE}, NOW)
    rows, _ = upload_rows(batch)
    (upload,) = sources.largest(counted(batch, rows), host_set(()))
    return report(Unusual(upload, Sent(facts.sent, NOW // HOUR * HOUR), facts, networks), batch, rows)


def test_the_finding_names_hosts_and_volume() -> None:
    """And the usual volume."""
    facts = Facts("tag:Role=web", sent=990 * MEGABYTE, usual=0)
    finding = reported(facts)
    assert (finding.severity, finding.subject, finding.facts) == (Severity.MEDIUM, HOST, facts)
    assert DETECTOR.technique == "T1048"
    assert "about 990 MB to the internet within 1 h" in describe(finding).summary
    assert "1 other host" in describe(finding).summary
    assert "made comparable large uploads on fewer than 3 days" in describe(finding).because
    to_aws = replace(finding, peer_class=PeerClass.AWS_SERVICE)
    assert "made comparable large uploads on fewer than 2 days" in describe(to_aws).because
    hour, day = (replace(facts, usual=64 * MEGABYTE, span=span) for span in (HOUR, DAY))
    assert "send at most 64 MB per hour" in describe(reported(hour)).because
    assert "send at most 64 MB per day" in describe(reported(day)).because


def test_the_finding_about_new_networks_shows_them_alone() -> None:
    """Not the usual backup."""
    facts = Facts("tag:Role=web", sent=600 * MEGABYTE, usual=0, new_networks=True)
    usual_one = place_number(fingerprint("203.0.113.0/24"))
    finding = reported(facts, frozenset({usual_one}))
    assert finding.tally.servers == (("198.51.100.7", 1),)
    assert "the same few networks" in describe(finding).because
