"""The batches of the load run: ordinary traffic with planted incidents. Every run has the same batches."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, Final

from msgspec import Struct

from flowwarden.records.subscription import encode

GROUP: Final = "/flow-warden/flow-logs"
BEGIN: Final = 1_764_000_000
"""Unix seconds of the first batch."""
EVERY: Final = 24
"""Seconds between two batches: 500 of them take 200 minutes, less than a suppression window."""
INTERFACES: Final = 40
PLANTED_EVERY: Final = 3
"""An incident begins in every third batch."""
REPEATED: Final = 3
"""Consecutive batches that contain an incident; all except the first repeat it."""
SCANNED: Final = 60
"""The number of hosts that a scan tries."""


class Batch(Struct, frozen=True):
    """A delivery of CloudWatch Logs."""

    number: int
    lines: tuple[str, ...]
    stream: str = "eni-central-all"

    @property
    def at(self) -> int:
        """Unix seconds of the first delivery."""
        return BEGIN + self.number * EVERY

    def event(self) -> dict[str, Any]:
        """The Lambda event."""
        events = [
            {"id": str(number), "timestamp": 1, "message": line} for number, line in enumerate(self.lines)
        ]
        return encode(
            {
                "messageType": "DATA_MESSAGE",
                "owner": "111122223333",
                "logGroup": GROUP,
                "logStream": self.stream,
                "subscriptionFilters": ["f"],
                # So that batches with the same lines have different payloads.
                "logEvents": [*events[:-1], events[-1] | {"id": f"batch {self.number}"}],
            }
        )


def batches(count: int, lines: int, seed: int) -> list[Batch]:
    """`count` batches of `lines` lines each."""
    return [Batch(number, _lines(number, lines, Random(f"{seed} {number}"))) for number in range(count)]


def planted(number: int) -> list[str]:
    """The hosts whose incidents begin in a batch: a host that a database refuses, or one that scans."""
    if number % PLANTED_EVERY:
        return []
    part = number // PLANTED_EVERY
    return [f"10.{100 + part % 2}.{part // 200}.{part % 200 + 1}"]


def _lines(number: int, count: int, random: Random) -> tuple[str, ...]:
    at = BEGIN + number * EVERY - 120
    incidents = [
        line
        for begun in range(max(0, number - REPEATED + 1), number + 1)
        for host in planted(begun)
        for line in _incident(begun, host, at)
    ]
    silent = [
        f"2 111122223333 {_interface(number)} - - - - - - - {at} {at + 50} - NODATA",
        f"2 111122223333 eni-{0xF000 + number:017x} - - - - - - - {at} {at + 50} - SKIPDATA",
    ]
    ordinary = _ordinary(number, at)
    rest = count - len(incidents) - len(silent)
    whole = [*incidents, *silent, *(next(ordinary) for _ in range(rest))]
    random.shuffle(whole)
    return tuple(whole)


def _ordinary(number: int, at: int) -> Iterator[str]:
    """Requests of clients to an internal web server, with their answers."""
    for each in range(10**6):
        client, port = f"10.1.{each % INTERFACES}.{each % 5 + 1}", 32_768 + (number * 499 + each) % 28_000
        head = f"2 111122223333 {_interface(each % INTERFACES)}"
        tail = f"6 9 4200 {at} {at + 50} ACCEPT OK"
        yield f"{head} {client} 10.2.0.10 {port} 443 {tail}"
        yield f"{head} 10.2.0.10 {client} 443 {port} {tail}"


def _incident(number: int, host: str, at: int) -> Iterator[str]:
    part = number // PLANTED_EVERY
    head, tail = f"2 111122223333 eni-{0xE000 + part:017x} {host}", f"6 6 360 {at} {at + 50} REJECT OK"
    if part % 2:
        yield from (f"{head} 10.9.{part % 250}.{each} 49152 8080 {tail}" for each in range(1, SCANNED + 1))
    else:
        yield f"{head} 10.3.{part // 250}.{part % 250 + 1} 49152 5432 {tail}"


def _interface(number: int) -> str:
    return f"eni-{number % INTERFACES + 1:017x}"
