"""Calls to the state table that are made once more if they fail."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from flowwarden.errors import StateUnavailable

ATTEMPTS: Final = 2
"""In each of them, the client already repeats what is throttled or not answered."""


def answer[T](call: Callable[[], T]) -> T | None:
    """The table's answer to a call, None if no attempt succeeds."""
    for _ in range(ATTEMPTS):
        with suppress(StateUnavailable):
            return call()
    return None


def answered(call: Callable[[], object]) -> bool:
    """Whether an attempt at a call without an answer succeeds."""
    return answer(lambda: (call(),)) is not None
