"""When the garbage of a replay is collected."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Final

SLICES: Final = 8
"""Slices after which garbage is collected: their lines and tables have no cycles, and are freed at once."""


@contextmanager
def collected_rarely() -> Iterator[Callable[[], object]]:
    """Garbage is collected after every eighth slice only, by the function that this yields.

    The objects of a slice live as long as it does. Looking for garbage among them takes a tenth of the time.
    """
    numbers = count(1)
    gc.disable()
    try:
        yield lambda: next(numbers) % SLICES or gc.collect(0)
    finally:
        gc.enable()
