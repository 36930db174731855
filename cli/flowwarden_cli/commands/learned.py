"""`flowwarden baseline`: prints or removes what a deployed stack has learned of its roles."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import Final

from flowwarden.aws.cloudformation import enforcer_environment
from flowwarden.bootstrap.baseline import BaselinePorts, on_aws
from flowwarden.errors import FlowWardenError
from flowwarden.monitor.baseline.known_roles import KnownRole
from flowwarden.monitor.review.rows import date
from flowwarden.monitor.review.text import as_document, as_text
from flowwarden.monitor.review.whole import whole
from flowwarden.notify.text import plural
from flowwarden.printable import one_line
from flowwarden.state.schema import KNOWN_ROLES
from flowwarden.state.sets import DAY
from flowwarden_cli.commands.command import SUCCEEDED, UNREADABLE
from flowwarden_cli.commands.stack import region_of
from flowwarden_cli.terminal.console import Console

_NOTHING: Final = "No role is known yet: the monitor stores a role when it first sees traffic of its hosts."
_LATER: Final = (
    "Containers of the monitor use the data that they have read for up to 6 hours. What they have already "
    "stored today, they do not store again before tomorrow."
)


def run(
    options: Namespace, console: Console, wired: Callable[[Mapping[str, str]], BaselinePorts] | None = None
) -> int:
    """Run the action; return the exit code.

    Args:
        options: `action`, `stack`, `region`, `role` and `json`.
        console: where to print.
        wired: creates the ports from the environment of the stack's enforcer; by default on AWS.
    """
    try:
        ports = wired({}) if wired else on_aws(enforcer_environment(options.stack, region_of(options.region)))
        known = {each.role: each for each in ports.roles.load()}
        if options.role is not None and options.role not in known:
            console.report(
                f"error: no role {options.role!r} is known; flowwarden baseline show lists the roles"
            )
            return UNREADABLE
        show = options.action == "show"
        (_show if show else _forget)(options, console, ports, known)
    except FlowWardenError as error:
        console.report(f"error: {error}")
        return UNREADABLE
    return SUCCEEDED


def _show(options: Namespace, console: Console, ports: BaselinePorts, known: Mapping[str, KnownRole]) -> None:
    today = int(console.now()) // DAY
    only = None if options.role is None else [options.role]
    review = whole([*known.values()], ports.evidence, today, only)
    if options.json:
        document = {
            "account": ports.account, "region": ports.region, "until": date(today),
            "roles": as_document(review),
        }  # fmt: skip
        console.print_document(document)
        return
    console.print(f"What is learned in account {one_line(ports.account)}, region {one_line(ports.region)}")
    console.print("")
    console.print(str(as_text(review)).rstrip("\n") or _NOTHING)


def _forget(
    options: Namespace, console: Console, ports: BaselinePorts, known: Mapping[str, KnownRole]
) -> None:
    now = int(console.now())
    before = known[options.role]
    begun = KnownRole(
        role=before.role,
        known=now // DAY,
        networks=before.networks,
        expires_at=KNOWN_ROLES.kept_until(now),
    )
    count = ports.forgetting.forget(begun)
    console.print(f"Role {one_line(before.role)}: {plural(count, 'item')} removed; it is learned again.")
    console.print(_LATER)
