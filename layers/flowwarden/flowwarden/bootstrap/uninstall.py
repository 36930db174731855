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
from flowwarden.policy.flow_logs import FlowLogsPolicy

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
    rules, policy = found.of_kind("AWS::Events::Rule"), _policy(found)
    known = Known(
        arn=found.arn,
        stack=named_stack(found, found.formerly, policy.suffixes),
        enforcer=found.names.get(ENFORCER, ""),
        rules=tuple(
            name
            for each, name in (rules if isinstance(rules, dict) else {}).items()
            if function_of(each) == ENFORCER
        ),
        table=found.names.get(TABLE, ""),
        patterns=_patterns(found, policy),
    )
    return Installation(known, found.clients)


def _policy(found: Installed) -> FlowLogsPolicy:
    """The part of the policy that names log groups; the default if what has the policy is gone."""
    reader = FunctionReader(found.clients("lambda"))
    function = found.named(MONITOR, reader.function) or found.named(ENFORCER, reader.function)
    policy = policy_in_use(found, function)
    if isinstance(policy, Unread):
        raise CallRefused(policy.reason)
    if policy is None:
        return FlowLogsPolicy()
    if not policy.is_final:
        raise CallRefused(
            "the policy is not valid, and the last good one cannot be read from the state table"
        )
    return policy.policy.flow_logs


def _patterns(found: Installed, policy: FlowLogsPolicy) -> tuple[str, ...]:
    """The log groups that may have a filter of the stack: those from which the monitor may be invoked.

    If the monitor is gone, those are its own group and the existing groups of the policy.
    """
    own = found.formerly.get(OWN_GROUP, "")
    permissions = found.named(MONITOR, FunctionReader(found.clients("lambda")).permissions)
    if isinstance(permissions, Unread):
        raise CallRefused(permissions.reason)
    if permissions is None:
        others = tuple(each.name for each in policy.adopted)
    else:
        others = patterns_of(each.source for each in permissions)
    return tuple({own: None, **dict.fromkeys(others)}) if own else others
