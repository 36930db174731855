"""What the services need from outside, as Protocols. `aws/` implements them; tests use hand-written fakes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from flowwarden.alerting.incidents import Claim, Owner
from flowwarden.alerting.notification import Notification
from flowwarden.compliance.desired import DesiredFlowLog
from flowwarden.compliance.inventory import FlowLog, Vpc
from flowwarden.detection.evidence import Addition, Sets
from flowwarden.network.roles import Interface
from flowwarden.records.candidates import Learned


class Sink(Protocol):
    """A place notifications go."""

    def send(self, notification: Notification) -> None:
        """Hand the notification over. Raises PublishFailed if the service did not take it."""


class Claims(Protocol):
    """Claim-once memory of incidents, shared by concurrent invocations."""

    def claim(self, key: str, owner: Owner, now: int) -> Claim:
        """Try to become the one who notifies about incident `key`; `now` is Unix seconds.

        Raises StateUnavailable if the table did not answer.
        """

    def confirm(self, key: str, owner: Owner, now: int) -> None:
        """Say that the notification claimed by `owner` was sent. Raises StateUnavailable."""

    def release(self, key: str, owner: Owner) -> None:
        """Give the claim back unsent, for anybody to take at once. Raises StateUnavailable."""


class LogFormats(Protocol):
    """What EC2 knows of the formats of flow logs."""

    def written_into(self, log_group: str) -> Sequence[str | None]:
        """The log format of each flow log that writes into the group; None where EC2 does not tell it.

        Raises LayoutsUnavailable.
        """


class LayoutMemory(Protocol):
    """What was learned of log groups' formats, shared by concurrent invocations."""

    def recall(self, log_group: str) -> Learned | None:
        """What was learned last, however old; None if nothing. Raises StateUnavailable."""

    def take_turn(self, log_group: str, now: int, wait: int) -> bool:
        """Whether the caller may ask EC2: nobody was told so in the `wait` seconds before `now`.

        Raises StateUnavailable.
        """

    def keep(self, log_group: str, learned: Learned) -> None:
        """Remember what was learned. Raises StateUnavailable."""


class InterfaceDirectory(Protocol):
    """What EC2 knows of network interfaces. One instance is bound to one account and region."""

    def describe(self, interface_ids: Sequence[str]) -> Mapping[str, Interface]:
        """Those of the interfaces that exist, by id; all of them or none are told.

        Raises InterfacesUnavailable.
        """


class EvidenceStore(Protocol):
    """Sets of numbers that invocations share and that only grow."""

    def add(self, addition: Addition) -> Sets:
        """Add to an item, made if it is not there, and return what it holds then. Raises StateUnavailable."""

    def read(self, keys: Sequence[str]) -> Mapping[str, Sets]:
        """What these items hold; one that is not there is left out. Raises StateUnavailable."""


class FlowLogService(Protocol):
    """The part of EC2 that the enforcer works with. One instance is bound to one account and region."""

    def vpcs(self, vpc_ids: Sequence[str] | None) -> Iterable[Vpc]:
        """The named VPCs that exist, or all of them for None. Raises CallRefused, CallFailed."""

    def flow_logs(self, vpc_ids: Sequence[str]) -> Iterable[FlowLog]:
        """The VPC-level flow logs of these VPCs. Raises CallRefused, CallFailed."""

    def create(self, vpc_id: str, desired: DesiredFlowLog, client_token: str) -> str:
        """Create the wanted flow log and return its id; the same token asks for the same flow log.

        Raises FlowLogExists, VpcGone, CallRefused, CallFailed; an `Unsuccessful` item inside a
        200 answer is raised as the same errors.
        """
