"""Tag keys of a log format's tag fields: the policy rejects keys that EC2 rejects or that have no effect."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from flowwarden.errors import PolicyError
from flowwarden.policy.policy import Policy
from flowwarden.policy.tag_fields import FIELDS, from_ec2, to_ec2
from flowwarden.records.fields import FIELDS as ALL_FIELDS
from flowwarden.records.fields import Kind

INSTANCE = "${version} ${srcaddr} ${dstaddr} ${instance-tag}"


def tag_fields(log_format: str, **chosen: Any) -> dict[str, tuple[str, ...]]:
    """The tag fields of a policy with this format and these keys (`_` for `-` in a resource)."""
    keys = {name.replace("_", "-"): value for name, value in chosen.items()}
    document = {"flow_logs": {"default": {"log_format": log_format, "tag_fields": keys}}}
    return Policy.from_json(msgspec.json.encode(document)).flow_logs.default.tag_fields


def test_every_tag_field_of_the_table_of_fields_belongs_to_a_resource() -> None:
    """No other field does."""
    tags = [each.name for each in ALL_FIELDS if each.kind is Kind.ENCODED_TEXT]
    assert sorted(name for names in FIELDS.values() for name in names) == sorted(tags)


@pytest.mark.parametrize("resource", FIELDS)
def test_each_resource_accepts_one_or_two_keys(resource: str) -> None:
    """The first is for the field, the second for the field with -2."""
    first, second = FIELDS[resource]
    assert tag_fields(f"${{srcaddr}} ${{dstaddr}} ${{{first}}}", **{resource: ["Name"]}) == {
        resource: ("Name",)
    }
    both = f"${{srcaddr}} ${{dstaddr}} ${{{second}}} ${{{first}}}"
    assert tag_fields(both, **{resource: ["Name", "team"]}) == {resource: ("Name", "team")}


@pytest.mark.parametrize(
    ("log_format", "chosen", "message"),
    [
        (INSTANCE, {}, "log_format: instance-tag: EC2 requires a tag key"),
        (INSTANCE + " ${instance-tag-2}", {"instance": ["Name"]}, "log_format: instance-tag-2: EC2 requires"),
        (INSTANCE, {"network-interface": ["Name"]}, "log_format: instance-tag: EC2 requires"),
        (INSTANCE, {"instance": ["Name", "a"]}, "instance: ['Name', 'a']; add ${instance-tag-2}"),
        ("${version}", {"instance": ["Name"]}, "tag_fields.instance: ['Name']; add ${instance-tag}"),
        ("", {"instance": ["Name"]}, "tag_fields.instance: ['Name']; add ${instance-tag}"),
        (INSTANCE, {"instance": []}, "log_format: instance-tag: EC2 requires"),
        ("${version}", {"instance": []}, "tag_fields.instance: []; write 1 or 2 different keys"),
        (INSTANCE, {"instance": ["a", "b", "c"]}, "tag_fields.instance: ['a', 'b', 'c']; write 1 or 2"),
        (INSTANCE + " ${instance-tag-2}", {"instance": ["a", "a"]}, "instance: ['a', 'a']; write 1 or 2"),
        (INSTANCE, {"instance": [" "]}, "tag_fields.instance: ' '; write 1 to 128 characters"),
        (INSTANCE, {"instance": ["x" * 129]}, "write 1 to 128 characters"),
        (INSTANCE, {"instance": ["a"], "vpc": ["b"]}, "tag_fields: 'vpc'; write one of instance, network"),
    ],
)  # fmt: skip
def test_keys_that_do_not_match_the_fields_are_rejected_with_path_and_remedy(
    log_format: str, chosen: dict[str, Any], message: str
) -> None:
    """EC2 would return InvalidParameter for every VPC."""
    with pytest.raises(PolicyError) as raised:
        tag_fields(log_format, **chosen)
    assert message in str(raised.value)


def test_the_longest_key_is_accepted() -> None:
    """128 characters are allowed."""
    assert tag_fields(INSTANCE, instance=["x" * 128]) == {"instance": ("x" * 128,)}


def test_tag_fields_survive_the_round_trip_through_ec2() -> None:
    """There is one specification per resource, with its keys in order."""
    chosen = {"instance": ("Name", "team"), "auto-scaling-group": ("b",)}
    assert to_ec2(chosen) == [
        {"ResourceType": "instance", "TagKeys": ["Name", "team"]},
        {"ResourceType": "auto-scaling-group", "TagKeys": ["b"]},
    ]
    assert from_ec2(to_ec2(chosen)) == chosen


@pytest.mark.parametrize("described", [[{"TagKeys": ["a"]}], [{"ResourceType": "instance"}], [None], 1])
def test_an_invalid_specification_raises_an_error_that_the_parser_of_descriptions_handles(
    described: Any,
) -> None:
    """Only the invalid description is skipped and reported."""
    with pytest.raises((KeyError, TypeError)):
        from_ec2(described)
