"""What a run of the dispatcher did."""

from __future__ import annotations

from msgspec import Struct

from flowwarden.errors import PublishFailed, StateUnavailable
from flowwarden.notify.delivery import DeliveryReport


class DispatchReport(Struct, frozen=True, kw_only=True):
    """What a run did."""

    due: int = 0
    """Incidents that were due."""
    resent: int = 0
    """Pending notifications that were sent."""
    held: tuple[str, ...] = ()
    """Titles of pending pages that are held, because the budget for pages is spent."""
    resolved: int = 0
    """Incidents that were resolved."""
    without_data: int = 0
    """Incidents that may be over, but no records of their log group arrive."""
    moved: tuple[str, ...] = ()
    """Titles of pending notifications whose sink is not configured any more: another one gets them."""
    unreported: tuple[str, ...] = ()
    """Titles of resolved incidents whose sink is not configured any more: no notification says so."""
    digests: int = 0
    """Digests that were sent."""
    left: int = 0
    """Due incidents for which there was no time, or the table did not answer. The next run continues."""
    refused: tuple[str, ...] = ()
    """Titles of what a sink refused, with the reason. It is not sent there again."""
    ends_refused: tuple[str, ...] = ()
    """Titles of ends that a sink refused for the first time, with the reason. Later runs try again."""
    ends_refused_again: tuple[str, ...] = ()
    """The same for ends that it refused before."""
    ends_given_up: tuple[str, ...] = ()
    """Titles of ends that a sink refused for so long that it is not tried again: there, the incidents stay
    open."""
    unsent: tuple[str, ...] = ()
    """Titles of what could not be sent, with the reason. The next run tries again."""
    state_unavailable: int = 0
    """Failed calls to the state table."""

    @property
    def over_budget(self) -> int:
        """The number of pages that are held."""
        return len(self.held)

    def __add__(self, other: DispatchReport) -> DispatchReport:
        """The sum of both reports."""
        return DispatchReport(
            **{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__}
        )

    def raise_if_incomplete(self) -> None:
        """Raise an error if something could not be sent or stored, so that the run counts as failed.

        Raises:
            PublishFailed: a notification was not sent.
            StateUnavailable: the state table did not answer.
        """
        if self.unsent:
            raise PublishFailed(
                f"{len(self.unsent)} notification(s) not sent, the next run tries again: {self.unsent[0]}"
            )
        if self.state_unavailable:
            raise StateUnavailable("the state table did not answer, the next run continues")


def undelivered(delivery: DeliveryReport) -> DispatchReport:
    """What could not be sent."""
    return DispatchReport(
        unsent=delivery.unsent, refused=delivery.refused, state_unavailable=delivery.state_unavailable
    )
