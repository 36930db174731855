"""The last good policy: what a function uses if the configured policy is not valid.

A deployment checks the policy, but a function may still get one that it cannot use: set by hand, or accepted
by another version. It then uses the last policy that worked, or the built-in default: a monitor that fails
every batch sees nothing. Both functions report it, once per suppression window.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Final, Protocol, Self

from msgspec import Struct

from flowwarden.errors import PolicyError, StateUnavailable
from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import digest
from flowwarden.notify.notification import Composed, Notification
from flowwarden.policy.policy import Policy
from flowwarden.printable import one_line

INCIDENT: Final = digest("policy-invalid")
"""One incident for both functions, which have the same policy: the first one to find it reports it."""
REASON_CHARACTERS: Final = 1000
RETRY_SECONDS: Final = 300
"""Pause after a failed attempt to store a policy: without the state table, each call takes seconds."""


class Origin(StrEnum):
    """Which policy is used."""

    CONFIGURED = "configured"
    LAST_GOOD = "last-good"
    """The last one that worked, from the state table."""
    DEFAULT = "default"
    """The built-in default: no policy has worked yet, or the state table does not answer."""


class PolicyStore(Protocol):
    """The last good policy, shared by all containers of both functions."""

    def load(self) -> str | None:
        """Its text, None if there is none. Raises StateUnavailable."""

    def keep(self, text: str, now: int) -> None:
        """Store its text, in place of an earlier one; `now` is Unix seconds. Raises StateUnavailable."""


class PolicyInUse(Struct, frozen=True, kw_only=True):
    """The policy that a function uses, and why."""

    policy: Policy
    origin: Origin = Origin.CONFIGURED
    problem: str = ""
    """Why the configured policy is not used; '' if it is."""
    is_final: bool = True
    """Whether the choice stands. If the state table did not answer, the next event chooses again."""


def choose(text: str, store: PolicyStore) -> PolicyInUse:
    """The configured policy if it is valid, otherwise the last good one, otherwise the default one.

    Args:
        text: the configured policy, as JSON.
        store: the last good policy; not read if the configured one is valid.
    """
    try:
        return PolicyInUse(policy=Policy.from_json(text))
    except PolicyError as error:
        problem = str(error)
    try:
        stored = store.load()
    except StateUnavailable:
        return PolicyInUse(policy=Policy(), origin=Origin.DEFAULT, problem=problem, is_final=False)
    try:
        policy = Policy.from_json(stored) if stored is not None else None
    except PolicyError:  # of another version, or damaged
        policy = None
    if policy is None:
        return PolicyInUse(policy=Policy(), origin=Origin.DEFAULT, problem=problem)
    return PolicyInUse(policy=policy, origin=Origin.LAST_GOOD, problem=problem)


class PolicyRecorder:
    """The policy that a container uses; stores the configured one as the last good one after it was used."""

    def __init__(self, in_use: PolicyInUse, text: str = "", store: PolicyStore | None = None) -> None:
        """Take the chosen policy, and where to store the configured `text`; by default it is not stored."""
        self.in_use = in_use
        self._text = text
        self._store = store
        self._next: float = 0 if in_use.origin is Origin.CONFIGURED else math.inf

    @classmethod
    def choosing(cls, text: str, store: PolicyStore) -> Self:
        """The recorder of the policy that `choose` returns."""
        return cls(choose(text, store), text, store)

    @property
    def is_final(self) -> bool:
        """Whether the choice stands. If the state table did not answer, the next event chooses again."""
        return self.in_use.is_final

    def keep(self, now: int) -> None:
        """Store the configured policy, if it is in use and that is not done; `now` is Unix seconds.

        Costs one read for each container; a write only if another policy is stored. If the state table does
        not answer, a call after `RETRY_SECONDS` tries again.
        """
        if self._store is None or now < self._next:
            return
        try:
            if self._store.load() != self._text:
                self._store.keep(self._text, now)
        except StateUnavailable:
            self._next = now + RETRY_SECONDS
            return
        self._next = math.inf

    def alerts(self, account_id: str, region: str) -> list[Alert]:
        """The alert about a policy that is not valid; none if it is valid."""
        if not self.in_use.problem:
            return []
        notification = _render(self.in_use, account_id, region)
        # Without the state table each event would repeat it; the metric and its alarm do not wait.
        return [
            Alert(
                key=INCIDENT,
                route=Route.OPERATIONS,
                title=notification.subject,
                render=lambda _: notification,
                can_wait=True,
            )
        ]


_USED: Final = {
    Origin.LAST_GOOD: "Both functions use the last policy that was valid, from the state table.",
    Origin.DEFAULT: (
        "No earlier policy is available. The monitor uses the built-in default policy. The enforcer only "
        "plans: it changes nothing, because the default may differ from the flow logs that you want."
    ),
}


_WHAT_TO_DO: Final = (
    "What to do: correct the parameter Policy and deploy again. `flowwarden policy check FILE` checks a "
    "policy before the deployment."
)


def _render(in_use: PolicyInUse, account_id: str, region: str) -> Notification:
    where = f"{one_line(account_id)} {one_line(region)}"
    reason = one_line(in_use.problem, REASON_CHARACTERS)
    kept = "the last good one" if in_use.origin is Origin.LAST_GOOD else "the default one"
    text = Composed.of(
        ["The policy of this stack is not valid."],
        [f"Reason: {reason}"],
        [_USED[in_use.origin]],
        [_WHAT_TO_DO],
    )
    return Notification(
        subject=f"[ERROR] policy not valid, {kept} is used in {where}",
        text=text,
        document={
            "kind": "policy",
            "severity": "error",
            "account": account_id,
            "region": region,
            "reason": reason,
            "used": in_use.origin.value,
        },
        attributes={"kind": "policy", "severity": "error", "account": account_id, "region": region},
    )
