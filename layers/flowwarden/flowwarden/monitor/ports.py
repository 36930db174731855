"""What the monitor needs from outside, as Protocols. `aws/` implements them; tests use hand-written fakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from flowwarden.network.interface import NetworkInterface
from flowwarden.records.format_choice import Learned


class LogFormats(Protocol):
    """What EC2 knows of the formats of flow logs."""

    def written_into(self, log_group: str) -> Sequence[str | None]:
        """The log format of each flow log that writes into the group; None where EC2 does not tell it.

        Raises LogFormatsUnavailable.
        """


class LogFormatStore(Protocol):
    """What was learned of log groups' formats, shared by concurrent invocations."""

    def recall(self, log_group: str) -> Learned | None:
        """What was learned last, however old; None if nothing. Raises StateUnavailable."""

    def take_turn(self, log_group: str, now: int, wait: int) -> bool:
        """Whether the caller may ask EC2: no other caller was told so in the `wait` seconds before `now`.

        Raises StateUnavailable.
        """

    def keep(self, log_group: str, learned: Learned) -> None:
        """Remember what was learned. Raises StateUnavailable."""


class InterfaceDirectory(Protocol):
    """What EC2 knows of network interfaces. One instance is bound to one account and region."""

    def describe(self, interface_ids: Sequence[str]) -> Mapping[str, NetworkInterface]:
        """Those of the interfaces that exist, by id; all of them or none are told.

        Raises InterfacesUnavailable.
        """
