"""The life of incidents: what was sent after their first page, and when they were resolved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from benchmarks.evaluation.expected_detections import finds
from benchmarks.evaluation.generator.model import Incident
from benchmarks.evaluation.tally import Tally
from flowwarden.notify.incident import Event


class Lives(Struct, frozen=True):
    """The figures of a scenario. Incidents are those of the system under test, unless they are labeled."""

    events: Counter[str]
    """Notifications by event."""
    overdue: int
    """Incidents that were open `OVERDUE_SECONDS` longer than they should, although records went on."""
    delays: tuple[int, ...]
    """Seconds from the end of each labeled incident until the notification that it is resolved."""
    unresolved: int
    """Labeled incidents with a page that were still open at the end."""
    early: tuple[str, ...]
    """The kinds of the labeled incidents that were resolved although their traffic went on."""

    @property
    def early_share(self) -> float:
        """Labeled incidents that were resolved too early, of those with a page."""
        paged = len(self.delays) + self.unresolved
        return len(self.early) / paged if paged else 0.0


def lives(tally: Tally, incidents: Sequence[Incident]) -> Lives:
    """The life of the incidents in a scenario."""
    paged = [(each, keys) for each in incidents if (keys := _keys(tally, each))]
    ends = [_resolved(tally, each, keys) for each, keys in paged]
    return Lives(
        events=Counter(each.event or Event.OPENED for each in tally.paged)
        + Counter({Event.RESOLVED.value: len(tally.resolved)}),
        overdue=len(tally.overdue),
        delays=tuple(at - each.end for (each, _), at in zip(paged, ends, strict=True) if at is not None),
        unresolved=ends.count(None),
        early=tuple(each.kind for each, keys in paged if _too_early(tally, each, keys)),
    )


def _keys(tally: Tally, incident: Incident) -> dict[str, int]:
    """When the first page about it arrived, by its key."""
    first: dict[str, int] = {}
    for page in tally.paged:
        if page.key and finds(page, incident):
            first.setdefault(page.key, page.arrived)
    return first


def _resolved(tally: Tally, incident: Incident, keys: dict[str, int]) -> int | None:
    """When the last of its pages was resolved after its end; None if one was not."""
    ends = [
        min(
            (each.arrived for each in tally.resolved if each.key == key and each.arrived >= incident.end),
            default=None,
        )
        for key in keys
    ]
    known = [each for each in ends if each is not None]
    return max(known) if len(known) == len(ends) else None


def _too_early(tally: Tally, incident: Incident, keys: dict[str, int]) -> bool:
    return any(keys.get(each.key, incident.end) < each.arrived < incident.end for each in tally.resolved)
