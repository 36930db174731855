"""`flowwarden incidents`: lists, shows, acknowledges, resolves and mutes the incidents of a stack."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from flowwarden.bootstrap.incidents import IncidentPorts, on_aws
from flowwarden.dispatcher.desk import (
    SHORTEST_KEY,
    WHOLE_KEY,
    IncidentDesk,
    Listed,
    Status,
    acknowledged_for,
    grouped,
    matching,
    status_of,
)
from flowwarden.dispatcher.ports import OpenIncident
from flowwarden.errors import FlowWardenError
from flowwarden.notify.claims import ClaimKey
from flowwarden.notify.text import moment
from flowwarden.printable import one_line
from flowwarden.sinks.table import BY_NAME, NEED_END
from flowwarden_cli.commands import incident_text, muting, stored
from flowwarden_cli.commands.command import SUCCEEDED, UNREADABLE
from flowwarden_cli.commands.incidents import ACK, LIST, MUTE, RESOLVE, SHOW
from flowwarden_cli.commands.stack import region_of
from flowwarden_cli.terminal.console import Console

_GROUPS: Final = 5
"""Incidents that an error names."""


class Failed(FlowWardenError):
    """The action cannot be done; the message says why."""


class Action(Struct, frozen=True):
    """One run of the command."""

    options: Namespace
    console: Console
    ports: IncidentPorts
    now: int
    """Unix seconds."""
    until: str
    """The end of the mute; '' for other actions."""

    def print(self, document: dict[str, Any], lines: Sequence[str]) -> None:
        """Print a document or lines, as the options say."""
        if self.options.json:
            self.console.print_document(document)
            return
        for each in lines:
            self.console.print(each)


def run(
    options: Namespace, console: Console, wired: Callable[[str, str | None], IncidentPorts] | None = None
) -> int:
    """Run the action; return the exit code.

    Args:
        options: `action`, `key`, `stack`, `region`, `by`, `lasts`, `until`, `reason` and `json`.
        console: where to print.
        wired: creates the ports of a stack in a Region; by default on AWS.

    Raises:
        UsageError: the end of a mute is not valid.
    """
    now = int(console.now())
    until = muting.end_of(options.lasts, options.until, now) if options.action == MUTE else ""
    try:
        region = region_of(options.region)
        ports = wired(options.stack, region) if wired else on_aws(options.stack, region, time.sleep)
        action = Action(options, console, ports, now, until)
        try:
            _ACTIONS[options.action](action)
        finally:
            stored.warn(ports.unreadable, console)
    except FlowWardenError as error:
        console.report(f"error: {stored.explained(error)}")
        return UNREADABLE
    return SUCCEEDED


def _list(action: Action) -> None:
    found = incident_text.in_order(grouped(action.ports.desk.listed(action.now)))
    where = f"stack {one_line(action.options.stack)}, region {one_line(action.ports.region)}"
    action.print(
        {"region": action.ports.region, "incidents": [incident_text.document(each) for each in found]},
        [f"Open incidents of {where}", "", *incident_text.listed(found)],
    )


def _chosen(action: Action) -> Listed:
    """The incident that the key names: an open one, or any by its whole key. Raises Failed."""
    written = action.options.key.strip().lower()
    desk, now = action.ports.desk, action.now
    found = matching(written, grouped(desk.listed(now)))
    if not found and len(written) == WHOLE_KEY:
        keys = (ClaimKey(sink.name, written) for sink in action.ports.sinks.values())
        found = grouped([one for key in keys if (one := desk.find(key, now)) is not None])
    if len(found) == 1:
        return found[0]
    if found:
        some = ", ".join(one_line(each.key) for each in found[:_GROUPS])
        raise Failed(f"{len(found)} open incidents begin with {written!r}: {some}; write more of the key")
    if len(written) < SHORTEST_KEY:
        raise Failed(f"{written!r} is too short: write at least {SHORTEST_KEY} characters of the key")
    raise Failed(
        f"no open incident {written!r}: flowwarden incidents list prints all; write the whole key "
        f"({WHOLE_KEY} characters) of one that is over"
    )


def _show(action: Action) -> None:
    chosen = _chosen(action)
    action.print(incident_text.document(chosen), incident_text.whole(chosen, action.now))


def _acknowledge(action: Action) -> None:
    chosen, desk = _chosen(action), action.ports.desk
    _must_be_sent(chosen)
    _each(chosen, lambda one: desk.acknowledge(one, action.options.by, action.now))
    until = moment(action.now + min(map(acknowledged_for, chosen.by_sink)))
    means = f"It does not page again unless it gets worse, until {until}."
    _done(action, chosen, "acknowledged", means)


def _resolve(action: Action) -> None:
    chosen, desk = _chosen(action), action.ports.desk
    _must_be_sent(chosen)
    _each(chosen, lambda one: desk.resolve_by(one, action.options.by, action.now))
    _done(action, chosen, "resolved", "The dispatcher sends that it is resolved within 2 minutes.")


def _done(action: Action, chosen: Listed, state: str, means: str) -> None:
    action.print(
        {"incident": chosen.key, "state": state}, [f"Incident {one_line(chosen.key)}: {state}.", means]
    )


def _mute(action: Action) -> None:
    """Mute what the page of an incident is about, then close it."""
    chosen, desk, now = _chosen(action), action.ports.desk, action.now
    _must_be_sent(chosen)
    made = muting.made_of(chosen.incident, chosen.key, action.until, action.options, now)
    muting.store(action.ports.mutes, made, now)
    state = "resolved before" if chosen.status is Status.RESOLVED else f"closed {_ending(chosen)}"
    if chosen.status is not Status.RESOLVED:
        _each(chosen, lambda one: _end(desk, one)(one, action.options.by, now))
    action.print(
        {"incident": chosen.key, "state": "muted", "mutes": [muting.document(each) for each in made]},
        [
            f"Incident {one_line(chosen.key)}: muted, and {state}.",
            *(line for each in made for line in muting.lines(each)),
            "The monitor uses a mute within a minute. To end it: flowwarden mutes remove ID",
        ],
    )


def _end(desk: IncidentDesk, one: OpenIncident) -> Callable[[OpenIncident, str, int], bool]:
    """How a muted incident ends at a sink: a service that tracks incidents would show it as open for good."""
    return desk.resolve_by if one.key.sink in NEED_END else desk.silence


def _ending(chosen: Listed) -> str:
    """What the sinks of a muted incident get."""
    tracking = [BY_NAME[one.key.sink].title for one in chosen.by_sink if one.key.sink in NEED_END]
    if not tracking:
        return "without a notification"
    return f"without a notification, except to {', '.join(tracking)}: resolved there within 2 minutes"


def _must_be_sent(chosen: Listed) -> None:
    """Raise Failed if the incident is being sent."""
    if chosen.status is Status.SENDING:
        raise Failed(f"incident {chosen.key} is being sent; try again in a minute")


def _each(chosen: Listed, change: Callable[[OpenIncident], bool]) -> None:
    """Change the incident at each sink where it is open. Raises Failed if it has changed in the meantime."""
    still = [one for one in chosen.by_sink if status_of(one) is not Status.RESOLVED]
    if not still:
        raise Failed(f"incident {chosen.key} is resolved already")
    for one in still:
        if not change(one):
            raise Failed(f"incident {chosen.key} changed in the meantime: run the command again")


_ACTIONS: Final[Mapping[str, Callable[[Action], None]]] = {
    LIST: _list, SHOW: _show, ACK: _acknowledge, RESOLVE: _resolve, MUTE: _mute,
}  # fmt: skip
