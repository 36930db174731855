"""The flow logs that the user wants: the part `flow_logs` of the policy.

Every setting has a default, so that no policy is needed: each VPC of this account and region shall have a
flow log of all traffic into the stack's log group. `check` refuses what EC2 or CloudWatch Logs would refuse,
with path, value and what is allowed.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from msgspec import Struct

CLOUD_WATCH_LOGS: Final = "cloud-watch-logs"
S3: Final = "s3"
FIREHOSE: Final = "kinesis-data-firehose"

TRAFFIC_TYPES: Final = ("ALL", "ACCEPT", "REJECT")
DESTINATION_TYPES: Final = (CLOUD_WATCH_LOGS, S3, FIREHOSE)
FILE_FORMATS: Final = ("plain-text", "parquet")
INTERVALS: Final = (60, 600)
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
LONGEST_KEY: Final = 128
"""Characters of a tag's key (EC2 User Guide, Tag restrictions)."""


class Selection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which VPCs: all that fit every part that is given."""

    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    tags: dict[str, str] = {}
    """Keys and values that the VPC's tags must have, all of them; the value `*` is any."""
    cidrs: tuple[str, ...] = ()
    """Networks of which one holds one of the VPC's CIDRs."""
    vpcs: tuple[str, ...] = ()


class FlowLogSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The flow log that a VPC shall have; None and '' are what the stack's parameters say."""

    destination_type: str = CLOUD_WATCH_LOGS
    destination: str = ""
    """ARN of the bucket (with a folder, if wanted) or of the Firehose stream."""
    log_group_suffix: str = ""
    """The log group is the stack's, whose name then goes on with `-` and this: so that the roles' rights,
    which are for names that begin so, hold for it."""
    traffic_type: str = "ALL"
    log_format: str = ""
    max_aggregation_interval: int = 60
    file_format: str = "plain-text"
    hive_compatible_partitions: bool = False
    per_hour_partition: bool = False
    tags: dict[str, str] = {}
    retention_days: int | None = None
    kms_key_arn: str = ""


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
