"""Changes of rules: which call changed a security group, a network ACL or a route, when, and by whom.

The enforcer stores them as CloudTrail reports them; the monitor reads them for a page about rejections.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import Final, Protocol

from msgspec import Struct

ROUTES: Final = "routes"
"""The resource of all changes of routes: a page does not know the route table of a subnet."""
LONGEST: Final = 256
"""Characters of each text of a change."""


class RuleChange(Struct, frozen=True, kw_only=True):
    """One call that changed the rules of one resource."""

    resource: str
    """Id of the security group, network ACL, prefix list, interface or instance; `ROUTES` for routes."""
    call: str
    """The operation, such as `RevokeSecurityGroupIngress`."""
    call_id: str
    """CloudTrail's id of the call."""
    at: int
    """Unix seconds."""
    actor: str = ""
    """ARN of the principal, or the AWS service that acted; '' if unknown."""
    what: str = ""
    """What was changed, in few words; '' if unknown."""
    destination: str = ""
    """Of a route: the network that it leads to."""

    @property
    def key(self) -> tuple[str, int, str]:
        """The parts of its key."""
        return self.resource, self.at, self.call_id

    def concerns(self, address: str) -> bool:
        """Whether traffic with a host is affected: a route only if it leads to its address."""
        return self.resource != ROUTES or _is_in(address, self.destination)


class RuleChangeStore(Protocol):
    """Stores changes of rules."""

    def store(self, changes: Sequence[RuleChange]) -> None:
        """Store changes; one that is stored already stays as it is. Raises StateUnavailable."""


def _is_in(address: str, network: str) -> bool:
    try:
        return ip_address(address) in ip_network(network, strict=False)
    except ValueError:
        return False
