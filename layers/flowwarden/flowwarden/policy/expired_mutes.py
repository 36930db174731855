"""Tells operations that a mute of the policy has ended, so that it is extended or removed. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from msgspec import to_builtins

from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import digest
from flowwarden.notify.notification import Composed, Notification
from flowwarden.policy.mutes import Mute
from flowwarden.printable import as_json, one_line
from flowwarden.state.sets import DAY

TOLD_SECONDS: Final = 3 * DAY
"""After its end, for how long a mute is reported. Shorter than the suppression of repeats, so that it is
reported once; long enough for a stack without traffic at the weekend."""
QUIET_SECONDS: Final = 6 * DAY
"""For how long repeats are suppressed; the claims that suppress them are stored for a week."""

_WHAT_TO_DO: Final = (
    "What to do: remove the mute from `mutes` in the policy, or give it a later end if the findings are "
    "still expected. They notify again now."
)


def expired(mutes: Iterable[Mute], now: int, account_id: str, region: str) -> list[Alert]:
    """An alert for each mute that ended in the last `TOLD_SECONDS`.

    Args:
        mutes: of the policy.
        now: Unix seconds.
        account_id: of the stack's batch.
        region: of the stack.
    """
    return [
        _alert(mute, account_id, region)
        for mute in mutes
        if (end := mute.end) is not None and end <= now < end + TOLD_SECONDS
    ]


def _alert(mute: Mute, account_id: str, region: str) -> Alert:
    document: dict[str, Any] = to_builtins(mute)
    notification = _render(document, account_id, region)
    return Alert(
        key=digest("mute-expired", as_json(document)),
        route=Route.OPERATIONS,
        title=notification.subject,
        render=lambda _: notification,
        can_wait=True,
        quiet=QUIET_SECONDS,
    )


def _render(mute: dict[str, Any], account_id: str, region: str) -> Notification:
    where = f"{one_line(account_id)} {one_line(region)}"
    return Notification(
        subject=f"[INFO] a mute has ended in {where}",
        text=Composed.of(["A mute of the policy has ended."], [f"  {as_json(mute)}"], [_WHAT_TO_DO]),
        document={
            "kind": "mute-expired",
            "severity": "info",
            "account": account_id,
            "region": region,
            "mute": mute,
        },
        attributes={"kind": "mute-expired", "severity": "info", "account": account_id, "region": region},
    )
