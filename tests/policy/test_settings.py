"""The table of flow log settings: each row describes its setting completely."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from flowwarden.errors import PolicyError
from flowwarden.policy.flow_logs import (
    CLOUD_WATCH_LOGS,
    DESTINATION_TYPES,
    FIREHOSE,
    S3,
    SETTINGS,
    SPEC_SETTINGS,
    FlowLogSpec,
    FlowLogsPolicy,
)
from flowwarden.policy.policy import Policy
from flowwarden.policy.setting import Setting
from flowwarden.policy.validation import check

ELSEWHERE: dict[str, dict[str, Any]] = {
    S3: {"destination_type": S3, "destination": "arn:aws:s3:::bucket"},
    FIREHOSE: {
        "destination_type": FIREHOSE,
        "destination": "arn:aws:firehose:eu-west-1:111122223333:deliverystream/logs",
    },
}


def policy(setting: Setting, value: Any) -> FlowLogSpec:
    """The default flow log of a policy with this value, with a destination that supports the setting."""
    place = ELSEWHERE[S3] if not setting.applies_to(CLOUD_WATCH_LOGS) else {}
    if setting.name == "destination_type":
        place = ELSEWHERE.get(value, {})
    document = {"flow_logs": {"default": place | {setting.name: value}}}
    return Policy.from_json(msgspec.json.encode(document)).flow_logs.default


def problem(spec: FlowLogSpec) -> str:
    """The error message for the first problem; '' if there is none."""
    try:
        check(FlowLogsPolicy(default=spec))
    except PolicyError as error:
        return str(error)
    return ""


def test_a_row_has_the_name_and_the_default_of_its_attribute() -> None:
    """The attribute is the only place that defines them."""
    assert {each.name: each.default for each in SPEC_SETTINGS} == {
        name: getattr(FlowLogSpec(), name) for name in FlowLogSpec.__struct_fields__
    }


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_setting_that_ec2_stores_has_a_parameter_and_a_name_for_drift(setting: Setting) -> None:
    """Otherwise it could not be requested or compared."""
    assert setting.parameter
    assert setting.difference


WITH_CHOICE = [each for each in SPEC_SETTINGS if each.allowed]


@pytest.mark.parametrize("setting", WITH_CHOICE, ids=lambda each: each.name)
def test_a_value_that_the_row_does_not_allow_is_rejected(setting: Setting) -> None:
    """The message lists the allowed values."""
    wrong: Any = -1 if isinstance(setting.allowed[-1], int) else "-1"
    with pytest.raises(PolicyError) as raised:
        policy(setting, wrong)
    assert f"default.{setting.name}: {wrong!r}; write one of " in str(raised.value)
    assert all(str(each) in str(raised.value) for each in setting.allowed if each is not None)


@pytest.mark.parametrize("setting", WITH_CHOICE, ids=lambda each: each.name)
def test_every_value_that_the_row_allows_is_accepted(setting: Setting) -> None:
    """The default is one of them."""
    assert setting.default in setting.allowed
    for value in setting.allowed:
        assert getattr(policy(setting, value), setting.name) == value


@pytest.mark.parametrize(
    "setting", [each for each in SETTINGS if each.destinations], ids=lambda each: each.name
)
def test_a_setting_applies_only_to_the_destinations_of_its_row(setting: Setting) -> None:
    """For other destinations, only the default is accepted."""
    other = next(each for each in setting.allowed or (False, True) if each != setting.default)
    for kind in DESTINATION_TYPES:
        spec = FlowLogSpec(**ELSEWHERE.get(kind, {}))
        refused = f"default.{setting.name}: {other!r}; only for {' and '.join(setting.destinations)}"
        assert problem(spec) == ""
        assert (refused in problem(replace(spec, **{setting.name: other}))) is not setting.applies_to(kind)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("${version} ${srcaddr}", " ${version}  ${srcaddr} "),
        ("", None),
        ({"a": ("x",), "b": ("y",)}, {"b": ("y",), "a": ("x",)}),
        ({}, None),
    ],
)
def test_values_that_ec2_treats_as_equal_compare_equal(one: Any, two: Any) -> None:
    """Extra spaces, the order of resources, and missing values do not matter."""
    setting = Setting(default=type(one)(), purpose="")
    assert setting.comparable(one) == setting.comparable(two)
    assert hash(setting.comparable(one)) == hash(setting.comparable(two))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("${srcaddr} ${version}", "${version} ${srcaddr}"),
        ({"instance": ("x", "y")}, {"instance": ("y", "x")}),
        ({"instance": ("x",)}, None),
        (60, 600),
        (True, False),
    ],
)
def test_values_that_ec2_treats_as_different_compare_different(one: Any, two: Any) -> None:
    """The order of fields and of keys matters."""
    setting = Setting(default=False, purpose="")
    assert setting.comparable(one) != setting.comparable(two)
