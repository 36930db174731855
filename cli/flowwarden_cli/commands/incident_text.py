"""Incidents in words, and as JSON documents. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from flowwarden.dispatcher.desk import Listed, Status, mutes_of, status_of
from flowwarden.dispatcher.ports import OpenIncident
from flowwarden.notify.incident import Incident
from flowwarden.notify.text import duration, moment, plural
from flowwarden.printable import LONGEST_LINE, as_json, one_line

SHORT_KEY: Final = 12
"""Characters of a key that a list shows."""
_SEVERITIES: Final = ("critical", "high", "medium", "low", "info")
UNKNOWN: Final = "unknown"
_HELD: Final = "Its page was held, because the budget for pages was spent"


def in_order(incidents: Iterable[Listed]) -> list[Listed]:
    """The most severe first; of equal ones, the one that was seen last."""

    def rank(each: Listed) -> tuple[int, int, str]:
        severity = each.incident.severity
        at = _SEVERITIES.index(severity) if severity in _SEVERITIES else len(_SEVERITIES)
        return at, -each.incident.last_seen, each.key

    return sorted(incidents, key=rank)


def listed(incidents: Sequence[Listed]) -> list[str]:
    """The lines of a list."""
    if not incidents:
        return ["No incident is open."]
    found = [line for each in incidents for line in (*_row(each), "")]
    return [*found, plural(len(incidents), "incident")]


def _row(each: Listed) -> Iterator[str]:
    incident = each.incident
    severity = one_line(incident.severity)
    yield f"{one_line(each.key)[:SHORT_KEY]}  {severity}, {_status(each.first, each.status)}"
    yield f"  {one_line(incident.title, LONGEST_LINE)}"
    yield f"  Subject {one_line(incident.subject)}; detectors {_joined(incident.detectors)}"
    yield (
        f"  Opened {_moment(incident.opened_at)}, last seen {moment(incident.last_seen)}; "
        f"{plural(each.suppressed, 'repeat')} suppressed"
    )
    if each.held:
        yield f"  {_HELD}"
    if each.no_data_since is not None:
        yield f"  No data of its log group since {moment(each.no_data_since)}, so it is not resolved"


def whole(each: Listed, now: int) -> list[str]:
    """Everything that is stored of an incident, in words; `now` is Unix seconds."""
    incident = each.incident
    lines = [f"Incident {one_line(each.key)}"]
    lines += [f"  {name:<12} {text}" for name, text in _facts(incident) if text]
    for one in each.by_sink:
        lines += ["", f"Sink {one_line(one.key.sink)}"]
        lines += [f"  {name:<12} {text}" for name, text in _stored(one, now) if text]
    matchers = [f"  {as_json(match)[:LONGEST_LINE]}" for match in mutes_of(incident)]
    return [*lines, "", "What a mute of it matches", *matchers]


def _facts(incident: Incident) -> Iterator[tuple[str, str]]:
    yield "Title", one_line(incident.title, LONGEST_LINE)
    yield "Severity", one_line(incident.severity)
    yield "Detectors", _joined(incident.detectors)
    yield "Subject", one_line(incident.subject)
    yield "Log group", one_line(incident.log_group)
    yield "Opened", _moment(incident.opened_at)
    yield "Last seen", moment(incident.last_seen)
    yield "Reopened", plural(incident.reopened, "time") if incident.reopened else ""
    yield "Over after", _over(incident)
    yield "Attributes", _joined(f"{name}={text}" for name, text in sorted(incident.attributes.items()))


def _over(incident: Incident) -> str:
    if incident.interfaces:
        return f"records of {_joined(incident.interfaces)}"
    return f"{duration(incident.wait // 60)} of later records without its findings"


def _stored(one: OpenIncident, now: int) -> Iterator[tuple[str, str]]:
    yield "State", _status(one, status_of(one))
    yield "Last sent", f"{_moment(one.sent_at)}; {plural(one.suppressed_batches, 'repeat')} suppressed since"
    if one.incident.held:
        yield "Page", _HELD
    if one.pending is not None:
        yield "Being sent", one_line(one.pending.subject, LONGEST_LINE)
    if one.reported is not None:
        yield "Members", _joined(one.reported.members)
        yield "Places", _joined(one.reported.places)
        yield "Amount", f"{one.reported.amount:,}" if one.reported.amount else ""
    yield "Joined since", _joined(one.joined)
    if one.no_data_since is not None:
        yield "No data", f"of its log group since {moment(one.no_data_since)}"
    if one.check_at:
        yield "Next check", "now" if one.check_at <= now else moment(one.check_at)


def _status(one: OpenIncident, status: Status) -> str:
    """The state with what belongs to it."""
    if status is Status.ACKNOWLEDGED and one.acknowledged is not None:
        by = f" by {one_line(one.acknowledged.by)}" if one.acknowledged.by else ""
        at = "" if one.acknowledged.at is None else f" at {moment(one.acknowledged.at)}"
        return f"acknowledged{by}{at}, until {moment(one.acknowledged.until)}"
    if status is Status.RESOLVED and one.resolved_at is not None:
        by = f" by {one_line(one.resolved_by)}" if one.resolved_by else ""
        how = "" if one.resolved_by is None else ", by command"
        return f"resolved{by} at {moment(one.resolved_at)}{how}"
    return status.value


def document(each: Listed) -> dict[str, Any]:
    """An incident for machines; times are Unix seconds."""
    incident, first = each.incident, each.first
    return {
        "incident": each.key,
        "state": each.status.value,
        "severity": incident.severity,
        "title": incident.title,
        "subject": incident.subject,
        "detectors": list(incident.detectors),
        "log_group": incident.log_group,
        "opened_at": incident.opened_at,
        "last_seen": incident.last_seen,
        "reopened": incident.reopened,
        "held": each.held,
        "interfaces": list(incident.interfaces),
        "attributes": incident.attributes,
        "mutes": mutes_of(incident),
        "last_sent": first.sent_at,
        "suppressed_batches": each.suppressed,
        "no_data_since": each.no_data_since,
        "acknowledged": _acknowledged(first),
        "resolved_at": first.resolved_at,
        "resolved_by": first.resolved_by,
        "members": list(first.reported.members) if first.reported else [],
        "joined": list(first.joined),
        "sinks": [one.key.sink for one in each.by_sink],
    }


def _acknowledged(one: OpenIncident) -> dict[str, Any] | None:
    if one.acknowledged is None:
        return None
    return {"at": one.acknowledged.at, "by": one.acknowledged.by, "until": one.acknowledged.until}


def _joined(names: Iterable[str]) -> str:
    return ", ".join(map(one_line, names))


def _moment(seconds: int | None) -> str:
    return UNKNOWN if seconds is None else moment(seconds)
