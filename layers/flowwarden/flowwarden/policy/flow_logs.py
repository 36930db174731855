"""The desired flow logs: the `flow_logs` part of the policy and the single table of its settings.

Every setting has a default, so a policy is optional: by default, each VPC of this account and Region gets a
flow log of all traffic to the stack's log group. `validation.check` rejects what EC2 or CloudWatch Logs
would reject, with path, value and allowed values.

Each attribute of `FlowLogSettings` is one row of the table. Its annotation, a `Setting`, describes it
completely. Validation, the policy's page in the docs, the desired flow log, drift, the parameters of
CreateFlowLogs and the parsing of DescribeFlowLogs loop over the table. A new setting takes one row.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final

from msgspec import Struct

from flowwarden.policy import tag_fields
from flowwarden.policy.log_groups import TELEMETRY_RULES, LogGroupSelection
from flowwarden.policy.setting import Setting, settings_of
from flowwarden.policy.tag_fields import TagFields
from flowwarden.policy.transit_gateways import INTERVAL, LOG_FORMAT, SUFFIX, TransitGateways

CLASS_REMEDY: Final = (
    "a class cannot be changed: export the records that you need and delete the log group, which the "
    "enforcer then creates again with the class STANDARD, or choose another `log_group_suffix` in the policy"
)
CLOUD_WATCH_LOGS: Final = "cloud-watch-logs"
S3: Final = "s3"
FIREHOSE: Final = "kinesis-data-firehose"
DESTINATION_TYPES: Final = (CLOUD_WATCH_LOGS, S3, FIREHOSE)

RETENTIONS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400),
    *(545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""Days that CloudWatch Logs accepts (PutRetentionPolicy)."""
ADOPT: Final = "adopt"
BESIDE: Final = "beside"
VPC: Final = "vpc"
SUBNET: Final = "subnet"
INTERFACE: Final = "interface"
LEVELS: Final = (VPC, SUBNET, INTERFACE)
LONGEST_GRACE: Final = 1440
ANY: Final = "*"
MOST_TAGS: Final = 47
"""Fifty per resource (EC2 User Guide, Tag restrictions), minus the three that the enforcer sets."""
LONGEST_VALUE: Final = 256
"""Characters in a tag value."""


class FlowLogSettings(Struct, frozen=True, kw_only=True):
    """The settings that EC2 stores for a flow log, each a row of the table.

    The destination and the tags are not among them: they are compared and set separately.
    """

    log_format: Annotated[
        str,
        Setting(
            parameter="LogFormat",
            difference="log format",
            is_long=True,
            otherwise="the parameter `LogFormat`",
            purpose="`${field} ${field} …`. Unknown, transit gateway and `ecs-…` fields are rejected; tag "
            "fields require `tag_fields`.",
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
            purpose="Tag keys whose values the tag fields of `log_format` contain. For each of "
            f"{tag_fields.RESOURCES}: the first key is for the field, the second for the field with `-2`. "
            "[Requirements](decisions/features-newer-than-the-sdk.md).",
        ),
    ] = {}
    traffic_type: Annotated[
        str,
        Setting(
            parameter="TrafficType",
            allowed=("ALL", "ACCEPT", "REJECT"),
            difference="traffic type",
            purpose="Traffic to record.",
        ),
    ] = "ALL"
    max_aggregation_interval: Annotated[
        int,
        Setting(
            parameter="MaxAggregationInterval",
            allowed=(60, 600),
            difference="aggregates",
            unit=" s",
            purpose="Maximum aggregation interval of a record, in seconds.",
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
            purpose="Format of the files in the bucket.",
        ),
    ] = "plain-text"
    hive_compatible_partitions: Annotated[
        bool,
        Setting(
            parameter="HiveCompatiblePartitions",
            inside="DestinationOptions",
            destinations=(S3,),
            difference="Hive partitions",
            purpose="Whether to name folders like `year=2026`, for Athena and Hive.",
        ),
    ] = False
    per_hour_partition: Annotated[
        bool,
        Setting(
            parameter="PerHourPartition",
            inside="DestinationOptions",
            destinations=(S3,),
            difference="hourly partitions",
            purpose="Whether to create a folder per hour instead of per day.",
        ),
    ] = False


class FlowLogSpec(FlowLogSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The flow log that a VPC must have; None and '' stand for the stack's parameters.

    Adds the destination, the tags and the log group to the settings that EC2 stores for a flow log.
    """

    destination_type: Annotated[
        str,
        Setting(
            allowed=DESTINATION_TYPES,
            purpose=f"Destination type. `{S3}` and `{FIREHOSE}` require the stack parameter "
            "`OtherDestinations`.",
        ),
    ] = CLOUD_WATCH_LOGS
    destination: Annotated[
        str, Setting(purpose="ARN of the bucket (with an optional folder) or of the Firehose stream.")
    ] = ""
    log_group_suffix: Annotated[
        str,
        Setting(
            purpose="Suffix of the log group name: the stack's log group name, then `-`, then this suffix. "
            "The permissions of the IAM roles cover only such names. The name must not be that of another "
            "stack's log group. The suffix `transit-gateways` is reserved.",
        ),
    ] = ""
    tags: Annotated[
        dict[str, str],
        Setting(
            purpose="Tags in addition to those that the enforcer sets. Also added to flow logs that the "
            "enforcer created earlier. A tag removed from the policy stays on the flow log.",
        ),
    ] = {}
    retention_days: Annotated[
        int | None,
        Setting(
            allowed=(None, *RETENTIONS),
            otherwise="the stack's",
            purpose="Retention of the log group, enforced exactly: a longer retention set by hand is reset, "
            "and older records are deleted. To keep records longer, set it here. Flow logs that share a log "
            "group must have the same value. If a managed flow log still writes to a log group that the "
            "policy no longer contains, the retention is raised to the stack's value, but never reduced.",
        ),
    ] = None
    kms_key_arn: Annotated[
        str,
        Setting(
            otherwise="the stack's",
            purpose="KMS key of the log group. Flow logs that share a log group must have the same value. A "
            "log group that the policy no longer contains keeps its key.",
        ),
    ] = ""


SPEC_SETTINGS: Final = settings_of(FlowLogSpec)
"""All settings that the policy can set for a flow log."""
SETTINGS: Final = tuple(each for each in SPEC_SETTINGS if each.name in FlowLogSettings.__struct_fields__)
"""The settings that EC2 stores for a flow log."""


class Selection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A selection of VPCs: those that match every given condition."""

    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    tags: dict[str, str] = {}
    """Tags that the VPC must have, all of them; the value `*` matches any value."""
    cidrs: tuple[str, ...] = ()
    """Networks, at least one of which must contain one of the VPC's CIDRs."""
    vpcs: tuple[str, ...] = ()


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A specific flow log for some VPCs; the first matching rule applies."""

    where: Selection
    flow_log: FlowLogSpec
    level: str = VPC
    """Whether each VPC gets one flow log, or each of its subnets or interfaces (`LEVELS`)."""


class Exemption(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """VPCs that need no flow log, with a reason and an optional end date."""

    where: Selection
    reason: str
    until: date | None = None
    """The last day of the exemption, in UTC."""


class FlowLogsPolicy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `flow_logs` part of the policy, which configures the enforcer."""

    default: FlowLogSpec = FlowLogSpec()
    rules: tuple[Rule, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    grace_minutes: int = 5
    """Minutes to wait before covering a new VPC, so that the tool that created it can create its flow log."""
    unmanaged: str = ADOPT
    """Whether an unmanaged flow log covers a VPC (`adopt`): it must record all traffic to an existing log
    group of `log_groups`, in a format that is good enough, and the monitor must see its records. If not
    (`beside`), a managed one is created in addition, and no existing log group is read."""
    log_groups: tuple[LogGroupSelection, ...] = (TELEMETRY_RULES,)
    """The existing log groups that the monitor may read, if unmanaged flow logs deliver to them."""
    deletion_protection: bool = True
    """Whether the enforcer protects the stack's log groups from deletion. If not, it leaves that as it is."""
    transit_gateways: TransitGateways = TransitGateways()
    accepted_duplicates: tuple[str, ...] = ()
    """Unmanaged flow logs that may record the same traffic again, so that they are not reported: ids
    (`fl-…`), names of log groups or ARNs of destinations; `*` for all."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The log group suffixes that the policy names, each once."""
        return tuple(dict.fromkeys(each.log_group_suffix for each in self.specs if each.log_group_suffix))

    @property
    def specs(self) -> tuple[FlowLogSpec, ...]:
        """All flow logs that the policy describes; that of transit gateways only if it selects some."""
        of_vpcs = (self.default, *(each.flow_log for each in self.rules))
        return (*of_vpcs, self.gateway_spec) if self.transit_gateways.where else of_vpcs

    @property
    def gateway_spec(self) -> FlowLogSpec:
        """The flow log of each selected transit gateway."""
        wanted = self.transit_gateways
        return FlowLogSpec(
            destination_type=wanted.destination_type,
            destination=wanted.destination,
            log_group_suffix=SUFFIX if wanted.destination_type == CLOUD_WATCH_LOGS else "",
            retention_days=wanted.retention_days,
            tags=wanted.tags,
            log_format=LOG_FORMAT,
            max_aggregation_interval=INTERVAL,
        )

    @property
    def adopted(self) -> tuple[LogGroupSelection, ...]:
        """The existing log groups that the monitor may read: none if managed flow logs are created beside."""
        return self.log_groups if self.unmanaged == ADOPT else ()
