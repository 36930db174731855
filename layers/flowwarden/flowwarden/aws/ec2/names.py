"""Looks up names for notifications: implements `ports.NameDirectory`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from flowwarden.aws.account import AccountAlias
from flowwarden.aws.ec2.interfaces import DescribedInterfaces
from flowwarden.errors import InterfacesUnavailable, NamesUnavailable
from flowwarden.network.interface import NetworkInterface


class DescribedNames:
    """Calls EC2 and IAM, through the adapters that other parts use."""

    def __init__(self, interfaces: DescribedInterfaces, alias: AccountAlias) -> None:
        self._interfaces = interfaces
        self._alias = alias

    def describe(self, interface_ids: Sequence[str]) -> Mapping[str, NetworkInterface]:
        """See the port."""
        return _short(lambda: self._interfaces.describe(interface_ids))

    def having(self, vpc_ids: Sequence[str], addresses: Sequence[str]) -> Sequence[NetworkInterface]:
        """See the port."""
        return _short(lambda: self._interfaces.having(vpc_ids, addresses))

    def subnet_names(self, subnet_ids: Sequence[str]) -> Mapping[str, str]:
        """See the port."""
        return _short(lambda: self._interfaces.subnet_names(subnet_ids))

    def account_alias(self) -> str:
        """See the port."""
        return self._alias.read()


def _short[T](ask: Callable[[], T]) -> T:
    try:
        return ask()
    except InterfacesUnavailable as error:
        raise NamesUnavailable(error.short) from error
