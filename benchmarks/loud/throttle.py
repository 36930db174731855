"""Runs a process on a share of a core, as Lambda does: once it has used its share of a period, it is paused.

Lambda's share is its memory divided by 1,769 MB (Lambda developer guide, "Configure memory").
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Final

MB_PER_CORE: Final = 1769
PERIOD: Final = 0.1
"""Seconds. Linux's default for a quota."""
_POLL_SECONDS: Final = 0.002
_NANO: Final = 1e9


def share_of(megabytes: int) -> float:
    """The share of a core that a function of this memory has."""
    return min(1.0, megabytes / MB_PER_CORE)


def period(pid: int, share: float) -> None:
    """Let a process run for one period, on this share of a core."""
    begin, before = time.monotonic(), _used(pid)
    os.kill(pid, signal.SIGCONT)
    while time.monotonic() - begin < PERIOD:
        if _spent(pid, before, begin) >= share * PERIOD:
            os.kill(pid, signal.SIGSTOP)
            time.sleep(max(0.0, begin + PERIOD - time.monotonic()))
            return
        time.sleep(_POLL_SECONDS)


def release(pid: int) -> None:
    """Let the process run without a limit."""
    os.kill(pid, signal.SIGCONT)


def _spent(pid: int, before: float | None, begin: float) -> float:
    used = _used(pid)
    return time.monotonic() - begin if used is None or before is None else used - before


def _used(pid: int) -> float | None:
    """Seconds of processor time of the process; None if the system does not report them."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / _NANO
    except (OSError, ValueError, IndexError):
        return None
