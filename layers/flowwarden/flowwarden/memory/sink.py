"""A sink in memory."""

from __future__ import annotations

from flowwarden.notify.notification import Notification


class MemorySink:
    """Stores notifications until they are taken."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._sent: list[Notification] = []

    def send(self, notification: Notification) -> None:
        """See the port."""
        self._sent.append(notification)

    def take(self) -> list[Notification]:
        """The notifications since the last call."""
        sent, self._sent = self._sent, []
        return sent
