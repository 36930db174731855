"""Unmanaged flow logs to report once: those that record elsewhere, and tagged ones without a record. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final

from msgspec import Struct

from flowwarden.enforcer.decide.coverage import Coverage, CoverageVerdict
from flowwarden.enforcer.decide.delivery import may_deliver
from flowwarden.enforcer.decide.drift import is_tagged
from flowwarden.enforcer.decide.vpc_state import VpcState
from flowwarden.enforcer.state.inventory import FlowLog
from flowwarden.enforcer.state.stack import Stack
from flowwarden.notify.claims import digest
from flowwarden.policy.flow_logs import CLOUD_WATCH_LOGS

NEW_SECONDS: Final = 15 * 60
"""A concurrent run may just have created a younger tagged flow log, and be about to record it."""


class Topic(StrEnum):
    """What is reported once about an unmanaged flow log; stored in the state table."""

    DUPLICATE = "duplicate"
    ELSEWHERE = "elsewhere"
    UNRECORDED = "unrecorded"
    OTHER_STACK = "other-stack"
    READ = "read-in-place"
    NOT_READ = "not-read"


class UnmanagedFlowLog(Struct, frozen=True, kw_only=True):
    """An unmanaged flow log, its resource and its destination."""

    flow_log_id: str
    resource_id: str
    destination: str


def elsewhere(pairs: Iterable[tuple[VpcState, CoverageVerdict]]) -> Iterator[UnmanagedFlowLog]:
    """The unmanaged flow logs that record the required traffic of these VPCs to S3 or Firehose.

    The monitor does not read such a flow log, so it does not replace the required one. It may be an archive
    that others need, so the report does not advise to delete it.
    """
    for vpc_state, verdict in pairs:
        if verdict.coverage not in {Coverage.SKIPPED, Coverage.EXEMPT}:
            for each in vpc_state.parts.flow_logs:
                if _records_elsewhere(each, vpc_state):
                    yield _of(each)


def unrecorded(listed: Iterable[FlowLog], stack: Stack, now: int) -> Iterator[UnmanagedFlowLog]:
    """The flow logs with this stack's tag, but without the record that it created them."""
    for each in listed:
        old = each.creation_time is None or now - each.creation_time >= NEW_SECONDS
        if old and is_tagged(each, stack) and not each.recorded:
            yield _of(each)


def incident_of(topic: Topic, flow_logs: Iterable[UnmanagedFlowLog]) -> str:
    """The incident for exactly these flow logs; '' if there are none."""
    ids = sorted(each.flow_log_id for each in flow_logs)
    return digest(topic, *ids) if ids else ""


def _records_elsewhere(flow_log: FlowLog, vpc_state: VpcState) -> bool:
    return (
        flow_log.log_destination_type not in {None, CLOUD_WATCH_LOGS}
        and not is_tagged(flow_log, vpc_state.stack)
        and flow_log.traffic_type in {"ALL", vpc_state.desired.traffic_type}
        and may_deliver(flow_log)
    )


def _of(flow_log: FlowLog) -> UnmanagedFlowLog:
    where = flow_log.log_destination or flow_log.log_group_name or "an unknown destination"
    return UnmanagedFlowLog(
        flow_log_id=flow_log.flow_log_id, resource_id=flow_log.resource_id, destination=where
    )
