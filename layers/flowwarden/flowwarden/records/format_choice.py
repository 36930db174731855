"""Chooses the possible log formats of a log group's lines, from the flow logs that write to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self

from msgspec import Struct

from flowwarden.errors import LogFormatError
from flowwarden.records.line_reader import demand_endpoints
from flowwarden.records.log_format import LogFormat


class LearnedFormats(Struct, frozen=True):
    """The log formats of the flow logs that write to a log group, as described by EC2 at a point in time."""

    formats: tuple[str, ...]
    """The log formats, each once."""
    unreported: bool
    """Whether EC2 does not report the format of a flow log."""
    at: int
    """Unix seconds."""

    @classmethod
    def of(cls, described: Iterable[str | None], at: int) -> Self:
        """Summarize the `LogFormat` of each flow log; None and '' mean that EC2 does not report it."""
        formats = dict.fromkeys(described)
        return cls(tuple(sorted(text for text in formats if text)), any(not text for text in formats), at)


class Candidates(Struct, frozen=True):
    """The log formats to try for each line, with notes for operators."""

    layouts: tuple[LogFormat, ...]
    without_addresses: tuple[LogFormat, ...]
    """Log formats in use that lack the addresses of a flow."""
    notes: tuple[str, ...]
    """Formats that cannot be read, and unknown fields."""


def candidates(learned: LearnedFormats | None, fallback: Sequence[LogFormat]) -> Candidates:
    """Choose the log formats: the learned ones, and fallbacks that cannot be confused with them.

    A fallback log format is omitted if a previous log format has the same number of fields, because lines of
    the log formats in use could match it or become ambiguous. If EC2 does not report the format of a flow
    log, it may be the first fallback log format, so that one is kept. Lines that match several log formats
    are then malformed; the reader never guesses.

    Args:
        learned: the formats reported by EC2; None if unknown.
        fallback: the fallback log formats, the configured one first.
    """
    layouts: list[LogFormat] = []
    without_addresses: list[LogFormat] = []
    notes: list[str] = []
    for text in learned.formats if learned else ():
        try:
            layout = LogFormat.parse(text)
            without_addresses.append(layout)
            demand_endpoints(layout)
            layouts.append(without_addresses.pop())
        except LogFormatError as error:
            notes.append(f"lines of a flow log cannot be read and count as malformed: {error}")
    if learned and learned.unreported:
        layouts.append(fallback[0])
    for extra in fallback:
        if len(extra.names) not in {len(layout.names) for layout in (*layouts, *without_addresses)}:
            layouts.append(extra)
    chosen = tuple(dict.fromkeys(layouts))
    notes += [
        f"unknown fields are kept as text: {', '.join(layout.unknown)}" for layout in chosen if layout.unknown
    ]
    return Candidates(chosen, tuple(dict.fromkeys(without_addresses)), tuple(notes))
