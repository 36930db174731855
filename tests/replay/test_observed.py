"""What a replay sees in the traffic."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from flowwarden.network.interface import NetworkInterface
from flowwarden.replay.coverage import columns, runs
from flowwarden.replay.learned_roles import MOST_NETWORKS
from flowwarden.replay.observed import InterfaceCoverage, Observed
from tests.replay.archives import BEGIN, HOUR, LAYOUT, PROBER, SCANNER, incidents, line, ordinary, replayed

CLIENT = "10.0.200.200"
BITS = st.integers(0, 2**70)


def seen(lines: list[str]) -> Observed:
    """What is seen in an archive with these lines."""
    observed = replayed(lines, observes=True).observed
    assert observed is not None
    return observed


def gap(at: int, owner: str, status: str) -> str:
    """A NODATA or SKIPDATA record of ten minutes that begins at `at`."""
    eni = f"eni-{int(owner.rsplit('.', maxsplit=1)[-1]):017x}"
    values = dict.fromkeys(LAYOUT.names, "-") | {
        "version": "2", "account-id": "111122223333", "interface-id": eni, "start": str(at),
        "end": str(at + 599), "log-status": status,
    }  # fmt: skip
    return " ".join(values[name] for name in LAYOUT.names)


def test_a_replay_observes_only_if_it_is_asked_to() -> None:
    """The text needs none of it."""
    assert replayed(ordinary(hours=1)).observed is None


def test_conversations_have_role_peers_direction_and_service() -> None:
    """The clients log both records of each connection, which they opened."""
    (one,) = seen(ordinary(hours=1)).conversations
    assert (one.direction, one.peer, one.rejected) == ("out", "own", 0)
    assert one.accepted == len(ordinary(hours=1))
    assert set(one.services) == {"PostgreSQL (tcp/5432)", "HTTPS (tcp/443)"}


def test_a_connection_that_a_peer_opens_is_inbound() -> None:
    """The interface of the server logged it."""
    lines = [line(BEGIN + 60, "10.0.0.5", "198.51.100.9", "10.0.0.5", (50_000, 22), direction="ingress")]
    (one,) = seen(lines).conversations
    assert (one.direction, one.peer) == ("in", "internet")


def test_rejected_traffic_is_ranked_by_port_source_and_target() -> None:
    """Accepted records do not count."""
    observed = seen(incidents())
    assert {each.name for each in observed.rejected_sources.rows} == {PROBER}
    ports = [each.name for each in observed.rejected_ports.rows]
    assert sorted(ports) == ["HTTP (tcp/8000)", *(f"tcp/{port}" for port in range(8001, 8008))]
    assert sum(each.records for each in observed.rejected_targets.rows) == 8
    assert observed.rejected_ports.missed == 0


def test_a_scan_is_seen_attempt_by_attempt() -> None:
    """With the time, the target, the port and the outcome of each."""
    pictures = {each.subject: each for each in seen(incidents()).scans}
    scanner = pictures[SCANNER]
    assert scanner.ports == 1
    assert 20 <= scanner.targets <= 60
    assert {each.outcome for each in scanner.points} == {"accepted"}
    assert len({each.at for each in scanner.points}) > 20
    assert {each.outcome for each in pictures[PROBER].points} == {"rejected"}


def test_ordinary_traffic_has_no_scan() -> None:
    """Only hosts with a finding are drawn."""
    assert seen(ordinary()).scans == []


def test_a_role_is_listed_with_what_was_learned() -> None:
    """It is not learned after three hours."""
    roles = seen(ordinary()).roles
    assert all(each.learning and each.days == 1 for each in roles)


def test_a_time_without_any_record_is_a_gap() -> None:
    """A shorter one is not: records show the first and the last packet of a window only."""
    host = "10.0.0.7"
    times = [*range(BEGIN, BEGIN + HOUR, 600), *range(BEGIN + 3 * HOUR, BEGIN + 4 * HOUR, 1200)]
    coverage = seen([line(at + 60, host, host, "10.0.0.8", (40_000, 443)) for at in times]).coverage
    (one,) = coverage.worst
    (missing,) = one.missing
    assert BEGIN + HOUR - 600 <= missing.begin <= BEGIN + HOUR + 600
    assert BEGIN + 3 * HOUR - 600 <= missing.end <= BEGIN + 3 * HOUR + 600
    assert coverage.with_gaps == 1
    assert any(each.missing for each in coverage.times)


def test_a_start_of_zero_is_no_error() -> None:
    """Also if the record is the only one: its other time counts."""
    (one,) = [line(BEGIN + 60, "10.0.0.7", "10.0.0.7", "10.0.0.8", (40_000, 443))]
    values = dict(zip(LAYOUT.names, one.split(), strict=True)) | {"start": "0"}
    coverage = seen([" ".join(values.values())]).coverage
    assert sum(each.records for each in coverage.times) == 1


def test_nodata_is_no_gap_and_skipdata_is_one() -> None:
    """NODATA says that there was no traffic."""
    quiet, lost = "10.0.0.7", "10.0.0.8"
    times = range(BEGIN, BEGIN + 4 * HOUR, 600)
    lines = [gap(at, quiet, "NODATA") for at in times]
    lines += [gap(at, lost, "SKIPDATA" if at == BEGIN + HOUR else "NODATA") for at in times]
    lines += [line(BEGIN + 60, each, each, "10.0.0.9", (40_000, 443)) for each in (quiet, lost)]
    coverage = seen(lines).coverage
    assert [each.interface for each in coverage.worst] == [interface(lost)]
    assert coverage.worst[0].missing == []
    assert covers(coverage.worst[0], BEGIN + HOUR + 300)


def interface(owner: str) -> str:
    """The interface of a host."""
    return f"eni-{int(owner.rsplit('.', maxsplit=1)[-1]):017x}"


def covers(one: InterfaceCoverage, at: int) -> bool:
    """Whether a skipped time contains a time."""
    return any(each.begin <= at < each.end for each in one.skipped)


@given(BITS)
def test_runs_are_the_bits(bits: int) -> None:
    """Each bit that is set is in exactly one run, and runs do not touch."""
    found = [*runs(bits)]
    assert sum((1 << end) - (1 << begin) for begin, end in found) == bits
    assert all(before[1] < after[0] for before, after in pairwise(found))


@given(BITS, st.integers(1, 9))
def test_a_column_is_set_if_any_of_its_bits_is(bits: int, width: int) -> None:
    """Columns are of equal width."""
    size = 20
    expected = [bool(bits >> place * width & ((1 << width) - 1)) for place in range(size)]
    assert columns(bits, size, width).tolist() == expected


def test_a_flood_from_random_addresses_stays_bounded() -> None:
    """The result has a few rows, whatever the number of sources."""
    random = Random(7)  # noqa: S311
    sources = [
        f"198.{random.randrange(18, 20)}.{random.randrange(256)}.{random.randrange(256)}" for _ in range(3000)
    ]
    lines = [
        line(
            BEGIN + 60 + at % 60,
            "10.0.0.5",
            each,
            "10.0.0.5",
            (50_000, 23),
            action="REJECT",
            direction="ingress",
        )
        for at, each in enumerate(sources)
    ]
    observed = seen(lines)
    assert len(observed.rejected_sources.rows) == 20
    assert [(each.name, each.records) for each in observed.rejected_ports.rows] == [("Telnet (tcp/23)", 3000)]


def test_the_names_of_peers_do_not_depend_on_the_order_of_interfaces() -> None:
    """Of a role with very many networks, the first ones by number are named, not the first ones seen."""
    servers = [f"10.0.{number}.{number}" for number in range(1, MOST_NETWORKS + 5)]
    known = {
        each.interface_id: each
        for each in (
            NetworkInterface(
                interface_id=line(BEGIN, host, host, host, (1, 1)).split()[2],
                vpc_id="vpc-1",
                addresses=(host,),
                tags={"Role": "client" if host == CLIENT else "server"},
            )
            for host in (CLIENT, *servers)
        )
    }
    opened = [
        each
        for host in servers
        for each in (
            line(BEGIN + 60, CLIENT, CLIENT, host, (40_000, 22), flags=3),
            line(BEGIN + 60, CLIENT, host, CLIENT, (22, 40_000), flags=19, direction="ingress"),
            line(BEGIN + 60, host, CLIENT, host, (40_000, 22), flags=3, direction="ingress"),
            line(BEGIN + 60, host, host, CLIENT, (22, 40_000), flags=19),
        )
    ]
    found = [replayed(some, known=known, observes=True).observed for some in (opened, opened[::-1])]
    rows = [row for one in found if one for each in one.roles for row in each.rows]
    assert any("tag:Role=server" in each for each in rows)
    assert found[0] is not None
    assert found[1] is not None
    assert found[0].roles == found[1].roles
