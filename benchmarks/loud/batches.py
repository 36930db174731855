"""Loud batches: as many lines as one delivery can contain, in the shapes that are most expensive.

A delivery is one Lambda event: base64 of gzip of JSON. `fitted` takes lines until the event or the inflated
document has its maximum size. Every run has the same batches.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterator
from itertools import count, islice
from typing import Any, Final

import msgspec
from msgspec import Struct

from flowwarden.records.log_format import LogFormat

NOW: Final = 1_800_000_000
"""Unix seconds at which the batches are processed."""
EVENT_BYTES: Final = 2**20
"""Maximum bytes of an event of an asynchronous invocation."""
COMPRESSED: Final = EVENT_BYTES * 3 // 4 - 4096
"""Bytes of gzip that fit into an event as base64, with room for the rest of the event."""
_GZIP: Final = 31  # for zlib: write a gzip header and checksum
_PART: Final = 500
"""Lines compressed at once."""
_OCTET: Final = 256

type Values = dict[str, object]
"""Values of a flow record by AWS's field names; the others have a default."""
type Lines = Callable[[LogFormat], Iterator[str]]
"""Makes the lines of a batch, without end."""


class Loud(Struct, frozen=True):
    """A loud batch."""

    what: str
    lines: Lines
    described: bool = True
    """Whether EC2 describes the interfaces, so that their hosts have a role."""


def fitted(lines: Iterator[str], max_inflated: int) -> tuple[dict[str, Any], int]:
    """The event with as many lines as fit, and their number; `max_inflated` limits the inflated document."""
    head = {"messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "/flow-warden/flow-logs"}
    head |= {"logStream": "centralized"}
    packer, parts = zlib.compressobj(6, wbits=_GZIP), list[bytes]()
    opening = msgspec.json.encode(head)[:-1] + b',"logEvents":['
    parts.append(packer.compress(opening))
    size, inflated, taken, room = 0, len(opening), 0, 0
    while True:
        some = b",".join(_event(taken + at, line) for at, line in enumerate(islice(lines, room)))
        if room and not some:
            break
        inflated += len(some) + 1
        if inflated > max_inflated - 2 or size > COMPRESSED:
            break
        if room:
            parts += [packer.compress((b"," if taken else b"") + some), packer.flush(zlib.Z_SYNC_FLUSH)]
        size, taken = sum(map(len, parts)), taken + room
        left = min((COMPRESSED - size) / max(size, 1), (max_inflated - inflated) / inflated) if taken else 1
        room = max(0, min(_PART, int(left * taken))) if taken else 1
        if not room:
            break
    parts += [packer.compress(b"]}"), packer.flush()]
    return {"awslogs": {"data": base64.b64encode(b"".join(parts)).decode()}}, taken


def _event(number: int, line: str) -> bytes:
    event = {"id": f"{NOW * 10**46 + number:056d}", "timestamp": NOW * 1000, "message": line}
    return msgspec.json.encode(event)


def flows(values: Callable[[], Iterator[Values]]) -> Lines:
    """A function that makes lines with these values."""

    def made(layout: LogFormat) -> Iterator[str]:
        for each in values():
            line = _DEFAULTS | each
            yield " ".join(str(line.get(name, "-")) for name in layout.names)

    return made


_DEFAULTS: Final[dict[str, object]] = {
    "version": 5, "account-id": "111122223333", "interface-id": "eni-0123456789abcdef0",
    "srcaddr": "10.0.1.20", "dstaddr": "10.0.2.30", "srcport": 50_000, "dstport": 5432, "protocol": 6,
    "packets": 6, "bytes": 360, "start": NOW - 90, "end": NOW - 40, "action": "REJECT", "log-status": "OK",
    "vpc-id": "vpc-0a1b2c3d4e5f67890", "subnet-id": "subnet-0f10a4de000000003", "tcp-flags": 2,
    "type": "IPv4", "flow-direction": "ingress",
}  # fmt: skip


def own(number: int) -> str:
    """An internal address, different for each number below 2**24."""
    return f"10.{number // _OCTET**2 % _OCTET}.{number // _OCTET % _OCTET}.{number % _OCTET}"


def outside(number: int) -> str:
    """An internet address, different for each number below 2**24."""
    return f"52.{number // _OCTET**2 % _OCTET}.{number // _OCTET % _OCTET}.{number % _OCTET}"


def interface(number: int) -> str:
    """An interface id."""
    return f"eni-{number:017x}"


def _answered(request: Values, number: int) -> tuple[Values, Values]:
    """An accepted connection: its request and its answer, as the client's interface logs them."""
    there = {**_DEFAULTS, "action": "ACCEPT", "flow-direction": "egress", "srcport": 40_000 + number % 20_000}
    there |= request
    return there, answer(there)


def answer(there: Values) -> Values:
    """The answer to a request."""
    ends = {"srcaddr": there["dstaddr"], "dstaddr": there["srcaddr"]}
    ports = {"srcport": there["dstport"], "dstport": there["srcport"]}
    return {**there, **ends, **ports, "flow-direction": "ingress", "tcp-flags": 18}


def _refused_everywhere() -> Iterator[Values]:
    yield from ({"dstaddr": own(n), "dstport": 445, "flow-direction": "egress"} for n in count(70_000))


def _refused_ports() -> Iterator[Values]:
    yield from ({"dstport": 1 + n % 65_000, "dstaddr": own(n // 65_000)} for n in count())


def _refused_clients() -> Iterator[Values]:
    yield from ({"srcaddr": own(n), "packets": 9} for n in count(70_000))


def _refused_pairs() -> Iterator[Values]:
    yield from ({"srcaddr": own(n), "dstaddr": own(n + 5_000_000), "packets": 9} for n in count())


def _new_edges() -> Iterator[Values]:
    for n in count():
        yield from _answered({"dstaddr": own(_OCTET * n), "dstport": 1 + n % 32_000}, n)


def _many_interfaces() -> Iterator[Values]:
    for n in count():
        place, host = n % 1000, n // 1000 % 20
        source = f"10.{place // 250}.{place % 250}.{host}"
        yield {
            "interface-id": interface(place), "srcaddr": source, "flow-direction": "egress",
            "dstaddr": own(9_000_000 + n), "dstport": 22, "packets": 9,
        }  # fmt: skip


def _interfaces_refused() -> Iterator[Values]:
    for n in count():
        yield {"interface-id": interface(n % 10_000), "srcaddr": own(n), "dstaddr": own(n + 5_000_000)}


def _an_interface_a_line() -> Iterator[Values]:
    for n in count():
        yield from _answered({"interface-id": interface(n), "srcaddr": own(n), "dstport": 443}, n)


_PLACES: Final = 4


def _scanners() -> Iterator[Values]:
    """Each internet host is refused at four places and reaches a fifth."""
    for n in count():
        host, port = n // (_PLACES + 1), 1000 + n % (_PLACES + 1)
        here = {"interface-id": interface(host % 500), "srcaddr": outside(host), "dstaddr": own(host % 500)}
        if port < 1000 + _PLACES:
            yield {**here, "dstport": port}
        else:
            there, back = _answered({**here, "dstport": port}, n)
            yield from ({**there, "flow-direction": "ingress"}, {**back, "flow-direction": "egress"})


def _noise() -> Iterator[Values]:
    yield from ({"srcaddr": outside(n), "dstaddr": own(n), "dstport": n % 1000} for n in count())


def _noise_at_one() -> Iterator[Values]:
    yield from ({"srcaddr": outside(n), "dstport": n % 1000} for n in count())


def _repeats() -> Iterator[Values]:
    yield from ({"srcaddr": outside(1), "dstport": 23} for _ in count())


def _repeated_pairs() -> Iterator[Values]:
    yield from ({"dstaddr": own(n // 2), "dstport": 445} for n in count())


def _silent_gaps() -> Iterator[Values]:
    for n in count():
        gap: dict[str, object] = dict.fromkeys(_DEFAULTS, "-")
        kept = {name: _DEFAULTS[name] for name in ("version", "account-id", "start", "end")}
        yield gap | kept | {"interface-id": interface(n), "log-status": "SKIPDATA" if n % 2 else "NODATA"}


def _uploads() -> Iterator[Values]:
    for n in count():
        place = n % 2000
        here = {"interface-id": interface(place), "srcaddr": own(place)}
        sent = {"dstaddr": outside(n), "dstport": 443, "bytes": 90_000_000 + n, "packets": 90_000}
        yield from _answered({**here, **sent}, n)


def _refused_answers() -> Iterator[Values]:
    """Accepted requests whose answers a network ACL rejects, in many subnets."""
    for n in count():
        there, back = _answered({"subnet-id": f"subnet-{n // 4:017x}", "dstaddr": own(n)}, n)
        yield {**there, "flow-direction": "egress"}
        yield {**back, "action": "REJECT"}


def _administration() -> Iterator[Values]:
    for n in count():
        yield from _answered({"dstaddr": own(n), "dstport": 22, "srcaddr": own(9_000_000 + n // 40)}, n)


def _declared_places() -> Iterator[Values]:
    """Accepted connections with the internet at hosts that the policy declares."""
    for n in count():
        source, far = f"10.3.{n // 250 % 250}.{n % 250}", outside(n)
        yield from _answered({"srcaddr": source, "dstaddr": far, "dstport": 443}, n)


def _hours() -> Iterator[Values]:
    """Each contact in another hour."""
    for n in count():
        start = NOW - 3600 * (n % 4000)
        yield {"start": start, "end": start + 50, "dstaddr": own(n), "srcaddr": own(5_000_000 + n // 64)}


def _ipv6() -> Iterator[Values]:
    for n in count():
        yield {
            "srcaddr": f"2a05:d018:1:{n % 9999}::{n % 65_521:x}",
            "dstaddr": f"fd00::{n:x}"[:39],
            "type": "IPv6",
        }


def _texts(text: Callable[[int], str]) -> Lines:
    return lambda _layout: map(text, count())


def _odd(change: Callable[[str], str]) -> Lines:
    """Valid lines in a form that the columnar reader leaves to the strict one."""
    return lambda layout: map(change, flows(_refused_everywhere)(layout))


def _masked() -> Iterator[Values]:
    yield from ({"srcaddr": "***", "srcport": 1 + n % 9} for n in count())


def _in_milliseconds(line: str) -> str:
    return line.replace(f" {NOW - 90} ", f" {NOW - 90}000 ")


BATCHES: Final = {
    "host-refused-everywhere": Loud("one host is refused at every address", flows(_refused_everywhere)),
    "host-refused-ports": Loud("one host is refused at every port of a few servers", flows(_refused_ports)),
    "service-refuses-hosts": Loud("one service refuses every host", flows(_refused_clients)),
    "pairs-refused": Loud("every line is another host refused at another server", flows(_refused_pairs)),
    "edges": Loud("one interface with a new edge for each connection", flows(_new_edges)),
    "edges-learned": Loud("the same without a description by EC2", flows(_new_edges), described=False),
    "interfaces-hosts": Loud("1,000 interfaces of 20 hosts each, refused at SSH", flows(_many_interfaces)),
    "interfaces-refused": Loud("10,000 interfaces, refused", flows(_interfaces_refused)),
    "interface-a-line": Loud("another interface in each connection", flows(_an_interface_a_line)),
    "scanners": Loud("internet hosts, refused at four places, reach a fifth", flows(_scanners)),
    "noise": Loud("internet hosts try every address", flows(_noise)),
    "noise-at-one": Loud("internet hosts try one address", flows(_noise_at_one)),
    "one-line": Loud("the same line, as often as fits", flows(_repeats)),
    "twice": Loud("each REJECT twice", flows(_repeated_pairs)),
    "gaps": Loud("NODATA and SKIPDATA, of another interface each", flows(_silent_gaps)),
    "uploads": Loud("2,000 interfaces upload", flows(_uploads)),
    "answers-refused": Loud("network ACLs reject the answers in every subnet", flows(_refused_answers)),
    "administration": Loud("hosts open SSH sessions with 40 others each", flows(_administration)),
    "declared-places": Loud("declared hosts connect to the internet", flows(_declared_places)),
    "hours": Loud("each refusal in another hour", flows(_hours)),
    "ipv6": Loud("IPv6 addresses, all different", flows(_ipv6)),
    "malformed": Loud("short lines that are not records", _texts(lambda n: f"x{n % 7}")),
    "malformed-alike": Loud("lines with one token too few", _odd(lambda line: line.rpartition(" ")[0])),
    "masked": Loud("addresses that a data protection policy masks", flows(_masked)),
    "long-lines": Loud("lines of 250 KB that are not records", _texts(lambda n: f"{n} " + "x" * 250_000)),
    "long-words": Loud("lines of 125,000 words", _texts(lambda n: f"{n} " + "x " * 125_000)),
    "tabs": Loud("valid lines, separated by tabs", _odd(lambda line: line.replace(" ", "\t"))),
    "milliseconds": Loud("valid lines, with times in milliseconds", _odd(_in_milliseconds)),
    "zeros": Loud("valid lines, with leading zeros", _odd(lambda line: line.replace(" 5", f" {'0' * 20}5"))),
    "mixed": Loud("every other line is malformed", _odd(lambda line: line if line[60] in "02468" else "?")),
    "wide-text": Loud("lines of non-ASCII characters", _texts(lambda n: "é😀" * 20 + str(n))),
}  # fmt: skip
"""Every loud batch, by its name."""
