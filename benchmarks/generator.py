"""Payloads as CloudWatch Logs delivers them: flow records of one or several interfaces, determined by a seed.

13 % of the records are rejects, 12 % are IPv6, 1 % are gaps; `traffic` defines the hosts and connections.
There are about 80 % as many distinct (source, destination, destination port, protocol, action) as flows,
which is the hard case for an aggregation. The mixture is the same for all sizes, which makes them comparable.
Several interfaces share the far ends, and have equal numbers of records.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any, Final

from msgspec import Struct

from benchmarks.interfaces import Interface, drawn, fleet
from benchmarks.traffic import FarEnds, Talk, Traffic
from flowwarden.records.log_format import LogFormat

REJECTS, IPV6, GAPS = 0.13, 0.12, 0.01
"""Shares of the records; every tenth gap is SKIPDATA, the others are NODATA."""

_LEVEL: Final = 6  # zlib's default, which matches CloudWatch Logs' payloads
_FIRST_SECOND: Final = 1_763_942_400
_WINDOW: Final = 60
_DIGITS_OF_AN_ID: Final = 56
_PATHS: Final = "1", "7", "8", "8", "8"
_SERVICES: Final = "-", "-", "-", "-", "S3", "EC2", "AMAZON"
_REASONS: Final = "-", "-", "-", "-", "-", "-", "-", "-", "-", "BPA"


class Payload(Struct, frozen=True):
    """One event for a function, and its number of records."""

    event: dict[str, Any]
    records: int


def payload(layout: LogFormat, records: int, seed: int, interfaces: int = 1) -> Payload:
    """A Lambda event with this number of records of this layout; see `lines`."""
    window = _FIRST_SECOND + _WINDOW * (seed % 100_000)
    messages = lines(layout, records, seed, interfaces)
    document = {
        "messageType": "DATA_MESSAGE",
        "owner": "111122223333",
        "logGroup": "/flow-warden/flow-logs",
        "logStream": _stream(messages[0].split()[layout.names.index("interface-id")], interfaces),
        "subscriptionFilters": ["flow-warden"],
        "logEvents": [
            {"id": _event_id(window, number), "timestamp": window * 1000, "message": message}
            for number, message in enumerate(messages)
        ],
    }
    text = json.dumps(document, separators=(",", ":")).encode()
    data = base64.b64encode(gzip.compress(text, _LEVEL, mtime=0)).decode("ascii")
    return Payload({"awslogs": {"data": data}}, records)


def lines(layout: LogFormat, records: int, seed: int, interfaces: int = 1) -> list[str]:
    """The records as lines of this layout; the same arguments give the same lines.

    A single interface is in no other payload; several interfaces are the first ones of the fleet.
    """
    # Payloads with the same seed and another size share no far ends, because a way might cache them.
    random = Random(f"{seed}/{records}/{interfaces}")
    window = _FIRST_SECOND + _WINDOW * (seed % 100_000)
    hosts = [drawn(random)] if interfaces == 1 else fleet()[:interfaces]
    far_ends = FarEnds(random, records)
    version = str(max(field.version or 0 for field in layout.fields))
    seen_by = [(Traffic(random, each, far_ends), {"version": version, **each.fields}) for each in hosts]
    names, nothing = layout.names, ("-",) * len(layout.names)
    made: list[str] = []
    for number, (kind, ipv6) in zip(_owners(random, records, hosts), _plan(random, records), strict=True):
        traffic, constant = seen_by[number]
        values = {**constant, **_times(random, window)}
        values |= {"log-status": kind} if kind in _GAP_KINDS else _flow(random, traffic.talk(kind, ipv6=ipv6))
        made.append(" ".join(map(values.get, names, nothing)))
    return made


def _stream(interface_id: str, interfaces: int) -> str:
    """The stream of an interface, or of a centralized log group with many interfaces."""
    return f"{interface_id}-all" if interfaces == 1 else "centralized"


def _owners(random: Random, records: int, hosts: Sequence[Interface]) -> list[int]:
    """The number of the interface for each record: equal parts in random order."""
    owners = [number % len(hosts) for number in range(records)]
    random.shuffle(owners)
    return owners


_GAP_KINDS: Final = frozenset({"NODATA", "SKIPDATA"})


def _plan(random: Random, records: int) -> Iterator[tuple[str, bool]]:
    """The kind of each record, and whether it is IPv6: exact shares in random order."""
    gaps, rejects = round(records * GAPS), round(records * REJECTS)
    kinds = ["SKIPDATA" if number % 10 == 0 else "NODATA" for number in range(gaps)]
    kinds += ["REJECT"] * rejects + ["ACCEPT"] * (records - gaps - rejects)
    families = [number < round(records * IPV6) for number in range(records)]
    random.shuffle(kinds)
    random.shuffle(families)
    return zip(kinds, families, strict=True)


def _times(random: Random, window: int) -> Mapping[str, str]:
    start = window + random.randrange(30)
    return {"start": str(start), "end": str(start + random.randrange(1, _WINDOW - 30))}


def _flow(random: Random, talk: Talk) -> Mapping[str, str]:
    """A flow's values by AWS's field names, without those of the interface and the times."""
    packets = 1 + int(random.expovariate(1 / 12))
    far = random.choice(_SERVICES)
    return {
        "srcaddr": talk.source,
        "dstaddr": talk.destination,
        "srcport": str(talk.source_port),
        "dstport": str(talk.destination_port),
        "protocol": talk.protocol,
        "packets": str(packets),
        "bytes": str(packets * random.randrange(40, 1400)),
        "action": talk.action,
        "log-status": "OK",
        "tcp-flags": talk.flags,
        "type": "IPv6" if ":" in talk.source else "IPv4",
        "pkt-srcaddr": talk.source,
        "pkt-dstaddr": talk.destination,
        "pkt-src-aws-service": "-" if talk.egress else far,
        "pkt-dst-aws-service": far if talk.egress else "-",
        "flow-direction": "egress" if talk.egress else "ingress",
        "traffic-path": random.choice(_PATHS) if talk.egress else "-",
        "reject-reason": random.choice(_REASONS) if talk.action == "REJECT" else "-",
    }


def _event_id(window: int, number: int) -> str:
    """Event ids like those of CloudWatch Logs: long ascending numbers with a common prefix."""
    return f"{window * 10**46 + 21143289615424298221568 * 10**6 + number:0{_DIGITS_OF_AN_ID}d}"
