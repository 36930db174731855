"""What became of the alerts of a run, as a value."""

from __future__ import annotations

from msgspec import Struct

from flowwarden.errors import PublishFailed


class DeliveryReport(Struct, frozen=True, kw_only=True):
    """What became of alerts. Reports add up: the report of a run is the sum over alerts and sinks."""

    sent: tuple[str, ...] = ()
    """Keys of the incidents that were sent, once for each sink."""
    suppressed: tuple[str, ...] = ()
    """Titles of repeats that were not sent."""
    repeated: int = 0
    """How many of these were sent by another attempt at the same batch."""
    rolled_up: tuple[str, ...] = ()
    """Titles of alerts that a roll-up stands for."""
    unsent: tuple[str, ...] = ()
    """What was not sent, and why. If there is any, the run must be retried."""
    state_unavailable: int = 0
    """Calls that the state table did not answer."""

    def __add__(self, other: DeliveryReport) -> DeliveryReport:
        """Both together, in this order."""
        return DeliveryReport(
            **{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__}
        )

    def raise_if_unsent(self) -> None:
        """Make Lambda retry the run if a notification was not sent.

        What was sent is marked as sent, so the retry does not send it again.

        Raises:
            PublishFailed: at least one notification was not sent.
        """
        if self.unsent:
            raise PublishFailed(
                f"{len(self.unsent)} notification(s) not sent, the run will be retried: {self.unsent[0]}"
            )
