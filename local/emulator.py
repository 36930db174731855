"""Runs ministack, the AWS emulator, in its own environment; `server` starts this program.

ministack reads what a function logs until no line has arrived for 5 ms. On a busy machine the last line,
which has the metrics, can arrive later: it is then missing in the log of its invocation. This program makes
ministack wait longer.
"""

from __future__ import annotations

import runpy
from typing import Final

from ministack.core.lambda_runtime import Worker

FIRST_LINE_SECONDS: Final = 0.05
"""How long to wait for the first line; as in ministack."""
IDLE_SECONDS: Final = 0.05
"""The time without a new line after which the log is complete."""
MOST_SECONDS: Final = 1.0
"""How long to wait for a log at most."""


def main() -> None:
    """Run ministack with other waiting times, until it is stopped."""
    Worker._drain_stderr_bounded.__defaults__ = (FIRST_LINE_SECONDS, IDLE_SECONDS, MOST_SECONDS)  # noqa: SLF001  # no setting for it
    runpy.run_module("ministack", run_name="__main__")


if __name__ == "__main__":
    main()
