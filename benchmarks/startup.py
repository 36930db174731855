"""The time of a cold start: importing the monitor, in fresh processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Final

import msgspec
from msgspec import Struct

from benchmarks.layouts import log_format

_PROJECT: Final = Path(__file__).parents[1]
_PATHS: Final = "layers/flowwarden", "functions/monitor"


class ColdStart(Struct, frozen=True):
    """Milliseconds, the median of several processes."""

    boto3: float
    """Importing boto3 only, before everything else."""
    monitor: float
    """Importing the handler's module after boto3."""
    wiring: float
    """Settings, policy, reader and service, without the clients."""
    clients: float
    """Creating the clients of DynamoDB and SNS: botocore reads the services' models."""
    ec2_client: float
    """Creating a client of EC2, which is needed if a log group's format is not known yet."""

    @property
    def ready(self) -> float:
        """From boto3's import to a handler that is ready for an event, without the clients."""
        return self.monitor + self.wiring


def measure(repeats: int, *, compiled: bool) -> ColdStart:
    """Start the monitor several times, with or without the layers' bytecode."""
    once(compiled=True)  # warm-up: creates bytecode and caches the files
    measured = [once(compiled=compiled) for _ in range(repeats)]
    names = ColdStart.__struct_fields__
    return ColdStart(**{name: median(getattr(each, name) for each in measured) for name in names})


def once(*, compiled: bool) -> ColdStart:
    """Start the monitor in a fresh process, whether or not its files are in the system's cache."""
    done = subprocess.run(
        [sys.executable, str(_PROJECT / "benchmarks" / "cold.py"), *([] if compiled else ["uncompiled"])],
        env=_environment(),
        capture_output=True,
        check=True,
        text=True,
    )
    return msgspec.json.decode(done.stdout, type=ColdStart)


def _environment() -> dict[str, str]:
    """The variables set by Lambda and the template; the credentials are fake and never used."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": os.pathsep.join(str(_PROJECT / path) for path in _PATHS),
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "example",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_LAMBDA_FUNCTION_NAME": "monitor",
        "LOG_FORMAT": log_format(),
        "PAGES_TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:pages",
        "OPERATIONS_TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:operations",
        "STATE_TABLE": "state",
    }
