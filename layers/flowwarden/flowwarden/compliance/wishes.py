"""What the user wishes of flow logs: the part `flow_logs` of the policy.

Every setting has a default, so that no policy is needed: each VPC of this account and region shall have a
flow log of all traffic into the stack's log group. `check` refuses what EC2 or CloudWatch Logs would refuse,
with path, value and what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from ipaddress import ip_network
from typing import Final

from msgspec import Struct

from flowwarden.compliance.inventory import Vpc
from flowwarden.errors import LayoutError, PolicyError
from flowwarden.records.layout import RecordLayout

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

_ARN: Final = {
    S3: (re.compile(r"arn:aws[a-z-]*:s3:::[a-z0-9.-]{3,63}(/[^*?\s]*)?"), "arn:aws:s3:::BUCKET or …/FOLDER"),
    FIREHOSE: (
        re.compile(r"arn:aws[a-z-]*:firehose:[a-z0-9-]+:[0-9]{12}:deliverystream/[A-Za-z0-9_.-]{1,64}"),
        "arn:aws:firehose:REGION:ACCOUNT:deliverystream/NAME",
    ),
}
_KEY: Final = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+")
_SUFFIX: Final = re.compile(r"[A-Za-z0-9_.#/-]{1,64}")
_VPC: Final = re.compile(r"vpc-[0-9a-f]+")
_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z0-9]+)+")


class Selection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which VPCs: all that fit every part that is given."""

    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    tags: dict[str, str] = {}
    """Keys and values that the VPC's tags must have, all of them; the value `*` is any."""
    cidrs: tuple[str, ...] = ()
    """Networks of which one holds one of the VPC's CIDRs."""
    vpcs: tuple[str, ...] = ()


class FlowLogWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
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
    flow_log: FlowLogWish


class Exemption(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """VPCs that need no flow log, for a reason and, if it ends some day, until then."""

    where: Selection
    reason: str
    until: date | None = None
    """The last day, by UTC."""


class FlowLogsPolicy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the enforcer has to know of the user."""

    default: FlowLogWish = FlowLogWish()
    rules: tuple[Rule, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    grace_minutes: int = 5
    """How long a new VPC is left to whoever made it, who may make its flow log next."""
    foreign: str = BESIDE
    """Whether a flow log of all traffic that somebody else made is `enough`, wherever it goes; else ours is
    made `beside` it, because the monitor reads only the stack's log groups."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """With which names of log groups go on."""
        wishes = (self.default, *(each.flow_log for each in self.rules))
        return tuple(dict.fromkeys(each.log_group_suffix for each in wishes if each.log_group_suffix))


def selects(where: Selection, account_id: str, region: str, vpc: Vpc) -> bool:
    """Whether a VPC is among those selected."""
    return (
        (not where.accounts or account_id in where.accounts)
        and (not where.regions or region in where.regions)
        and (not where.vpcs or vpc.vpc_id in where.vpcs)
        and all(_fits(vpc.tags.get(key), value) for key, value in where.tags.items())
        and (not where.cidrs or any(_holds(outer, inner) for outer in where.cidrs for inner in vpc.cidrs))
    )


def _fits(value: str | None, wanted: str) -> bool:
    return value is not None and wanted in {ANY, value}


def _holds(outer: str, inner: str) -> bool:
    network, part = ip_network(outer), ip_network(inner)
    # One version for both, which the type checker does not see.
    return network.version == part.version and part.subnet_of(network)  # type: ignore[arg-type]


def check(policy: FlowLogsPolicy) -> None:
    """Refuse what would not work.

    Raises:
        PolicyError: with path, value and what is allowed.
    """
    for problem in _problems(policy):
        raise PolicyError(f"policy: flow_logs.{problem}")


def _problems(policy: FlowLogsPolicy) -> Iterator[str]:
    if not 0 <= policy.grace_minutes <= LONGEST_GRACE:
        yield f"grace_minutes: {policy.grace_minutes}; write 0 to {LONGEST_GRACE}"
    yield from _not_among("foreign", policy.foreign, (BESIDE, ENOUGH))
    yield from _wrong_wish("default", policy.default)
    for number, rule in enumerate(policy.rules):
        yield from _wrong_selection(f"rules[{number}].where", rule.where)
        yield from _wrong_wish(f"rules[{number}].flow_log", rule.flow_log)
    yield from _at_odds(policy)
    for number, exemption in enumerate(policy.exemptions):
        yield from _wrong_exemption(f"exemptions[{number}]", exemption)


def _at_odds(policy: FlowLogsPolicy) -> Iterator[str]:
    """Wishes that share a log group and want different things of it."""
    settings = {_shared(policy.default): policy.default}
    for number, rule in enumerate(policy.rules):
        wish = rule.flow_log
        other = settings.setdefault(_shared(wish), wish)
        if (wish.retention_days, wish.kms_key_arn) != (other.retention_days, other.kms_key_arn):
            yield (
                f"rules[{number}].flow_log: retention_days {wish.retention_days}, kms_key_arn "
                f"{wish.kms_key_arn!r}; another one that shares its log group has others: write a "
                f"log_group_suffix of its own"
            )


def _shared(wish: FlowLogWish) -> tuple[str, str]:
    """What wishes agree in that share a log group; those of other destinations share none."""
    in_group = wish.destination_type == CLOUD_WATCH_LOGS
    return (CLOUD_WATCH_LOGS, wish.log_group_suffix) if in_group else (wish.destination_type, repr(wish))


def _wrong_exemption(path: str, exemption: Exemption) -> Iterator[str]:
    if not exemption.reason.strip():
        yield f"{path}.reason: {exemption.reason!r}; write why these VPCs need no flow log"
    if not (exemption.where.vpcs or exemption.where.tags):
        yield f"{path}.where: {{}}; write vpcs or tags, so that not everything is exempt"
    yield from _wrong_selection(f"{path}.where", exemption.where)


def _wrong_selection(path: str, where: Selection) -> Iterator[str]:
    named = (
        ("accounts", where.accounts, _ACCOUNT, "12 digits"),
        ("regions", where.regions, _REGION, "a region such as eu-west-1"),
        ("vpcs", where.vpcs, _VPC, "an id such as vpc-0a1b2c3d"),
    )
    for name, values, pattern, allowed in named:
        for number, value in enumerate(values):
            if not pattern.fullmatch(value):
                yield f"{path}.{name}[{number}]: {value!r}; write {allowed}"
    for number, value in enumerate(where.cidrs):
        try:
            ip_network(value)
        except ValueError:
            yield f"{path}.cidrs[{number}]: {value!r}; write a CIDR such as 10.0.0.0/16"


def _wrong_wish(path: str, wish: FlowLogWish) -> Iterator[str]:
    yield from _not_among(f"{path}.destination_type", wish.destination_type, DESTINATION_TYPES)
    yield from _not_among(f"{path}.traffic_type", wish.traffic_type, TRAFFIC_TYPES)
    yield from _not_among(f"{path}.file_format", wish.file_format, FILE_FORMATS)
    yield from _not_among(f"{path}.max_aggregation_interval", wish.max_aggregation_interval, INTERVALS)
    yield from _not_among(f"{path}.retention_days", wish.retention_days, (None, *RETENTIONS))
    if wish.kms_key_arn and not _KEY.fullmatch(wish.kms_key_arn):
        yield f"{path}.kms_key_arn: {wish.kms_key_arn!r}; write arn:aws:kms:REGION:ACCOUNT:key/ID"
    if wish.log_format and not wish.log_format.startswith("${"):
        yield f"{path}.log_format: {wish.log_format!r}; write ${{field}} ${{field}} …"
    if len(wish.tags) > MOST_TAGS:
        yield f"{path}.tags: {len(wish.tags)} tags; write {MOST_TAGS} at most"
    for key, value in wish.tags.items():
        if len(value) > LONGEST_VALUE:
            yield f"{path}.tags.{key}: {len(value)} characters; write {LONGEST_VALUE} at most"
    for key in wish.tags:
        if not key.strip() or len(key) > LONGEST_KEY or key.lower().startswith("aws:"):
            yield f"{path}.tags: {key!r}; write 1 to {LONGEST_KEY} characters that do not begin with aws:"
    if wish.log_format:
        try:
            RecordLayout.parse(wish.log_format)
        except LayoutError as error:
            yield f"{path}.log_format: {error}"
    yield from _wrong_destination(path, wish)


def _wrong_destination(path: str, wish: FlowLogWish) -> Iterator[str]:
    kind = wish.destination_type
    if kind in _ARN:
        pattern, allowed = _ARN[kind]
        if not pattern.fullmatch(wish.destination):
            yield f"{path}.destination: {wish.destination!r}; write {allowed}"
        if kind == S3 and "AWSLogs" in wish.destination.split("/"):
            yield f"{path}.destination: {wish.destination!r}; AWSLogs is no folder of yours, write another"
    elif wish.destination:
        yield f"{path}.destination: {wish.destination!r}; write log_group_suffix, or destination_type s3"
    if wish.log_group_suffix and (kind != CLOUD_WATCH_LOGS or not _SUFFIX.fullmatch(wish.log_group_suffix)):
        yield (
            f"{path}.log_group_suffix: {wish.log_group_suffix!r}; "
            f"write up to 64 letters, digits and _ . # / -, for {CLOUD_WATCH_LOGS} alone"
        )
    partitions = (wish.file_format, wish.hive_compatible_partitions, wish.per_hour_partition)
    if kind != S3 and partitions != ("plain-text", False, False):
        yield f"{path}.destination_type: {kind!r}; file format and partitions are for {S3} alone"


def _not_among(path: str, value: object, allowed: tuple[object, ...]) -> Iterator[str]:
    if value not in allowed:
        told = ", ".join(str(each) for each in allowed if each is not None)
        yield f"{path}: {value!r}; allowed are {told}"
