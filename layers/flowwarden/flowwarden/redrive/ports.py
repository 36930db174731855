"""A failure queue and a function, as Protocols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from msgspec import Struct

ANSWER_SECONDS: Final = 330
"""How long an invocation may take: longer than the longest timeout of a function in the template."""
HIDDEN_SECONDS: Final = 400
"""How long a received message stays hidden: longer than an invocation, with the waits of one that is
throttled. After a crash, the message becomes visible again by then at the latest."""


class QueuedMessage(Struct, frozen=True, kw_only=True):
    """A received message, which is hidden from other receivers for `HIDDEN_SECONDS`."""

    message_id: str
    receipt: str
    """What deletes or releases it; each receipt of a message is another one."""
    body: str
    attributes: Mapping[str, str] = {}
    """The attributes that its sender set."""
    sent_at: int | None = None
    """Unix seconds; None if unknown."""


class FailureQueue(Protocol):
    """A queue of failed events. All methods raise CallRefused and CallFailed."""

    def receive(self) -> QueuedMessage | None:
        """Hide a message and return it; None if no message is visible."""

    def delete(self, message: QueuedMessage) -> None:
        """Remove a received message for good."""

    def release(self, message: QueuedMessage) -> None:
        """Make a received message visible again."""


class Function(Protocol):
    """A deployed function."""

    def invoke(self, payload: bytes) -> str:
        """Run the function once with a payload, and wait for its end.

        Returns:
            '' if it succeeded; otherwise its error, or why this payload is refused.

        Raises:
            CallRefused: the call is not possible with any payload, for example for lack of a permission.
            CallFailed: the function was not reached or did not answer; it may have run.
        """
