"""Reads the policy that the functions use, and the mutes made by command, for `flowwarden doctor`."""

from __future__ import annotations

from functools import partial

from flowwarden.aws.caller import is_denied
from flowwarden.aws.caller_errors import DENIED
from flowwarden.aws.doctor.reading import fact
from flowwarden.aws.dynamodb.mutes import DynamoDbMutes
from flowwarden.aws.dynamodb.policy import DynamoDbPolicy
from flowwarden.bootstrap.installed import Installed
from flowwarden.bootstrap.policy import source_on_aws
from flowwarden.doctor.fact import Fact, Unread
from flowwarden.doctor.facts import FunctionState
from flowwarden.errors import PolicyUnavailable
from flowwarden.policy.last_good import PolicyInUse, choose
from flowwarden.policy.made_mutes import MadeMute


def policy_in_use(found: Installed, monitor: Fact[FunctionState]) -> Fact[PolicyInUse]:
    """The policy that the monitor uses, by its environment.

    The caller's credentials read an AppConfig profile, so a refusal is no problem of the stack.
    """
    if monitor is None or isinstance(monitor, Unread):
        return monitor
    text, profile = monitor.variables.get("POLICY", ""), monitor.variables.get("POLICY_PROFILE", "")
    source = source_on_aws(profile, found.place.region)
    if source is not None:
        try:
            source.text()
        except PolicyUnavailable as error:
            if isinstance(error.__cause__, Exception) and is_denied(error.__cause__):
                return Unread(f"{error}; {DENIED}")
    return found.named(
        "StateTable",
        lambda table: fact(
            "BatchGetItem",
            lambda: choose(text, DynamoDbPolicy(found.clients("dynamodb"), table), source),
        ),
    )


def made_mutes(found: Installed) -> Fact[tuple[MadeMute, ...]]:
    """The mutes made by command that have not ended."""
    return found.named("StateTable", lambda table: fact("Query", partial(_made, found, table)))


def _made(found: Installed, table: str) -> tuple[MadeMute, ...]:
    return tuple(DynamoDbMutes(found.clients("dynamodb"), table).load(found.place.now))
