"""`flowwarden plan`: prints what the enforcer would do, deployed or not, without doing it.

It runs the enforcer's own service on the same account in dry-run mode: it only reads, and it neither changes
nor stores nor sends anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from flowwarden.aws.cloudformation import enforcer_environment
from flowwarden.aws.identity import Identity, identity
from flowwarden.bootstrap import undeployed
from flowwarden.bootstrap.deployment import check_policy
from flowwarden.bootstrap.enforcer import build, on_aws, stack_of
from flowwarden.bootstrap.policy import text_on_aws
from flowwarden.enforcer.ports import EnforcerPorts
from flowwarden.enforcer.reporting import plan_output
from flowwarden.enforcer.reporting.report import EnforcementReport
from flowwarden.enforcer.triggers.trigger import RunKind, Trigger
from flowwarden.errors import FlowWardenError, NotDeployed, SettingsError, StackDenied
from flowwarden.parameters import PARAMETERS, POLICY, with_defaults
from flowwarden.settings import EnforcerSettings
from flowwarden_cli.commands import document_file
from flowwarden_cli.commands.command import SUCCEEDED
from flowwarden_cli.commands.stack import region_of
from flowwarden_cli.terminal.console import Console

INCOMPLETE: Final = 1
TIMEOUT_SECONDS: Final = 600


class PlanOptions(Struct, frozen=True, kw_only=True):
    """The options of the command."""

    stack: str
    region: str | None = None
    policy: Path | None = None
    """A file with a policy to plan with, instead of the deployed one; `-` for standard input."""
    settings: Path | None = None
    """A file with the enforcer's environment variables as a JSON object, instead of those of the deployed
    function; `-` for standard input."""
    defaults: bool = False
    """Whether to plan as if the stack were not deployed, without looking for it."""
    parameters: Mapping[str, str] = {}
    """Parameters of the template, instead of their defaults or deployed values."""
    as_json: bool = False


class Deadline:
    """The time limit of the command, as a `RunClock`."""

    def __init__(self) -> None:
        self._end = time.monotonic() + TIMEOUT_SECONDS

    def remaining(self) -> float:
        """Seconds until the limit."""
        return self._end - time.monotonic()

    def wait(self, seconds: float) -> None:
        """Sleep for some seconds."""
        time.sleep(seconds)


class Lookups(Struct, frozen=True, kw_only=True):
    """The look-ups in AWS before the plan."""

    environment: Callable[[str, str | None], Mapping[str, str]] = enforcer_environment
    """The environment variables of a stack's enforcer. Raises NotDeployed, SettingsError."""
    policy: Callable[[str, str], str] = text_on_aws
    """The policy in an AppConfig profile of a Region. Raises PolicyUnavailable."""
    identity: Callable[[str | None], Identity] = identity
    """The account and Region of the credentials. Raises SettingsError."""


ON_AWS: Final = Lookups()


class Basis(Struct, frozen=True, kw_only=True):
    """The settings and assumptions that a plan is based on."""

    settings: EnforcerSettings
    is_deployed: bool
    notes: tuple[str, ...] = ()
    """What was assumed, one sentence for each assumption."""


def run(
    options: PlanOptions,
    console: Console,
    wired: Callable[[EnforcerSettings], EnforcerPorts] | None = None,
    lookups: Lookups | None = None,
) -> int:
    """Print the plan; return the exit code.

    Args:
        options: the options.
        console: where to print.
        wired: creates the ports; by default on AWS, from the settings.
        lookups: finds the deployed settings, and the account; by default on AWS.
    """
    try:
        basis = read_basis(options, lookups or ON_AWS, console)
        ports = wired(basis.settings) if wired else _on_aws(basis)
        obstacles = () if basis.is_deployed else undeployed.obstacles(ports, basis.settings)
        if not basis.is_deployed:
            ports = undeployed.assumed(ports, stack_of(basis.settings))
        service = build(basis.settings, ports, dry_run=True)
    except FlowWardenError as error:
        console.report(f"error: {error}")
        return INCOMPLETE
    basis = replace(basis, notes=(*basis.notes, *obstacles))
    now = int(console.now())
    trigger = Trigger(kind=RunKind.SWEEP, reason="flowwarden plan", happened_at=now, idempotency_key="plan")
    report = service.reconcile(trigger, now)
    if options.as_json:
        console.print_document(plan_output.as_document(report, basis.notes))
    else:
        console.print(_text(basis, report).rstrip("\n"))
    return INCOMPLETE if report.failures or report.problems or obstacles else SUCCEEDED


def _on_aws(basis: Basis) -> EnforcerPorts:
    return (on_aws if basis.is_deployed else undeployed.on_aws)(basis.settings, Deadline())


def _text(basis: Basis, report: EnforcementReport) -> str:
    return "\n".join([*basis.notes, *([""] if basis.notes else []), plan_output.as_text(report)])


def read_basis(options: PlanOptions, lookups: Lookups, console: Console) -> Basis:
    """The enforcer's settings, with the overrides of the options. Raises FlowWardenError."""
    text = None if options.policy is None else document_file.text_of(options.policy, console)
    if options.defaults:
        return _undeployed(options, text, lookups, "Planned as if the stack were not deployed,", console)
    try:
        environment = _environment(options, lookups, console)
    except NotDeployed:
        return _undeployed(options, text, lookups, f"Stack {options.stack} is not deployed. Planned", console)
    except StackDenied as error:
        raise SettingsError(f"{error}; --defaults plans without looking for a stack") from error
    with_defaults(options.parameters)
    given = {PARAMETERS[name].variable: value for name, value in options.parameters.items()}
    file = "" if options.settings is None else str(options.settings)
    settings = EnforcerSettings.from_mapping({**environment, **{k: v for k, v in given.items() if k}}, file)
    if text is None and settings.policy_profile:
        text = lookups.policy(settings.policy_profile, settings.aws_region)
    settings = settings if text is None else replace(settings, policy=text)
    return Basis(settings=settings, is_deployed=True)


def _undeployed(
    options: PlanOptions, text: str | None, lookups: Lookups, why: str, console: Console
) -> Basis:
    """The basis of a plan before the deployment."""
    # Without the line breaks at its end, as in a deployment with `Policy="$(cat FILE)"`.
    given = dict(options.parameters) | ({} if text is None else {POLICY: text.rstrip("\r\n")})
    needs = check_policy(given.get(POLICY, PARAMETERS[POLICY].default), given, int(console.now()))
    named = [each for each in given if each != POLICY] + (["the policy"] if POLICY in given else [])
    but = f", except {', '.join(named)}" if named else ""
    settings = undeployed.settings_of(options.stack, lookups.identity(region_of(options.region)), given)
    return Basis(
        settings=settings,
        is_deployed=False,
        notes=(
            f"{why} with the template's default parameters{but}.",
            f"The deployment creates the log group {settings.flow_log_group_name} and the delivery role.",
            *needs,
        ),
    )


def _environment(options: PlanOptions, lookups: Lookups, console: Console) -> Mapping[str, str]:
    if options.settings is None:
        return lookups.environment(options.stack, region_of(options.region))
    try:
        return msgspec.json.decode(document_file.text_of(options.settings, console), type=dict[str, str])
    except msgspec.DecodeError as error:
        raise SettingsError(
            f"{options.settings}: {error}; write a JSON object that maps each variable to a string"
        ) from error
