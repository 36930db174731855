"""`flowwarden plan`: prints what the deployed enforcer would do, without doing it.

It runs the enforcer's own service on the same account in dry-run mode: it only reads, and neither changes,
stores nor sends anything.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from flowwarden.aws.cloudformation import enforcer_environment
from flowwarden.bootstrap.enforcer import build, on_aws
from flowwarden.enforcer.ports import EnforcerPorts
from flowwarden.enforcer.reporting import plan_output
from flowwarden.enforcer.triggers.trigger import RunKind, Trigger
from flowwarden.errors import FlowWardenError, SettingsError
from flowwarden.settings import EnforcerSettings
from flowwarden_cli.commands.command import FINE
from flowwarden_cli.terminal.console import Console

NOT_SEEN: Final = 1
TIMEOUT_SECONDS: Final = 600


class Question(Struct, frozen=True, kw_only=True):
    """The options of the command."""

    stack: str
    region: str | None = None
    policy: Path | None = None
    """A policy to plan with, instead of the deployed one."""
    settings: Path | None = None
    """The enforcer's environment variables as a JSON object, instead of those of the deployed function."""
    as_json: bool = False


class Deadline:
    """The time limit of the command."""

    def __init__(self) -> None:
        self._end = time.monotonic() + TIMEOUT_SECONDS

    def remaining(self) -> float:
        """Seconds until the limit."""
        return self._end - time.monotonic()

    def wait(self, seconds: float) -> None:
        """Sleep for some seconds."""
        time.sleep(seconds)


def run(
    question: Question, console: Console, wired: Callable[[EnforcerSettings], EnforcerPorts] | None = None
) -> int:
    """Print the plan; return the exit code.

    Args:
        question: the options.
        console: where to print.
        wired: creates the ports; by default on AWS, from the settings.
    """
    try:
        settings = read_settings(question)
        aws = wired(settings) if wired else on_aws(settings, Deadline())
        service = build(settings, aws, dry_run=True)
    except FlowWardenError as error:
        console.report(f"error: {error}")
        return NOT_SEEN
    now = int(console.now())
    trigger = Trigger(kind=RunKind.SWEEP, reason="flowwarden plan", happened_at=now, idempotency_key="plan")
    report = service.reconcile(trigger, now)
    text = plan_output.as_json(report).decode() if question.as_json else plan_output.as_text(report)
    console.print(text.rstrip("\n"))
    return NOT_SEEN if report.failures or report.troubles else FINE


def read_settings(question: Question) -> EnforcerSettings:
    """The enforcer's settings, with the overrides of the options. Raises SettingsError."""
    settings = EnforcerSettings.from_mapping(_environment(question))
    return settings if question.policy is None else replace(settings, policy=_text(question.policy))


def _environment(question: Question) -> Mapping[str, str]:
    if question.settings is None:
        region = question.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        return enforcer_environment(question.stack, region)
    try:
        return msgspec.json.decode(_text(question.settings), type=dict[str, str])
    except msgspec.DecodeError as error:
        raise SettingsError(
            f"{question.settings}: {error}; write a JSON object that maps each variable to a string"
        ) from error


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise SettingsError(
            f"{path}: {error.strerror or error}; check the path and its permissions"
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: is not UTF-8; save the file as UTF-8") from error
