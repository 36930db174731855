"""Which fields the enforcer can ask EC2 for. Pure; source: EC2 API Reference, CreateFlowLogs.

A format may be readable and not requestable: the reader takes lines of any field, CreateFlowLogs does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from flowwarden.policy.tag_fields import TagFields, without_key
from flowwarden.records.fields import TRANSIT_GATEWAY_VERSION, Field
from flowwarden.records.log_format import LogFormat


def field_problems(log_format: LogFormat, chosen: TagFields | None = None) -> Iterator[str]:
    """Why EC2 would refuse a VPC's flow log of this format: one sentence for each reason, with the fields.

    Args:
        log_format: the format.
        chosen: the tag keys that its tag fields show.
    """
    for is_refused, why in _REFUSALS:
        names = [field.name for field in log_format.fields if is_refused(field)]
        if names:
            yield f"{', '.join(names)}: {why}"
    names = without_key(log_format, chosen or {})
    if names:
        yield f"{', '.join(names)}: EC2 needs the key of a tag; choose one in tag_fields, or leave it out"


def _is_unknown(field: Field) -> bool:
    return field.version is None


def _is_transit_gateway(field: Field) -> bool:
    return field.version == TRANSIT_GATEWAY_VERSION


def _is_ecs(field: Field) -> bool:
    return field.name.startswith("ecs-")


_REFUSALS: Final[tuple[tuple[Callable[[Field], bool], str], ...]] = (
    (_is_unknown, "not a field of flow logs; check the spelling against the VPC User Guide"),
    (_is_transit_gateway, "only transit gateway flow logs have it; leave it out"),
    (
        _is_ecs,
        "EC2 asks the creator for ecs:List* permissions, which the enforcer does not have; leave it out",
    ),
)
