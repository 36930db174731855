"""Which layouts the lines of a log group may have, from what is known of the flow logs that write there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self

from msgspec import Struct

from flowwarden.errors import LogFormatError
from flowwarden.records.line_reader import demand_endpoints
from flowwarden.records.log_format import LogFormat


class Learned(Struct, frozen=True):
    """What EC2 tells of the flow logs that write into a log group, at a moment."""

    formats: tuple[str, ...]
    """The log formats, each once."""
    untold: bool
    """Whether there is a flow log whose format EC2 does not tell."""
    at: int
    """Unix seconds."""

    @classmethod
    def of(cls, described: Iterable[str | None], at: int) -> Self:
        """Sum up the `LogFormat` of each flow log; None and an empty one are not told."""
        formats = dict.fromkeys(described)
        return cls(tuple(sorted(text for text in formats if text)), any(not text for text in formats), at)


class Candidates(Struct, frozen=True):
    """The layouts that lines are tried with, and what a person should know about them."""

    layouts: tuple[LogFormat, ...]
    blind: tuple[LogFormat, ...]
    """Layouts that are really written and lack the addresses of a flow."""
    notes: tuple[str, ...]
    """Formats that cannot be read, and fields that are not known."""


def candidates(learned: Learned | None, fallback: Sequence[LogFormat]) -> Candidates:
    """Choose the layouts: those that were learned, and what of the fallback cannot be mistaken for them.

    A layout of the fallback is left out if one before it has as many fields: its lines could be taken for
    those of a layout that is really written, or make these ambiguous. Where EC2 does not tell the format of
    a flow log, the first of the fallback may be just that one, so it stays; lines that fit it and another
    alike are then malformed, never guessed.

    Args:
        learned: what EC2 tells; None if nothing is known.
        fallback: the configured layout first.
    """
    layouts: list[LogFormat] = []
    blind: list[LogFormat] = []
    notes: list[str] = []
    for text in learned.formats if learned else ():
        try:
            layout = LogFormat.parse(text)
            blind.append(layout)
            demand_endpoints(layout)
            layouts.append(blind.pop())
        except LogFormatError as error:
            notes.append(f"a flow log's lines cannot be read and count as malformed: {error}")
    if learned and learned.untold:
        layouts.append(fallback[0])
    for spare in fallback:
        if len(spare.names) not in {len(layout.names) for layout in (*layouts, *blind)}:
            layouts.append(spare)
    chosen = tuple(dict.fromkeys(layouts))
    notes += [
        f"fields that this version does not know are kept as text: {', '.join(layout.unknown)}"
        for layout in chosen
        if layout.unknown
    ]
    return Candidates(chosen, tuple(dict.fromkeys(blind)), tuple(notes))
