"""The times and amounts of a finding: those of the batch, and those of a longer window. Pure."""

from __future__ import annotations

from typing import Any

from flowwarden.monitor.findings import Tally, TrafficFinding
from flowwarden.monitor.render.ends import TOP, Ranked
from flowwarden.monitor.render.parts import widened
from flowwarden.monitor.text import Text
from flowwarden.network.services import describe_service
from flowwarden.notify.text import counted, duration, moment, plural


def since(finding: TrafficFinding) -> str:
    """The earliest time of what the finding claims, and the time of the batch."""
    tally, window = finding.tally, finding.window
    batch, long = _begin(tally), _length(tally)
    if window is None:
        return f"{batch} ({long} of traffic in this batch)" if long else batch
    over = f"{moment(window.begin)} or later, counted over {duration(window.span // 60)}"
    return f"{over}; this batch from {batch}{f' ({long})' if long else ''}"


def _begin(tally: Tally) -> str:
    if tally.first is None:
        return "unknown: the records contain no start time"
    return moment(tally.first)


def _length(tally: Tally) -> str:
    if tally.first is None:
        return ""
    return "unknown seconds" if tally.last is None else f"{max(0, tally.last - tally.first)} s"


def traffic(finding: TrafficFinding, text: Text) -> str:
    """What was counted in the window, and the traffic of the batch."""
    tally, total = finding.tally, _total(finding, text)
    amounts = (
        counted(tally.connections, "connection"),
        counted(tally.packets, "packet"),
        counted(tally.bytes, "byte"),
        plural(tally.records, "record"),
    )
    return f"{f'{total}; in this batch ' if total else ''}{', '.join(amounts)}"


def beyond_batch(finding: TrafficFinding, text: Text) -> str:
    """` in this batch; about 20 host/port pairs within 24 h`; empty if the finding is about the batch."""
    total = _total(finding, text)
    return f" in this batch; {total}" if total else ""


def _total(finding: TrafficFinding, text: Text) -> str:
    """What was counted in the window; empty if the finding is about the batch."""
    return text.counted if finding.window else ""


def services(tally: Tally) -> Ranked:
    """The services of the batch by their display names, with their numbers of records."""
    return [(describe_service(*each), records) for each, records in tally.services]


def covered(finding: TrafficFinding) -> tuple[int, int] | None:
    """The times (Unix seconds) that a log query about the finding covers; None if no time is known."""
    tally, window = finding.tally, finding.window
    begins = [tally.first, window.begin if window else None]
    ends = [tally.last, window.end if window else None]
    known = [each for each in begins if each is not None]
    if not known:
        return None
    latest = max(each for each in (*begins, *ends) if each is not None)
    return widened((min(known), latest))


def document(finding: TrafficFinding, text: Text) -> dict[str, Any]:
    """The same for machines."""
    tally, window = finding.tally, finding.window
    return {
        "first": tally.first,
        "last": tally.last,
        "window": window and {"begin": window.begin, "end": window.end, "counted": text.counted},
        "records": tally.records,
        "connections": tally.connections,
        "packets": tally.packets,
        "bytes": tally.bytes,
        "clients": _top(tally.clients),
        "servers": _top(tally.servers),
        "services": _top(services(tally)),
    }


def _top(ranked: Ranked) -> dict[str, Any]:
    return {
        "distinct": len(ranked),
        "top": [{"name": name, "records": records} for name, records in ranked[:TOP]],
    }
