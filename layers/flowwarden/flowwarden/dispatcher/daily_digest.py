"""The daily digest: which internet hosts were rejected, what they tried, and what is new. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from flowwarden.dispatcher.digest_day import Day, SourceOfDay, named
from flowwarden.dispatcher.digest_place import DOCUMENT_VERSION, DigestPlace
from flowwarden.notify.notification import Composed, Notification
from flowwarden.notify.text import plural
from flowwarden.state.sets import DAY

KIND: Final = "daily-digest"
LISTED: Final = 20
"""Internet hosts, and targets, that the digest lists."""
PORTS: Final = 12
"""Ports of a host that the text names."""
_APPROXIMATE: Final = (
    "Counts are lower bounds: each batch stores only its most active internet hosts, and some ports of each.",
    'The numbers with "about" are estimates, with a standard deviation of 13 %.',
)
_STEPS: Final = (
    "No action is required: all of this was rejected. `scanner-connected` pages if such a host is answered.",
    "If a target should not be reachable from the internet at all, remove its public address.",
)


def render(day: int, today: Day, before: Day, place: DigestPlace) -> Notification:
    """The digest of a day (since 1970).

    Args:
        day: the day.
        today: what was rejected on it; at least one source.
        before: the same of the day before; without sources, nothing is marked as new.
        place: the account.
    """
    date = datetime.fromtimestamp(day * DAY, UTC).date().isoformat()
    first, is_compared = today.sources[0], bool(before.sources)
    new = _New(today, before) if is_compared else None
    return Notification(
        subject=f"[DIGEST] {date}: internet REJECTs, most by {first.address}, {place.region}",
        text=Composed.of(
            [_total(date, today)],
            [f"Where        {place.account}, {place.region}"],
            ["Internet hosts with most rejected records", *_sources(today.sources, new)],
            ["Targets with most of them", *_targets(today.targets, new)],
            ["New since the day before, as far as stored", *_news(new)],
            _APPROXIMATE,
            [*_STEPS, f"Runbook: {place.runbook('internet-rejects')}"],
        ),
        document=_document(date, today, new, place),
        attributes={"kind": KIND, "severity": "info"} | place.attributes,
    )


def _total(date: str, today: Day) -> str:
    records, hosts = plural(_about(today.records), "record"), plural(_about(today.hosts), "internet host")
    return f"On {date} (UTC), about {records} of about {hosts} were rejected."


def _about(count: int) -> int:
    """An estimate with two digits, because the others mean nothing."""
    return round(count, min(0, 2 - len(str(count))))


class _New:
    """What a day has that the day before did not have."""

    def __init__(self, today: Day, before: Day) -> None:
        known = {each.address for each in before.sources}
        targets = {host for host, _ in before.targets}
        self.sources = [each.address for each in today.sources if each.address not in known]
        self.targets = [host for host, _ in today.targets if host not in targets]
        self.services = sorted(today.services - before.services)


def _sources(sources: Sequence[SourceOfDay], new: _New | None) -> Iterable[str]:
    for each in sources[:LISTED]:
        mark = " (new)" if new and each.address in new.sources else ""
        yield f"  - {each.address}{mark}: at least {plural(each.records, 'record')}, {_tried(each)}"
    if len(sources) > LISTED:
        yield f"  and at least {len(sources) - LISTED:,} more"


def _tried(source: SourceOfDay) -> str:
    if not source.ports:
        return "ports unknown"
    names = ", ".join(map(named, source.ports[:PORTS]))
    more = source.tried - min(len(source.ports), PORTS)
    rest = f" and at least {more:,} more" if more > 0 else ""
    return f"tried {names}{rest}"


def _targets(targets: Sequence[tuple[str, int]], new: _New | None) -> Iterable[str]:
    for host, records in targets[:LISTED]:
        mark = " (new)" if new and host in new.targets else ""
        yield f"  - {host}{mark}: at least {plural(records, 'record')}"
    if len(targets) > LISTED:
        yield f"  and at least {len(targets) - LISTED:,} more"
    if not targets:
        yield "  not stored"


def _news(new: _New | None) -> Iterable[str]:
    if new is None:
        yield "  There is nothing to compare with: no REJECTs of the day before are stored."
        return
    yield f"  Internet hosts  {_some(new.sources)}"
    yield f"  Ports           {_some([named(each) for each in new.services])}"
    yield f"  Targets         {_some(new.targets)}"


def _some(names: Sequence[str]) -> str:
    rest = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {rest:,} more" if rest > 0 else "") or "none"


def _document(date: str, today: Day, new: _New | None, place: DigestPlace) -> dict[str, Any]:
    return {
        "version": DOCUMENT_VERSION,
        "kind": KIND,
        "day": date,
        **place.attributes,
        "records_about": _about(today.records),
        "hosts_about": _about(today.hosts),
        "sources": [_source(each, new.sources if new else ()) for each in today.sources[:LISTED]],
        "targets": [
            {"host": host, "records_at_least": records, "new": bool(new and host in new.targets)}
            for host, records in today.targets[:LISTED]
        ],
        "compared_with_day_before": new is not None,
        "new_ports": [named(each) for each in new.services[:LISTED]] if new else [],
    }


def _source(source: SourceOfDay, new: Collection[str]) -> dict[str, Any]:
    return {
        "address": source.address,
        "records_at_least": source.records,
        "ports_at_least": source.tried,
        "ports": [named(each) for each in source.ports[:PORTS]],
        "new": source.address in new,
    }
