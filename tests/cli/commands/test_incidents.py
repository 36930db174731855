"""`flowwarden incidents` and `flowwarden mutes`: what they change, and what they refuse."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any, Final, cast

import pytest
from botocore.exceptions import ClientError
from msgspec.structs import replace

from flowwarden.bootstrap.incidents import IncidentPorts
from flowwarden.errors import StateUnavailable
from flowwarden.notify.claims import ClaimKey
from flowwarden.notify.incident import ACKNOWLEDGED_SECONDS
from flowwarden.policy.made_mutes import MOST_MADE, MadeMute, id_of
from flowwarden.policy.mutes import Mute
from flowwarden.state.sets import DAY
from flowwarden_cli.commands import incidents, mutes
from flowwarden_cli.commands.command import SUCCEEDED, UNREADABLE, UsageError
from flowwarden_cli.terminal.console import Console
from tests.cli.fakes_account import NOW
from tests.cli.fakes_console import fake_console, written
from tests.cli.fakes_incidents import (
    BLOCKED,
    OPERATIONS,
    PAGES,
    SCAN,
    SENDING,
    SILENT,
    incident,
    of,
    refusing_table,
    stack_of,
    with_incidents,
)
from tests.dispatcher.fakes_desk import MemoryDesk
from tests.policy.fakes_mutes import MemoryMutes

ESCAPES: Final = "\x1b]0;x\x07\x1b[31m\x9b2J\u202e\r\nIncident forged"


def options(action: str, key: str | None = None, **given: Any) -> Namespace:
    """The parsed arguments."""
    usual = {"stack": "x", "region": None, "by": "", "lasts": None, "until": None, "reason": None}
    return Namespace(**usual | {"json": False, "action": action, "key": key} | given)


def console() -> Console:
    """A console at the time of the fakes."""
    return replace(fake_console(), now=lambda: NOW)


def ran(ports: IncidentPorts, action: str, key: str | None = None, **given: Any) -> tuple[int, str, str]:
    """Exit code, output and errors of `flowwarden incidents`."""
    at = console()
    code = incidents.run(options(action, key, **given), at, lambda *_: ports)
    return code, written(at.stdout).decode(), written(at.stderr)


def muted(ports: IncidentPorts, key: str = SCAN, **given: Any) -> tuple[int, str, str]:
    """The same for a mute of a week."""
    usual: dict[str, Any] = {"lasts": "7d", "reason": "known"}
    return ran(ports, "mute", key, **usual | given)


def desk(ports: IncidentPorts) -> MemoryDesk:
    """The stored incidents."""
    return cast("MemoryDesk", ports.desk)


def stored(ports: IncidentPorts) -> dict[str, MadeMute]:
    """The stored mutes."""
    return cast("MemoryMutes", ports.mutes).items


def test_an_incident_at_two_sinks_is_one_row() -> None:
    """With the state of the sink that has most to do."""
    document = json.loads(ran(with_incidents(), "list", json=True)[1])
    found = {each["incident"]: each for each in document["incidents"]}
    assert {name: each["state"] for name, each in found.items()} == {
        SCAN: "open",
        BLOCKED: "acknowledged",
        SENDING: "being sent",
        SILENT: "resolved",
    }
    assert found[SCAN]["sinks"] == [PAGES, OPERATIONS]
    assert found[SCAN]["suppressed_batches"] == 3


def test_an_incident_says_that_its_page_was_held() -> None:
    """In the list and by itself; one whose page was sent does not."""
    for is_held in (True, False):
        ports = stack_of([of(SCAN, incident("It happened.", held=is_held))])
        for shown in (ran(ports, "list")[1], ran(ports, "show", SCAN)[1]):
            assert ("Its page was held" in shown) is is_held
        (document,) = json.loads(ran(ports, "list", json=True)[1])["incidents"]
        assert document["held"] is is_held


@pytest.mark.parametrize("key", [SCAN, SCAN[:5], SCAN[:20].upper(), f" {SCAN[:8]} "])
def test_the_beginning_of_a_key_is_enough(key: str) -> None:
    """Of an open incident; at every sink of it."""
    ports = with_incidents()
    assert ran(ports, "ack", key, by="alice")[0] == SUCCEEDED
    for sink in (PAGES, OPERATIONS):
        held = desk(ports).items[ClaimKey(sink, SCAN)].acknowledged
        assert held is not None
        assert (held.by, held.until) == ("alice", NOW + ACKNOWLEDGED_SECONDS)


def test_an_incident_that_is_over_needs_its_whole_key() -> None:
    """It is shown with what is stored of it."""
    ports = with_incidents()
    desk(ports).closed.add(ClaimKey(OPERATIONS, SILENT))
    assert ran(ports, "show", SILENT[:8])[0] == UNREADABLE
    code, text, _ = ran(ports, "show", SILENT)
    assert (code, "resolved by bob" in text) == (SUCCEEDED, True)


def test_resolving_changes_every_sink_that_is_open() -> None:
    """Again, it is an error: it is resolved already."""
    ports = with_incidents()
    assert ran(ports, "resolve", SCAN, by="alice")[0] == SUCCEEDED
    for sink in (PAGES, OPERATIONS):
        one = desk(ports).items[ClaimKey(sink, SCAN)]
        assert (one.resolved_at, one.resolved_by) == (NOW, "alice")
    code, _, errors = ran(ports, "resolve", SCAN)
    assert (code, "resolved already" in errors) == (UNREADABLE, True)


@pytest.mark.parametrize("action", ["ack", "resolve"])
def test_what_changed_in_the_meantime_is_an_error(action: str) -> None:
    """Nothing is overwritten."""
    ports = with_incidents()
    desk(ports).has_changed = True
    code, text, errors = ran(ports, action, SCAN)
    assert (code, text) == (UNREADABLE, "")
    assert "changed in the meantime" in errors


def test_muting_stores_the_suggested_mutes_and_closes_the_incident() -> None:
    """At each sink, without a notification."""
    ports = with_incidents()
    before = {*stored(ports)}
    code, text, _ = muted(ports, by="alice")
    made = [each for each in stored(ports).values() if each.id not in before]
    assert code == SUCCEEDED
    assert {each.mute.detector for each in made} == {"scan", "lateral-movement"}
    for each in made:
        assert (each.mute.subject, each.mute.reason, each.mute.end) == ("10.0.1.5", "known", NOW + 7 * DAY)
        assert (each.made_by, each.incident, each.id in text) == ("alice", SCAN, True)
    assert {ClaimKey(sink, SCAN) for sink in (PAGES, OPERATIONS)} <= desk(ports).closed


def test_a_service_that_tracks_incidents_gets_the_end_of_a_muted_one() -> None:
    """It would show it as open for good; the topics get nothing."""
    ports = stack_of([of(SCAN, incident("A host."), sink) for sink in (PAGES, "pagerduty", "slack")])
    code, text, _ = muted(ports, by="alice")
    assert (code, "except to PagerDuty: resolved there" in text) == (SUCCEEDED, True)
    assert {key.sink for key in desk(ports).closed} == {PAGES, "slack"}
    tracked = desk(ports).items[ClaimKey("pagerduty", SCAN)]
    assert (tracked.resolved_at, tracked.resolved_by) == (NOW, "alice")


def test_an_incident_without_stored_mutes_is_muted_by_detector_and_subject() -> None:
    """One of an earlier version, or a damaged one."""
    ports = with_incidents()
    muted(ports, BLOCKED, lasts=None, until="2026-12-24")
    (made,) = [each for each in stored(ports).values() if each.incident == BLOCKED]
    assert made.mute == Mute(
        detector="blocked-connection", subject="10.20.2.20", until="2026-12-24", reason="known"
    )


@pytest.mark.parametrize(
    "matchers",
    [
        {"detector": "scan", "everything": "yes"},
        {"detector": "scan", "subject": "0.0.0.0/0"},
        {"detector": "scan", "peer": "0.0.0.0/0"},
        {"detector": "scan", "until": "never", "service": "?"},
    ],
)
def test_a_hostile_suggestion_is_refused(matchers: dict[str, str]) -> None:
    """What is stored of an incident may come from others; nothing is muted or closed."""
    ports = stack_of([of(SCAN, incident("A host.", mutes=(matchers,)))])
    code, _, errors = muted(ports)
    assert (code, stored(ports), desk(ports).closed) == (UNREADABLE, {}, set())
    assert "its mute is not valid" in errors


def test_the_end_is_that_of_the_command() -> None:
    """A stored one does not count."""
    ports = stack_of([of(SCAN, incident("A host.", mutes=({"detector": "scan", "until": "never"},)))])
    assert muted(ports)[0] == SUCCEEDED
    (made,) = stored(ports).values()
    assert made.mute.end == NOW + 7 * DAY


def test_there_is_a_maximum_of_mutes() -> None:
    """The same mute again is none more."""
    several = [
        Mute(detector="scan", subject=f"10.0.0.{number}", until="2026-12-01", reason="x")
        for number in range(MOST_MADE - 1)
    ]
    ports = stack_of([of(SCAN, incident("A host.")), of(BLOCKED, incident("B.", subject="10.0.1.6"))])
    stored(ports).update({id_of(each): MadeMute(id=id_of(each), mute=each) for each in several})
    assert muted(ports)[0] == SUCCEEDED
    code, _, errors = muted(ports, BLOCKED)
    assert (code, f"{MOST_MADE} mutes of at most {MOST_MADE}" in errors) == (UNREADABLE, True)
    desk(ports).closed.clear()
    assert muted(ports)[0] == SUCCEEDED


@pytest.mark.parametrize(
    ("given", "end"),
    [
        ({"lasts": "90m"}, NOW + 5400),
        ({"lasts": "12h"}, NOW + 12 * 3600),
        ({"lasts": "2w"}, NOW + 14 * DAY),
        ({"lasts": "365d"}, NOW + 365 * DAY),
        ({"lasts": None, "until": "2026-11-03T00:00:00+02:00"}, 1793656800),
    ],
)
def test_a_mute_ends_when_the_options_say(given: dict[str, Any], end: int) -> None:
    """As a span, a day, or a time with its zone."""
    ports = stack_of([of(SCAN, incident("A host."))])
    assert muted(ports, **given)[0] == SUCCEEDED
    assert [each.mute.end for each in stored(ports).values()] == [end]


def test_wrong_usage_calls_nothing() -> None:
    """The end is checked first."""
    with pytest.raises(UsageError, match="365 days"):
        muted(refusing_table(), lasts="366d")


@pytest.mark.parametrize("action", ["list", "show", "ack", "mute"])
@pytest.mark.parametrize("as_json", [False, True])
def test_hostile_content_never_reaches_the_terminal_raw(action: str, *, as_json: bool) -> None:
    """Of every stored text; a line break in one cannot forge a line."""
    text = ESCAPES
    one = incident(
        text, severity=text, detectors=(text,), subject=text, log_group=text, interfaces=(text,),
        attributes={text: text}, mutes=({"detector": text},),
    )  # fmt: skip
    ports = stack_of([of(SCAN, one, text, joined=(text,), resolved_by=text)])
    given = {"lasts": "7d", "reason": "x"} if action == "mute" else {}
    _, out, errors = ran(ports, action, None if action == "list" else SCAN, json=as_json, **given)
    for line in f"{out}{errors}".split("\n"):
        assert line.isprintable()
        assert not line.startswith("Incident forged")


def test_a_key_from_the_command_line_is_escaped() -> None:
    """It is quoted in the error."""
    _, _, errors = ran(with_incidents(), "show", ESCAPES)
    assert all(line.isprintable() for line in errors.split("\n"))


def test_what_cannot_be_read_is_a_warning() -> None:
    """With the first notes."""
    ports = with_incidents()
    for number in range(5):
        ports.unreadable.note(f"incident#{number}", "state is not a state")
    code, _, errors = ran(ports, "list")
    assert code == SUCCEEDED
    assert errors.startswith("warning: 5 parts of the stored items cannot be read\n  incident#0: state")


class Denied(MemoryDesk):
    """A table that the caller may not read."""

    def listed(self, _now: int) -> Any:
        """See the port."""
        cause = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Query")
        raise StateUnavailable("table state: AccessDeniedException") from cause


def test_a_missing_permission_names_where_they_are_listed() -> None:
    """And exits with 1."""
    code, _, errors = ran(replace(with_incidents(), desk=Denied()), "list")
    assert (code, "docs/command-line.md lists the permissions" in errors) == (UNREADABLE, True)


def test_a_removed_mute_is_gone_and_one_that_does_not_exist_is_an_error() -> None:
    """The id is that of the list."""
    ports = with_incidents()
    (only,) = stored(ports)
    for code in (SUCCEEDED, UNREADABLE):
        given = Namespace(action="remove", mute=only, stack="x", region=None, json=False)
        assert mutes.run(given, console(), lambda *_: ports) == code
    assert stored(ports) == {}
