"""Reads deliveries once for all users of records, and pairs records with the truth."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.evaluation.generator.model import Delivery, Truth
from flowwarden.records.line_reader import LineReader
from flowwarden.records.log_format import LogFormat
from flowwarden.records.model import Flow, Records


class Reading:
    """Reads deliveries of one layout; caches the last one, because several users need it."""

    def __init__(self, layout: LogFormat) -> None:
        self._reader = LineReader((layout,))
        self._last: tuple[Delivery, Records] | None = None

    def records(self, delivery: Delivery) -> Records:
        """The delivery's records."""
        if self._last is None or self._last[0] is not delivery:
            self._last = delivery, self._reader.read(delivery.lines)
        return self._last[1]

    def flows_with_truth(self, delivery: Delivery) -> Iterator[tuple[Flow, Truth]]:
        """Each flow with the initiator of its conversation.

        The reader preserves the order of the flows, and every line with a truth is a flow.
        """
        truths = [Truth(each) for each in delivery.truth if each != Truth.NO_FLOW]
        return zip(self.records(delivery).flows, truths, strict=True)
