"""The fields that the enforcer can request from EC2. Pure; source: EC2 API Reference, CreateFlowLogs.

A format may be readable but not requestable: the reader accepts any field, CreateFlowLogs does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from flowwarden.policy.tag_fields import TagFields, without_key
from flowwarden.records.fields import TRANSIT_GATEWAY_VERSION, Field
from flowwarden.records.log_format import LogFormat


def field_problems(log_format: LogFormat, chosen: TagFields | None = None) -> Iterator[str]:
    """Reasons why EC2 would reject a VPC flow log with this format: one message per reason, with the fields.

    Args:
        log_format: the format.
        chosen: the tag keys of its tag fields.
    """
    for is_refused, why in _REFUSALS:
        names = [field.name for field in log_format.fields if is_refused(field)]
        if names:
            yield f"{', '.join(names)}: {why}"
    names = without_key(log_format, chosen or {})
    if names:
        yield f"{', '.join(names)}: EC2 requires a tag key; add one to tag_fields, or remove the field"


def _is_unknown(field: Field) -> bool:
    return field.version is None


def _is_transit_gateway(field: Field) -> bool:
    return field.version == TRANSIT_GATEWAY_VERSION


def _is_ecs(field: Field) -> bool:
    return field.name.startswith("ecs-")


_REFUSALS: Final[tuple[tuple[Callable[[Field], bool], str], ...]] = (
    (_is_unknown, "not a flow log field; check the spelling in the VPC User Guide"),
    (_is_transit_gateway, "available in transit gateway flow logs only; remove it"),
    (_is_ecs, "EC2 requires ecs:List* permissions, which the enforcer does not have; remove it"),
)
