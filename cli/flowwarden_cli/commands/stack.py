"""The options `--stack` and `--region`, which name a deployed stack."""

from __future__ import annotations

import os
from argparse import ArgumentParser


def add_options(command: ArgumentParser) -> None:
    """Add both options to a command."""
    command.add_argument(
        "--stack", default="flow-warden", metavar="NAME", help="the stack (default: flow-warden)"
    )
    command.add_argument(
        "--region",
        metavar="REGION",
        help="the Region of the stack (default: that of the environment or the AWS profile)",
    )


def region_of(given: str | None) -> str | None:
    """The Region of the option or of the environment; None if the AWS profile decides."""
    return given or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
