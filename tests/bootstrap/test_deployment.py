"""The check of a deployment's parameters: it refuses what the functions would refuse or fail at later."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.bootstrap.deployment import check, check_policy, needed_parameters
from flowwarden.bootstrap.mutes import detector_names
from flowwarden.errors import ConfigurationError, PolicyError, SettingsError
from flowwarden.monitor.detectors import BY_NAME
from flowwarden.parameters import PARAMETERS, variables, with_defaults
from flowwarden.policy.policy import Policy
from tests.examples import examples
from tests.template import stack

GATEWAYS = {
    "flow_logs": {
        "transit_gateways": {"where": [{}], "destination_type": "s3", "destination": "arn:aws:s3:::flows"}
    }
}
S3 = {"flow_logs": {"default": {"destination_type": "s3", "destination": "arn:aws:s3:::flows"}}}
SHORT = "${version} ${srcaddr} ${dstaddr}"
TAGGED = {"tag_fields": {"instance": ["env"]}, "log_format": f"{SHORT} ${{instance-tag}}"}
TAGS = {"flow_logs": {"rules": [{"where": {"vpcs": ["vpc-1"]}, "flow_log": TAGGED}]}}


def policy(document: dict[str, Any]) -> dict[str, str]:
    """The parameters of a deployment with this policy."""
    return {"Policy": json.dumps(document)}


@pytest.mark.parametrize(
    ("name", "on"),
    [
        ("pagerduty", {"PagerDutySecret": "a"}),
        ("amazonq", {"ChatNotifications": "yes"}),
        ("eventbridge", {"EventBus": "b"}),
    ],
)
def test_routes_of_a_service_that_is_off_are_refused(name: str, on: dict[str, str]) -> None:
    """Its user expects notifications there, and would get none."""
    (parameter,) = on
    check({"SinkRoutes": f"{name}=pages", **on})
    with pytest.raises(
        SettingsError, match=f"SinkRoutes: '{name}' gets nothing.*set the parameter {parameter}"
    ):
        check({"SinkRoutes": f"{name}=pages"})


def test_the_table_is_that_of_the_template() -> None:
    """Names, order, defaults, what is allowed, and the longest policy."""
    assert list(PARAMETERS) == list(stack.PARAMETERS)
    assert {name: each.default for name, each in PARAMETERS.items()} == {
        name: str(each["Default"]) for name, each in stack.PARAMETERS.items()
    }
    assert stack.PARAMETERS["Policy"]["MaxLength"] == 1800
    # The check of a policy is more precise than the template's.
    for name, each in PARAMETERS.items():
        if name == "Policy":
            continue
        template = stack.PARAMETERS[name]
        assert each.values == tuple(map(str, template.get("AllowedValues", ()))), name
        assert each.pattern == template.get("AllowedPattern", ""), name
        assert each.longest == template.get("MaxLength", 4096), name
        assert (each.least, each.most) == (template.get("MinValue"), template.get("MaxValue")), name
        assert each.allows(each.default)
        assert each.write


def test_the_names_of_the_detectors_are_those_of_their_files() -> None:
    """The check knows each detector without importing it."""
    assert detector_names() == BY_NAME.keys()


def test_a_mute_of_an_unknown_detector_is_refused() -> None:
    """It would never match: a typo must not stay unnoticed until the next page."""
    mute = {"detector": "scann", "until": "never", "reason": "x"}
    with pytest.raises(
        PolicyError, match=r"mutes\[0\].detector: 'scann' is not a detector; write one of .*scan,"
    ):
        check(policy({"mutes": [mute]}))


def test_the_table_names_the_variable_of_each_parameter() -> None:
    """Those that the functions' settings read and that a parameter sets directly."""
    set_by = {
        name: value["Ref"]
        for function in stack.FUNCTIONS
        for name, value in stack.environment(function).items()
        if isinstance(value, dict) and value.get("Ref") in stack.PARAMETERS
    }
    assert set_by | {"FLOW_LOG_GROUP_NAME": "FlowLogGroupName"} == {
        each.variable: name for name, each in PARAMETERS.items() if each.variable
    } | {"POWERTOOLS_LOG_LEVEL": "LogLevel", "AWS_ENDPOINT_URL": "AwsEndpointUrl"}


def test_the_defaults_are_valid() -> None:
    """They deploy without any parameter."""
    check({})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (policy({"own_cidr": []}), "policy: own_cidr: unknown setting; .*did you mean own_cidrs"),
        ({"Policy": "{"}, "policy: not JSON"),
        ({"Policy": '{"exempt": [], "exempt": []}'}, "policy: exempt: occurs twice"),
        (policy({"exempt": ["0.0.0.0/0"]}), r"policy: exempt\[0\]: '0.0.0.0/0' is too wide"),
        ({"Policy": "{}" + " " * 1799}, "policy: 1801 characters; the parameter Policy allows 1800"),
        ({"LogFormat": "${version} ${srcadr}"}, "parameter LogFormat: .*srcadr"),
        ({"LogFormat": "version"}, "parameter LogFormat: "),
        ({"LogFormat": "${version} ${start}"}, "parameter LogFormat: "),
        ({"LogFormat": f"{SHORT} ${{instance-tag}}"}, "parameter LogFormat: "),
        (
            {"SuppressionMinutes": "0"},
            "parameter SuppressionMinutes: '0'; write a whole number from 1 to 525600",
        ),
        (
            {"SuppressionMinutes": "600000"},
            "parameter SuppressionMinutes: '600000'; write a whole number from 1 to 525600",
        ),
        ({"MaxInflatedMiB": "much"}, "parameter MaxInflatedMiB: 'much'; write a whole number from 1 to 96"),
        ({"FlowLogRetentionDays": "-1"}, "parameter FlowLogRetentionDays: "),
        ({"Polcy": "{}"}, "'Polcy' is not a parameter of the template; write one of FlowLogGroupName"),
        (policy(S3), "flow_logs.default.destination_type: needs the parameter OtherDestinations=yes"),
        (
            policy(GATEWAYS),
            "flow_logs.transit_gateways.destination_type: needs the parameter OtherDestinations=",
        ),
        (policy(TAGS), r"flow_logs.rules\[0\].flow_log.tag_fields: needs the parameter TagFields=yes"),
    ],
)
def test_an_invalid_parameter_is_named_with_what_is_allowed(given: dict[str, str], message: str) -> None:
    """Without the check, a function would find most of these only at its first event."""
    with pytest.raises(ConfigurationError, match=message):
        check(given)


def test_what_needs_a_parameter_is_valid_with_it() -> None:
    """The parameter grants the permissions."""
    check(policy(S3) | {"OtherDestinations": "yes"})
    check(policy(GATEWAYS) | {"OtherDestinations": "yes"})
    assert list(needed_parameters(Policy.from_json(json.dumps(S3)).flow_logs)) == [
        ("default.destination_type", "OtherDestinations")
    ]


def test_a_format_without_addresses_is_valid_if_no_log_group_uses_it() -> None:
    """A flow log with its own format does not get the stack's."""
    own = {"flow_logs": {"default": {"log_format": SHORT}}}
    with pytest.raises(ConfigurationError, match="parameter LogFormat"):
        check({"LogFormat": "${version} ${start}"})
    check(policy(own) | {"LogFormat": "${version} ${start}"})


def test_the_stacks_format_is_checked_for_each_flow_log_that_uses_it() -> None:
    """A tag field needs its tag keys, which only a flow log with its own format has."""
    given = {"LogFormat": f"{SHORT} ${{instance-tag}}", "TagFields": "yes"}
    rule = {"where": {"vpcs": ["vpc-1"]}, "flow_log": {}}
    with pytest.raises(ConfigurationError, match=r"LogFormat: .*flow_logs.rules\[0\].flow_log.log_format"):
        check(policy({"flow_logs": {"default": TAGGED, "rules": [rule]}}) | given)
    check(policy({"flow_logs": {"default": TAGGED}}) | given)


@pytest.mark.parametrize("name", ["LogFormat", "FlowLogGroupName"])
def test_an_empty_parameter_is_named(name: str) -> None:
    """An empty variable of a function counts as not set, and the function needs these."""
    with pytest.raises(SettingsError, match=f"parameter {name}: it is empty"):
        check({name: ""})


def test_an_empty_policy_is_refused_with_what_to_write() -> None:
    """Even if it contains spaces."""
    for text in ("", " "):
        with pytest.raises(PolicyError, match=r"policy: it is empty; write \{\}"):
            check({"Policy": text})


def test_unknown_parameters_are_refused_and_known_ones_replace_the_default() -> None:
    """All others keep theirs."""
    values = with_defaults({"SuppressionMinutes": "60"})
    assert variables(values)["SUPPRESSION_MINUTES"] == "60"
    assert variables(values)["POLICY"] == "{}"
    with pytest.raises(SettingsError, match="'Other' is not a parameter"):
        with_defaults({"Other": "1"})


@examples(1)
@given(st.dictionaries(st.sampled_from(list(PARAMETERS)), st.text(max_size=60), max_size=3))
def test_any_values_are_valid_or_refused_as_a_configuration(given: dict[str, str]) -> None:
    """No other error leaves the check."""
    try:
        check(given)
    except ConfigurationError as error:
        refused = str(error)
        assert refused


def reading(*names: str, **parameters: str) -> dict[str, str]:
    """The parameters of a deployment whose policy reads these existing log groups."""
    groups = [{"name": each} for each in names]
    return policy({"flow_logs": {"log_groups": groups}}) | parameters


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            reading("/hub"),
            r"\[0\].name: '/hub': the parameter ExistingLogGroups='/aws/vpc/\*' does not",
        ),
        (reading("/aws/vpc/*", ExistingLogGroups="/aws/vpc/vpc-*"), "does not cover it"),
        (
            reading(ExistingLogGroups="/x,/aws/*"),
            r"Groups: '/aws/\*': it names log groups of functions",
        ),
        (reading(ExistingLogGroups="*"), "parameter ExistingLogGroups: '.*'; write 1 to 5 names"),
        (reading(ExistingLogGroups="/1,/2,/3,/4,/5,/6"), "write 1 to 5 names"),
    ],
)
def test_the_policy_reads_only_log_groups_that_the_parameter_covers(
    given: dict[str, str], problem: str
) -> None:
    """The parameter grants the permissions, and never those for groups of functions."""
    with pytest.raises(ConfigurationError, match=problem):
        check(given)


def test_the_parameter_may_cover_more_than_the_policy_reads() -> None:
    """With `beside`, the policy reads none."""
    check(reading("/aws/vpc/vpc-1", "/hub", ExistingLogGroups="/aws/vpc/*,/hub"))
    check(reading())
    beside = {"flow_logs": {"unmanaged": "beside", "log_groups": [{"name": "/hub"}]}}
    check(policy(beside))


def test_the_check_of_a_policy_says_which_log_groups_its_deployment_must_grant() -> None:
    """If the parameter is not given; a given one is checked."""
    text = reading("/hub", "/aws/vpc/vpc-*")["Policy"]
    (advice,) = check_policy(text, {}, 0)
    assert advice.startswith("Deploy it with ExistingLogGroups=/aws/vpc/*,/hub: flow_logs.log_groups needs")
    assert check_policy(text, {"ExistingLogGroups": "/hub,/aws/vpc/*"}, 0) == []
    with pytest.raises(PolicyError, match="does not cover it"):
        check_policy(text, {"ExistingLogGroups": "/aws/vpc/*"}, 0)
