"""A bounded memory of what tokens mean: a token is converted on first sight only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

LIMIT: Final = 2**16
"""Tokens remembered; beyond it all are forgotten, which costs time but never changes a result."""
LONGEST: Final = 64
"""Characters of the longest token remembered, so that a flood of long ones cannot fill the memory."""


class Memo[Value](dict[str, Value]):
    """Looks tokens up with `memo[token]`, which raises what the converter raises for a token."""

    def __init__(self, converter: Callable[[str], Value]) -> None:
        super().__init__()
        self._converter = converter

    def __missing__(self, token: str) -> Value:
        value = self._converter(token)
        if len(token) <= LONGEST:
            if len(self) >= LIMIT:
                self.clear()
            self[token] = value
        return value
