"""The delivery report of a run: which alerts were sent, suppressed or not sent."""

from __future__ import annotations

from msgspec import Struct

from flowwarden.errors import PublishFailed


class DeliveryReport(Struct, frozen=True, kw_only=True):
    """The outcome for some alerts. The report of a run is the sum over alerts and sinks."""

    sent: tuple[str, ...] = ()
    """Keys of the incidents that were sent, once per sink."""
    published: int = 0
    """Notifications that sinks accepted. One about several incidents counts once."""
    suppressed: tuple[str, ...] = ()
    """Titles of repeats that were not sent."""
    known: tuple[str, ...] = ()
    """Keys of the incidents that were not sent because they were sent before, once per sink."""
    repeated: int = 0
    """Suppressed alerts that another attempt at the same batch sent."""
    in_progress: int = 0
    """Suppressed alerts that another batch is about to send, but has not sent."""
    rolled_up: tuple[str, ...] = ()
    """Titles of alerts that a roll-up covers."""
    held: tuple[str, ...] = ()
    """Titles of alerts that were not sent singly, because the budget for pages is spent, once per sink."""
    unsent: tuple[str, ...] = ()
    """Titles of alerts that were not sent, with the reason. If there are any, the run must be retried."""
    refused: tuple[str, ...] = ()
    """Titles of alerts that a sink refused, with the reason. They are not sent there again, and count as
    `known`."""
    to_repeat: tuple[tuple[str, str], ...] = ()
    """Keys and titles, with the reason, of refused alerts that their sender tries again later."""
    state_unavailable: int = 0
    """Failed calls to the state table."""

    def __add__(self, other: DeliveryReport) -> DeliveryReport:
        """The sum of both reports, in this order."""
        return DeliveryReport(
            **{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__}
        )

    @property
    def is_final(self) -> bool:
        """Whether all alerts are out, sent by this run or an earlier one: only then may they be forgotten."""
        return not (self.unsent or self.in_progress or self.to_repeat)

    def raise_if_unsent(self) -> None:
        """Raise an error if a notification was not sent, so that Lambda retries the run.

        Sent notifications are marked as sent, so the retry does not repeat them.

        Raises:
            PublishFailed: at least one notification was not sent.
        """
        if self.unsent:
            raise PublishFailed(
                f"{len(self.unsent)} notification(s) not sent, the run will be retried: {self.unsent[0]}"
            )
