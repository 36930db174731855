"""Typed settings, read once from the environment at the entry points.

The functions pass their environment in; no other module of the package reads the environment. A field
`log_format` is read from the variable `LOG_FORMAT`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

import msgspec
from msgspec import Meta, Struct

from flowwarden.errors import SettingsError
from flowwarden.parameters import MOST_PAGES, RUNBOOKS
from flowwarden.state.digests import Digests

Text = Annotated[str, Meta(min_length=1)]
Profile = Annotated[str, Meta(pattern="^([a-z0-9]{4,7}/){2}[a-z0-9]{4,7}$|^$")]
"""Ids of AppConfig: application, environment, profile."""
PageLimit = Annotated[int, Meta(ge=0, le=MOST_PAGES)]


class Settings(Struct, frozen=True, kw_only=True):
    """The settings of all functions."""

    aws_region: Text
    operations_topic_arn: Text
    state_table: Text
    sinks: str = ""
    """The sinks beside the topics, see `flowwarden.sinks.table`; '' for none."""
    claim_lease_seconds: Annotated[int, Meta(ge=1, le=3600)] = 50
    """Lease of a claim, after which another invocation may take it over. Longer than the monitor's timeout
    (40 s) and than the other functions take to send; shorter than the time until Lambda's first retry (about
    60 s).
    """

    @classmethod
    def from_mapping(cls, environment: Mapping[str, str], file: str = "") -> Self:
        """Read the settings from environment variables; an empty variable counts as not set.

        Args:
            environment: the variables.
            file: the name of the JSON file that contains them as members; '' for a real environment.

        Raises:
            SettingsError: a variable is missing or not allowed; the message names it and its value.
        """
        given = {
            name: environment[name.upper()]
            for name in cls.__struct_fields__
            if environment.get(name.upper(), "")
        }
        try:
            return msgspec.convert(given, cls, strict=False)
        except msgspec.ValidationError as error:
            raise SettingsError(_explain(str(error), given, file)) from error


class PagingSettings(Settings, frozen=True, kw_only=True):
    """The settings of the functions that page."""

    pages_topic_arn: Text
    pages_per_hour: PageLimit = 4
    """Pages an hour to each sink that are sent singly; 0 for no limit. Critical ones do not count."""
    pages_per_day: PageLimit = 12
    """The same a day."""
    critical_pages_per_hour: PageLimit = 10
    """Critical pages an hour to each sink; 0 for no limit."""


class MonitorSettings(PagingSettings, frozen=True, kw_only=True):
    """The settings of the monitor."""

    log_format: Text
    """The template's `LogFormat`: the enforcer creates flow logs in it, and the monitor reads it."""
    policy: Text = "{}"
    """The user's policy as JSON; see `flowwarden.policy.policy`."""
    policy_profile: Profile = ""
    """The AppConfig profile that contains the policy instead; '' if `policy` is the policy."""
    suppression_minutes: Annotated[int, Meta(ge=1, le=525_600)] = 240
    """Minutes after a page for which repeats of its incident are suppressed."""
    max_inflated_mib: Annotated[int, Meta(ge=1, le=1024)] = 64
    """A payload that inflates beyond this is rejected."""
    runbook_url: Text = RUNBOOKS
    """Base address of the runbooks that pages name."""
    digests: Digests = Digests.HOURLY_AND_DAILY
    """Which digests the dispatcher sends."""
    aws_lambda_log_group_name: str = ""
    """The monitor's own log group, set by Lambda; never processed as flow logs."""


class EnforcerSettings(Settings, frozen=True, kw_only=True):
    """The settings of the enforcer."""

    log_format: Text
    """The template's `LogFormat`, as for the monitor."""
    account_id: Text
    flow_log_group_name: Text
    delivery_role_arn: Text
    stack_name: Text
    """Written into the tags of the flow logs that the enforcer creates."""
    monitor_function_arn: Text
    """The destination of the log groups' subscription filters."""
    enforcer_role_arn: Text
    """The enforcer's own role: its own changes do not count as tampering."""
    url_suffix: str = ""
    """The DNS suffix of the partition, for the principal of CloudWatch Logs; '' if nothing is to be
    granted."""
    flow_log_retention_days: Annotated[int, Meta(ge=1)] = 30
    log_kms_key_arn: str = ""
    policy: Text = "{}"
    """The user's policy as JSON; see `flowwarden.policy.policy`."""
    policy_profile: Profile = ""
    """The AppConfig profile that contains the policy instead; '' if `policy` is the policy."""
    suppression_minutes: Annotated[int, Meta(ge=1, le=525_600)] = 240
    """Minutes for which repeats of a persisting problem are suppressed, unless each sweep reports it."""
    aws_lambda_function_name: str = ""
    """The enforcer's own name, set by Lambda."""
    dry_run: bool = False
    """Whether the enforcer only reports what it would do."""


class DispatcherSettings(PagingSettings, frozen=True, kw_only=True):
    """The settings of the dispatcher."""

    suppression_minutes: Annotated[int, Meta(ge=1, le=525_600)] = 240
    """The same as the monitor's: the dispatcher marks what it sends as the monitor does."""
    runbook_url: Text = RUNBOOKS
    """Base address of the runbooks that digests name."""
    digests: Digests = Digests.HOURLY_AND_DAILY
    """Which digests it sends; the same as the monitor's, which stores what they say."""


def _explain(reason: str, given: Mapping[str, str], file: str) -> str:
    """Convert msgspec's message (`… - at `$.log_format``) into one that names the variable, or the member."""
    of_file = f"{file}: member " if file else ""
    problem, _, path = reason.partition(" - at `$.")
    if path:
        name = path.rstrip("`")
        return f"{of_file}{name.upper()}={given.get(name)!r}: {problem}"
    missing = reason.rpartition("missing required field `")[2].rstrip("`")
    if file:
        return f"{of_file}{missing.upper()} is missing; add it, with a value that is not empty"
    return f"{missing.upper()} is not set; the template sets it on the function"
