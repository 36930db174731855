"""Classifies API calls about the dependencies of flow logs: log groups and the delivery role. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowwarden.enforcer.state.stack import Stack
from flowwarden.enforcer.triggers.cloudtrail import mapping, text

LOGS = "logs.amazonaws.com"
IAM = "iam.amazonaws.com"
LOG_GROUP_CALLS = (
    "DeleteLogGroup",
    "PutRetentionPolicy",
    "DeleteRetentionPolicy",
    "PutSubscriptionFilter",
    "DeleteSubscriptionFilter",
    "AssociateKmsKey",
    "DisassociateKmsKey",
    "PutLogGroupDeletionProtection",
)
"""Calls that may remove records from a log group, or the log group from the monitor."""
FILTER_CALLS = ("PutSubscriptionFilter", "DeleteSubscriptionFilter")
"""The only ones of them that matter for an existing log group."""
ROLE_CALLS = (
    "DeleteRole",
    "DeleteRolePolicy",
    "PutRolePolicy",
    "AttachRolePolicy",
    "DetachRolePolicy",
    "UpdateAssumeRolePolicy",
    "PutRolePermissionsBoundary",
)
"""Calls that may prevent VPC Flow Logs from writing."""
DEPLOYMENT = "cloudformation.amazonaws.com"
AWAY = ("Delete", "Detach", "Disassociate")
"""Prefixes of call names that remove something, whatever their parameters."""


def why_unrelated(detail: Mapping[str, Any], name: str, stack: Stack) -> str:
    """Why a call about a log group or a role does not concern this stack; '' if it does."""
    request = mapping(detail.get("requestParameters"))
    group, role = _group(request), text(request.get("roleName"))
    if detail.get("eventSource") == LOGS and not (stack.keeps(group) or _is_own_filter(request, name, stack)):
        return f"{name} concerns {group or 'an unnamed log group'}, which this stack does not manage"
    if detail.get("eventSource") == IAM and role != stack.delivery_role_arn.rpartition("/")[2]:
        return f"{name} concerns {role or 'an unnamed role'}, which is not this stack's delivery role"
    return ""


def _is_own_filter(request: Mapping[str, Any], name: str, stack: Stack) -> bool:
    """Whether a call concerns the stack's filter of an existing log group: nothing else of it is managed."""
    own = name in FILTER_CALLS and request.get("filterName") == stack.stack_name
    return own and stack.may_read(_group(request))


def _group(request: Mapping[str, Any]) -> str:
    """The log group in a request, given by name or by ARN, which may end in `:*`; '' if none."""
    named = text(request.get("logGroupName")) or text(request.get("logGroupIdentifier"))
    given = named or text(request.get("resourceIdentifier"))
    _, found, name = given.partition(":log-group:")
    return name.removesuffix(":*") if found else named


def takes_away(detail: Mapping[str, Any], name: str, stack: Stack) -> bool:
    """Whether a call that concerns this stack removed a dependency of flow logs.

    A deployment alone is not reported, because this stack's own deployments change what it provides. If the
    deployment of another stack removed something, it must be restored, and the restoration is reported.
    """
    if is_deployment(detail):
        return False
    request = mapping(detail.get("requestParameters"))
    return name.startswith(AWAY) or _alters(request, name, stack)


def _alters(request: Mapping[str, Any], name: str, stack: Stack) -> bool:
    """Whether a call set a retention or a subscription filter of the stack to a value that is not wanted."""
    if name == "PutLogGroupDeletionProtection":
        return stack.protects and request.get("deletionProtectionEnabled") is not True
    if name == "PutRetentionPolicy":
        wanted = stack.retention_of(_group(request))
        return wanted is not None and request.get("retentionInDays") != wanted
    if name == "PutSubscriptionFilter" and stack.monitor_arn:
        effect = request.get("filterPattern") or "", request.get("destinationArn")
        return request.get("filterName") == stack.stack_name and effect != ("", stack.monitor_arn)
    return False


def is_deployment(detail: Mapping[str, Any]) -> bool:
    """Whether CloudFormation made a call. The event does not contain the stack."""
    invoked_by = text(mapping(detail.get("userIdentity")).get("invokedBy"))
    return DEPLOYMENT in {text(detail.get("sourceIPAddress")), invoked_by}
