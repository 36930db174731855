"""When the garbage of a replay is collected."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def collected_by_slice() -> Iterator[Callable[[], object]]:
    """Garbage is collected after a slice only, by the function that this yields.

    The objects of a slice live as long as it does. Looking for garbage among them takes a tenth of the time.
    """
    gc.disable()
    try:
        yield lambda: gc.collect(0)
    finally:
        gc.enable()
