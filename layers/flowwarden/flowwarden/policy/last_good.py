"""The last good policy: what a function uses if the configured policy cannot be used.

A deployment checks the policy of the parameter, but a function may still get one that it cannot use: set by
hand, accepted by another version, or deployed to AppConfig, which may also not answer. It then uses the last
policy that worked, or that of the parameter, or the built-in default: a monitor that fails every batch sees
nothing. Both functions report it, once per suppression window.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Final, Protocol, Self

from msgspec import Struct

from flowwarden.errors import PolicyError, PolicyUnavailable, StateUnavailable
from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import digest
from flowwarden.notify.notification import Composed, Notification
from flowwarden.policy.policy import Policy
from flowwarden.printable import one_line

DOCUMENT_VERSION: Final = "1"
"""Raised when a member of the JSON document is removed or changes its meaning."""
INCIDENT: Final = digest("policy-invalid")
"""One incident for both functions, which have the same policy: the first one to find it reports it."""
REASON_CHARACTERS: Final = 1000
POLL_SECONDS: Final = 300
"""Between two questions whether the policy has changed: each is a call, billed for each container."""
RETRY_SECONDS: Final = 300
"""Pause after a failed attempt to store a policy: without the state table, each call takes seconds."""


class Origin(StrEnum):
    """Which policy is used."""

    CONFIGURED = "configured"
    LAST_GOOD = "last-good"
    """The last one that worked, from the state table."""
    PARAMETER = "parameter"
    """That of the parameter, because no policy of AppConfig has worked yet."""
    DEFAULT = "default"
    """The built-in default: no policy has worked yet, or the state table does not answer."""


class PolicyStore(Protocol):
    """The last good policy, shared by all containers of both functions."""

    def load(self) -> str | None:
        """Its text, None if there is none. Raises StateUnavailable."""

    def keep(self, text: str, now: int) -> None:
        """Store its text, in place of an earlier one; `now` is Unix seconds. Raises StateUnavailable."""


class PolicySource(Protocol):
    """Where the policy is, if it is not in the function's environment."""

    profile: str
    """Its name for people."""

    def text(self) -> str:
        """The text of the policy as last read; reads it if it was not read yet. Raises PolicyUnavailable."""

    def refresh(self) -> bool:
        """Read it again; whether it is another one now.

        Raises:
            PolicyUnavailable: there is none, or the service does not answer.
        """


class PolicyInUse(Struct, frozen=True, kw_only=True):
    """The policy that a function uses, and why."""

    policy: Policy
    text: str = ""
    """As it was written."""
    origin: Origin = Origin.CONFIGURED
    problem: str = ""
    """Why the configured policy is not used; '' if it is."""
    is_final: bool = True
    """Whether the choice stands. If the state table did not answer, the next event chooses again."""


def choose(text: str, store: PolicyStore, source: PolicySource | None = None) -> PolicyInUse:
    """The configured policy if it is valid, otherwise the last good one, the parameter's, or the default one.

    Args:
        text: the policy of the parameter, as JSON.
        store: the last good policy; not read if the configured one is valid.
        source: where the configured policy is; None if it is that of the parameter.
    """
    try:
        configured = text if source is None else source.text()
        return PolicyInUse(policy=Policy.from_json(configured), text=configured)
    except (PolicyError, PolicyUnavailable) as error:
        problem = str(error)
    is_final = True
    try:
        stored = store.load()
    except StateUnavailable:
        stored, is_final = None, False
    others = {Origin.LAST_GOOD: stored, Origin.PARAMETER: text if source is not None else None}
    for origin, other in others.items():
        policy = _valid(other)
        if policy is not None:
            return PolicyInUse(policy=policy, origin=origin, problem=problem, is_final=is_final)
    return PolicyInUse(policy=Policy(), origin=Origin.DEFAULT, problem=problem, is_final=is_final)


def _valid(text: str | None) -> Policy | None:
    """The policy; None if there is no text, or it is of another version or damaged."""
    try:
        return None if text is None else Policy.from_json(text)
    except PolicyError:
        return None


class PolicyRecorder:
    """The policy that a container uses; stores the configured one as the last good one after it was used."""

    def __init__(self, in_use: PolicyInUse, store: PolicyStore | None = None) -> None:
        """Take the chosen policy, and where to store it (None: it is not stored)."""
        self.in_use = in_use
        self._store = store
        self._text = ""
        self._source: PolicySource | None = None
        self._next: float = 0 if in_use.origin is Origin.CONFIGURED else math.inf
        self._next_poll: int | None = None

    @classmethod
    def choosing(cls, text: str, store: PolicyStore, source: PolicySource | None = None) -> Self:
        """The recorder of the policy that `choose` returns."""
        made = cls(choose(text, store, source), store)
        made._text, made._source = text, source
        return made

    def renew(self, now: int) -> bool:
        """Choose again if the source has another policy, or if the choice does not stand; whether it did.

        Call it at each event, with its time in Unix seconds. The first call only notes the time. The source
        is asked every `POLL_SECONDS`; if it does not answer, the choice stands.
        """
        if self._next_poll is None:
            self._next_poll = now + POLL_SECONDS
            return False
        if self._store is None or not (self._has_changed(now) or not self.in_use.is_final):
            return False
        self.in_use = choose(self._text, self._store, self._source)
        self._next = 0 if self.in_use.origin is Origin.CONFIGURED else math.inf
        return True

    def _has_changed(self, now: int) -> bool:
        if self._source is None or self._next_poll is None or now < self._next_poll:
            return False
        self._next_poll = now + POLL_SECONDS
        try:
            return self._source.refresh()
        except PolicyUnavailable:
            return False

    def keep(self, now: int) -> None:
        """Store the configured policy, if it is in use and that is not done; `now` is Unix seconds.

        Costs one read for each container; a write only if another policy is stored. If the state table does
        not answer, a call after `RETRY_SECONDS` tries again.
        """
        if self._store is None or now < self._next:
            return
        try:
            if self._store.load() != self.in_use.text:
                self._store.keep(self.in_use.text, now)
        except StateUnavailable:
            self._next = now + RETRY_SECONDS
            return
        self._next = math.inf

    def alerts(self, account_id: str, region: str) -> list[Alert]:
        """The alert about a policy that is not valid; none if it is valid."""
        if not self.in_use.problem:
            return []
        profile = self._source.profile if self._source is not None else ""
        notification = _render(self.in_use, profile, account_id, region)
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
    Origin.PARAMETER: (
        "No earlier policy is available. The monitor uses the policy of the parameter Policy. The enforcer "
        "only plans: it changes nothing, because that policy may differ from the flow logs that you want."
    ),
    Origin.DEFAULT: (
        "No earlier policy is available. The monitor uses the built-in default policy. The enforcer only "
        "plans: it changes nothing, because the default may differ from the flow logs that you want."
    ),
}
_NAMES: Final = {
    Origin.LAST_GOOD: "the last good one",
    Origin.PARAMETER: "that of the parameter",
    Origin.DEFAULT: "the default one",
}


def _what_to_do(profile: str) -> str:
    where = (
        f"deploy a valid policy to the AppConfig profile {one_line(profile)}, which the functions must be "
        f"allowed to read; they read it again within {POLL_SECONDS // 60} minutes."
        if profile
        else "correct the parameter Policy and deploy again."
    )
    return f"What to do: {where} `flowwarden policy check FILE` checks a policy before that."


def _render(in_use: PolicyInUse, profile: str, account_id: str, region: str) -> Notification:
    where = f"{one_line(account_id)} {one_line(region)}"
    reason = one_line(in_use.problem, REASON_CHARACTERS)
    kept = _NAMES[in_use.origin]
    text = Composed.of(
        ["The policy of this stack cannot be used."],
        [f"Reason: {reason}"],
        [_USED[in_use.origin]],
        [_what_to_do(profile)],
    )
    return Notification(
        subject=f"[ERROR] policy cannot be used, {kept} is used in {where}",
        text=text,
        document={
            "version": DOCUMENT_VERSION,
            "kind": "policy",
            "severity": "error",
            "account": account_id,
            "region": region,
            "reason": reason,
            "used": in_use.origin.value,
        },
        attributes={"kind": "policy", "severity": "error", "account": account_id, "region": region},
    )
