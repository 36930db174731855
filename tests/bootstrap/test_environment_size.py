"""The parameters must fit into the environment of each function: what is reserved for the rest is enough."""

from __future__ import annotations

from typing import Any

import pytest

from flowwarden.bootstrap import deployment, environment_size
from flowwarden.bootstrap.environment_size import (
    FUNCTIONS,
    LIMIT,
    LONGEST_STACK,
    MADE,
    Function,
    parameter_bytes,
)
from flowwarden.errors import SettingsError
from flowwarden.parameters import PARAMETERS, with_defaults
from flowwarden.sinks.table import SINKS
from tests.template import stack

NAME = "s" * LONGEST_STACK
REGION, ACCOUNT = "us-gov-west-1", "123456789012"
ARN = "arn:aws-us-gov"
POLICY = '{"own_cidrs":[' + ",".join(f'"10.{each}.0.0/16"' for each in range(1, 110)) + "]}"
SECRETS = {each.parameter: "n" * 64 for each in SINKS if each.has_secret} | {"EventBus": "b" * 64}
LONG_FORMAT = " ".join(["${version}", *(f"${{field-{each}}}" for each in range(80))])[:1200]


def generated(logical_id: str) -> str:
    """A name that CloudFormation generates; names of functions and roles have at most 64 characters."""
    return f"{NAME}-{logical_id}-{'x' * 12}"


VALUES = {
    "OPERATIONS_TOPIC_ARN": f"{ARN}:sns:{REGION}:{ACCOUNT}:{generated('OperationsTopic')}",
    "PAGES_TOPIC_ARN": f"{ARN}:sns:{REGION}:{ACCOUNT}:{generated('PagesTopic')}",
    "STATE_TABLE": generated("StateTable"),
    "MONITOR_FUNCTION_ARN": f"{ARN}:lambda:{REGION}:{ACCOUNT}:function:{'f' * 64}",
    "ENFORCER_ROLE_ARN": f"{ARN}:iam::{ACCOUNT}:role/{'r' * 64}",
    "DELIVERY_ROLE_ARN": f"{ARN}:iam::{ACCOUNT}:role/{'r' * 64}",
    "POWERTOOLS_SERVICE_NAME": f"{NAME}-dispatcher",
    "ACCOUNT_ID": ACCOUNT,
    "STACK_NAME": NAME,
    "URL_SUFFIX": "amazonaws.com.cn",
    "DRY_RUN": "false",
}
CHAT, PRODUCT = (
    f"{ARN}:sns:{REGION}:{ACCOUNT}:{generated('ChatTopic')}",
    f"{ARN}:securityhub:{REGION}:{ACCOUNT}:product/{ACCOUNT}/default",
)


def environment(function: str, values: dict[str, str]) -> dict[str, str]:
    """The environment of a deployed function, in the longest partition and Region."""
    return {name: _value(name, each, values) for name, each in stack.environment(function).items()}


def _value(name: str, given: Any, values: dict[str, str]) -> str:
    if name == "SINKS":
        made = {"Chat": CHAT, "Product": PRODUCT}
        text: str = given["Fn::Sub"][0]
        for each, value in {**values, **made}.items():
            text = text.replace(f"${{{each}}}", value)
        return text
    if name in VALUES:
        return VALUES[name]
    reference = given["Ref"].removesuffix("Group") + "GroupName" if given == {"Ref": "FlowLogGroup"} else None
    return values[reference or given["Ref"]] if isinstance(given, dict) else given


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.name)
def test_what_is_reserved_covers_everything_else(function: Function) -> None:
    """So what the check accepts is below Lambda's limit; and it reserves little more than is needed."""
    values = with_defaults(SECRETS | {"ChatNotifications": "yes", "SecurityHub": "yes"})
    found = environment(function.name.capitalize(), values)
    total = sum(len(name) + len(value.encode()) for name, value in found.items())
    others = total - sum(parameter_bytes(values, function).values())
    assert others <= function.others < others + 100
    assert len(CHAT) <= MADE["ChatNotifications"]
    assert len(PRODUCT) == MADE["SecurityHub"]


def test_every_variable_that_parameters_set_is_counted() -> None:
    """One that none of the functions reads would be missing."""
    counted = {name for each in FUNCTIONS for name in parameter_bytes(with_defaults({}), each)}
    assert counted >= {name for name, each in PARAMETERS.items() if each.variable}


def test_a_long_policy_with_every_sink_fits() -> None:
    """With the default log format."""
    deployment.check(SECRETS | {"Policy": POLICY, "SecurityHub": "yes"})


def test_everything_at_its_longest_does_not_fit() -> None:
    """The message names what is largest, and the way out."""
    longest = with_defaults(
        SECRETS | {"LogFormat": LONG_FORMAT.rpartition(" ")[0], "SinkRoutes": "slack=pages"}
    )
    with pytest.raises(SettingsError, match=r"environment of the enforcer.*Policy 1800.*\(PolicyProfile\)"):
        environment_size.check({**longest, "Policy": "x" * 1800, "FlowLogGroupName": "g" * 512})


def test_bytes_count_not_characters() -> None:
    """A policy may contain any text, such as the reason of a mute."""
    values = with_defaults({})
    environment_size.check({**values, "Policy": "x" * 1800})
    with pytest.raises(SettingsError, match="Policy 3600"):
        environment_size.check({**values, "Policy": "é" * 1800})


def test_the_limit_is_exact() -> None:
    """One more byte is refused."""
    (enforcer,) = (each for each in FUNCTIONS if each.name == "enforcer")
    values = with_defaults({})
    used = sum(parameter_bytes(values | {"Policy": ""}, enforcer).values())
    room = LIMIT - enforcer.others - used
    environment_size.check({**values, "Policy": "x" * room})
    with pytest.raises(SettingsError, match="enforcer"):
        environment_size.check({**values, "Policy": "x" * (room + 1)})
