"""egress-volume: which records count, their sum, and the usual volume."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.monitor.detectors.egress_volume import (
    DETECTOR,
    MOST_RECORDS,
    SENT,
    Facts,
    addition,
    by_hour,
    is_full,
    report,
    volume,
)
from flowwarden.monitor.findings import Severity
from flowwarden.monitor.render.text import describe
from flowwarden.monitor.traffic.uploads import LEAST, SAMPLE, counted, size_of
from flowwarden.monitor.traffic.uploads import uploads as upload_rows
from flowwarden.monitor.traffic.usual_volume import (
    MEGABYTE,
    SIZES,
    Place,
    baseline_addition,
    limit,
    usual,
)
from flowwarden.network.direction import Directions
from flowwarden.records.columnar.tokenizer import Integers
from flowwarden.records.model import Action, Flow, FlowDirection
from flowwarden.state.sets import Sets, merged
from tests.flows import START, directions, flow

HOST, FAR = "10.0.1.5", "203.0.113.9"
NOW = START + 600


def uploads(batch: Directions) -> dict[Place, Integers]:
    """The large uploads of a batch by host and hour."""
    return by_hour(batch, counted(batch, upload_rows(batch)), NOW)


def sent(
    size: int, port: int = 40_000, server: str = f"{FAR}:443", host: str = HOST, **given: object
) -> Flow:
    """A record of an upload."""
    usual_ones = {"bytes": size, "tcp_flags": 2, "flow_direction": FlowDirection.EGRESS}
    return flow(f"{host}:{port}", server, **usual_ones | given)


def remembered(*flows: Flow) -> Sets:
    """The addition of a batch for the first host and hour."""
    batch = directions(*flows)
    found = uploads(batch)
    place, rows = min(found.items())
    return addition(place, "vpc-1", batch, rows).sets


@pytest.mark.parametrize(
    ("one", "counts"),
    [
        (sent(LEAST), True),
        (sent(1), False),
        (sent(LEAST, action=Action.REJECT), False),
        (sent(LEAST, server="10.0.9.9:443"), False),  # an internal backup
        (sent(LEAST, pkt_dst_aws_service="S3"), False),
        (sent(LEAST, tcp_flags=18), False),  # an answer: a web server's download
        (sent(LEAST, flow_direction=FlowDirection.INGRESS), False),  # at an intermediate gateway
    ],
)
def test_large_records_of_own_connections_to_the_internet_count(one: Flow, *, counts: bool) -> None:
    """And no others."""
    assert bool(uploads(directions(one))) is counts


@pytest.mark.parametrize("size", [500, 20_000, 300_000, 3_999_999])
def test_a_sample_of_small_records_has_their_sum(size: int) -> None:
    """On average; the deviation of a gigabyte is an eighth."""
    count = 10**9 // size
    numbers = range(min(count, 20_000))
    records = [sent(size, 1024 + each % 60_000, start=START + each // 9, packets=each) for each in numbers]
    batch = directions(*records)
    rows = upload_rows(batch)
    assert len(rows) == len(records)
    kept = counted(batch, rows)
    assert {size_of(size)} == {SAMPLE}
    expected = size * len(records) / SAMPLE
    assert abs(len(kept) - expected) <= 4 * max(1, expected) ** 0.5
    again = directions(*reversed(records))
    assert len(counted(again, upload_rows(again))) == len(kept), "whatever the batch"


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
    assert volume(together) == pytest.approx(sum(sizes), rel=0.05)


def test_of_too_many_records_the_largest_are_stored() -> None:
    """An hour has limited capacity."""
    flows = [sent(LEAST + number, 1024 + number) for number in range(MOST_RECORDS)]
    large = [sent(100 * LEAST, 9000 + number) for number in range(10)]
    sets = remembered(*flows, *large)
    assert len(sets[SENT]) == MOST_RECORDS
    assert is_full(sets)
    assert volume(sets) > volume(remembered(*flows))
    assert not is_full(remembered(*large))


def test_hosts_and_hours_are_separate() -> None:
    """A record from the future counts as current."""
    earlier, later = sent(LEAST, start=NOW - 7200), sent(LEAST, start=NOW + 9999)
    other = sent(LEAST, host="10.0.1.6", start=NOW)
    found = uploads(directions(sent(LEAST, start=NOW), earlier, later, other))
    hour = NOW // 3600
    assert {place: len(rows) for place, rows in found.items()} == {
        (HOST, hour): 2, (HOST, hour - 2): 1, ("10.0.1.6", hour): 1,
    }  # fmt: skip


def test_a_volume_reached_on_three_days_is_usual() -> None:
    """Rounded up to a power of two; two days of exfiltration make nothing usual."""
    place = (HOST, START // 3600)
    days = [baseline_addition("role", place, size * MEGABYTE).sets for size in (90, 900, 1000, 5000)]
    assert usual(days[:2]) == 0
    assert usual(days) == 2**30, "the third largest"
    assert usual([{SIZES: frozenset({22, 30})}] * 3) == 2**31, "the largest hour of each day"


@pytest.mark.parametrize(("before", "expected"), [(0, 500), (99, 500), (200, 1000)])
def test_the_limit_is_far_above_the_usual_volume(before: int, expected: int) -> None:
    """Five times as much, and at least 500 MB."""
    assert limit(before * MEGABYTE, 500) == expected * MEGABYTE


def test_the_finding_names_hosts_and_volume() -> None:
    """And the usual volume."""
    batch = directions(sent(900 * MEGABYTE), sent(90 * MEGABYTE, 40_001, "198.51.100.7:443"))
    ((place, rows),) = uploads(batch).items()
    finding = report(place, "tag:Role=web", 990 * MEGABYTE, 0, batch, rows)
    assert (finding.severity, finding.subject) == (Severity.MEDIUM, HOST)
    assert DETECTOR.technique == "T1048"
    assert finding.facts == Facts("tag:Role=web", sent=990 * MEGABYTE, usual=0)
    assert "about 990 MB" in describe(finding).summary
    assert "1 other host" in describe(finding).summary
    assert "large uploads on fewer than 3 days" in describe(finding).because
    assert (
        "send at most 64 MB per hour" in describe(report(place, "web", 1, 64 * MEGABYTE, batch, rows)).because
    )
