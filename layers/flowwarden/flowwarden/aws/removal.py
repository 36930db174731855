"""One installation in its account: implements `removal.ports.Account`, with the caller's credentials."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from msgspec import Struct

from flowwarden.aws.answers import Answer
from flowwarden.aws.caller_errors import classify_own
from flowwarden.aws.doctor.functions import FunctionReader
from flowwarden.aws.doctor.reading import ABSENT, fact, items
from flowwarden.aws.doctor.rules import RuleReader
from flowwarden.aws.dynamodb.registry import DynamoDbRegistry
from flowwarden.aws.ec2.flow_logs import Ec2FlowLogs
from flowwarden.aws.errors import classified
from flowwarden.doctor.fact import Fact, Unread
from flowwarden.enforcer.creation import ManagedFlowLog
from flowwarden.enforcer.decide.drift import is_managed, is_tagged
from flowwarden.enforcer.registry import Registry
from flowwarden.enforcer.state.inventory import STANDARD, FlowLog
from flowwarden.enforcer.state.stack import Stack
from flowwarden.errors import CallRefused, EnforcementError, NotFound
from flowwarden.removal.inventory import Filter, Inventory, OwnFlowLog, OwnGroup
from flowwarden.removal.plan import (
    DeleteFilter,
    DeleteFlowLog,
    DeleteLogGroup,
    DeleteStack,
    DisableRule,
    Step,
    StopEnforcer,
)
from flowwarden.removal.ports import Deletion

CALLER_ACTIONS: Final = (
    "events:DescribeRule",
    "events:ListTargetsByRule",
    "events:DisableRule",
    "lambda:GetFunctionConfiguration",
    "lambda:GetFunctionConcurrency",
    "lambda:GetFunctionEventInvokeConfig",
    "lambda:GetPolicy",
    "lambda:PutFunctionConcurrency",
    "logs:DescribeLogGroups",
    "logs:DescribeSubscriptionFilters",
    "logs:DeleteSubscriptionFilter",
    "logs:PutLogGroupDeletionProtection",  # only with --delete-log-groups, if the protection is on
    "logs:DeleteLogGroup",
    "ec2:DescribeFlowLogs",
    "ec2:DeleteFlowLogs",
    "dynamodb:Query",  # the records of created flow logs
    "cloudformation:DescribeStacks",
    "cloudformation:ListStackResources",
    "cloudformation:DeleteStack",
)
"""The IAM actions that the credentials of the caller need for this file. CloudFormation needs more."""

_GONE: Final = "DELETE_COMPLETE"
_FAILED: Final = "DELETE_FAILED"


class Known(Struct, frozen=True, kw_only=True):
    """What is known of the stack before it is removed; it stays true while it disappears."""

    arn: str
    """Of the stack."""
    stack: Stack
    """With the ARN of the monitor, and the suffixes of the policy."""
    enforcer: str = ""
    """The function's name; '' if there is none."""
    rules: tuple[str, ...] = ()
    """Names of the rules that start the enforcer."""
    table: str = ""
    patterns: tuple[str, ...] = ()
    """Names of log groups, with `*`, from which the monitor may be invoked."""


class Installation:
    """The installation, with clients of the caller."""

    def __init__(self, known: Known, clients: Callable[[str], Any]) -> None:
        self._known = known
        self._clients = clients
        self._stack = known.stack

    def inventory(self) -> Inventory:
        """See the port."""
        described = self._described()
        groups = list(self._groups())
        own, others = self._tagged()
        kept = [each for each in groups if self._stack.keeps(each.text("logGroupName"))]
        status = "" if described is None else described.text("StackStatus")
        return Inventory(
            stack=self._stack.stack_name,
            region=self._stack.region,
            account=self._stack.account_id,
            exists=described is not None,
            status=status,
            protected=described is not None and described.truth("EnableTerminationProtection") is True,
            **self._running(),
            filters=tuple(found for each in groups for found in self._filters(each)),
            managed=tuple(map(_own, own)),
            unproven=tuple(map(_own, others)),
            groups=tuple(map(_group, kept)),
            similar=tuple(_group(each) for each in groups if each not in kept and self._is_similar(each)),
        )

    def _is_similar(self, group: Answer) -> bool:
        """Whether a group has the name of one that the enforcer would create for some policy."""
        return group.text("logGroupName").startswith(f"{self._stack.log_group_name}-")

    def _described(self) -> Answer | None:
        """The stack; None if it is deleted."""
        with suppress(NotFound), classified("DescribeStacks", _classify):
            answer = self._clients("cloudformation").describe_stacks(StackName=self._known.arn)
            found = [each for each in Answer(answer).each("Stacks") if each.text("StackStatus") != _GONE]
            return found[0] if found else None
        return None

    def _running(self) -> Mapping[str, Any]:
        """What may start the enforcer."""
        name, rules = self._known.enforcer, RuleReader(self._clients("events"))
        function = _demand(FunctionReader(self._clients("lambda")).function(name)) if name else None
        found = {each: _demand(fact("DescribeRule", partial(rules.rule, each))) for each in self._known.rules}
        return {
            "enforcer": name if function is not None else "",
            "stopped": function is not None and _demand(function.reserved) == 0,
            "rules": tuple(each for each, rule in found.items() if rule is not None and rule.enabled),
        }

    def _groups(self) -> Iterator[Answer]:
        """The log groups from which the monitor may be invoked, each once."""
        client, seen = self._clients("logs"), set[str]()
        for prefix in sorted({each.partition("*")[0] for each in self._known.patterns}):
            given = {"logGroupNamePrefix": prefix} if prefix else {}
            with classified("DescribeLogGroups", _classify):
                listed = items(client.get_paginator("describe_log_groups").paginate(**given), "logGroups")
            new = [each for each in listed if each.text("logGroupName") not in seen]
            seen.update(each.text("logGroupName") for each in new)
            yield from new

    def _filters(self, group: Answer) -> Iterator[Filter]:
        """The filters of a group that send to the monitor. Other classes have none."""
        name = group.text("logGroupName")
        if (group.text("logGroupClass") or STANDARD) != STANDARD:
            return
        with suppress(NotFound), classified("DescribeSubscriptionFilters", _classify):
            answer = Answer(self._clients("logs").describe_subscription_filters(logGroupName=name))
            for each in answer.each("subscriptionFilters"):
                if each.text("destinationArn") == self._stack.monitor_arn and each.text("filterName"):
                    yield Filter(group=name, name=each.text("filterName"))

    def _tagged(self) -> tuple[Sequence[FlowLog], Sequence[FlowLog]]:
        """The flow logs with the stack's tag: those with the record of their creation, and the others."""
        ec2 = Ec2FlowLogs(self._clients("ec2"))
        listed = _demand(fact("DescribeFlowLogs", lambda: list(ec2.flow_logs(None)))) or []
        tagged = [each for each in listed if is_tagged(each, self._stack)]
        if not tagged:
            return [], []
        marked = self._registry().marked(tagged)
        managed = [each for each in marked if is_managed(each, self._stack)]
        return managed, [each for each in marked if not is_managed(each, self._stack)]

    def _registry(self) -> Registry:
        """The records of created flow logs; empty if the table is gone."""
        store = DynamoDbRegistry(self._clients("dynamodb"), self._known.table)
        entries = _demand(fact("Query", lambda: store.load(ManagedFlowLog))) if self._known.table else None
        return Registry(store, entries or (), dry_run=True)

    def carry_out(self, step: Step) -> None:
        """See the port."""
        with suppress(NotFound), classified(type(step).__name__, _classify):
            self._take(step)

    def _take(self, step: Step) -> None:
        match step:
            case DisableRule():
                self._clients("events").disable_rule(Name=step.rule)
            case StopEnforcer():
                self._clients("lambda").put_function_concurrency(
                    FunctionName=step.function, ReservedConcurrentExecutions=0
                )
            case DeleteFilter():
                self._clients("logs").delete_subscription_filter(
                    logGroupName=step.filter.group, filterName=step.filter.name
                )
            case DeleteFlowLog():
                Ec2FlowLogs(self._clients("ec2")).delete(step.flow_log.flow_log_id)
            case DeleteLogGroup():
                self._delete_group(step.group)
            case DeleteStack():
                self._clients("cloudformation").delete_stack(StackName=self._known.arn)

    def _delete_group(self, group: OwnGroup) -> None:
        client = self._clients("logs")
        if group.protected:
            client.put_log_group_deletion_protection(
                logGroupIdentifier=group.name, deletionProtectionEnabled=False
            )
        client.delete_log_group(logGroupName=group.name)

    def deletion(self) -> Deletion:
        """See the port."""
        described = self._described()
        if described is None:
            return Deletion(status="")
        client = self._clients("cloudformation")
        with classified("ListStackResources", _classify):
            pages = client.get_paginator("list_stack_resources").paginate(StackName=self._known.arn)
            left = [
                each
                for each in items(pages, "StackResourceSummaries")
                if each.text("ResourceStatus") != _GONE
            ]
        failures = tuple(
            f"{each.text('LogicalResourceId')}: {each.text('ResourceStatusReason')}"
            for each in left
            if each.text("ResourceStatus") == _FAILED
        )
        return Deletion(status=described.text("StackStatus"), left=len(left), failures=failures)


def _demand[T](found: Fact[T]) -> T | None:
    """A fact; None if it does not exist. Raises CallRefused if it could not be read."""
    if isinstance(found, Unread):
        raise CallRefused(found.reason)
    return found


def _own(flow_log: FlowLog) -> OwnFlowLog:
    return OwnFlowLog(flow_log_id=flow_log.flow_log_id, resource_id=flow_log.resource_id)


def _group(found: Answer) -> OwnGroup:
    return OwnGroup(
        name=found.text("logGroupName"),
        stored_bytes=found.number("storedBytes"),
        protected=found.truth("deletionProtectionEnabled") is True,
    )


def _classify(call: str, code: str, message: str, status: int = 0) -> EnforcementError:
    """See `classify_own`; what does not exist is NotFound. CloudFormation has no code for a missing stack."""
    is_gone = code in ABSENT or (code == "ValidationError" and "does not exist" in message)
    return NotFound(f"{call}: {code}: {message}") if is_gone else classify_own(call, code, message, status)
