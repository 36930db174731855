"""The parameters of the stack's template: their defaults, and the environment variables that they set.

`template.yaml` declares them; it is not part of the installed package, so this table repeats what is needed
without it. A test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from flowwarden.errors import SettingsError

POLICY: Final = "Policy"
POLICY_PROFILE: Final = "PolicyProfile"
LOG_FORMAT: Final = "LogFormat"
OTHER_DESTINATIONS: Final = "OtherDestinations"
TAG_FIELDS: Final = "TagFields"
YES: Final = "yes"
RUNBOOKS: Final = "docs/runbooks"
"""The folder of the runbooks in the project: their base address if they are not published elsewhere."""

LONGEST_POLICY: Final = 1800
"""Characters of the parameter `Policy`: the environment of a function is at most 4 KB."""

_LOG_FORMAT: Final = (
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} "
    "${packets} ${bytes} ${start} ${end} ${action} ${log-status} ${vpc-id} ${subnet-id} ${instance-id} "
    "${tcp-flags} ${type} ${pkt-srcaddr} ${pkt-dstaddr} ${region} ${az-id} ${pkt-src-aws-service} "
    "${pkt-dst-aws-service} ${flow-direction} ${traffic-path} ${reject-reason}"
)


class Parameter(Struct, frozen=True):
    """One parameter of the template."""

    default: str
    variable: str = ""
    """The environment variable that it sets; '' if it sets none, or one that the settings do not read."""


PARAMETERS: Final[Mapping[str, Parameter]] = MappingProxyType(
    {
        "FlowLogGroupName": Parameter("/flow-warden/flow-logs", "FLOW_LOG_GROUP_NAME"),
        "FlowLogRetentionDays": Parameter("30", "FLOW_LOG_RETENTION_DAYS"),
        LOG_FORMAT: Parameter(_LOG_FORMAT, "LOG_FORMAT"),
        "LogKmsKeyArn": Parameter("", "LOG_KMS_KEY_ARN"),
        "PagesEmail": Parameter(""),
        "OperationsEmail": Parameter(""),
        "RunbookUrl": Parameter(RUNBOOKS, "RUNBOOK_URL"),
        "Dashboard": Parameter("no"),
        POLICY: Parameter("{}", "POLICY"),
        POLICY_PROFILE: Parameter("", "POLICY_PROFILE"),
        "SuppressionMinutes": Parameter("240", "SUPPRESSION_MINUTES"),
        "SweepRate": Parameter("rate(1 hour)"),
        "RetryRate": Parameter("rate(5 minutes)"),
        "DryRun": Parameter("no"),
        OTHER_DESTINATIONS: Parameter("no"),
        TAG_FIELDS: Parameter("no"),
        "Architecture": Parameter("x86_64"),
        "MaxInflatedMiB": Parameter("64", "MAX_INFLATED_MIB"),
        "LogLevel": Parameter("INFO"),
        "FunctionLogRetentionDays": Parameter("14"),
        "MonitorReservedConcurrency": Parameter("-1"),
        "EnforcerReservedConcurrency": Parameter("-1"),
        "AwsEndpointUrl": Parameter(""),
    }
)
"""By name, in the template's order."""


def with_defaults(given: Mapping[str, str]) -> dict[str, str]:
    """The value of each parameter: the given one, or its default.

    Raises:
        SettingsError: the template has no parameter of a given name; the message lists all of them.
    """
    for name in given:
        if name not in PARAMETERS:
            raise SettingsError(
                f"{name!r} is not a parameter of the template; write one of {', '.join(PARAMETERS)}"
            )
    return {name: given.get(name, each.default) for name, each in PARAMETERS.items()}


def variables(values: Mapping[str, str]) -> dict[str, str]:
    """The environment variables of the functions that these parameters set."""
    return {each.variable: values[name] for name, each in PARAMETERS.items() if each.variable}
