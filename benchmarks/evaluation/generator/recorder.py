"""Recording like flow logs: sums per one-way 5-tuple, interface and window, written as lines."""

from __future__ import annotations

from random import Random
from typing import Final

from benchmarks.evaluation.generator.addresses import aws_service, is_inside
from benchmarks.evaluation.generator.hosts import (
    BYTES,
    FIRST,
    FLAGS,
    LAST,
    PACKETS,
    Host,
    Key,
    Record,
    any_contains,
)
from benchmarks.evaluation.generator.model import Truth

BY_SOURCE, BY_DESTINATION, BY_NEITHER = range(3)
"""The initiator: an index into `_TRUTHS`."""
_TRUTHS: Final = Truth.SOURCE.value, Truth.DESTINATION.value, Truth.NONE.value

OPENING: Final = 18
"""The bits of `tcp-flags` only in a conversation's first window: SYN and SYN-ACK."""
CLOSING: Final = 5
"""The bits only in its last window: FIN and RST."""

STRAY_SKIP: Final = 0.0002
"""The share of windows whose records AWS skips without an incident."""
MOST_WINDOWS: Final = 12
"""Maximum windows of one conversation; a longer one has no traffic after that."""

_LEFT_BY: Final = {True: "8", False: "1"}
"""`traffic-path`: an internet gateway, or another resource in the VPC."""
_GARBAGE: Final = "flow-export v3: {} bytes={} peer={} state=up"


class Recorder:
    """Sums records at hosts, and writes those of closed windows."""

    def __init__(self, window: int, random: Random) -> None:
        self.window = window
        self._random = random

    def log(
        self, host: Host, key: Key, t0: int, t1: int, packets: int, size: int, flags: int, truth: int
    ) -> None:
        """Record packets from t0 to t1 (Unix seconds) in their windows."""
        first = t0 // self.window
        if t1 // self.window != first:
            self._spread(host, key, t0, t1, packets, size, flags, truth)
            return
        windows = host.windows
        flows = windows.get(first)
        if flows is None:
            flows = windows[first] = {}
        record = flows.get(key)
        if record is None:
            flows[key] = [packets, size, t0, t1, flags, truth]
        else:
            record[PACKETS] += packets
            record[BYTES] += size
            record[FIRST] = min(record[FIRST], t0)
            record[LAST] = max(record[LAST], t1)
            record[FLAGS] |= flags

    def _spread(
        self, host: Host, key: Key, t0: int, t1: int, packets: int, size: int, flags: int, truth: int
    ) -> None:
        window = self.window
        first, last = t0 // window, min(t1 // window, t0 // window + MOST_WINDOWS - 1)
        count = last - first + 1
        for number in range(first, last + 1):
            begin = max(t0, number * window)
            end = min(t1, number * window + window - 1)
            part = flags & OPENING if number == first else flags & CLOSING if number == last else 0
            self.log(host, key, begin, end, max(1, packets // count), max(40, size // count), part, truth)

    def write(self, host: Host, until: int) -> tuple[list[str], list[str]]:
        """The lines of the host's windows that end by this time (Unix seconds), and the truth of each."""
        written: list[str] = []
        truth: list[str] = []
        for number in range(host.next_window, until // self.window):
            flows = host.windows.pop(number, {})
            start = number * self.window
            if any_contains(host.blind, start):
                written.append(self._gap(host, "SKIPDATA", start))
            elif not flows:
                written.append(self._gap(host, "NODATA", start))
            else:
                if self._random.random() < STRAY_SKIP:
                    written.append(self._gap(host, "SKIPDATA", start))
                    truth.append(Truth.NO_FLOW)
                self._write_flows(host, flows, written, truth)
            truth.extend(Truth.NO_FLOW * (len(written) - len(truth)))
        host.next_window = max(host.next_window, until // self.window)
        if written and any_contains(host.garbled, until - self.window):
            return self._garble(written), [Truth.NO_FLOW.value] * len(written)
        return written, truth

    def _write_flows(
        self, host: Host, flows: dict[Key, Record], written: list[str], truths: list[str]
    ) -> None:
        line = host.write
        for key, (packets, size, t0, t1, flags, truth) in flows.items():
            source, destination, source_port, destination_port, protocol, action, egress, sent, reached = key
            path = _LEFT_BY[not is_inside(reached)] if egress else "-"
            family, side = "IPv6" if ":" in source else "IPv4", "egress" if egress else "ingress"
            sender, receiver = aws_service(sent), aws_service(reached)
            written.append(
                line(
                    source, destination, source_port, destination_port, protocol, packets, size, t0, t1,
                    action, flags, family, sent, reached, sender, receiver, side, path,
                )
            )  # fmt: skip
            truths.append(_TRUTHS[truth])

    def _gap(self, host: Host, status: str, start: int) -> str:
        return host.write_gap(status, start, start + self.window)

    def _garble(self, written: list[str]) -> list[str]:
        random = self._random
        return [
            _GARBAGE.format(random.getrandbits(24), random.getrandbits(16), random.getrandbits(12))
            for _ in written
        ]
