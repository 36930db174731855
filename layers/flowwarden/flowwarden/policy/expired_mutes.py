"""Reports to operations which mutes of the policy have ended, so that they are extended or removed. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec import to_builtins

from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import digest
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.notification import Composed, Notification
from flowwarden.policy.mutes import Mute
from flowwarden.printable import as_json, one_line
from flowwarden.state.sets import DAY

DOCUMENT_VERSION: Final = "1"
"""Raised when a member of the JSON document is removed or changes its meaning."""
REPORTED_SECONDS: Final = 3 * DAY
"""After its end, for how long a mute is reported. Shorter than the suppression of repeats, so that it is
reported once; long enough for a stack without traffic at the weekend."""
QUIET_SECONDS: Final = 6 * DAY
"""For how long repeats are suppressed; the claims that suppress them are stored for a week."""

LISTED: Final = 50
"""Mutes that a report lists."""

_WHAT_TO_DO: Final = (
    "What to do: remove such a mute from `mutes` in the policy, or give it a later end if its findings are "
    "still expected. They notify again now."
)


class EndedMutes:
    """Reports the mutes of a policy that end, those with the same end together. One per container."""

    def __init__(self, mutes: Iterable[Mute]) -> None:
        self._by_end: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
        for each in mutes:
            if (end := each.end) is not None:
                self._by_end[end].append(to_builtins(each))
        self._reported = set[str]()

    def alerts(self, now: int, account_id: str, region: str) -> list[Alert]:
        """An alert for each end in the last `REPORTED_SECONDS` that this container has not seen reported.

        Args:
            now: Unix seconds.
            account_id: of the stack's batch.
            region: of the stack.
        """
        lately = (mutes for end, mutes in self._by_end.items() if end <= now < end + REPORTED_SECONDS)
        found = (_alert(mutes, account_id, region) for mutes in lately)
        return [each for each in found if each.key not in self._reported]

    def note(self, delivery: DeliveryReport) -> None:
        """Note what was reported, by this run or before: it is reported once, see `QUIET_SECONDS`."""
        self._reported.update(delivery.sent, delivery.known)


def _alert(mutes: Sequence[dict[str, Any]], account_id: str, region: str) -> Alert:
    notification = _render(mutes, account_id, region)
    return Alert(
        key=digest("mute-expired", *sorted(map(as_json, mutes))),
        route=Route.OPERATIONS,
        title=notification.subject,
        render=lambda _: notification,
        can_wait=True,
        quiet=QUIET_SECONDS,
    )


def _render(mutes: Sequence[dict[str, Any]], account_id: str, region: str) -> Notification:
    where = f"{one_line(account_id)} {one_line(region)}"
    have = "a mute has" if len(mutes) == 1 else f"{len(mutes)} mutes have"
    rest = len(mutes) - LISTED
    shown = [f"  {as_json(each)}" for each in mutes[:LISTED]]
    return Notification(
        subject=f"[INFO] {have} ended in {where}",
        text=Composed.of(
            [f"{have.capitalize()} ended:"],
            [*shown, *([f"  and {rest} more"] if rest > 0 else [])],
            [_WHAT_TO_DO],
        ),
        document={
            "version": DOCUMENT_VERSION,
            "kind": "mute-expired",
            "severity": "info",
            "account": account_id,
            "region": region,
            "mutes": list(mutes[:LISTED]),
        },
        attributes={"kind": "mute-expired", "severity": "info", "account": account_id, "region": region},
    )
