"""Tag fields of a log format: the tag key whose value each of them contains. Pure.

Source: EC2 API Reference, TagFieldSpecificationRequest: for each of three resource types, one or two keys.
The first key belongs to the field (`instance-tag`), the second to the field with `-2` (`instance-tag-2`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from flowwarden.records.fields import Kind
from flowwarden.records.log_format import LogFormat

type TagFields = dict[str, tuple[str, ...]]
"""Resource type → tag keys, in the order of its fields."""

FIELDS: Final = {
    "instance": ("instance-tag", "instance-tag-2"),
    "network-interface": ("interface-tag", "interface-tag-2"),
    "auto-scaling-group": ("asg-tag", "asg-tag-2"),
}
"""Resource type → its fields."""
RESOURCES: Final = ", ".join(f"`{each}`" for each in FIELDS)
"""The resource types as a list for the docs."""
LONGEST_KEY: Final = 128
"""Maximum characters in a tag key (EC2 User Guide, Tag restrictions)."""


def to_ec2(chosen: TagFields) -> list[dict[str, Any]]:
    """Convert to the form of CreateFlowLogs."""
    return [{"ResourceType": resource, "TagKeys": list(keys)} for resource, keys in chosen.items()]


def from_ec2(described: Iterable[Mapping[str, Any]]) -> TagFields:
    """Convert from the form of DescribeFlowLogs. Raises KeyError or TypeError if it is invalid."""
    found = [(each["ResourceType"], each["TagKeys"]) for each in described]
    if not all(isinstance(keys, list) and _are_texts([resource, *keys]) for resource, keys in found):
        raise TypeError("a resource type or a tag key is not text")
    return {resource: tuple(keys) for resource, keys in found}


def _are_texts(values: Iterable[object]) -> bool:
    return all(isinstance(each, str) for each in values)


def without_key(log_format: LogFormat, chosen: TagFields) -> list[str]:
    """The tag fields of the format without a tag key. EC2 rejects them (InvalidParameter)."""
    shown = set(_shown(chosen))
    return [
        each.name for each in log_format.fields if each.kind is Kind.ENCODED_TEXT and each.name not in shown
    ]


def problems(chosen: TagFields, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Report tag keys that EC2 would reject or that have no effect.

    Args:
        chosen: the keys.
        names: the fields of the log format.

    Yields:
        The path of the value (`.instance`), and what is wrong with it and what is allowed.
    """
    for resource, keys in chosen.items():
        fields = FIELDS.get(resource)
        if fields is None:
            yield "", f"{resource!r}; write one of {', '.join(FIELDS)}"
            continue
        if not 1 <= len(set(keys)) == len(keys) <= len(fields):
            yield f".{resource}", f"{list(keys)}; write 1 or {len(fields)} different keys"
        for key in keys:
            if not key.strip() or len(key) > LONGEST_KEY:
                yield f".{resource}", f"{key!r}; write 1 to {LONGEST_KEY} characters"
        missing = [each for each in _shown({resource: keys}) if each not in set(names)]
        if missing:
            yield f".{resource}", f"{list(keys)}; add ${{{missing[0]}}} to log_format, or remove a key"


def _shown(chosen: TagFields) -> Iterator[str]:
    for resource, keys in chosen.items():
        yield from FIELDS.get(resource, ())[: len(keys)]
