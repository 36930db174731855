"""What set the enforcer off, and which VPCs it concerns. Pure: an EventBridge event in, a trigger out.

An event is known by what CloudTrail wrote in its `detail`, not by the envelope's `source`, which a
forwarding bus may change. Where an event does not say which VPC it is about, everything is looked at:
a sweep too many costs two API calls, a VPC overlooked is a blind spot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct

SCHEDULED = "Scheduled Event"
API_CALL = "AWS API Call via CloudTrail"
EC2 = "ec2.amazonaws.com"
CREATIONS = ("CreateVpc", "CreateDefaultVpc")
DELETION = "DeleteFlowLogs"


class Scope(StrEnum):
    """How much is to be looked at."""

    NAMED = "NAMED"
    """The VPCs that the event names."""
    EVERYTHING = "EVERYTHING"
    NOTHING = "NOTHING"


class NewVpc(Struct, frozen=True, kw_only=True):
    """A VPC that an event says was created, with the account that owns it ('' if not told)."""

    vpc_id: str
    owner_id: str


class Origin(Struct, frozen=True, kw_only=True):
    """Who did what; '' where the event does not tell."""

    event_name: str
    event_id: str = ""
    actor: str = ""
    """ARN of the principal, or the AWS service that acted."""
    source_ip: str = ""


class Trigger(Struct, frozen=True, kw_only=True):
    """What set the enforcer off."""

    scope: Scope
    reason: str
    """Why this scope, in words."""
    vpcs: tuple[NewVpc, ...] = ()
    deleted: tuple[str, ...] = ()
    """Ids of flow logs that the event says were deleted."""
    origin: Origin | None = None
    """None for the schedule."""
    happened_at: int | None = None
    """When the call was made or the sweep was due, Unix seconds; None if the event does not tell."""
    occasion: str = ""
    """What all deliveries and retries of this event share, and no other event has; '' if it does not tell."""


def read(event: object, region: str) -> Trigger:
    """Read an EventBridge event; never raises, whatever the event is or holds.

    Args:
        event: what the function was invoked with.
        region: the region whose VPCs are looked after; a call in another one is none of ours.
    """
    if not isinstance(event, Mapping):
        return Trigger(scope=Scope.NOTHING, reason=f"not an event, but {type(event).__name__}")
    if event.get("detail-type") == SCHEDULED:
        return _read_schedule(event)
    return _read_call(event, region)


def _read_schedule(event: Mapping[str, Any]) -> Trigger:
    return Trigger(
        scope=Scope.EVERYTHING,
        reason="scheduled sweep",
        happened_at=_unix_seconds(event.get("time")),
        occasion=_text(event.get("time")) or _text(event.get("id")),
    )


def _read_call(event: Mapping[str, Any], region: str) -> Trigger:
    detail = _mapping(event.get("detail"))
    name = _text(detail.get("eventName"))
    where = _text(detail.get("awsRegion")) or region
    if event.get("detail-type") != API_CALL or detail.get("eventSource") != EC2:
        return Trigger(scope=Scope.NOTHING, reason="not an event that the enforcer knows")
    if name not in {*CREATIONS, DELETION}:
        return Trigger(scope=Scope.NOTHING, reason=f"{name or 'a call without name'} is none of its business")
    if detail.get("errorCode"):
        code = _text(str(detail["errorCode"]))
        return _trigger(event, Scope.NOTHING, f"{name} failed with {code}: nothing changed")
    if where != region:
        return _trigger(event, Scope.NOTHING, f"{name} was made in {where}; here {region} is looked after")
    if name == DELETION:
        return _read_deletion(event)
    return _read_creation(event)


def as_list(value: object) -> list[Any]:
    """Undo CloudTrail's XML-to-JSON: one item stands alone, several are a list, none is '' or {} or null."""
    if isinstance(value, list):
        return value
    return [value] if value else []


def _read_creation(event: Mapping[str, Any]) -> Trigger:
    """CreateVpc, CreateDefaultVpc; the latter's shape is not documented: maybe wrapped, maybe empty."""
    detail = _mapping(event.get("detail"))
    account = _text(detail.get("recipientAccountId")) or _text(event.get("account"))
    found = tuple(
        NewVpc(vpc_id=_text(vpc["vpcId"]), owner_id=_text(vpc.get("ownerId")) or account)
        for vpc in _vpcs(_unwrapped(detail, "responseElements", "Response"))
    )
    if found:
        return _trigger(event, Scope.NAMED, f"{detail['eventName']} names the VPC", vpcs=found)
    return _trigger(event, Scope.EVERYTHING, f"{detail['eventName']} does not tell which VPC")


def _read_deletion(event: Mapping[str, Any]) -> Trigger:
    """DeleteFlowLogs: it names flow logs, not VPCs, and what they watched can no longer be asked."""
    detail = _mapping(event.get("detail"))
    asked = _unwrapped(detail, "requestParameters", "Request").get("FlowLogId")
    ids = tuple(_text(each) or _text(_mapping(each).get("content")) for each in as_list(asked))
    kept = set(_refused(_unwrapped(detail, "responseElements", "Response").get("unsuccessful")))
    deleted = tuple(each for each in ids if each and each not in kept)
    if ids and kept.issuperset(ids):
        return _trigger(event, Scope.NOTHING, "DeleteFlowLogs deleted nothing: EC2 refused every flow log")
    return _trigger(
        event, Scope.EVERYTHING, "DeleteFlowLogs does not tell which VPC lost sight", deleted=deleted
    )


def _trigger(
    event: Mapping[str, Any],
    scope: Scope,
    reason: str,
    *,
    vpcs: tuple[NewVpc, ...] = (),
    deleted: tuple[str, ...] = (),
) -> Trigger:
    """A trigger by an API call, with who made it."""
    detail = _mapping(event.get("detail"))
    return Trigger(
        scope=scope,
        reason=reason,
        vpcs=vpcs,
        deleted=deleted,
        origin=_origin(detail),
        happened_at=_unix_seconds(detail.get("eventTime")) or _unix_seconds(event.get("time")),
        occasion=_text(detail.get("eventID")) or _text(event.get("id")),
    )


def _origin(detail: Mapping[str, Any]) -> Origin:
    who = _mapping(detail.get("userIdentity"))
    return Origin(
        event_name=_text(detail.get("eventName")),
        event_id=_text(detail.get("eventID")),
        actor=_text(who.get("arn")) or _text(who.get("invokedBy")) or _text(who.get("principalId")),
        source_ip=_text(detail.get("sourceIPAddress")),
    )


def _unwrapped(detail: Mapping[str, Any], member: str, suffix: str) -> Mapping[str, Any]:
    """The request or the answer, taken out of the `<call>Request` or `<call>Response` that may wrap it."""
    outer = _mapping(detail.get(member))
    return _mapping(outer.get(f"{detail.get('eventName')}{suffix}")) or outer


def _vpcs(answer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for each in as_list(answer.get("vpc")):
        vpc = _mapping(each)
        if _text(vpc.get("vpcId")).startswith("vpc-"):
            yield vpc


def _refused(unsuccessful: object) -> Iterator[str]:
    """Ids of the items in `unsuccessful`: a call that failed for some of them has no errorCode."""
    for each in as_list(_mapping(unsuccessful).get("item")):
        resource = _text(_mapping(each).get("resourceId"))
        if resource:
            yield resource


def _unix_seconds(value: object) -> int | None:
    try:
        when = datetime.fromisoformat(_text(value))
        return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    """The text without halves of surrogate pairs, which JSON may hold and nothing takes."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""
