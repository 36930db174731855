"""A log format of the policy that EC2 would refuse is refused with the policy, and says which field."""

from __future__ import annotations

import json

import pytest

from flowwarden.errors import PolicyError
from flowwarden.policy.policy import Policy
from flowwarden.policy.requestable import field_problems
from flowwarden.records.fields import FIELDS, TRANSIT_GATEWAY_VERSION, Field, Kind
from flowwarden.records.log_format import LogFormat


def is_requestable(field: Field) -> bool:
    """Whether a VPC's flow log may have the field, by what the table says of it."""
    is_tag = field.kind is Kind.ENCODED_TEXT
    return field.version != TRANSIT_GATEWAY_VERSION and not field.name.startswith("ecs-") and not is_tag


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_each_field_of_the_table_is_requestable_or_its_refusal_names_it(field: Field) -> None:
    """Transit gateway, ECS and tag fields are refused; every other field is not."""
    log_format = LogFormat(tuple(dict.fromkeys(("version", field.name))))
    problems = list(field_problems(log_format))
    assert (problems == []) is is_requestable(field)
    assert all(problem.startswith(f"{field.name}: ") for problem in problems)


def test_a_misspelt_field_is_refused_with_its_place_in_the_policy() -> None:
    """EC2 would answer InvalidParameter for every VPC."""
    text = '{"flow_logs": {"default": {"log_format": "${version} ${srcadr}"}}}'
    with pytest.raises(
        PolicyError, match=r"flow_logs\.default\.log_format: srcadr: not a field of flow logs"
    ):
        Policy.from_json(text)


def test_fields_refused_for_different_reasons_get_a_sentence_each() -> None:
    """And those of one reason stand together."""
    log_format = LogFormat.parse("${version} ${tgw-id} ${instance-tag} ${asg-tag} ${srcaddr}")
    assert [problem.partition(":")[0] for problem in field_problems(log_format)] == [
        "tgw-id",
        "instance-tag, asg-tag",
    ]


def refusal(**flow_log: str) -> str:
    """What is wrong about a flow log; empty if nothing is."""
    try:
        Policy.from_json(json.dumps({"flow_logs": {"default": flow_log}}))
    except PolicyError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("text", ["${srcaddr}", "${bytes}", "${version} ${dstaddr}"])
def test_a_format_that_the_monitor_could_not_read_is_refused_for_log_groups(text: str) -> None:
    """The enforcer would replace flow logs that work by some that nothing is found in."""
    assert "flow_logs.default.log_format: " in refusal(log_format=text)
    assert "lacks ${" in refusal(log_format=text)


def test_a_format_without_addresses_may_go_to_a_bucket() -> None:
    """The monitor does not read it there."""
    bucket = {"destination_type": "s3", "destination": "arn:aws:s3:::bucket"}
    assert refusal(log_format="${bytes}", **bucket) == ""
