"""What a cold start costs: the import of the monitor, in fresh processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Final

from msgspec import Struct

from benchmarks.layouts import log_format

_PROJECT: Final = Path(__file__).parents[1]
_PATHS: Final = "layers/flowwarden", "functions/monitor"


class ColdStart(Struct, frozen=True):
    """Milliseconds, the median of several processes."""

    boto3: float
    """Importing boto3 alone, which comes before all else."""
    monitor: float
    """Importing the handler's module when boto3 is there."""
    wiring: float
    """Settings, policy, reader and service, without the clients."""
    clients: float
    """Making the clients of DynamoDB and SNS: botocore reads the services' models."""
    ec2_client: float
    """Making a client of EC2, which is needed when a log group's format is not known yet."""

    @property
    def ready(self) -> float:
        """From boto3's import to a handler that can take an event, without the clients."""
        return self.monitor + self.wiring


def measure(repeats: int, *, compiled: bool) -> ColdStart:
    """Start the monitor so many times, with Python's bytecode of the layers or without it."""
    arguments = [] if compiled else ["uncompiled"]
    _start([])  # so that there is bytecode, and the files are in memory
    measured = [_start(arguments) for _ in range(repeats)]
    return ColdStart(**{name: median(each[name] for each in measured) for name in measured[0]})


def _start(arguments: list[str]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, str(_PROJECT / "benchmarks" / "cold.py"), *arguments],
        env=_environment(),
        capture_output=True,
        check=True,
        text=True,
    )
    times: dict[str, float] = json.loads(done.stdout)
    return times


def _environment() -> dict[str, str]:
    """What Lambda sets and the template gives; the credentials are nobody's and are never used."""
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
