"""The faults ("poison") in the batches of the load run, and the deliveries. Every run has the same plan."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable, Mapping
from enum import StrEnum
from random import Random
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from benchmarks.reliability.traffic import EVERY, Batch
from flowwarden.records.subscription import encode
from tests.faults import Fault
from tests.hostile import HOSTILE

POISONED: Final = 0.1
"""The share of all batches that have poison."""
DOUBLED: Final = 0.05
"""The share of all batches that are delivered twice."""
LATER: Final = 20 * EVERY
"""Seconds after which every second repeated delivery follows; the others follow at once."""
FEW: Final = 0.09
"""A share of malformed lines that is too small to be reported: they are only counted."""
MANY: Final = 0.3
"""A share of malformed lines that is reported."""


class Poison(StrEnum):
    """A kind of poison: in the lines, in the payload, or a call that fails while the batch is processed."""

    MALFORMED = "malformed lines"
    UNPARSED = "mostly unparsed"
    HOSTILE = "hostile text"
    PAYLOAD = "undecodable payload"
    REFUSED = "call refused"
    UNANSWERED = "answer lost"
    CRASH_BEFORE = "crash before a call"
    CRASH_AFTER = "crash after a call"


FAULTS: Final = {
    Poison.REFUSED: Fault.REFUSED,
    Poison.UNANSWERED: Fault.UNANSWERED,
    Poison.CRASH_BEFORE: Fault.CRASH_BEFORE,
    Poison.CRASH_AFTER: Fault.CRASH_AFTER,
}
_ODD: Final = (
    "", "no record", "2 111122223333 eni-1 10.0.0.1 10.0.0.2 99999 443 6 1 1 1764000000 1764000001 ACCEPT OK",
    "2 111122223333 eni-1 10.0.0.1 10.0.0.256 1 443 6 1 1 1764000000 1764000001 ACCEPT OK",
    "2 111122223333 eni-1 10.0.0.1 10.0.0.2 1 443 6 1 -1 1764000000 1764000001 ACCEPT OK",
    '{"version": 2}', "2 111122223333 eni-1 10.0.0.1", "a," * 4000,
)  # fmt: skip
_TEXT: Final = HOSTILE.replace("\ud800", "")
"""Without the lone surrogate, which a JSON document in UTF-8 cannot contain unescaped."""


class Delivery(Struct, frozen=True):
    """The delivery of a batch to the function."""

    batch: Batch
    poison: Poison | None = None
    call: float = 0.0
    """The position of the call that fails among the batch's calls, from 0 to 1."""
    cold: bool = False
    """Whether a new container processes the retry; after a crash, it always does."""
    doubled_after: int | None = None
    """Seconds until the same payload is delivered again; None if it is not."""


def plan(batches: list[Batch], seed: int) -> list[Delivery]:
    """All deliveries: 10 % of the batches have poison, another 5 % are delivered twice; at least one each."""
    random = Random(seed)
    bad, twice = (max(1, round(share * len(batches))) for share in (POISONED, DOUBLED))
    chosen = random.sample(range(len(batches)), bad + twice)
    kinds = dict(zip(chosen[:bad], _kinds(bad, random), strict=True))
    doubled = {number: (0, LATER)[place % 2] for place, number in enumerate(chosen[bad:])}
    return [
        Delivery(
            each,
            kinds.get(each.number),
            random.random(),
            random.choice((False, True)),
            doubled.get(each.number),
        )
        for each in batches
    ]


def _kinds(count: int, random: Random) -> list[Poison]:
    kinds = list(Poison)
    random.shuffle(kinds)
    return [kinds[place % len(kinds)] for place in range(count)]


def bad_lines(delivery: Delivery) -> int:
    """The number of the batch's lines that poison replaces, from its end."""
    match delivery.poison:
        case Poison.MALFORMED | Poison.HOSTILE:
            return round(FEW * len(delivery.batch.lines))
        case Poison.UNPARSED:
            return round(MANY * len(delivery.batch.lines))
        case _:
            return 0


def poisoned(delivery: Delivery) -> Batch:
    """The batch with its poisoned lines."""
    batch, bad = delivery.batch, bad_lines(delivery)
    hostile = delivery.poison is Poison.HOSTILE
    made = map(_hostile if hostile else _odd, range(bad))
    stream = f"{batch.stream}{_TEXT[:300]}" if hostile else batch.stream
    return replace(batch, lines=(*batch.lines[: len(batch.lines) - bad], *made), stream=stream)


def without_poison(delivery: Delivery) -> Delivery | None:
    """A single delivery of the batch's good lines; None if the payload cannot be read."""
    if delivery.poison is Poison.PAYLOAD:
        return None
    batch = delivery.batch
    good = batch.lines[: len(batch.lines) - bad_lines(delivery)]
    return Delivery(replace(batch, lines=good))


def event_of(delivery: Delivery) -> dict[str, Any]:
    """The Lambda event."""
    event = poisoned(delivery).event()
    if delivery.poison is not Poison.PAYLOAD:
        return event
    damage = list(_PAYLOADS.values())
    return {"awslogs": {"data": damage[delivery.batch.number % len(damage)](event["awslogs"]["data"])}}


def _odd(number: int) -> str:
    return _ODD[number % len(_ODD)]


def _hostile(number: int) -> str:
    cut = number * 7 % 80
    return f"2 111122223333 eni-1 {_TEXT[cut:]}"


_PAYLOADS: Final[Mapping[str, Callable[[str], Any]]] = {
    "cut short": lambda data: data[: len(data) // 8 * 4],
    "not base64": lambda data: f"{data[:100]}*{data[101:]}",
    "not compressed": lambda data: base64.b64encode(data.encode()).decode(),
    "not JSON": lambda _: base64.b64encode(gzip.compress(b"[{]", mtime=0)).decode(),
    "not text": lambda _: 5,
    "too large": lambda _: encode({"logEvents": [{"message": "x" * 80_000_000}]})["awslogs"]["data"],
}
