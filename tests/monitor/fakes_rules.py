"""In-memory fakes of the ports of the lookup of rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from flowwarden.errors import RulesUnavailable
from flowwarden.monitor.rules.ports import Allow, Attached
from flowwarden.network.interface import NetworkInterface
from flowwarden.network.rules.model import Network, NetworkAcl, SecurityGroup
from flowwarden.state.rule_changes import RuleChange


@dataclass
class FakeRules:
    """Rules in dictionaries. Each call can be refused, and can take some time."""

    interfaces: Sequence[NetworkInterface] = ()
    known: Mapping[str, SecurityGroup] = field(default_factory=dict)
    at: Mapping[str, NetworkAcl] = field(default_factory=dict)
    """Network ACLs by subnet."""
    lists: Mapping[str, tuple[Network, ...]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    """Names of the methods that EC2 refuses."""
    away: str = ""
    """Why no call is answered; '' if all are."""
    wait: Callable[[], None] = lambda: None
    """Takes the time of a call."""
    calls: list[str] = field(default_factory=list)

    def interface(self, interface_id: str, allow: Allow) -> Attached | None:
        """See the port."""
        self._call("interface", allow)
        return next(
            (self._attached(each) for each in self.interfaces if each.interface_id == interface_id), None
        )

    def interface_at(self, vpc_id: str, address: str, allow: Allow) -> Attached | None:
        """See the port."""
        self._call("interface_at", allow)
        here = (each for each in self.interfaces if each.vpc_id == vpc_id and address in each.addresses)
        return next(map(self._attached, here), None)

    def groups(self, names: Mapping[str, str], vpc_id: str, allow: Allow) -> Mapping[str, SecurityGroup]:
        """See the port."""
        self._call("groups", allow)
        assert vpc_id
        return {each: self.known[each] for each in names if each in self.known}

    def acls(self, subnets: Sequence[str], allow: Allow) -> Mapping[str, NetworkAcl]:
        """See the port."""
        self._call("acls", allow)
        return {each: self.at[each] for each in subnets if each in self.at}

    def prefix_list(self, prefix_list_id: str, allow: Allow) -> tuple[Network, ...]:
        """See the port."""
        self._call("prefix_list", allow)
        return self.lists[prefix_list_id]

    def _attached(self, interface: NetworkInterface) -> Attached:
        return Attached(interface, {each: each.removeprefix("sg-") for each in interface.security_groups})

    def _call(self, name: str, allow: Allow) -> None:
        with allow():
            self.calls.append(name)
            self.wait()
            if self.away:
                raise RulesUnavailable(self.away)
            if name in self.refused:
                raise RulesUnavailable(f"EC2 refused {name} (UnauthorizedOperation)", lasts=False)


@dataclass
class FakeChanges:
    """Changes of rules in a list."""

    changes: Sequence[RuleChange] = ()
    away: bool = False
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def of(self, resources: Sequence[str], since: int, allow: Allow) -> Sequence[RuleChange]:
        """See the port."""
        with allow():
            self.asked.append(tuple(resources))
            if self.away:
                raise RulesUnavailable("the state table did not return the changes of rules")
            found = [each for each in self.changes if each.resource in resources and each.at >= since]
            return sorted(found, key=lambda each: each.at, reverse=True)
