"""Notifications of every kind, as sinks get them: the life of an incident, digests, reports, a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from msgspec.structs import replace

from flowwarden.dispatcher.ports import OpenIncident
from flowwarden.dispatcher.resolved import render as render_resolved
from flowwarden.dispatcher.resolved import render_several
from flowwarden.dispatcher.trial_page import Place, send_test
from flowwarden.enforcer.reporting.notification import render as render_report
from flowwarden.monitor.alerts import Deployment, Seen, alerts
from flowwarden.monitor.render.console import Console
from flowwarden.notify.claims import Claim, ClaimKey, ClaimState, ClaimTerms
from flowwarden.notify.incident import Event, Incident
from flowwarden.notify.notification import Notification
from tests.dispatcher.digests.examples import EXAMPLES as DIGESTS
from tests.dispatcher.fakes_desk import MemoryDesk
from tests.dispatcher.test_resolved import over
from tests.enforcer.reporting.examples import EXAMPLES as REPORTS
from tests.monitor.batches import GROUP
from tests.monitor.render.examples import EXAMPLES as FINDINGS
from tests.monitor.render.golden import CONTEXT
from tests.notify.fakes import MemoryClaims, MemorySink

SCAN: Final = "scan"
NOW: Final = CONTEXT.now
LATER: Final = NOW + 6 * 3600
TESTED: Final = "[TEST] Test page of stack flow-warden: nothing has happened."


def page(event: Event = Event.OPENED, reopened: int = 0, detector: str = SCAN) -> Notification:
    """A page about an incident, with its history."""
    deployment = Deployment(
        region=CONTEXT.region,
        suppression_minutes=CONTEXT.suppression_minutes,
        runbooks="https://git.example.com/runbooks",
        console=Console("aws", CONTEXT.region),
    )
    seen = Seen(batch=GROUP, deployment=deployment, now=NOW)
    (alert,) = alerts([FINDINGS[detector]()], seen)
    claim = Claim(state=ClaimState.CLAIMED)
    if event is not Event.OPENED:
        assert alert.incident is not None
        earlier = replace(alert.incident, opened_at=NOW, reopened=reopened)
        claim = Claim(
            state=ClaimState.CLAIMED, event=event, earlier=earlier, last_sent=NOW, suppressed_batches=4
        )
    return alert.after(claim, LATER).notification(claim)


def incident(reopened: int = 0) -> OpenIncident:
    """The incident of `page`, which is over."""
    sent = page()
    return OpenIncident(
        key=ClaimKey("sink", sent.document["incident"]),
        version=(),
        incident=Incident(
            title=sent.document["summary"],
            severity=sent.document["severity"],
            detectors=(SCAN,),
            subject=sent.document["subject"],
            log_group=sent.document["log_group"],
            last_seen=LATER,
            resolve_after=21_600,
            opened_at=NOW,
            reopened=reopened,
            attributes={name: each for name, each in sent.attributes.items() if name != "event"},
        ),
        sent_at=NOW,
        suppressed_batches=12,
        resolved_at=LATER + 21_600,
    )


class FoundDesk(MemoryDesk):
    """A table that has stored the test incident as it was sent."""

    def find(self, key: ClaimKey, now: int) -> OpenIncident | None:
        """See the port."""
        stored = incident().incident
        attributes = stored.attributes | {"kind": "test", "severity": "high", "detector": "test"}
        tested = replace(
            stored, title=TESTED, severity="high", detectors=("test",), subject="flow-warden",
            attributes=attributes, last_seen=now, opened_at=now,
        )  # fmt: skip
        found = OpenIncident(key=key, version=(), incident=tested, sent_at=now)
        self.items.setdefault(key, found)
        return found


def tests_sent() -> tuple[Notification, ...]:
    """What `flowwarden test-page` sends."""
    sink = MemorySink()
    place = Place(stack="flow-warden", account="111122223333", region="eu-west-1", log_group="/flows")
    claims = MemoryClaims(ClaimTerms(suppression=3600, lease=60))
    send_test(sink, claims, FoundDesk(), place, NOW, "attempt")
    return tuple(sink.sent)


EXAMPLES: Final[Mapping[str, Callable[[], Notification]]] = {
    "opened": page,
    "updated": lambda: page(Event.UPDATED),
    "reopened": lambda: page(Event.REOPENED),
    "updated-after-reopening": lambda: page(Event.UPDATED, 2),
    "resolved": lambda: render_resolved(incident()),
    "resolved-after-reopening": lambda: render_resolved(incident(2)),
    "several-resolved": lambda: render_several([over("a"), over("b", "critical"), over("c", "high")], 2),
    "hourly-digest": DIGESTS["hourly"],
    "daily-digest": DIGESTS["daily"],
    "report": lambda: render_report(REPORTS["created"]()),
    "test": lambda: tests_sent()[0],
    "test-resolved": lambda: tests_sent()[1],
}
"""By name."""
