"""`flowwarden plan`: what the deployed enforcer would do, without doing it.

It is the enforcer's own service on the same account, told to plan only: it reads, and changes nothing,
remembers nothing, sends nothing.
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
PATIENCE_SECONDS: Final = 600


class Question(Struct, frozen=True, kw_only=True):
    """What is asked."""

    stack: str
    region: str | None = None
    policy: Path | None = None
    """Instead of the deployed one: what would it change?"""
    settings: Path | None = None
    """Variables of the enforcer as a JSON object, instead of those of the deployed function."""
    as_json: bool = False


class Patience:
    """A person's time."""

    def __init__(self) -> None:
        self._end = time.monotonic() + PATIENCE_SECONDS

    def remaining(self) -> float:
        """Seconds that are left."""
        return self._end - time.monotonic()

    def wait(self, seconds: float) -> None:
        """Let some time pass."""
        time.sleep(seconds)


def run(
    question: Question, console: Console, wired: Callable[[EnforcerSettings], EnforcerPorts] | None = None
) -> int:
    """Print the plan; return the exit code.

    Args:
        question: what is asked.
        console: where to print.
        wired: how to come by AWS; by default as the settings say.
    """
    try:
        settings = read_settings(question)
        aws = wired(settings) if wired else on_aws(settings, Patience())
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
    """What the enforcer is told, with what the question says instead. Raises SettingsError."""
    told: Mapping[str, str]
    try:
        if question.settings is not None:
            told = msgspec.json.decode(question.settings.read_bytes(), type=dict[str, str])
        else:
            region = question.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
            told = enforcer_environment(question.stack, region)
        settings = EnforcerSettings.from_mapping(told)
        if question.policy is not None:
            settings = replace(settings, policy=question.policy.read_text())
    except OSError as error:
        raise SettingsError(str(error)) from error
    except UnicodeDecodeError as error:
        files = " or ".join(str(each) for each in (question.settings, question.policy) if each is not None)
        raise SettingsError(f"{files}: {error}; write UTF-8 text") from error
    except msgspec.DecodeError as error:
        raise SettingsError(f"{question.settings}: {error}; write an object of variables") from error
    return settings
