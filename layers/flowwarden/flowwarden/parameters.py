"""The parameters of the stack's template: their defaults, and the environment variables that they set.

`template.yaml` declares them; it is not part of the installed package, so this table repeats what is needed
without it. A test compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from flowwarden.errors import SettingsError
from flowwarden.policy.flow_logs import RETENTIONS
from flowwarden.policy.log_groups import TELEMETRY_RULES
from flowwarden.state.digests import Digests

POLICY: Final = "Policy"
POLICY_PROFILE: Final = "PolicyProfile"
LOG_FORMAT: Final = "LogFormat"
OTHER_DESTINATIONS: Final = "OtherDestinations"
TAG_FIELDS: Final = "TagFields"
EXISTING_LOG_GROUPS: Final = "ExistingLogGroups"
YES: Final = "yes"
SINK_ROUTES: Final = "SinkRoutes"
RUNBOOKS: Final = "docs/runbooks"
"""The folder of the runbooks in the project: their base address if they are not published elsewhere."""

_SHOWN: Final = 80
"""The longest excerpt of a value in an error message."""

EMPTY: Final = "it is empty; leave it out to use its default"

LONGEST_POLICY: Final = 1800
"""Characters of the parameter `Policy`: the environment of a function is at most 4 KB."""

MOST_PAGES: Final = 500
"""The highest limit of the budget for pages: an item of the state table contains a hash of each."""

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
    write: str = ""
    """What to write, in words; '' if another check is more precise."""
    values: tuple[str, ...] = ()
    """The only allowed values; empty if there is no list."""
    pattern: str = ""
    """The whole value must match it."""
    longest: int = 4096
    """Characters."""
    least: int | None = None
    """A number must not be less; None if the value is no number."""
    most: int | None = None

    def allows(self, value: str) -> bool:
        """Whether CloudFormation accepts the value."""
        if self.values and value not in self.values:
            return False
        if self.least is not None and not _is_between(value, self.least, self.most):
            return False
        return len(value) <= self.longest and re.fullmatch(self.pattern or r"[\s\S]*", value) is not None


def _is_between(value: str, least: int, most: int | None) -> bool:
    """Whether the text is a whole number in this range."""
    if not re.fullmatch(r"-?[0-9]{1,18}", value):
        return False
    return least <= int(value) and (most is None or int(value) <= most)


def _page_limit(default: str, variable: str) -> Parameter:
    write = f"a whole number from 0 (no limit) to {MOST_PAGES}"
    return Parameter(default, variable, write=write, least=0, most=MOST_PAGES)


def _secret() -> Parameter:
    write = "the name of a secret, at most 64 letters, digits and / _ . -, or nothing"
    return Parameter("", write=write, pattern="^$|^[A-Za-z0-9/_.-]{1,64}$")


_ROUTE: Final = "(pages|operations|digests)"
_ROUTES_OF_ONE: Final = f"[a-z]+={_ROUTE}(,{_ROUTE})*"
_RETENTIONS: Final = tuple(map(str, RETENTIONS))
_RETENTION: Final = "a retention that CloudWatch Logs supports, such as 7, 30, 90 or 365"
_EMAIL: Final = r"^$|^[^@\s]+@[^@\s]+\.[^@\s]+$"
_YES_OR_NO: Final = ("yes", "no")


PARAMETERS: Final[Mapping[str, Parameter]] = MappingProxyType(
    {
        "FlowLogGroupName": Parameter(
            "/flow-warden/flow-logs",
            "FLOW_LOG_GROUP_NAME",
            write="1 to 512 letters, digits and _ / . # -, not beginning with /aws/ or sns/",
            pattern="^(?!/?aws/|sns/)[A-Za-z0-9_/.#-]{1,512}$",
        ),
        "FlowLogRetentionDays": Parameter(
            "30", "FLOW_LOG_RETENTION_DAYS", write=_RETENTION, values=_RETENTIONS
        ),
        LOG_FORMAT: Parameter(
            _LOG_FORMAT,
            "LOG_FORMAT",
            write="names of fields, each as ${name}, separated by one space, in at most 1200 characters",
            pattern=r"^\$\{[a-z0-9-]+\}( \$\{[a-z0-9-]+\})*$",
            longest=1200,
        ),
        "LogKmsKeyArn": Parameter(
            "",
            "LOG_KMS_KEY_ARN",
            write="the ARN of a KMS key (arn:PARTITION:kms:REGION:ACCOUNT:key/ID), or nothing",
            pattern="^$|^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$",
        ),
        EXISTING_LOG_GROUPS: Parameter(
            TELEMETRY_RULES.name,
            write="1 to 5 names of log groups, or patterns that end with *, separated by commas",
            pattern=r"^[A-Za-z0-9_/.#-]{1,512}\*?(,[A-Za-z0-9_/.#-]{1,512}\*?){0,4}$",
        ),
        "PagesEmail": Parameter("", write="an email address, or nothing", pattern=_EMAIL),
        "OperationsEmail": Parameter("", write="an email address, or nothing", pattern=_EMAIL),
        "RunbookUrl": Parameter(
            RUNBOOKS,
            "RUNBOOK_URL",
            write=f"{RUNBOOKS}, or an https address of at most 150 characters that does not end with a slash",
            pattern=r'^docs/runbooks$|^https://[^\s"\\]+[^\s"\\/]$',
            longest=150,
        ),
        "Digests": Parameter(
            Digests.HOURLY_AND_DAILY.value,
            "DIGESTS",
            write="hourly and daily, daily or no",
            values=tuple(each.value for each in Digests),
        ),
        "PagerDutySecret": _secret(),
        "SlackSecret": _secret(),
        "TeamsSecret": _secret(),
        "ChatNotifications": Parameter("no", write="yes or no", values=_YES_OR_NO),
        "EventBus": Parameter(
            "",
            write="the name of an event bus, at most 64 letters, digits and _ . -, or nothing",
            pattern="^$|^[A-Za-z0-9_.-]{1,64}$",
        ),
        "SecurityHub": Parameter("no", write="yes or no", values=_YES_OR_NO),
        SINK_ROUTES: Parameter(
            "",
            write="SERVICE=ROUTE,ROUTE separated by spaces, such as pagerduty=pages,operations, or nothing",
            pattern=rf"^$|^{_ROUTES_OF_ONE}( {_ROUTES_OF_ONE})*$",
            longest=200,
        ),
        "Dashboard": Parameter("no", write="yes or no", values=_YES_OR_NO),
        POLICY: Parameter("{}", "POLICY"),
        POLICY_PROFILE: Parameter(
            "",
            "POLICY_PROFILE",
            write="three ids separated by slashes, such as abc1234/def5678/ghi9012, or nothing",
            pattern="^([a-z0-9]{4,7}/){2}[a-z0-9]{4,7}$|^$",
        ),
        "SuppressionMinutes": Parameter(
            "240",
            "SUPPRESSION_MINUTES",
            write="a whole number from 1 to 525600, a year",
            least=1,
            most=525_600,
        ),
        "PagesPerHour": _page_limit("4", "PAGES_PER_HOUR"),
        "PagesPerDay": _page_limit("12", "PAGES_PER_DAY"),
        "CriticalPagesPerHour": _page_limit("10", "CRITICAL_PAGES_PER_HOUR"),
        "SweepRate": Parameter(
            "rate(1 hour)",
            write="a rate or cron expression, such as rate(1 hour), rate(30 minutes) or cron(0 6 * * ? *)",
            pattern=r"^(rate\((1 (minute|hour|day)|([2-9]|[1-9][0-9]+) (minutes|hours|days))\)"
            r"|cron\([^()]+\))$",
        ),
        "RetryRate": Parameter(
            "rate(5 minutes)",
            write="a rate in minutes, at most 99, such as rate(1 minute) or rate(5 minutes)",
            pattern=r"^rate\((1 minute|([2-9]|[1-9][0-9]) minutes)\)$",
        ),
        "DryRun": Parameter("no", write="yes or no", values=_YES_OR_NO),
        OTHER_DESTINATIONS: Parameter("no", write="yes or no", values=_YES_OR_NO),
        TAG_FIELDS: Parameter("no", write="yes or no", values=_YES_OR_NO),
        "Architecture": Parameter("x86_64", write="x86_64 or arm64", values=("x86_64", "arm64")),
        "MaxInflatedMiB": Parameter(
            "64", "MAX_INFLATED_MIB", write="a whole number from 1 to 96", least=1, most=96
        ),
        "LogLevel": Parameter(
            "INFO",
            write="DEBUG, INFO, WARNING or ERROR",
            values=("DEBUG", "INFO", "WARNING", "ERROR"),
        ),
        "FunctionLogRetentionDays": Parameter("14", write=_RETENTION, values=_RETENTIONS),
        "MonitorReservedConcurrency": Parameter("-1", write="-1 for no reservation, or 0 or more", least=-1),
        "EnforcerReservedConcurrency": Parameter("-1", write="-1 for no reservation, or 0 or more", least=-1),
        "AwsEndpointUrl": Parameter(
            "", write="a URL that begins with http:// or https://, or nothing", pattern=r"^$|^https?://\S+$"
        ),
    }
)
"""By name, in the template's order."""


def with_defaults(given: Mapping[str, str]) -> dict[str, str]:
    """The value of each parameter: the given one, or its default.

    Raises:
        SettingsError: the template has no parameter of a given name, or does not allow its value; the message
            says what it allows.
    """
    for name, value in given.items():
        if name not in PARAMETERS:
            raise SettingsError(
                f"{name!r} is not a parameter of the template; write one of {', '.join(PARAMETERS)}"
            )
        if not PARAMETERS[name].allows(value):
            allowed = f"{value[:_SHOWN]!r}; write {PARAMETERS[name].write}"
            raise SettingsError(f"parameter {name}: {allowed if value else EMPTY}")
    return {name: given.get(name, each.default) for name, each in PARAMETERS.items()}


def variables(values: Mapping[str, str]) -> dict[str, str]:
    """The environment variables of the functions that these parameters set."""
    return {each.variable: values[name] for name, each in PARAMETERS.items() if each.variable}
