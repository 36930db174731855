"""The log of a function, captured."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from aws_lambda_powertools import Logger


@contextmanager
def captured(logger: Logger, *, metrics: bool = False) -> Iterator[io.StringIO]:
    """What a function's logger writes in this context; with `metrics`, its standard output, too."""
    stream, handler = io.StringIO(), logger.registered_handler
    if not isinstance(handler, logging.StreamHandler):
        raise TypeError("a function logs to a stream")
    before = handler.setStream(stream)
    try:
        with redirect_stdout(stream if metrics else sys.stdout):
            yield stream
    finally:
        handler.setStream(before or sys.stdout)
