"""The roles of the hosts at the interfaces of a batch, each found once. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flowwarden.network.interface import NetworkInterface
from flowwarden.network.roles import UNKNOWN, role_of, vpc_role
from flowwarden.state.sets import DAY


class RoleOnDay(NamedTuple):
    """The role of the host at an interface, and the day (since 1970) of its traffic."""

    interface: NetworkInterface | None
    """None if EC2 does not describe it."""
    role: str
    vpc: str
    """Its VPC as if it were a role; '' if it is unknown."""
    day: int


class HostRoles:
    """Finds roles."""

    def __init__(self, role_tags: Sequence[str], now: int) -> None:
        """Take the policy's `role_tags`, and the time of the batch (Unix seconds)."""
        self._role_tags = role_tags
        self._now = now
        self._found: dict[str, tuple[str, str]] = {}
        """Role and VPC by interface id."""

    def of(self, interface: NetworkInterface | None) -> str:
        """The role of the host at an interface; `UNKNOWN` if EC2 does not describe it."""
        return UNKNOWN if interface is None else self._of(interface)[0]

    def on_day(self, interface: NetworkInterface | None, moment: int) -> RoleOnDay:
        """The role on the day of `moment` (Unix seconds; -1 is now), which is not in the future."""
        day = (min(moment, self._now) if moment >= 0 else self._now) // DAY
        if interface is None:
            return RoleOnDay(None, UNKNOWN, "", day)
        return RoleOnDay(interface, *self._of(interface), day)

    def _of(self, interface: NetworkInterface) -> tuple[str, str]:
        name = interface.interface_id
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = role_of(interface, self._role_tags), vpc_role(interface)
        return found
