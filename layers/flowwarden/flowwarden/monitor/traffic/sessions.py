"""Sessions: connections to services that ask for a password, by the size of their records. Pure.

A service that refuses a password ends the connection, so guessing appears as many short sessions of the same
small size. Ordinary sessions are longer or larger, or their sizes vary. A failed log-in consists of a
handshake and a few messages. It has at most these sizes in one direction, with the headers of IP and TCP:

    SSH     4.8 KB, 25 packets: 1.5 KB of algorithms, a key exchange of 0.1 to 1.3 KB, host key and signature,
            up to six attempts of 0.1 to 0.2 KB. A session that is accepted has at least 1 KB more: the
            client's key, the server's other host keys, and the command with its output.
    RDP     4 KB: the certificate and the messages of CredSSP. SMB: 2 KB. WinRM: 4 KB, with TLS 5 KB.
    MySQL, PostgreSQL, SQL Server: 0.6 KB, with TLS 4.5 KB.

Each record of a session is one number, so that order, repetition and partition of batches do not matter. A
session with any large record is large. The server's records are counted, because their sizes vary less than
the client's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import accumulate, islice
from math import log2
from typing import Final

import numpy as np
from msgspec import Struct

from flowwarden.network.direction import Directions
from flowwarden.network.services import ADMIN_PORTS, DATABASE_PORTS, VNC
from flowwarden.network.traffic import RST, SYN
from flowwarden.records.columnar.string_pool import ACCEPT
from flowwarden.records.columnar.tokenizer import ABSENT, Integers, Mask
from flowwarden.state.sets import bucket, distinct, fingerprint

MOST_BYTES: Final = 5120
MOST_PACKETS: Final = 30
MOST_SECONDS: Final = 120
"""OpenSSH ends a connection without a log-in after this time (LoginGraceTime)."""
FIN: Final = 1

UNKNOWN_SIZE: Final = 1
"""The size class of a record without a size."""
LARGE: Final = 63
"""The size class of a record that is too large or too long for a failed log-in, or continues a session."""
_STEPS: Final = 4
"""Size classes per doubling: sizes within 9 % of their mean are in two neighboring classes."""

SIZED_PORTS: Final = ADMIN_PORTS | DATABASE_PORTS
ARE_SIZED: Final = np.isin(np.arange(2**16 + 1), [*SIZED_PORTS])
"""By port, whether it is in `SIZED_PORTS`; the last element is for an absent port (-1)."""
_PORTS: Final = [*sorted(SIZED_PORTS - {VNC}), VNC]
"""The position of a port is stored, so a new port must be appended."""
_HASH_BITS, _CLASS_BITS, _PORT_BITS, SERVER_BITS = 8, 6, 4, 12
_CLASS_AT: Final = _HASH_BITS
_PORT_AT: Final = _CLASS_AT + _CLASS_BITS
_SERVER_AT: Final = _PORT_AT + _PORT_BITS
_USUAL_AT: Final = _SERVER_AT + SERVER_BITS

LEAST_ANSWER: Final = {22: 1000, 3389: 600}
"""Bytes of the answers to a log-in, by port: SSH lists its algorithms and sends its key, RDP a certificate. A
check whether the port is open gets fewer."""

type SizedRecords = frozenset[tuple[int, int]]
"""Client ports and size classes of records."""


class SmallSessions(Struct, frozen=True):
    """Sessions of the same small size with a service of a server."""

    server: int
    """See `server_number`."""
    port: int
    usual: bool
    """Whether the host's role usually contacts the service."""
    count: float
    """Their approximate number."""


def server_number(server: str) -> int:
    """A number of `SERVER_BITS` bits for an address."""
    return fingerprint(server) & ((1 << SERVER_BITS) - 1)


def sized_records(directions: Directions, groups: Sequence[Integers]) -> list[SizedRecords]:
    """For each group of rows, the accepted records that are answers or large; no group may be empty."""
    if not groups:
        return []
    # All groups at once: most contacts have few records, so the number of array operations decides the time.
    rows = np.concatenate(groups)
    flows = directions.traffic.flows
    size, flags, start = flows["bytes"][rows], flows["tcp_flags"][rows], flows["start"][rows]
    large = (size > MOST_BYTES) | (flows["packets"][rows] > MOST_PACKETS)
    large |= (flows["end"][rows] - start > MOST_SECONDS) & (start != ABSENT)
    large |= (flags != ABSENT) & (flags & (SYN | FIN | RST) == 0)
    classes = np.where(large, LARGE, np.where(size > 0, _classes(size), UNKNOWN_SIZE))
    counted = (flows["action"][rows] == ACCEPT) & (flags != RST) & (large | ~directions.from_source[rows])
    ports = directions.client_port[rows][counted].tolist()
    records = zip(ports, classes[counted].tolist(), strict=True)
    begins = [0, *accumulate(map(len, groups[:-1]))]
    counts = np.add.reduceat(counted, begins, dtype=np.int64).tolist()
    return [frozenset(islice(records, count)) for count in counts]


def is_small(directions: Directions) -> Mask:
    """Which rows may be small answers: of the size of a failed log-in."""
    flows = directions.traffic.flows
    small: Mask = ~directions.from_source & (flows["bytes"] > 0) & (flows["bytes"] <= MOST_BYTES)
    return small


def _classes(sizes: Integers) -> Integers:
    """The size classes, from 2, for numbers of bytes."""
    classes: Integers = 2 + np.rint(_STEPS * np.log2(np.maximum(sizes, 1))).astype(np.int64)
    return classes


def log_ins(port: int, sizes: SizedRecords) -> SizedRecords:
    """The records among these that are large enough for a log-in at a port, or whose size is unknown."""
    least = 2 + round(_STEPS * log2(LEAST_ANSWER.get(port, 1)))
    return frozenset(each for each in sizes if each[1] >= least or each[1] == UNKNOWN_SIZE)


def numbers(server: str, protocol: int, port: int, sizes: SizedRecords, *, usual: bool) -> set[int]:
    """The numbers to store for records of a host's sessions with a service; none for other services."""
    if port not in _PORTS:
        return set()
    service = usual << _USUAL_AT | server_number(server) << _SERVER_AT | _PORTS.index(port) << _PORT_AT
    return {
        service | size << _CLASS_AT | bucket(server, protocol, port, client_port)
        for client_port, size in sizes
    }


def small_sessions(stored: Iterable[int]) -> Iterator[SmallSessions]:
    """The services of which at least half of the sessions have the same small size, with these sessions."""
    for service, by_size in _by_service(stored).items():
        large = by_size.pop(LARGE, set())
        alike = _most_alike({size: hashes - large for size, hashes in by_size.items()})
        if 2 * len(alike) >= len(large.union(*by_size.values())):
            port = _PORTS[service & ((1 << _PORT_BITS) - 1)]
            server = service >> _PORT_BITS & ((1 << SERVER_BITS) - 1)
            usual = bool(service >> _PORT_BITS + SERVER_BITS)
            yield SmallSessions(server, port, usual, distinct(alike))


def large_sessions(stored: Iterable[int]) -> set[tuple[int, int]]:
    """The servers (see `server_number`) and ports with a large session."""
    large = [number for number in stored if number >> _CLASS_AT & ((1 << _CLASS_BITS) - 1) == LARGE]
    return {
        (
            number >> _SERVER_AT & ((1 << SERVER_BITS) - 1),
            _PORTS[number >> _PORT_AT & ((1 << _PORT_BITS) - 1)],
        )
        for number in large
    }


def shared(stored: frozenset[int], most: int, whole: int = 1) -> frozenset[int]:
    """The numbers that count: at most `most` of usual sessions, and as many of others.

    Each service has an equal share, and what it does not need is left to the others. Of its sessions, the
    first by hash count, with all of their records. So the set alone determines which numbers count, and a
    number that counts also counts among any part of them.

    Args:
        stored: the numbers of sessions.
        most: how many of them count.
        whole: the smallest useful share: fewer sessions of a service would not be found. If there is no room
            for so many of each service, only the services with the lowest numbers, which are hashes, have
            them.
    """
    if len(stored) <= most:
        return stored
    by_standing = _by(stored, _USUAL_AT)
    return frozenset().union(*(_shared(numbers, most, whole) for numbers in by_standing.values()))


def _shared(numbers: Collection[int], most: int, whole: int) -> Collection[int]:
    if len(numbers) <= most:
        return numbers
    ranked = (
        (at // whole, service, at, number)
        for service, each in _by(numbers, _PORT_AT).items()
        for at, number in enumerate(sorted(each, key=_rank))
    )
    return [number for *_, number in sorted(ranked)[:most]]


def _rank(number: int) -> tuple[int, int]:
    """A sort key for the records of a service: by the hash of the session, a large record of it first.

    A large record alone makes its session large.
    """
    return number & ((1 << _HASH_BITS) - 1), -number


def with_room(new: frozenset[int], stored: Collection[int], most: int) -> frozenset[int]:
    """The new numbers, without usual sessions if `most` of them are stored; the same for other sessions."""
    if len(stored) < most:
        return new
    full = {usual for usual, each in _by(stored, _USUAL_AT).items() if len(each) >= most}
    return frozenset(number for number in new if number >> _USUAL_AT not in full)


def _by(numbers: Iterable[int], bits: int) -> dict[int, list[int]]:
    """Numbers by their upper bits."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for number in numbers:
        found[number >> bits].append(number)
    return found


def connections(port_sizes: SizedRecords, client_ports: Iterable[int]) -> set[int]:
    """The client ports of the connections that are not known to be large."""
    large = {port for port, size in port_sizes if size == LARGE}
    return {*client_ports} - large


def _by_service(stored: Iterable[int]) -> dict[int, dict[int, set[int]]]:
    """The hashes of sessions, by service and size class."""
    found: defaultdict[int, defaultdict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for number in stored:
        size = number >> _CLASS_AT & ((1 << _CLASS_BITS) - 1)
        if size and number >> _PORT_AT & ((1 << _PORT_BITS) - 1) < len(_PORTS):
            found[number >> _PORT_AT][size].add(number & ((1 << _HASH_BITS) - 1))
    return {service: dict(by_size) for service, by_size in found.items()}


def _most_alike(by_size: dict[int, set[int]]) -> Collection[int]:
    """The hashes of the sessions in the two neighboring size classes that have the most."""
    pairs = (hashes | by_size.get(size + 1, set()) for size, hashes in by_size.items())
    return max(pairs, key=len, default=())
