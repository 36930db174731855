"""What the removal does, in order, and what remains. Pure.

The enforcer is stopped first, because it would restore what is removed. The stack is deleted last, and only
if everything else succeeded: its state table proves which flow logs are its own, and its resources name the
rest. So the command can be run again after an interruption, at any point.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from flowwarden.notify.text import plural
from flowwarden.removal.inventory import Filter, Inventory, OwnFlowLog, OwnGroup

MB: Final = 1_000_000
PROTECTED: Final = ", protected from deletion"


class DisableRule(Struct, frozen=True, kw_only=True, tag=True):
    """Disable a rule that starts the enforcer."""

    rule: str


class StopEnforcer(Struct, frozen=True, kw_only=True, tag=True):
    """Set the enforcer's reserved concurrency to 0, so that waiting events do not start it either."""

    function: str


class DeleteFilter(Struct, frozen=True, kw_only=True, tag=True):
    """Delete a subscription filter that sends to the monitor."""

    filter: Filter


class DeleteFlowLog(Struct, frozen=True, kw_only=True, tag=True):
    """Delete a managed flow log."""

    flow_log: OwnFlowLog


class DeleteLogGroup(Struct, frozen=True, kw_only=True, tag=True):
    """Delete a log group with its records."""

    group: OwnGroup


class DeleteStack(Struct, frozen=True, kw_only=True, tag=True):
    """Delete the stack, and wait until it is gone."""

    stack: str


type Step = DisableRule | StopEnforcer | DeleteFilter | DeleteFlowLog | DeleteLogGroup | DeleteStack


def stopping(found: Inventory) -> list[Step]:
    """The steps that keep the enforcer from restoring what is removed."""
    steps: list[Step] = [DisableRule(rule=each) for each in found.rules]
    if found.enforcer and not found.stopped:
        steps.append(StopEnforcer(function=found.enforcer))
    return steps


def undoing(found: Inventory) -> list[Step]:
    """The steps that revert what the stack changed in the account."""
    filters = [DeleteFilter(filter=each) for each in found.filters]
    return [*filters, *(DeleteFlowLog(flow_log=each) for each in found.managed)]


def deleting(found: Inventory, *, log_groups: bool) -> list[Step]:
    """The last steps."""
    groups = [DeleteLogGroup(group=each) for each in found.groups] if log_groups else []
    return [*groups, *([DeleteStack(stack=found.stack)] if found.exists else [])]


def plan(found: Inventory, *, log_groups: bool) -> list[Step]:
    """All steps, in order. `log_groups`: whether the stack's log groups are deleted with their records."""
    return [*stopping(found), *undoing(found), *deleting(found, log_groups=log_groups)]


def obstacle(found: Inventory) -> str:
    """Why nothing can be removed, with what to do; '' if it can."""
    if found.protected:
        return (
            "termination protection of the stack is on: aws cloudformation update-termination-protection "
            f"--no-enable-termination-protection --stack-name {found.stack} --region {found.region}"
        )
    if found.status.endswith("_IN_PROGRESS") and found.status != "DELETE_IN_PROGRESS":
        return f"CloudFormation is changing the stack ({found.status}): run the command again after that"
    return ""


def described(step: Step) -> str:
    """What a step does, in words."""
    match step:
        case DisableRule():
            return f"disable the rule {step.rule}"
        case StopEnforcer():
            return f"stop the enforcer {step.function} (reserved concurrency 0)"
        case DeleteFilter():
            return f"delete the subscription filter {step.filter.name} of the log group {step.filter.group}"
        case DeleteFlowLog():
            return f"delete the flow log {step.flow_log.flow_log_id} of {step.flow_log.resource_id}"
        case DeleteLogGroup():
            return f"delete the log group {step.group.name} with its records{_size(step.group)}"
        case DeleteStack():
            return f"delete the stack {step.stack}: functions, roles, state table, queues, topics, alarms"


def remaining(found: Inventory, *, log_groups: bool) -> Iterator[str]:
    """What stays in the account, one sentence each, with how to remove it."""
    for each in () if log_groups else found.groups:
        kept = f"the log group {each.name} with its records{_size(each)}{PROTECTED if each.protected else ''}"
        yield f"{kept}; to delete it too, add --delete-log-groups"
    for each in found.similar:
        yield (
            f"the log group {each.name} with its records{_size(each)}{PROTECTED if each.protected else ''}: "
            f"an earlier policy or another stack named it; to delete: {_deletion(each, found.region)}"
        )
    if found.unproven:
        count, ids = len(found.unproven), " ".join(each.flow_log_id for each in found.unproven)
        yield (
            f"{plural(count, 'flow log')} with the stack's tag, but without a creation record in the state "
            f"table; to delete: aws ec2 delete-flow-logs --flow-log-ids {ids} --region {found.region}"
        )
    if found.exists:
        yield "the KMS key of the topics, which AWS deletes after 7 days"
        yield "the uploaded code in the bucket that sam deploy used"


def _deletion(group: OwnGroup, region: str) -> str:
    """The command that deletes a log group, after the one that ends its protection if it has any."""
    where = f"--region {region}"
    unprotect = (
        f"aws logs put-log-group-deletion-protection --log-group-identifier {group.name} "
        f"--no-deletion-protection-enabled {where} && "
    )
    delete = f"aws logs delete-log-group --log-group-name {group.name} {where}"
    return f"{unprotect if group.protected else ''}{delete}"


def _size(group: OwnGroup) -> str:
    return "" if group.stored_bytes is None else f" ({group.stored_bytes / MB:,.1f} MB)"
