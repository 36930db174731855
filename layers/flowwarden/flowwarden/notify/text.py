"""Counts with nouns, for the texts of both functions. Pure."""

from __future__ import annotations


def plural(count: int, noun: str) -> str:
    """`1 packet`, `2 packets`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def counted(count: int | None, noun: str) -> str:
    """`2 packets`; `packets unknown` if the count is None."""
    return f"{noun}s unknown" if count is None else plural(count, noun)
