"""What was read of the account: a value, None if it does not exist, or why it is unknown."""

from __future__ import annotations

from msgspec import Struct


class Unread(Struct, frozen=True):
    """A fact that could not be read, usually because the caller lacks a permission."""

    reason: str


type Fact[T] = T | Unread | None
"""None: AWS answered that it does not exist."""


def known[T](fact: Fact[T], otherwise: T) -> T:
    """The value of a fact; `otherwise` if it does not exist or could not be read."""
    return otherwise if fact is None or isinstance(fact, Unread) else fact
