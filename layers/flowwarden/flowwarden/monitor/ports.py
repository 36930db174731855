"""External dependencies of the monitor, as Protocols. `aws/` implements them; tests use fakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from flowwarden.network.interface import NetworkInterface
from flowwarden.records.format_choice import LearnedFormats


class LogFormats(Protocol):
    """The formats of flow logs, according to EC2."""

    def written_into(self, log_group: str) -> Sequence[str | None]:
        """The log format of each flow log that writes to the group; None if EC2 does not report it.

        Raises LogFormatsUnavailable.
        """


class LogFormatStore(Protocol):
    """The learned formats of log groups, shared by concurrent invocations."""

    def recall(self, log_group: str) -> LearnedFormats | None:
        """The formats learned last, of any age; None if there are none. Raises StateUnavailable."""

    def take_turn(self, log_group: str, now: int, wait: int) -> bool:
        """Whether the caller may query EC2; if so, no other may for `wait` seconds from `now` (Unix seconds).

        Raises StateUnavailable.
        """

    def keep(self, log_group: str, learned: LearnedFormats) -> None:
        """Store learned formats. Raises StateUnavailable."""


class InterfaceDirectory(Protocol):
    """Network interfaces, according to EC2. One instance is bound to one account and region."""

    def describe(self, interface_ids: Sequence[str]) -> Mapping[str, NetworkInterface]:
        """The existing interfaces among these, by id; either all of them are returned or none.

        Raises InterfacesUnavailable.
        """


class NameDirectory(Protocol):
    """Names of what notifications show, according to AWS. One instance is bound to one account and region.

    All methods raise NamesUnavailable, with a short reason: it is shown on the page.
    """

    def describe(self, interface_ids: Sequence[str]) -> Mapping[str, NetworkInterface]:
        """The existing interfaces among these, by id."""

    def having(self, vpc_ids: Sequence[str], addresses: Sequence[str]) -> Sequence[NetworkInterface]:
        """The interfaces in any of these VPCs that have any of these addresses, all of one family."""

    def subnet_names(self, subnet_ids: Sequence[str]) -> Mapping[str, str]:
        """The names of the existing subnets among these by id; '' for one without a name."""

    def account_alias(self) -> str:
        """The alias of the account; '' if it has none."""
