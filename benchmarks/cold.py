"""Starts the monitor like Lambda and prints the milliseconds of each part as JSON.

A program for a fresh process, `python benchmarks/cold.py [uncompiled]`: it imports almost nothing before the
clock starts. With `uncompiled`, Python finds no bytecode for modules imported after boto3, as in a layer that
was built without bytecode: on Lambda, compiled bytecode is lost when the container ends.
"""

from __future__ import annotations

import os
import sys
import time

_BEGIN = time.perf_counter()

import boto3  # noqa: E402 -- the import is measured

_SDK = time.perf_counter()


def _main() -> dict[str, float]:
    if "uncompiled" in sys.argv:
        sys.pycache_prefix = "no-such-folder"
        sys.dont_write_bytecode = True
    clients = 0.0
    make_client = boto3.Session.client

    def timed_client(*args: object, **kwargs: object) -> object:
        nonlocal clients
        begin = time.perf_counter()
        client = make_client(*args, **kwargs)  # type: ignore[call-overload]  # passes its arguments on
        clients += time.perf_counter() - begin
        return client

    boto3.Session.client = timed_client  # type: ignore[method-assign, assignment]  # measures it
    begin = time.perf_counter()
    import monitor  # noqa: PLC0415 -- the import is measured

    imported = time.perf_counter()
    monitor.wire()
    _make_reader()
    wired = time.perf_counter()
    usual = clients
    boto3.Session().client("ec2")
    return {
        "boto3": _SDK - _BEGIN,
        "monitor": imported - begin,
        "wiring": wired - imported - usual,
        "clients": usual,
        "ec2_client": clients - usual,
    }


def _make_reader() -> None:
    """The reader of a log group, which the monitor creates for the group's first batch."""
    from flowwarden.records.columnar.reader import ColumnarReader  # noqa: PLC0415
    from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat  # noqa: PLC0415

    ColumnarReader((LogFormat.parse(os.environ["LOG_FORMAT"]), DEFAULT_LOG_FORMAT))


if __name__ == "__main__":
    _MEASURED = {name: 1000 * seconds for name, seconds in _main().items()}
    import json

    print(json.dumps(_MEASURED))
