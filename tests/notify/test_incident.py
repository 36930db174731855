"""The stored part of an incident: what continues, how long it waits, and what is restored."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from flowwarden.notify.claims import Claim, ClaimState
from flowwarden.notify.evidence import Evidence
from flowwarden.notify.incident import (
    LONGEST_WAIT,
    Event,
    Incident,
)
from flowwarden.notify.notification import Composed, Notification
from flowwarden.notify.pending import Pending, StoredNotification

NOW = 1_764_000_000
INCIDENT = Incident(
    title="10.0.0.5 scans.",
    severity="high",
    detectors=("scan",),
    subject="10.0.0.5",
    log_group="group",
    last_seen=NOW - 60,
    resolve_after=1800,
    attributes={"kind": "incident"},
)


def test_a_first_notification_opens_it() -> None:
    """Nothing was stored before."""
    assert INCIDENT.after(None, Event.OPENED, NOW) == replace(INCIDENT, opened_at=NOW)


def test_an_update_keeps_when_it_was_opened() -> None:
    """And adds its detectors; a batch that arrives late does not set back when it was seen."""
    before = replace(INCIDENT, opened_at=NOW - 600, detectors=("lateral-movement",), last_seen=NOW - 10)
    after = INCIDENT.after(before, Event.UPDATED, NOW)
    assert (after.opened_at, after.reopened, after.last_seen) == (NOW - 600, 0, NOW - 10)
    assert after.detectors == ("lateral-movement", "scan")


def test_each_reopening_lengthens_the_wait() -> None:
    """Fourfold, up to a day, or up to its own wait if that is longer."""
    waits = [replace(INCIDENT, reopened=times).wait for times in range(5)]
    assert waits == [1800, 7200, 28_800, LONGEST_WAIT, LONGEST_WAIT]
    long = replace(INCIDENT, resolve_after=2 * LONGEST_WAIT, reopened=3)
    assert long.wait == 2 * LONGEST_WAIT
    assert replace(INCIDENT, reopened=10**9).wait == LONGEST_WAIT
    assert INCIDENT.after(INCIDENT, Event.REOPENED, NOW).reopened == 1


@pytest.mark.parametrize("lines", [["one"], ["one", "two"], ["\u202e bidi", "two"]])
def test_a_stored_notification_is_restored_unchanged(lines: list[str]) -> None:
    """Its text, and the members of several lines, which a notification would fold."""
    sent = Notification(
        subject="[HIGH] x",
        text=Composed.of(lines, ["end"]),
        document={"mutes": Composed.of(lines, end=""), "list": ["a\nb"], "number": 1},
        attributes={"kind": "incident"},
    )
    pending = Pending(
        incident=INCIDENT, notification=StoredNotification.of(sent), evidence=Evidence(gravity=2)
    )
    stored = msgspec.json.decode(msgspec.json.encode(pending), type=Pending)
    assert stored == pending
    assert stored.rendered == sent


def test_a_stored_text_is_escaped_when_it_is_restored() -> None:
    """The table is outside: a line break in a subject, or a control character, does not reach a receiver."""
    hostile = StoredNotification(
        subject="a\nb", text="x\x1b[2J", document={"a\nb": "c\x07"}, attributes={"kind": "a\nb"}
    )
    restored = hostile.restored()
    assert "\n" not in restored.subject + restored.attributes["kind"]
    assert "\x1b" not in restored.text
    assert "\x07" not in str(restored.document)


def test_a_claim_reports_an_opening_unless_it_says_otherwise() -> None:
    """Without the table, nothing is known of earlier notifications."""
    assert Claim(state=ClaimState.CLAIMED).event is Event.OPENED


def test_an_incident_that_lasted_long_waits_longer() -> None:
    """An eighth of the time that it lasted, up to the longest wait: it may pause for a night."""
    hours = {4: 1800, 16: 7200, 10 * 24: LONGEST_WAIT}
    for lasted, wait in hours.items():
        opened = replace(INCIDENT, opened_at=INCIDENT.last_seen - lasted * 3600)
        assert opened.wait == wait
        assert opened.fresh_for == wait // 2
    clock_ahead = replace(INCIDENT, opened_at=INCIDENT.last_seen + 60)
    assert clock_ahead.wait == INCIDENT.wait
