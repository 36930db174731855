"""Reads the caller of an API call, its source address and credentials from a CloudTrail record. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct


class ApiCaller(Struct, frozen=True, kw_only=True):
    """The API call and its caller; '' for what the event does not contain."""

    event_name: str
    event_id: str = ""
    actor: str = ""
    """ARN of the principal, or the AWS service that acted."""
    source_ip: str = ""
    credentials: str = ""
    """The credentials of the call as text: identity type, access key, role, MFA, user agent."""
    role_arn: str = ""
    """The role of the session."""


def caller_of(detail: Mapping[str, Any]) -> ApiCaller:
    """The caller of the API call that a CloudTrail record describes."""
    identity = mapping(detail.get("userIdentity"))
    issuer = mapping(mapping(identity.get("sessionContext")).get("sessionIssuer"))
    return ApiCaller(
        event_name=text(detail.get("eventName")),
        event_id=text(detail.get("eventID")),
        actor=_actor(identity),
        source_ip=text(detail.get("sourceIPAddress")),
        credentials="; ".join(_credentials(detail, identity)),
        role_arn=text(issuer.get("arn")),
    )


def _actor(identity: Mapping[str, Any]) -> str:
    return text(identity.get("arn")) or text(identity.get("invokedBy")) or text(identity.get("principalId"))


def _credentials(detail: Mapping[str, Any], identity: Mapping[str, Any]) -> Iterator[str]:
    if kind := text(identity.get("type")):
        yield kind
    if key := text(identity.get("accessKeyId")):
        yield f"access key {key}"
    session = mapping(identity.get("sessionContext"))
    if role := text(mapping(session.get("sessionIssuer")).get("arn")):
        yield f"a session of {role}"
    attributes = mapping(session.get("attributes"))
    if mfa := text(attributes.get("mfaAuthenticated")):
        yield "with MFA" if mfa == "true" else "without MFA"
    if program := text(detail.get("userAgent")):
        yield f"by {program[:120]}"


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it is a mapping, otherwise an empty one."""
    return value if isinstance(value, Mapping) else {}


def text(value: object) -> str:
    """The value if it is text, otherwise ''. Replaces unpaired surrogates, which UTF-8 does not allow."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def as_list(value: object) -> list[Any]:
    """Undo CloudTrail's XML-to-JSON conversion: one item is not in a list, none is '' or {} or null."""
    if isinstance(value, list):
        return value
    return [value] if value else []
