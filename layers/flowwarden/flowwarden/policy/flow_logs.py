"""The flow logs that the user wants: the part `flow_logs` of the policy, and the one table of their settings.

Every setting has a default, so that no policy is needed: each VPC of this account and region shall have a
flow log of all traffic into the stack's log group. `validation.check` refuses what EC2 or CloudWatch Logs
would refuse, with path, value and what is allowed.

An attribute of `FlowLogSettings` is one row of the table: its annotation, a `Setting`, says all that the
project knows of it. Validation, the policy's page in the docs, the desired flow log, drift, the parameters of
CreateFlowLogs and the parsing of DescribeFlowLogs loop over the table. So a new setting takes one row.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final

from msgspec import Struct

from flowwarden.policy import tag_fields
from flowwarden.policy.setting import Setting, settings_of
from flowwarden.policy.tag_fields import TagFields

CLOUD_WATCH_LOGS: Final = "cloud-watch-logs"
S3: Final = "s3"
FIREHOSE: Final = "kinesis-data-firehose"
DESTINATION_TYPES: Final = (CLOUD_WATCH_LOGS, S3, FIREHOSE)

RETENTIONS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400),
    *(545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""Days that CloudWatch Logs knows (PutRetentionPolicy)."""
BESIDE: Final = "beside"
ENOUGH: Final = "enough"
LONGEST_GRACE: Final = 1440
ANY: Final = "*"
MOST_TAGS: Final = 47
"""Fifty of a resource (EC2 User Guide, Tag restrictions), without the three that the enforcer sets."""
LONGEST_VALUE: Final = 256
"""Characters of a tag's value."""


class FlowLogSettings(Struct, frozen=True, kw_only=True):
    """The settings that EC2 keeps of a flow log, each a row of the table.

    Where a flow log writes and its tags are none of them: these are compared and set another way.
    """

    log_format: Annotated[
        str,
        Setting(
            parameter="LogFormat",
            difference="log format",
            is_long=True,
            otherwise="the parameter `LogFormat`",
            purpose="`${field} ${field} …`. Unknown, transit gateway and `ecs-…` fields are refused; a tag "
            "field needs `tag_fields`.",
        ),
    ] = ""
    tag_fields: Annotated[
        TagFields,
        Setting(
            parameter="TagFieldSpecifications",
            difference="choice of tag fields",
            is_long=True,
            new_since="June 2026",
            to_ec2=tag_fields.to_ec2,
            from_ec2=tag_fields.from_ec2,
            purpose="The tag keys whose values the tag fields of `log_format` show: for each of "
            f"{tag_fields.RESOURCES}, the first key for the field, the second for the field with `-2`. "
            "[What this needs](decisions/newer-than-the-runtime.md).",
        ),
    ] = {}
    traffic_type: Annotated[
        str,
        Setting(
            parameter="TrafficType",
            allowed=("ALL", "ACCEPT", "REJECT"),
            difference="traffic type",
            purpose="Which traffic is recorded.",
        ),
    ] = "ALL"
    max_aggregation_interval: Annotated[
        int,
        Setting(
            parameter="MaxAggregationInterval",
            allowed=(60, 600),
            difference="aggregates",
            unit=" s",
            purpose="Seconds of traffic in one record, at most.",
        ),
    ] = 60
    file_format: Annotated[
        str,
        Setting(
            parameter="FileFormat",
            inside="DestinationOptions",
            destinations=(S3,),
            allowed=("plain-text", "parquet"),
            difference="file format",
            purpose="Of the files in the bucket.",
        ),
    ] = "plain-text"
    hive_compatible_partitions: Annotated[
        bool,
        Setting(
            parameter="HiveCompatiblePartitions",
            inside="DestinationOptions",
            destinations=(S3,),
            difference="Hive partitions",
            purpose="Whether folders have names such as `year=2026`, for Athena and Hive.",
        ),
    ] = False
    per_hour_partition: Annotated[
        bool,
        Setting(
            parameter="PerHourPartition",
            inside="DestinationOptions",
            destinations=(S3,),
            difference="hourly partitions",
            purpose="Whether there is a folder for each hour, instead of each day.",
        ),
    ] = False


class FlowLogSpec(FlowLogSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The flow log that a VPC shall have; None and '' are what the stack's parameters say.

    Beside the settings that EC2 keeps of a flow log: where it writes, its tags, and its log group.
    """

    destination_type: Annotated[
        str,
        Setting(
            allowed=DESTINATION_TYPES,
            purpose=f"What it writes to. `{S3}` and `{FIREHOSE}` need the parameter `OtherDestinations`.",
        ),
    ] = CLOUD_WATCH_LOGS
    destination: Annotated[
        str, Setting(purpose="ARN of the bucket (with a folder, if wanted) or of the Firehose stream.")
    ] = ""
    log_group_suffix: Annotated[
        str,
        Setting(
            purpose="The log group is the stack's, with `-` and this behind its name, so that the roles' "
            "permissions hold for it. That must not be the log group of another stack.",
        ),
    ] = ""
    tags: Annotated[
        dict[str, str],
        Setting(
            purpose="Besides those that the enforcer sets. Flow logs that it made before get them too; a tag "
            "that the policy names no more stays.",
        ),
    ] = {}
    retention_days: Annotated[
        int | None,
        Setting(
            allowed=(None, *RETENTIONS),
            otherwise="the stack's",
            purpose="Of the log group, held exactly: a longer retention that was set by hand is set back, "
            "and the records beyond it go. If you have to keep records for longer, say so here. Flow logs "
            "that share a log group agree in it. A log group that the policy names no more, while a managed "
            "flow log still writes there, is only raised to what the stack has: a longer retention stays.",
        ),
    ] = None
    kms_key_arn: Annotated[
        str,
        Setting(
            otherwise="the stack's",
            purpose="The key of the log group. Flow logs that share a log group agree in it. A log group "
            "that the policy names no more keeps another key.",
        ),
    ] = ""


SETTINGS: Final = settings_of(FlowLogSettings)
"""What EC2 keeps of a flow log."""
SPEC_SETTINGS: Final = settings_of(FlowLogSpec)
"""All that the policy may say of a flow log."""


class Selection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which VPCs: all that fit every part that is given."""

    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    tags: dict[str, str] = {}
    """Keys and values that the VPC's tags must have, all of them; the value `*` is any."""
    cidrs: tuple[str, ...] = ()
    """Networks of which one holds one of the VPC's CIDRs."""
    vpcs: tuple[str, ...] = ()


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A flow log of its own for some VPCs; the first rule that fits counts."""

    where: Selection
    flow_log: FlowLogSpec


class Exemption(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """VPCs that need no flow log, for a reason and, if it ends some day, until then."""

    where: Selection
    reason: str
    until: date | None = None
    """The last day, by UTC."""


class FlowLogsPolicy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the enforcer has to know of the user."""

    default: FlowLogSpec = FlowLogSpec()
    rules: tuple[Rule, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    grace_minutes: int = 5
    """How long a new VPC is left alone, so that the tool that made it can make its flow log."""
    foreign: str = BESIDE
    """Whether a flow log of all traffic that another tool made is `enough`, wherever it goes; else ours is
    made `beside` it, because the monitor reads only the stack's log groups."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """With which names of log groups go on."""
        specs = (self.default, *(each.flow_log for each in self.rules))
        return tuple(dict.fromkeys(each.log_group_suffix for each in specs if each.log_group_suffix))
