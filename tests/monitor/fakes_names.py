"""A fake of what AWS answers about names, in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from flowwarden.errors import NamesUnavailable
from flowwarden.network.interface import NetworkInterface


@dataclass
class FakeNames:
    """An account's names."""

    interfaces: tuple[NetworkInterface, ...] = ()
    subnets: dict[str, str] = field(default_factory=dict)
    alias: str = ""
    fails: dict[str, str] = field(default_factory=dict)
    """The reason for which calls of a method fail."""
    takes: Callable[[], None] = lambda: None
    """Called at each call: lets time pass."""
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """All calls, answered or not."""

    def describe(self, interface_ids: Sequence[str]) -> Mapping[str, NetworkInterface]:
        """See the port."""
        self._ask("describe", interface_ids)
        return {each.interface_id: each for each in self.interfaces if each.interface_id in interface_ids}

    def having(self, vpc_ids: Sequence[str], addresses: Sequence[str]) -> Sequence[NetworkInterface]:
        """See the port."""
        self._ask("having", (*vpc_ids, *addresses))
        return [
            each
            for each in self.interfaces
            if each.vpc_id in vpc_ids and not set(addresses).isdisjoint(each.addresses)
        ]

    def subnet_names(self, subnet_ids: Sequence[str]) -> Mapping[str, str]:
        """See the port."""
        self._ask("subnet_names", subnet_ids)
        return {each: self.subnets[each] for each in subnet_ids if each in self.subnets}

    def account_alias(self) -> str:
        """See the port."""
        self._ask("account_alias", ())
        return self.alias

    def _ask(self, method: str, given: Sequence[str]) -> None:
        self.asked.append((method, tuple(given)))
        self.takes()
        if why := self.fails.get(method):
            raise NamesUnavailable(why)
