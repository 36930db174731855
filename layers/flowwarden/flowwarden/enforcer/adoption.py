"""Records tagged flow logs as managed, because a person asked for it.

Flow logs of an earlier version, of another state table or of a deleted and redeployed stack have the tag, but
no record. Only a person can know that the stack, and not another party, created them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from flowwarden.enforcer.creation import ManagedFlowLog
from flowwarden.enforcer.decide.drift import is_tagged
from flowwarden.enforcer.decide.unmanaged import UnmanagedFlowLog
from flowwarden.enforcer.execute.backoff import with_backoff
from flowwarden.enforcer.ports import FlowLogService, RunClock
from flowwarden.enforcer.registry import Registry
from flowwarden.enforcer.reporting.report import Remediation
from flowwarden.enforcer.state.desired import MANAGED_TAG
from flowwarden.enforcer.state.inventory import FlowLog, resource_type
from flowwarden.enforcer.state.stack import Stack
from flowwarden.enforcer.triggers.trigger import RECORD_AS_MANAGED
from flowwarden.errors import EnforcementError

FLOW_LOG_ID: Final = re.compile(r"fl-[0-9a-zA-Z-]{1,64}")
"""What may stand in a command without quotes."""


class Adopted(Struct, frozen=True, kw_only=True):
    """The flow logs that are recorded now, and those that cannot be, with the reason."""

    flow_logs: tuple[FlowLog, ...]
    refused: tuple[Remediation, ...]


def adopt(
    flow_log_ids: Sequence[str],
    registry: Registry,
    ec2: FlowLogService,
    stack: Stack,
    clock: RunClock,
    now: int,
) -> Adopted:
    """Record these flow logs as managed, except those that cannot be this stack's."""
    try:
        found = with_backoff(lambda: registry.marked(ec2.flow_logs(None)), clock)
    except EnforcementError as error:
        return Adopted(flow_logs=(), refused=tuple(_refused(each, str(error)) for each in flow_log_ids))
    listed = {each.flow_log_id: each for each in found}
    done: list[FlowLog] = []
    refused: list[Remediation] = []
    for flow_log_id in dict.fromkeys(flow_log_ids):
        flow_log = listed.get(flow_log_id)
        problem = _problem(flow_log, stack) or _record(flow_log, registry, now)
        if flow_log is None or problem:
            refused.append(_refused(flow_log_id, problem))
        else:
            done.append(flow_log)
    return Adopted(flow_logs=tuple(done), refused=tuple(refused))


def _refused(flow_log_id: str, problem: str) -> Remediation:
    return Remediation(resource=flow_log_id, summary=f"not recorded as managed: {problem}", applied=False)


def _problem(flow_log: FlowLog | None, stack: Stack) -> str:
    if flow_log is None:
        return "EC2 lists no such flow log in this account and Region"
    if not is_tagged(flow_log, stack):
        return f"it does not have the tag {MANAGED_TAG}={stack.stack_name}"
    if not resource_type(flow_log.resource_id):
        return (
            f"it belongs to {flow_log.resource_id}; this stack only creates flow logs of VPCs, subnets, "
            "interfaces and transit gateways"
        )
    return ""


def _record(flow_log: FlowLog | None, registry: Registry, now: int) -> str:
    """Store the record; returns why it is not stored."""
    if flow_log is None or flow_log.recorded:
        return ""
    resource = flow_log.resource_id
    is_vpc = resource_type(resource) in {"VPC", "TransitGateway"}
    record = ManagedFlowLog(
        flow_log_id=flow_log.flow_log_id,
        vpc_id=resource if is_vpc else "",
        resource_id="" if is_vpc else resource,
        at=now,
        on_request=True,
    )
    if registry.dry_run:
        return "this stack only plans (DryRun)"
    if not registry.put(record):
        return "the state table does not answer; try again"
    registry.remove(registry.known.get(flow_log.flow_log_id))
    return ""


def command(flow_logs: Sequence[UnmanagedFlowLog], stack: Stack) -> str:
    """The command that records these flow logs as managed; '' if there are none."""
    if not flow_logs:
        return ""
    ids = (each.flow_log_id for each in flow_logs)
    listed = ", ".join(f'"{each}"' for each in ids if FLOW_LOG_ID.fullmatch(each))
    function = stack.enforcer_name or (
        f"$(aws cloudformation describe-stack-resource --region {stack.region} "
        f"--stack-name {stack.stack_name} --logical-resource-id EnforcerFunction "
        "--query StackResourceDetail.PhysicalResourceId --output text)"
    )
    return (
        f"aws lambda invoke --region {stack.region} --function-name {function} "
        "--cli-binary-format raw-in-base64-out "
        f"--payload '{{\"{RECORD_AS_MANAGED}\": [{listed}]}}' /dev/stdout"
    )
