"""A deployed stack with incidents and mutes, in memory, for the commands about incidents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from msgspec.structs import replace

from flowwarden.bootstrap.incidents import IncidentPorts
from flowwarden.dispatcher.ports import Acknowledgment, OpenIncident
from flowwarden.errors import PublishFailed
from flowwarden.notify.claims import ClaimKey, ClaimTerms
from flowwarden.notify.evidence import Evidence
from flowwarden.notify.incident import Incident
from flowwarden.notify.notification import Notification
from flowwarden.notify.pending import Pending, StoredNotification
from flowwarden.policy.made_mutes import MadeMute, id_of
from flowwarden.policy.mutes import Mute
from tests.cli.fakes_account import NOW
from tests.dispatcher.fakes_desk import MemoryDesk
from tests.notify.fakes import MemoryClaims, MemorySink
from tests.policy.fakes_mutes import MemoryMutes

PAGES, OPERATIONS = "sns:flow-warden-pages", "sns:flow-warden-operations"
SCAN, BLOCKED, SENDING, SILENT = (
    f"{each}e9a4c8f1d4f0e9d550c2d6b1a7e" for each in ("8cf70", "8cf71", "2c3d0", "3d4e0")
)
"""Keys of incidents; the first two begin with the same characters."""
HOUR: Final = 3600
OWNER: Final = ("monitor/1", "", "")
MUTE: Final = Mute(
    detector="scan", subject="10.0.8.12", until="2026-12-31", reason="network inventory, ticket 4711"
)


def incident(title: str, **members: Any) -> Incident:
    """An incident that was opened two hours ago."""
    usual: dict[str, Any] = {
        "severity": "high",
        "detectors": ("scan",),
        "subject": "10.0.1.5",
        "log_group": "/flow-warden/flow-logs",
        "last_seen": NOW - 600,
        "resolve_after": 6 * HOUR,
        "attributes": {"kind": "incident", "severity": "high"},
        "opened_at": NOW - 2 * HOUR,
    }
    return Incident(title=title, **usual | members)


def of(key: str, stored: Incident, sink: str = PAGES, **members: Any) -> OpenIncident:
    """An incident as it is stored for a sink."""
    usual: dict[str, Any] = {
        "reported": Evidence(gravity=2),
        "sent_at": NOW - 2 * HOUR,
        "check_at": NOW + 6 * HOUR,
        "version": OWNER,
    }
    return OpenIncident(key=ClaimKey(sink, key), incident=stored, **usual | members)


def _sending() -> OpenIncident:
    title = "10.0.1.9 failed to connect to about 20 host/port pairs within 1 h."
    scanned = incident(title, subject="10.0.1.9")
    notification = Notification(subject="[HIGH] 10.0.1.9 …", text="…\n", document={}, attributes={})
    pending = Pending(incident=scanned, notification=StoredNotification.of(notification))
    return of(SENDING, scanned, sent_at=None, pending=pending, check_at=NOW - 1)


def _incidents() -> Iterable[OpenIncident]:
    scan = incident(
        "10.0.1.5 failed to connect to about 20 host/port pairs within 1 h, and 1 more finding.",
        detectors=("scan", "lateral-movement"),
        mutes=(
            {"detector": "scan", "subject": "10.0.1.5", "peer": "own", "vpc": "vpc-1"},
            {"detector": "lateral-movement", "subject": "10.0.1.5", "peer": "own", "vpc": "vpc-1"},
        ),
        reopened=1,
    )
    reported = Evidence(gravity=3, amount=20, members=("10.0.1.5",), places=("10.0.9.0/24",))
    yield of(SCAN, scan, reported=reported, suppressed_batches=3, joined=("10.0.1.6",))
    yield of(SCAN, scan, OPERATIONS, sent_at=NOW - HOUR, suppressed_batches=1)
    blocked = incident(
        "10.20.2.20 was rejected at 10.20.3.30 on PostgreSQL (tcp/5432).",
        severity="medium",
        detectors=("blocked-connection",),
        subject="10.20.2.20",
        resolve_after=1800,
    )
    held = Acknowledgment(until=NOW + 29 * 24 * HOUR, at=NOW - HOUR, by="alice")
    yield of(BLOCKED, blocked, acknowledged=held, no_data_since=NOW - 1800)
    yield _sending()
    silent = incident(
        "1 interface has stopped writing records.",
        severity="medium",
        detectors=("interface-silent",),
        subject="eni-1",
        interfaces=("eni-1",),
        last_seen=NOW - HOUR,
    )
    yield of(SILENT, silent, OPERATIONS, resolved_at=NOW - 60, resolved_by="bob")


def stack_of(incidents: Iterable[OpenIncident], *mutes: MadeMute) -> IncidentPorts:
    """A stack with these."""
    return IncidentPorts(
        region="eu-west-1",
        account="111122223333",
        log_group="/flow-warden/flow-logs",
        sinks={"pages": MemorySink(name=PAGES), "operations": MemorySink(name=OPERATIONS)},
        desk=MemoryDesk.of(incidents),
        mutes=MemoryMutes({each.id: each for each in mutes}),
        claims=MemoryClaims(ClaimTerms(suppression=HOUR, lease=60)),
    )


def with_incidents() -> IncidentPorts:
    """An incident at two sinks, one that is acknowledged, one that is being sent, one that is resolved."""
    return stack_of(_incidents(), _mute())


def _mute() -> MadeMute:
    return MadeMute(id=id_of(MUTE), mute=MUTE, made_at=NOW - HOUR, made_by="alice", incident=SCAN)


def without_incidents() -> IncidentPorts:
    """A quiet stack."""
    return stack_of(())


def refusing_table() -> IncidentPorts:
    """A stack whose table refuses the caller."""
    return replace(with_incidents(), desk=MemoryDesk(is_away=True), mutes=MemoryMutes(is_away=True))


class Refusing(MemorySink):
    """A topic to which the caller may not publish."""

    def send(self, _notification: Notification) -> None:
        """See the port."""
        raise PublishFailed("AuthorizationError: not authorized to perform: SNS:Publish; your credentials …")


def refusing_topic() -> IncidentPorts:
    """A stack whose topics refuse the caller."""
    return replace(without_incidents(), sinks={"pages": Refusing(name=PAGES), "operations": Refusing()})


class Saving(MemoryDesk):
    """A table that holds a test page once it is sent: the fakes of claims and incidents share nothing."""

    looks: int = 0

    def find(self, key: ClaimKey, now: int) -> OpenIncident | None:
        """See the port."""
        self.looks += 1
        title = "[TEST] Test page of stack flow-warden: nothing has happened."
        return of(key.incident, incident(title), key.sink) if self.looks > 1 else super().find(key, now)


def working() -> IncidentPorts:
    """A stack on which a test page succeeds."""
    return replace(without_incidents(), desk=Saving())
