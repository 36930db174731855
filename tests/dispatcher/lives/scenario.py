"""What happens in a simulated stack: batches with incidents, later records, and runs of the dispatcher."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import Claim, ClaimTerms
from flowwarden.notify.evidence import Evidence
from flowwarden.notify.incident import Incident
from flowwarden.notify.notification import Notification
from flowwarden.notify.page_budget import PageLimits
from flowwarden.state import digests
from flowwarden.state.digests import SETTLE
from flowwarden.state.sets import DAY, HOUR

NOON: Final = 1_764_000_000 // DAY * DAY + 12 * HOUR
TERMS: Final = ClaimTerms(suppression=4 * HOUR, lease=50)
LIMITS: Final = PageLimits(hour=2, day=12, critical_hour=1)
WAIT: Final = 1800
"""Seconds without its findings after which an incident is over."""
GROUP: Final = "group"
RETRIES: Final = (60, 180, *range(1080, 20_000, 1000))
"""Seconds after which a batch is processed again: twice by Lambda, then from the failure queue."""


class Batch(Struct, frozen=True):
    """The incidents of a batch: their keys, severities and gravities."""

    name: str
    at: int
    alerts: tuple[tuple[str, str, int], ...]


FIRST: Final = Batch(
    "first", NOON + 5, tuple((each, "critical" if each == "c" else "high", 2) for each in "abcde")
)
AGAIN: Final = Batch("again", NOON + 300, FIRST.alerts)
WORSE: Final = Batch("worse", NOON + HOUR + 60, (("a", "high", 3), ("f", "high", 2)))
WORSE_AGAIN: Final = Batch("worse again", NOON + HOUR + 360, WORSE.alerts)
BATCHES: Final = FIRST, AGAIN, WORSE, WORSE_AGAIN
LAST_SEEN: Final = {key: batch.at for batch in BATCHES for key, *_ in batch.alerts}
SENT: Final = {key: 2 if key == "a" else 1 for key in LAST_SEEN}
"""Notifications of each incident before its end: `a` gets worse."""
DIGEST_HOUR: Final = NOON // HOUR - 1
DIGEST_BATCHES: Final = 2
"""Batches with the finding that the digest lists; one of them was processed twice."""
DIGEST_DUE: Final = digests.closes_at(DIGEST_HOUR) + SETTLE
MINUTES: Final = [
    *(NOON + 60 * minute for minute in (0, 1, 2, 3, 5, 8)), DIGEST_DUE, DIGEST_DUE + 60,
    *(NOON + HOUR + 60 * minute for minute in (2, 3, 4, 10, 51, 52, 54)),
    *(NOON + 2 * HOUR + 60 * minute for minute in (0, 1, 2, 31, 32, 34)),
]  # fmt: skip
"""When the dispatcher runs: it has nothing to do in other minutes."""
SEEN: Final = NOON + HOUR + 50 * 60, NOON + 2 * HOUR + 30 * 60
"""When later records are processed: first, `b` to `e` are over, and then `a` and `f`."""
END: Final = MINUTES[-1] + 60
"""From here on, nothing fails."""


def alert_of(key: str, severity: str, gravity: int, seen: int) -> Alert:
    """The alert of an incident that was last seen at this time (Unix seconds)."""
    attributes = {"kind": "incident", "severity": severity, "account": "1", "region": "eu-west-1"}

    def render(claim: Claim) -> Notification:
        """The subject names the notification: the incident, and when the one before was sent."""
        return Notification(
            subject=f"{key}@{claim.last_sent}", text="", document={"incident": key}, attributes=attributes
        )

    return Alert(
        key=key,
        route=Route.PAGES,
        title=f"{key}.",
        render=render,
        evidence=Evidence(gravity=gravity),
        incident=Incident(
            title=f"{key}.",
            severity=severity,
            detectors=("scan",),
            subject="10.0.0.5",
            log_group=GROUP,
            last_seen=seen,
            resolve_after=WAIT,
            attributes=attributes,
        ),
    )
