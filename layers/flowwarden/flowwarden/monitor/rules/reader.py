"""Reads with a cache of one minute, and pauses after a service did not answer or throttled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flowwarden.errors import RulesUnavailable

FRESH_SECONDS: Final = 60
"""For how long an answer is used again: several pages of a batch ask the same."""
PAUSE_SECONDS: Final = 60
"""For how long a container asks nothing after a request that hung or was throttled."""
MOST: Final = 256
"""Answers in memory; beyond that, the oldest are dropped."""

type Key = tuple[object, ...]


class Reader:
    """One per container and service."""

    def __init__(self) -> None:
        self._answers: dict[Key, tuple[int, Any]] = {}
        """With the Unix seconds until which they are used."""
        self._paused_until = 0
        self._why = ""

    def read[Read](self, key: Key, ask: Callable[[], Read], now: int) -> Read:
        """The answer in memory, or a new one.

        Args:
            key: what is asked.
            ask: asks the service; may raise RulesUnavailable.
            now: Unix seconds.

        Raises:
            RulesUnavailable: the service did not answer, or did not answer within the last minute.
        """
        until, answer = self._answers.get(key, (0, None))
        if now < until:
            found: Read = answer
            return found
        if now < self._paused_until:
            raise RulesUnavailable(self._why)
        return self._keep(key, self._asked(ask, now), now)

    def _asked[Read](self, ask: Callable[[], Read], now: int) -> Read:
        try:
            return ask()
        except RulesUnavailable as error:
            if error.lasts:
                self._paused_until, self._why = now + PAUSE_SECONDS, str(error)
            raise

    def _keep[Read](self, key: Key, answer: Read, now: int) -> Read:
        self._answers.pop(key, None)
        self._answers[key] = now + FRESH_SECONDS, answer
        while len(self._answers) > MOST:
            del self._answers[next(iter(self._answers))]
        return answer
