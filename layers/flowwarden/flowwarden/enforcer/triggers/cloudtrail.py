"""Who made an API call, from where, and with which credentials, as CloudTrail tells it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct


class ApiCaller(Struct, frozen=True, kw_only=True):
    """Who did what; '' where the event does not tell."""

    event_name: str
    event_id: str = ""
    actor: str = ""
    """ARN of the principal, or the AWS service that acted."""
    source_ip: str = ""
    credentials: str = ""
    """What was used to sign the call, in words: kind of identity, access key, role, MFA, program."""
    role_arn: str = ""
    """The role whose session it was."""


def caller_of(detail: Mapping[str, Any]) -> ApiCaller:
    """The origin of the call that a CloudTrail record is about."""
    who = mapping(detail.get("userIdentity"))
    issuer = mapping(mapping(who.get("sessionContext")).get("sessionIssuer"))
    return ApiCaller(
        event_name=text(detail.get("eventName")),
        event_id=text(detail.get("eventID")),
        actor=text(who.get("arn")) or text(who.get("invokedBy")) or text(who.get("principalId")),
        source_ip=text(detail.get("sourceIPAddress")),
        credentials="; ".join(_credentials(detail, who)),
        role_arn=text(issuer.get("arn")),
    )


def _credentials(detail: Mapping[str, Any], who: Mapping[str, Any]) -> Iterator[str]:
    if kind := text(who.get("type")):
        yield kind
    if key := text(who.get("accessKeyId")):
        yield f"access key {key}"
    session = mapping(who.get("sessionContext"))
    if role := text(mapping(session.get("sessionIssuer")).get("arn")):
        yield f"a session of {role}"
    attributes = mapping(session.get("attributes"))
    if mfa := text(attributes.get("mfaAuthenticated")):
        yield "with MFA" if mfa == "true" else "without MFA"
    if program := text(detail.get("userAgent")):
        yield f"by {program[:120]}"


def mapping(value: object) -> Mapping[str, Any]:
    """What should be a mapping; an empty one if it is none."""
    return value if isinstance(value, Mapping) else {}


def text(value: object) -> str:
    """What should be text, without halves of surrogate pairs, which JSON may hold and nothing takes."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def as_list(value: object) -> list[Any]:
    """Undo CloudTrail's XML-to-JSON: one item stands alone, several are a list, none is '' or {} or null."""
    if isinstance(value, list):
        return value
    return [value] if value else []
