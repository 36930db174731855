"""API calls about what flow logs need, the log groups and the delivery role: are they ours? Pure."""

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
)
"""What takes a log group from its records, or from the monitor."""
ROLE_CALLS = (
    "DeleteRole",
    "DeleteRolePolicy",
    "PutRolePolicy",
    "AttachRolePolicy",
    "DetachRolePolicy",
    "UpdateAssumeRolePolicy",
    "PutRolePermissionsBoundary",
)
"""What may keep VPC Flow Logs from writing."""
DEPLOYMENT = "cloudformation.amazonaws.com"
AWAY = ("Delete", "Detach", "Disassociate")
"""How the names of calls begin that take something away, whatever they ask for."""


def why_not_ours(detail: Mapping[str, Any], name: str, stack: Stack) -> str:
    """Why a call about a log group or a role is none of our business; '' if it is."""
    asked = mapping(detail.get("requestParameters"))
    group, role = _group(asked), text(asked.get("roleName"))
    if detail.get("eventSource") == LOGS and not stack.keeps(group):
        return f"{name} was about {group or 'no log group'}, which is not ours"
    if detail.get("eventSource") == IAM and role != stack.delivery_role_arn.rpartition("/")[2]:
        return f"{name} was about {role or 'no role'}, which is not ours"
    return ""


def _group(asked: Mapping[str, Any]) -> str:
    """The log group that a call names, by itself or by its ARN, which may end in `:*`; '' if none."""
    arn = text(asked.get("resourceIdentifier"))
    return text(asked.get("logGroupName")) or arn.partition(":log-group:")[2].removesuffix(":*")


def takes_away(detail: Mapping[str, Any], name: str, stack: Stack) -> bool:
    """Whether a call that is ours took away what flow logs need.

    A deployment by itself is no news, because this stack's own changes what it brings. What another stack's
    took away has to be restored, and that is told.
    """
    if is_deployment(detail):
        return False
    asked = mapping(detail.get("requestParameters"))
    return name.startswith(AWAY) or _alters(asked, name, stack)


def _alters(asked: Mapping[str, Any], name: str, stack: Stack) -> bool:
    """Whether a call gave our log group another retention, or the filter another work, than is wanted."""
    if name == "PutRetentionPolicy":
        wanted = stack.retention_of(_group(asked))
        return wanted is not None and asked.get("retentionInDays") != wanted
    if name == "PutSubscriptionFilter" and stack.monitor_arn:
        work = asked.get("filterPattern") or "", asked.get("destinationArn")
        return asked.get("filterName") == stack.stack_name and work != ("", stack.monitor_arn)
    return False


def is_deployment(detail: Mapping[str, Any]) -> bool:
    """Whether CloudFormation made a call, for whatever stack: it does not say."""
    invoked_by = text(mapping(detail.get("userIdentity")).get("invokedBy"))
    return DEPLOYMENT in {text(detail.get("sourceIPAddress")), invoked_by}
