"""Each query at its threshold: one less finds nothing, the threshold finds the subject."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from duckdb import DuckDBPyConnection

from flowwarden.policy.policy import Policy
from flowwarden.records.log_format import STACK_LOG_FORMAT
from flowwarden_cli.athena import ddl
from flowwarden_cli.athena.archive import Partitions
from flowwarden_cli.athena.period import Period, of_day
from flowwarden_cli.athena.queries import text_of
from flowwarden_cli.athena.scope import Scope
from tests.cli.athena import duck
from tests.cli.athena.comparison import archive_of

DAY = date(2026, 1, 2)
BEGIN = of_day(DAY).begin
NOON = BEGIN + 12 * 3600
CLIENT, SERVER, OUTSIDE, ENI = "10.0.2.5", "10.0.1.7", "198.51.100.7", "eni-0a"
POLICY = Policy(private_subnets=("10.0.1.0/24",), listener_only=("eni-0a",), exempt=("10.0.9.9",))

type Record = dict[str, Any]


def record(source: str, target: str, srcport: int, dstport: int, **other: Any) -> Record:
    """An accepted SYN, as the interface of the source logs it."""
    values: Record = {"srcaddr": source, "dstaddr": target, "srcport": srcport, "dstport": dstport}
    values |= {"protocol": 6, "packets": 1, "bytes": 60, "start": NOON, "end": NOON + 50}
    values |= {"action": "ACCEPT", "tcp_flags": 2, "flow_direction": "egress", "interface_id": ENI}
    return values | {"log_status": "OK", "subnet_id": "subnet-0b", "day": f"{DAY:%Y/%m/%d}"} | other


def opened(source: str, target: str, srcport: int, dstport: int, **other: Any) -> list[Record]:
    """A connection that was answered, as the interface of the source logs it."""
    answer = record(target, source, dstport, srcport, tcp_flags=19, flow_direction="ingress", bytes=1800)
    return [record(source, target, srcport, dstport) | other, answer | other]


def refused(source: str, target: str, srcport: int, dstport: int, **other: Any) -> Record:
    """An attempt that was rejected."""
    return record(source, target, srcport, dstport, action="REJECT", packets=3) | other


def entered(number: int, port: int) -> list[Record]:
    """A connection of the internet, as the interface of the server logs it."""
    asked = record(OUTSIDE, SERVER, 40_000 + number, port, flow_direction="ingress")
    return [asked, record(SERVER, OUTSIDE, port, 40_000 + number, tcp_flags=19, bytes=1800)]


def times(count: int, make: Callable[[int], list[Record] | Record]) -> list[Record]:
    """The records of so many numbers."""
    made = [make(each) for each in range(count)]
    return [one for each in made for one in (each if isinstance(each, list) else [each])]


def silent_after(slots: int) -> list[Record]:
    """An interface that writes in every half hour of three hours, and so many half hours of another one."""
    writes = [record(CLIENT, SERVER, 40_000, 443, start=NOON + each * 1800) for each in range(6)]
    other = [
        record(CLIENT, SERVER, 40_000, 443, start=NOON + each * 1800, interface_id="eni-0f")
        for each in range(6 + slots)
    ]
    return [*writes, *other]


CASES: dict[str, tuple[int, str, Callable[[int], list[Record]]]] = {
    "scan": (12, CLIENT, lambda n: times(n, lambda i: refused(CLIENT, f"10.0.3.{i}", 40_000, 22))),
    "lateral-movement": (
        3,
        CLIENT,
        lambda n: times(n, lambda i: opened(CLIENT, f"10.0.3.{i}", 40_000, 3389)),
    ),
    "ping-sweep": (
        12,
        CLIENT,
        lambda n: times(n, lambda i: record(CLIENT, f"10.0.3.{i}", 0, 0, protocol=1, tcp_flags=None)),
    ),
    "brute-force": (40, CLIENT, lambda n: times(n, lambda i: opened(CLIENT, SERVER, 40_000 + i, 22))),
    "internet-brute-force": (60, SERVER, lambda n: times(n, lambda i: entered(i, 22))),
    "internet-to-private": (1, SERVER, lambda n: times(n, lambda i: entered(i, 8443))),
    "internet-to-admin-port": (1, SERVER, lambda n: times(n, lambda i: entered(i, 5432))),
    "scanner-connected": (
        10,
        SERVER,
        lambda n: [
            *times(n, lambda i: refused(OUTSIDE, "10.0.1.8", 40_000, 1000 + i, flow_direction="ingress")),
            *entered(1, 8443),
        ],
    ),
    "egress-volume": (
        5,
        CLIENT,
        lambda n: times(n, lambda i: record(CLIENT, OUTSIDE, 40_000 + i, 443, bytes=100_000_000)),
    ),
    "unexpected-egress": (1, CLIENT, lambda n: times(n, lambda i: opened(CLIENT, OUTSIDE, 40_000 + i, 443))),
    "new-egress-port": (
        12,
        CLIENT,
        lambda n: times(n, lambda i: opened(CLIENT, OUTSIDE, 40_000, 8883, start=NOON + 600 * i)),
    ),
    "database-egress": (
        1,
        SERVER,
        lambda n: [
            *opened(CLIENT, SERVER, 40_000, 5432),
            *times(n, lambda _: opened(SERVER, OUTSIDE, 40_000, 443)),
        ],
    ),
    "blocked-connection": (3, CLIENT, lambda n: [refused(CLIENT, SERVER, 40_000, 5432, packets=n)]),
    "host-probing": (5, CLIENT, lambda n: times(n, lambda i: refused(CLIENT, SERVER, 40_000, 5432 + i))),
    "service-blocked": (
        5,
        SERVER,
        lambda n: times(n, lambda i: refused(f"10.0.3.{i}", SERVER, 40_000, 5432)),
    ),
    "egress-denied": (3, CLIENT, lambda n: [refused(CLIENT, OUTSIDE, 40_000, 123, packets=n)]),
    "nacl-blocks-replies": (
        3,
        "subnet-0b",
        lambda n: times(
            n,
            lambda i: [
                record(CLIENT, SERVER, 40_000 + i, 443, flow_direction="ingress"),
                refused(SERVER, CLIENT, 443, 40_000 + i, tcp_flags=18),
            ],
        ),
    ),
    "records-skipped": (
        3,
        ENI,
        lambda n: times(
            n, lambda i: record("-", "-", 0, 0, log_status="SKIPDATA", action="-", start=NOON + 60 * i)
        ),
    ),
    "interface-silent": (4, ENI, silent_after),
    "reject-spike": (
        126,
        SERVER,
        lambda n: times(n, lambda i: refused(OUTSIDE, SERVER, 40_000, 1000 + i, flow_direction="ingress")),
    ),
    "internet-rejects": (
        1,
        SERVER,
        lambda n: times(n, lambda i: refused(OUTSIDE, SERVER, 40_000, 1000 + i, flow_direction="ingress")),
    ),
}
"""Threshold, subject, and records that are so many of what the query counts."""


@pytest.fixture(scope="module")
def connection() -> Iterator[DuckDBPyConnection]:
    """The empty table of the stack's format."""
    connection = duck.connect()
    statement = ddl.statement(STACK_LOG_FORMAT, archive_of(Partitions(), DAY), "flow_logs")
    declared = duck.columns(statement) | duck.partitions(statement)
    columns = ", ".join(f'"{name}" {kind}' for name, kind in declared.items())
    connection.execute(f"CREATE TABLE flow_logs ({columns})")
    yield connection
    connection.close()


def named(connection: DuckDBPyConnection, detector: str, records: list[Record]) -> set[str]:
    """The subjects that a query names in a table with these records only."""
    connection.execute("DELETE FROM flow_logs")
    if records:
        connection.register("given", pa.Table.from_pylist(records))
        connection.execute("INSERT INTO flow_logs BY NAME SELECT * FROM given")
    scope = Scope(
        layout=STACK_LOG_FORMAT,
        policy=POLICY,
        table="flow_logs",
        partitions=Partitions(),
        period=Period(BEGIN, BEGIN + 86_400),
    )
    return duck.run(connection, text_of(detector, scope)).subjects


@pytest.mark.parametrize("detector", CASES)
def test_a_query_finds_the_threshold_and_nothing_below_it(
    connection: DuckDBPyConnection, detector: str
) -> None:
    """With the thresholds of the default policy."""
    least, subject, make = CASES[detector]
    assert named(connection, detector, make(least - 1)) == set()
    assert named(connection, detector, make(least)) == {subject}


@pytest.mark.parametrize("detector", CASES)
def test_records_of_another_day_do_not_count(connection: DuckDBPyConnection, detector: str) -> None:
    """Even if they are in the same folder."""
    least, _, make = CASES[detector]
    later = [each | {"start": each["start"] + 86_400, "end": each["end"] + 86_400} for each in make(least)]
    assert named(connection, detector, later) == set()


@pytest.mark.parametrize("detector", CASES)
def test_records_of_another_partition_are_not_read(connection: DuckDBPyConnection, detector: str) -> None:
    """The partitions are those of the period, of the day after, and where needed of the day before."""
    least, _, make = CASES[detector]
    elsewhere = [each | {"day": "2026/01/05"} for each in make(least)]
    assert named(connection, detector, elsewhere) == set()


def test_a_scan_of_ports_of_one_server_is_found_although_it_is_answered(
    connection: DuckDBPyConnection,
) -> None:
    """From 15 privileged ports on."""
    for ports, found in ((14, set()), (15, {CLIENT})):
        records = times(ports, lambda i: opened(CLIENT, SERVER, 40_000 + i, 100 + i))
        assert named(connection, "scan", records) == found


def test_an_exempt_host_is_left_out(connection: DuckDBPyConnection) -> None:
    """Its networks are in the policy."""
    assert (
        named(connection, "scan", times(20, lambda i: refused("10.0.9.9", f"10.0.3.{i}", 40_000, 22)))
        == set()
    )


def test_guesses_of_different_sizes_do_not_count(connection: DuckDBPyConnection) -> None:
    """Sessions of a person differ."""

    def session(number: int) -> list[Record]:
        asked, answer = opened(CLIENT, SERVER, 40_000 + number, 22)
        return [asked, answer | {"bytes": 100 + number * 110}]

    assert named(connection, "brute-force", times(45, session)) == set()


def test_a_late_packet_of_an_expired_connection_is_no_attempt(connection: DuckDBPyConnection) -> None:
    """It has no SYN."""
    records = times(20, lambda i: refused(CLIENT, f"10.0.3.{i}", 40_000, 5432, tcp_flags=1))
    for detector in ("scan", "host-probing", "blocked-connection", "service-blocked"):
        assert named(connection, detector, records) == set()
