"""Invokes the handler with one event, in a separate process: `python -m benchmarks.loud.invocation`.

Reads a task from standard input; prints `ready` before the event and the measurement after it. The handler's
log goes to standard error.
"""

from __future__ import annotations

import gc
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from benchmarks.loud.batches import BATCHES, fitted
from benchmarks.loud.measured_container import MeasuredContainer
from flowwarden.aws.clients import make_client

_STATUS: Final = Path("/proc/self/status")
_KIBI: Final = 1024
_WARM_UP: Final = "noise"


class Task(Struct, frozen=True):
    """The invocation to measure."""

    batch: str
    event: dict[str, Any]
    seconds: float
    """The function's timeout."""
    share: float
    """The function's share of a core."""


class Measurement(Struct, frozen=True, kw_only=True):
    """The measurement of one invocation."""

    seconds: float
    """From the event to the result on the share of a core: processor time divided by the share, plus
    waiting."""
    processor: float
    """Seconds of processor time."""
    memory: int
    """Peak bytes of the process; 0 if the system does not report them."""
    writes: int
    reads: int
    ec2: int
    pages: int
    findings: int
    failed: str = ""
    """The error that the invocation ended with."""


def peak_memory() -> int:
    """Peak bytes of this process."""
    if not _STATUS.exists():
        return 0
    (kibibytes,) = re.findall(r"^VmHWM:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
    return int(kibibytes) * _KIBI


def container(
    *, described: bool, share: float = 1.0, wait: Callable[[float], None] = time.sleep
) -> MeasuredContainer:
    """A warm container, with the clients that the function has."""
    measured = MeasuredContainer(described=described, share=share, wait=wait)
    measured.clients = [
        make_client(name, "us-east-1", attempts=1, read_timeout=1) for name in ("dynamodb", "sns", "ec2")
    ]
    event, _ = fitted(BATCHES[_WARM_UP].lines(measured.layout), 2**16)
    measured.invoke(event, 60)
    return measured


def _main() -> None:
    results = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    here = container(described=BATCHES[task.batch].described, share=task.share)
    before = dict(here.calls.counts)
    gc.collect()
    print("ready", file=results, flush=True)
    begin, used, failed, result = here.clock(), time.process_time(), "", dict[str, Any]()
    try:
        result = here.invoke(task.event, task.seconds)
    except Exception as error:  # noqa: BLE001 - the measurement contains the error
        failed = f"{type(error).__name__}: {error}"[:200]
    measured = Measurement(
        seconds=here.clock() - begin,
        processor=time.process_time() - used,
        memory=peak_memory(),
        findings=result.get("Findings", 0),
        failed=failed,
        **{name: value - before[name] for name, value in here.calls.counts.items()},
    )
    print(msgspec.json.encode(measured).decode(), file=results, flush=True)


if __name__ == "__main__":
    _main()
