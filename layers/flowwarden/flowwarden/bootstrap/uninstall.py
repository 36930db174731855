"""Finds an installation for `flowwarden uninstall`, also one that is already half deleted."""

from __future__ import annotations

from typing import Final

from flowwarden.aws.doctor.functions import FunctionReader
from flowwarden.aws.doctor.stack import own_client
from flowwarden.aws.removal import Installation, Known
from flowwarden.bootstrap.doctor_policy import policy_in_use
from flowwarden.bootstrap.installed import OWN_GROUP, Installed, MakeClient, installed, named_stack
from flowwarden.doctor.checks.rules import function_of
from flowwarden.doctor.fact import Unread
from flowwarden.doctor.groups import patterns_of
from flowwarden.errors import CallRefused
from flowwarden.policy.last_good import PolicyInUse

MONITOR: Final = "MonitorFunction"
ENFORCER: Final = "EnforcerFunction"
TABLE: Final = "StateTable"


def on_aws(stack: str, region: str | None, now: int, clients: MakeClient = own_client) -> Installation:
    """The installation on AWS. Args are those of `doctor.read`.

    Raises:
        NotDeployed: there is no such stack (any more).
        SettingsError: the stack cannot be read.
        CallRefused: a part that decides what is removed cannot be read, so nothing may be removed.
    """
    found = installed(stack, region, now, clients)
    if isinstance(found.state.listed, Unread):
        raise CallRefused(found.state.listed.reason)
    rules = found.of_kind("AWS::Events::Rule")
    known = Known(
        arn=found.arn,
        stack=named_stack(found, found.formerly, _suffixes(found)),
        enforcer=found.names.get(ENFORCER, ""),
        rules=tuple(
            name
            for each, name in (rules if isinstance(rules, dict) else {}).items()
            if function_of(each) == ENFORCER
        ),
        table=found.names.get(TABLE, ""),
        patterns=_patterns(found),
    )
    return Installation(known, found.clients)


def _suffixes(found: Installed) -> tuple[str, ...]:
    """The suffixes of the policy, which name log groups of the stack; none if the monitor is gone."""
    monitor = found.named(MONITOR, FunctionReader(found.clients("lambda")).function)
    policy = policy_in_use(found, monitor)
    if isinstance(policy, Unread):
        raise CallRefused(policy.reason)
    if isinstance(policy, PolicyInUse) and not policy.is_final:
        raise CallRefused(
            "the policy is not valid, and the last good one cannot be read from the state table"
        )
    return policy.policy.flow_logs.suffixes if isinstance(policy, PolicyInUse) else ()


def _patterns(found: Installed) -> tuple[str, ...]:
    """The log groups from which the monitor may be invoked; its own group, even if the monitor is gone."""
    own = found.formerly.get(OWN_GROUP, "")
    permissions = found.named(MONITOR, FunctionReader(found.clients("lambda")).permissions)
    if isinstance(permissions, Unread):
        raise CallRefused(permissions.reason)
    others = patterns_of(each.source for each in permissions or ())
    return tuple({own: None, **dict.fromkeys(others)}) if own else others
