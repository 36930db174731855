"""Checks the parameters of a deployment, as the functions do at their first event, and more strictly.

The stack's custom resource, which fails the deployment, and `flowwarden policy check` both use it. It neither
calls AWS nor imports boto3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from flowwarden.bootstrap import environment_size
from flowwarden.bootstrap.mutes import check_matches, ended
from flowwarden.bootstrap.report_only import check_report_only
from flowwarden.errors import ConfigurationError, LogFormatError, PolicyError, SettingsError
from flowwarden.parameters import (
    EXISTING_LOG_GROUPS,
    LOG_FORMAT,
    LONGEST_POLICY,
    OTHER_DESTINATIONS,
    PARAMETERS,
    POLICY,
    POLICY_PROFILE,
    SINK_ROUTES,
    TAG_FIELDS,
    YES,
    variables,
    with_defaults,
)
from flowwarden.policy import log_groups
from flowwarden.policy.flow_logs import CLOUD_WATCH_LOGS, FlowLogSpec, FlowLogsPolicy
from flowwarden.policy.policy import Policy
from flowwarden.policy.validation import check as check_flow_logs
from flowwarden.records.log_format import LogFormat
from flowwarden.settings import EnforcerSettings, MonitorSettings
from flowwarden.sinks.table import BY_NAME, routed

MADE_BY_AWS: Final = dict.fromkeys(
    (
        "AWS_REGION",
        "ACCOUNT_ID",
        "STACK_NAME",
        "STATE_TABLE",
        "DELIVERY_ROLE_ARN",
        "ENFORCER_ROLE_ARN",
        "MONITOR_FUNCTION_ARN",
        "OPERATIONS_TOPIC_ARN",
        "PAGES_TOPIC_ARN",
    ),
    "not deployed yet",
)
"""Variables that a deployment sets and a user cannot choose."""


def check(given: Mapping[str, str]) -> None:
    """Check the parameters of a deployment; those not given have their defaults.

    Raises:
        ConfigurationError: the first problem; the message has the parameter or the path in the policy, the
            value, and what is allowed.
    """
    values = with_defaults(given)
    _check_settings(values)
    _check_sinks(values)
    environment_size.check(values)
    policy = read_policy(values[POLICY], values[POLICY_PROFILE])
    _check_log_format(values[LOG_FORMAT], policy.flow_logs)
    _check_log_groups(values[EXISTING_LOG_GROUPS], policy.flow_logs)
    for path, parameter in needed_parameters(policy.flow_logs):
        if values[parameter] != YES:
            raise PolicyError(
                f"policy: flow_logs.{path}: needs the parameter {parameter}={YES}, which grants the enforcer "
                f"the permissions; it is {values[parameter]!r}"
            )


def check_policy(text: str, given: Mapping[str, str], now: int) -> list[str]:
    """Check a policy with the parameters of its deployment; those not given have their defaults.

    Args:
        text: the policy as JSON.
        given: the parameters.
        now: Unix seconds.

    Returns:
        One sentence for each parameter that was not given and that the policy needs, and for each mute and
        exemption that has ended.

    Raises:
        ConfigurationError: see `check`.
    """
    policy = read_policy(text, given.get(POLICY_PROFILE, ""))
    needed = [each for each in needed_parameters(policy.flow_logs) if each[1] not in given]
    groups = _missing_log_groups(policy.flow_logs) if EXISTING_LOG_GROUPS not in given else ()
    allowed = {EXISTING_LOG_GROUPS: ",".join((PARAMETERS[EXISTING_LOG_GROUPS].default, *groups))}
    granted = dict.fromkeys((parameter for _, parameter in needed), YES)
    check({**granted, **allowed, **given, POLICY: text})
    first = {parameter: path for path, parameter in reversed(needed)}
    return [
        *(
            f"Deploy it with {parameter}={YES}: flow_logs.{path} needs the permissions that it grants."
            for parameter, path in sorted(first.items())
        ),
        *(
            f"Deploy it with {name}={value}: flow_logs.log_groups needs the permissions that it grants."
            for name, value in allowed.items()
            if groups
        ),
        *ended(policy, now),
    ]


def read_policy(text: str, profile: str = "") -> Policy:
    """The policy of the parameter `Policy`, or of a profile of AppConfig.

    Raises:
        PolicyError: it is not valid, or longer than the parameter allows.
    """
    policy = Policy.from_json(text)
    if not profile and len(text) > LONGEST_POLICY:
        raise PolicyError(
            f"policy: {len(text)} characters; the parameter {POLICY} allows {LONGEST_POLICY}: remove spaces "
            f"and line breaks, join neighboring networks, or use an AppConfig profile ({POLICY_PROFILE})"
        )
    check_matches(policy.mutes)
    check_report_only(policy.report_only)
    return policy


def needed_parameters(policy: FlowLogsPolicy) -> Iterator[tuple[str, str]]:
    """The path in `flow_logs` of each setting that needs a parameter to be `yes`, and that parameter."""
    for path, spec in _specs(policy):
        if spec.destination_type != CLOUD_WATCH_LOGS:
            yield f"{path}.destination_type", OTHER_DESTINATIONS
        if spec.tag_fields:
            yield f"{path}.tag_fields", TAG_FIELDS


def _check_settings(values: Mapping[str, str]) -> None:
    """Read the settings of both functions. Raises SettingsError."""
    environment = MADE_BY_AWS | variables(values)
    for settings in (MonitorSettings, EnforcerSettings):
        try:
            settings.from_mapping(environment)
        except SettingsError as error:
            message = str(error)
            variable = re.split("[ =]", message, maxsplit=1)[0]
            (name,) = (name for name, each in PARAMETERS.items() if each.variable == variable)
            raise SettingsError(f"parameter {name}: {message}") from error


def _check_sinks(values: Mapping[str, str]) -> None:
    """Check the routes of sinks: their names, and that each is on. Raises SettingsError."""
    try:
        names = routed(values[SINK_ROUTES])
    except ValueError as error:
        raise SettingsError(f"parameter {SINK_ROUTES}: {error}") from error
    for name in names:
        parameter = BY_NAME[name].parameter
        if values[parameter] == PARAMETERS[parameter].default:
            raise SettingsError(
                f"parameter {SINK_ROUTES}: {name!r} gets nothing, because it is off: set the parameter "
                f"{parameter}, or remove {name} from the routes"
            )


def _check_log_format(text: str, policy: FlowLogsPolicy) -> None:
    """Check the stack's format for each flow log that has no format of its own. Raises LogFormatError."""
    try:
        LogFormat.parse(text)
        check_flow_logs(_filled(policy, text))
    except ConfigurationError as error:
        raise LogFormatError(f"parameter {LOG_FORMAT}: {error}") from error


def _filled(policy: FlowLogsPolicy, log_format: str) -> FlowLogsPolicy:
    """The policy with the stack's format where a flow log has none."""

    def filled(spec: FlowLogSpec) -> FlowLogSpec:
        return replace(spec, log_format=spec.log_format or log_format)

    rules = tuple(replace(each, flow_log=filled(each.flow_log)) for each in policy.rules)
    return replace(policy, default=filled(policy.default), rules=rules)


def _missing_log_groups(policy: FlowLogsPolicy) -> tuple[str, ...]:
    """The log groups of the policy that the default of the parameter does not cover."""
    default = PARAMETERS[EXISTING_LOG_GROUPS].default
    return tuple(each.name for each in policy.adopted if not log_groups.covers(default, each.name))


def _check_log_groups(text: str, policy: FlowLogsPolicy) -> None:
    """Check the existing log groups that the enforcer may subscribe, and those that the policy names.

    Raises:
        SettingsError: the parameter names log groups of functions.
        PolicyError: the policy names a log group that the parameter does not cover.
    """
    allowed = text.split(",")
    for each in allowed:
        if problem := log_groups.problem_of(each):
            raise SettingsError(f"parameter {EXISTING_LOG_GROUPS}: {each!r}: {problem}")
    for number, selection in enumerate(policy.adopted):
        if not any(log_groups.covers(each, selection.name) for each in allowed):
            raise PolicyError(
                f"policy: flow_logs.log_groups[{number}].name: {selection.name!r}: the parameter "
                f"{EXISTING_LOG_GROUPS}={text!r} does not cover it, so the enforcer would lack the "
                "permissions: add it there"
            )


def _specs(policy: FlowLogsPolicy) -> Iterator[tuple[str, FlowLogSpec]]:
    yield "default", policy.default
    for number, rule in enumerate(policy.rules):
        yield f"rules[{number}].flow_log", rule.flow_log
    if policy.transit_gateways.where:
        yield "transit_gateways", policy.gateway_spec
