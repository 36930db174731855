"""Cuts slices into batches: large ones over all interfaces, or those that CloudWatch Logs would deliver."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import batched
from typing import Final

from flowwarden.notify.claims import digest
from flowwarden.records.log_format import LogFormat
from flowwarden.records.subscription import LogBatch
from flowwarden.replay.reorder import Slice
from flowwarden.replay.timed import Layouts

MOST_LINES: Final = 30_000
"""Lines of a batch: `columnar.reader.SINGLY_AT_MOST`, so that all can be read one by one if none is plain."""
DELIVERED_SECONDS: Final = 60
"""Seconds of a slice that is cut as CloudWatch Logs would."""
_UNKNOWN: Final = "unknown"
"""The log stream of lines without an interface."""


class LogGroups:
    """The names of the log groups that the lines are said to be from: one for each set of log formats."""

    def __init__(self, name: str, formats: dict[str, list[str]]) -> None:
        """Take the name of the first log group, and where to note the log formats of each."""
        self._name = name
        self._names: dict[Layouts, str] = {}
        self._formats = formats

    def name_of(self, layouts: Layouts) -> str:
        """The log group of lines with these log formats."""
        if layouts not in self._names:
            number = len(self._names) + 1
            name = self._name if number == 1 else f"{self._name}-{number}"
            self._names[layouts] = name
            self._formats[name] = [each.to_log_format() for each in layouts]
        return self._names[layouts]


def batches(
    one: Slice, groups: LogGroups, account: str, *, as_delivered: bool
) -> Iterator[tuple[Layouts, LogBatch]]:
    """The batches of a slice, with the log formats of their lines; `account` owns the log groups."""
    for layouts, lines in one.lines.items():
        name = groups.name_of(layouts)
        streams = by_interface(layouts, lines) if as_delivered else {name: lines}
        for stream, some in streams.items():
            for number, part in enumerate(batched(some, MOST_LINES, strict=False)):
                # Depends on the time alone, so that the same archive cut into other files gives the same ids.
                batch_id = digest("replay", name, stream, str(one.begin), str(number))
                yield layouts, LogBatch(account, name, stream, part, batch_id)


def by_interface(layouts: Layouts, lines: Sequence[str]) -> dict[str, list[str]]:
    """The lines by log stream, which CloudWatch Logs has for each interface."""
    places = {len(each.names): _place(each) for each in layouts}
    found: defaultdict[str, list[str]] = defaultdict(list)
    for line in lines:
        tokens = line.split()
        place = places.get(len(tokens))
        found[f"{tokens[place] if place is not None else _UNKNOWN}-all"].append(line)
    return dict(sorted(found.items()))


def _place(layout: LogFormat) -> int | None:
    return layout.names.index("interface-id") if "interface-id" in layout.names else None
