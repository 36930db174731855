"""A container's copy of the known roles, which stores the roles that the table does not contain yet.

Runs after the notifications of a batch are sent. For interfaces that the container has seen before, it makes
no call to the table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from flowwarden.monitor.baseline.known_roles import KnownRole, RoleStore, networks_of
from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.caches.state import StateView
from flowwarden.state.schema import KNOWN_ROLES
from flowwarden.state.sets import DAY

MOST_ROLES: Final = 4096
"""Maximum known roles; further ones are not stored: a tag that differs for each host creates many roles."""
MOST_SEEN: Final = 2**14
"""Maximum interfaces that a container remembers with their roles; beyond that, it forgets all of them."""
RETRY_SECONDS: Final = 300
"""Pause after a call that the table did not answer."""


class RoleCache:
    """The known roles, and the interfaces whose roles are known. One per container."""

    def __init__(self, store: RoleStore) -> None:
        self.store = store
        self._known: dict[str, KnownRole] | None = None
        """The known roles by name; None until they are read."""
        self._seen = set[tuple[str, str]]()
        self._retry_at = 0

    def see(self, profiles: Iterable[RoleProfile], state: StateView, now: int) -> None:
        """Store the roles and networks of a batch's hosts that are not stored; `now` is Unix seconds."""
        new = [each for each in profiles if self._is_new(each)]
        if not new or now < self._retry_at:
            return
        if self._known is None:
            roles = state.call(self.store.load)
            if roles is None:
                self._retry_at = now + RETRY_SECONDS
                return
            self._known = {each.role: each for each in roles}
        several: defaultdict[str, list[RoleProfile]] = defaultdict(list)
        for each in new:
            several[each.role].append(each)
        for role, hosts in several.items():
            if self._keep(_role_of(role, hosts, now), self._known, state, now):
                self._remember(role, hosts)

    def _is_new(self, profile: RoleProfile) -> bool:
        # The role of an interface that EC2 does not describe is never learned.
        interface = profile.interface
        return (
            interface is not None
            and profile.baseline is not None
            and (interface.interface_id, profile.role) not in self._seen
        )

    def _keep(self, role: KnownRole, known: dict[str, KnownRole], state: StateView, now: int) -> bool:
        """Whether the role is stored now, or need not be stored."""
        stored = known.get(role.role)
        if stored.covers(role, now) if stored else len(known) >= MOST_ROLES:
            return True
        if not state.may_write(KNOWN_ROLES.key_of(role.role)) or not state.call(lambda: self._put(role)):
            return False
        networks = role.networks | stored.networks if stored else role.networks
        known[role.role] = replace(stored or role, networks=networks, expires_at=role.expires_at)
        return True

    def _put(self, role: KnownRole) -> bool:
        self.store.put(role)
        return True

    def _remember(self, role: str, hosts: Iterable[RoleProfile]) -> None:
        if len(self._seen) >= MOST_SEEN:
            self._seen.clear()
        self._seen |= {(each.interface.interface_id, role) for each in hosts if each.interface}


def _role_of(role: str, hosts: Iterable[RoleProfile], now: int) -> KnownRole:
    """The role with the networks of these hosts, as if it were stored for the first time."""
    return KnownRole(
        role=role,
        known=now // DAY,
        networks=networks_of(a for each in hosts if each.interface for a in each.interface.addresses),
        expires_at=KNOWN_ROLES.kept_until(now),
    )
