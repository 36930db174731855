"""Reads an EventBridge event into a trigger: the cause of the run and the VPCs that it concerns. Pure.

An event is identified by the CloudTrail record in its `detail`, not by the `source` of the envelope, which a
forwarding bus may change. If an event does not name the VPC, everything is checked: an unnecessary sweep
costs some API calls, but a missed VPC is a blind spot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.enforcer.state.stack import Stack
from flowwarden.enforcer.triggers.cloudtrail import ApiCaller, as_list, caller_of, mapping, text
from flowwarden.enforcer.triggers.deployment import reports_deployment
from flowwarden.enforcer.triggers.tampering import (
    IAM,
    LOG_GROUP_CALLS,
    LOGS,
    ROLE_CALLS,
    is_deployment,
    takes_away,
    why_unrelated,
)

SCHEDULED = "Scheduled Event"
API_CALL = "AWS API Call via CloudTrail"
EC2 = "ec2.amazonaws.com"
CREATIONS = ("CreateVpc", "CreateDefaultVpc")
DELETION = "DeleteFlowLogs"
FLOW_LOGS_CREATION = "CreateFlowLogs"
CALLS = {EC2: (*CREATIONS, FLOW_LOGS_CREATION, DELETION), LOGS: LOG_GROUP_CALLS, IAM: ROLE_CALLS}
TAMPERING = (DELETION, *LOG_GROUP_CALLS, *ROLE_CALLS)
RETRY_RUN = "retry"
DEPLOYMENT_RUN = "deployment"
"""The values of `run` in the events that the template creates."""
RECORD_AS_MANAGED = "record_as_managed"
"""The only member of an event with which a person has flow logs recorded as managed: a list of their ids."""

LONGEST_ID: Final = 255
"""Characters of an id in an event. The state table refuses a key of more than 1024 bytes, and after a refusal
a run stores nothing more."""

FRESH_SECONDS: Final = 120
"""How long after an event EC2 may not show a new VPC yet."""


class RunKind(StrEnum):
    """The kind of a run; `modes.RUN_MODES` defines what it does."""

    EVENT = "EVENT"
    """An event names VPCs."""
    SWEEP = "SWEEP"
    """Everything is checked: on schedule, or because an event does not name the VPC."""
    RETRY = "RETRY"
    """The schedule for the work queue and for the rest of a sweep that ran out of time."""
    DEPENDENCIES = "DEPENDENCIES"
    """An event concerns the dependencies of flow logs: log groups, subscriptions, the delivery role."""
    RECORD = "RECORD"
    """A person has flow logs recorded as managed."""
    IGNORED = "IGNORED"
    """The event requires no action."""


class NewVpc(Struct, frozen=True, kw_only=True):
    """A VPC that was created according to an event, with the account that owns it ('' if unknown)."""

    vpc_id: str
    owner_id: str


class Trigger(Struct, frozen=True, kw_only=True):
    """The cause of a run."""

    kind: RunKind
    reason: str
    """Why this kind of run was chosen, as text."""
    vpcs: tuple[NewVpc, ...] = ()
    deleted: tuple[str, ...] = ()
    """Ids of the flow logs that were deleted according to the event."""
    created: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Flow logs that others created according to the event: each id, with its VPC, subnet or interface, or
    with several of which it is one."""
    to_record: tuple[str, ...] = ()
    """Flow logs to record as managed."""
    origin: ApiCaller | None = None
    """None for the schedule."""
    happened_at: int | None = None
    """When the call was made or the sweep was due, Unix seconds; None if the event does not contain it."""
    idempotency_key: str = ""
    """A key shared by all deliveries and retries of this event and by no other event; '' if unknown."""
    deployed: bool = False
    """Whether the stack was just created or updated: its monitor may not have seen any records yet."""
    takes_away: bool = False
    """Whether a call removed a dependency of flow logs; reported even if another run already restored it."""

    @property
    def is_deletion(self) -> bool:
        """Whether the event is a deletion of flow logs."""
        return self.origin is not None and self.origin.event_name == DELETION

    @property
    def concerns_flow_logs(self) -> bool:
        """Whether the event names flow logs, so that the registry is needed whatever VPCs it names."""
        return bool(self.deleted or self.created or self.to_record)

    def was_just_created(self, vpc_id: str, now: int) -> bool:
        """Whether a VPC is so new that EC2 may not show it everywhere yet; `now` is Unix seconds."""
        named = any(each.vpc_id == vpc_id for each in self.vpcs)
        return named and self.happened_at is not None and abs(now - self.happened_at) < FRESH_SECONDS


def read(event: object, stack: Stack) -> Trigger:
    """Read an EventBridge event; never raises, whatever the event contains.

    Args:
        event: the event that the function was invoked with.
        stack: the stack; calls in other accounts or regions are ignored.
    """
    if not isinstance(event, Mapping):
        return Trigger(kind=RunKind.IGNORED, reason=f"not an event, but {type(event).__name__}")
    if set(event) == {RECORD_AS_MANAGED}:
        return _read_request(event)
    if event.get("detail-type") == SCHEDULED:
        return _read_schedule(event)
    if reports_deployment(event, stack):
        return _read_schedule({**event, "detail": {"run": DEPLOYMENT_RUN}})
    return _read_call(event, stack)


def _read_request(event: Mapping[str, Any]) -> Trigger:
    """A request by hand; EventBridge does not send such an event."""
    ids = tuple(text(each) for each in as_list(event[RECORD_AS_MANAGED]) if text(each))
    if not ids:
        return Trigger(kind=RunKind.IGNORED, reason=f"{RECORD_AS_MANAGED} names no flow log")
    return Trigger(kind=RunKind.RECORD, reason="a request to record flow logs as managed", to_record=ids)


def _read_schedule(event: Mapping[str, Any]) -> Trigger:
    run = mapping(event.get("detail")).get("run")
    retry = run == RETRY_RUN
    return Trigger(
        kind=RunKind.RETRY if retry else RunKind.SWEEP,
        reason="scheduled retry of pending VPCs" if retry else "scheduled sweep",
        happened_at=unix_seconds(event.get("time")),
        idempotency_key=text(event.get("time")) or text(event.get("id")),
        deployed=run == DEPLOYMENT_RUN,
    )


def _read_call(event: Mapping[str, Any], stack: Stack) -> Trigger:
    detail = mapping(event.get("detail"))
    name, source = text(detail.get("eventName")), text(detail.get("eventSource"))
    if event.get("detail-type") != API_CALL or source not in CALLS:
        return Trigger(kind=RunKind.IGNORED, reason="not an event that the enforcer handles")
    if name not in CALLS[source]:
        return Trigger(
            kind=RunKind.IGNORED,
            reason=f"{name or 'an unnamed call'} is not a call that the enforcer handles",
        )
    if reason := why_ignored(detail, name, stack):
        return _trigger(event, RunKind.IGNORED, reason)
    if source != EC2:
        return _read_tampering(event, name, stack)
    return _EC2_READERS.get(name, _read_creation)(event)


def why_ignored(detail: Mapping[str, Any], name: str, stack: Stack) -> str:
    """Why a call of a relevant kind is ignored; '' if it is not."""
    source, where = detail.get("eventSource"), text(detail.get("awsRegion")) or stack.region
    account = text(detail.get("recipientAccountId")) or stack.account_id
    if detail.get("errorCode"):
        return f"{name} failed with {text(str(detail['errorCode']))}: nothing changed"
    if account != stack.account_id:
        return f"{name} was recorded for account {account}; this stack covers {stack.account_id}"
    # IAM is global: its calls are recorded in one region.
    if where != stack.region and source != IAM:
        return f"{name} was made in {where}; this stack covers {stack.region}"
    if stack.enforcer_role_arn and caller_of(detail).role_arn == stack.enforcer_role_arn:
        return f"{name} was made by the enforcer itself"
    return "" if source == EC2 else why_unrelated(detail, name, stack)


def _read_creation(event: Mapping[str, Any]) -> Trigger:
    """CreateVpc or CreateDefaultVpc. The latter's response is not documented: it may be wrapped or empty."""
    detail = mapping(event.get("detail"))
    account = text(detail.get("recipientAccountId")) or text(event.get("account"))
    found = tuple(
        NewVpc(vpc_id=text(vpc["vpcId"]), owner_id=text(vpc.get("ownerId")) or account)
        for vpc in _vpcs(unwrapped(detail, "responseElements", "Response"))
    )
    if found:
        return _trigger(event, RunKind.EVENT, f"{detail['eventName']} names the VPC", vpcs=found)
    return _trigger(event, RunKind.SWEEP, f"{detail['eventName']} does not name the VPC")


def _read_flow_logs_creation(event: Mapping[str, Any]) -> Trigger:
    """CreateFlowLogs by others: the only event that says which VPC a flow log belongs to."""
    detail = mapping(event.get("detail"))
    request = unwrapped(detail, "requestParameters", "Request")
    response = unwrapped(detail, "responseElements", "Response")
    resource_ids = tuple(_ids(request.get("ResourceId")))
    found = tuple(_ids(mapping(response.get("flowLogIdSet")).get("item")))
    created = tuple((each, resource_ids) for each in found)
    return replace(
        _trigger(event, RunKind.EVENT, "CreateFlowLogs shows what a flow log records"), created=created
    )


def _read_deletion(event: Mapping[str, Any]) -> Trigger:
    """DeleteFlowLogs: it names flow logs, not VPCs, and deleted flow logs can no longer be described."""
    detail = mapping(event.get("detail"))
    requested = unwrapped(detail, "requestParameters", "Request").get("FlowLogId")
    ids = tuple(_ids(requested))
    kept = set(_refused(unwrapped(detail, "responseElements", "Response").get("unsuccessful")))
    deleted = tuple(each for each in ids if each not in kept)
    if ids and kept.issuperset(ids):
        return _trigger(event, RunKind.IGNORED, "DeleteFlowLogs deleted nothing: EC2 refused every deletion")
    return _trigger(
        event, RunKind.SWEEP, "DeleteFlowLogs does not name the VPC that lost coverage", deleted=deleted
    )


def _read_tampering(event: Mapping[str, Any], name: str, stack: Stack) -> Trigger:
    """A call about a log group or the delivery role."""
    by = " by a deployment" if is_deployment(mapping(event.get("detail"))) else ""
    found = _trigger(event, RunKind.DEPENDENCIES, f"{name}{by} concerns a dependency of the flow logs")
    return replace(found, takes_away=takes_away(mapping(event.get("detail")), name, stack))


_EC2_READERS: Final = {DELETION: _read_deletion, FLOW_LOGS_CREATION: _read_flow_logs_creation}
"""The readers of calls of EC2 other than the creation of a VPC."""


def _trigger(
    event: Mapping[str, Any],
    kind: RunKind,
    reason: str,
    *,
    vpcs: tuple[NewVpc, ...] = (),
    deleted: tuple[str, ...] = (),
) -> Trigger:
    """The trigger for an API call, with its caller."""
    detail = mapping(event.get("detail"))
    return Trigger(
        kind=kind,
        reason=reason,
        vpcs=vpcs,
        deleted=deleted,
        origin=caller_of(detail),
        happened_at=unix_seconds(detail.get("eventTime")) or unix_seconds(event.get("time")),
        idempotency_key=text(detail.get("eventID")) or text(event.get("id")),
    )


def unwrapped(detail: Mapping[str, Any], member: str, suffix: str) -> Mapping[str, Any]:
    """The request or response, without the `<call>Request` or `<call>Response` that may wrap it."""
    outer = mapping(detail.get(member))
    return mapping(outer.get(f"{detail.get('eventName')}{suffix}")) or outer


def _vpcs(response: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for each in as_list(response.get("vpc")):
        vpc = mapping(each)
        if text(vpc.get("vpcId")).startswith("vpc-"):
            yield vpc


def _ids(listed: object) -> Iterator[str]:
    """The ids in a list, each as text or as `content` beside its number, without what is too long for one."""
    for each in as_list(listed):
        found = text(each) or text(mapping(each).get("content"))
        if 0 < len(found) <= LONGEST_ID:
            yield found


def _refused(unsuccessful: object) -> Iterator[str]:
    """Ids of the items in `unsuccessful`: a call that failed only for some items has no errorCode."""
    for each in as_list(mapping(unsuccessful).get("item")):
        resource = text(mapping(each).get("resourceId"))
        if resource:
            yield resource


def unix_seconds(value: object) -> int | None:
    """A time in AWS's notation; None for anything else."""
    try:
        when = datetime.fromisoformat(text(value))
        return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None
