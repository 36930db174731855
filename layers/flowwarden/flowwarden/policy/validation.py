"""Rejects flow log settings that EC2 or CloudWatch Logs would reject; says where and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Final

from flowwarden.errors import LogFormatError, PolicyError
from flowwarden.policy import log_groups, tag_fields, transit_gateways
from flowwarden.policy.flow_logs import (
    ADOPT,
    ANY,
    BESIDE,
    CLOUD_WATCH_LOGS,
    FIREHOSE,
    LEVELS,
    LONGEST_GRACE,
    LONGEST_VALUE,
    MOST_TAGS,
    S3,
    SPEC_SETTINGS,
    Exemption,
    FlowLogSpec,
    FlowLogsPolicy,
    Selection,
)
from flowwarden.policy.networks import unknown_notation
from flowwarden.policy.requestable import field_problems
from flowwarden.policy.tag_fields import LONGEST_KEY
from flowwarden.records.line_reader import LineReader
from flowwarden.records.log_format import LogFormat

_ARN: Final = {
    S3: (
        re.compile(r"arn:aws[a-z-]*:s3:::[a-z0-9.-]{3,63}(/[^*?\s]*)?"),
        "arn:aws:s3:::BUCKET or …/FOLDER",
    ),
    FIREHOSE: (
        re.compile(r"arn:aws[a-z-]*:firehose:[a-z0-9-]+:[0-9]{12}:deliverystream/[A-Za-z0-9_.-]{1,64}"),
        "arn:aws:firehose:REGION:ACCOUNT:deliverystream/NAME",
    ),
}


_KEY: Final = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+")


_SUFFIX: Final = re.compile(r"[A-Za-z0-9_.#/-]{1,64}")


_DUPLICATE: Final = re.compile(r"(?!vpc-|subnet-|eni-)[A-Za-z0-9_./:#-]{1,512}")


_VPC: Final = re.compile(r"vpc-[0-9a-f]+")


_ACCOUNT: Final = re.compile(r"[0-9]{12}")


_REGION: Final = re.compile(r"[a-z]{2,}(-[a-z0-9]+)+")


def check(policy: FlowLogsPolicy) -> None:
    """Reject invalid flow log settings.

    Raises:
        PolicyError: the first problem, with path, value and what is allowed.
    """
    for problem in _problems(policy):
        raise PolicyError(f"policy: flow_logs.{problem}")


def _problems(policy: FlowLogsPolicy) -> Iterator[str]:
    if not 0 <= policy.grace_minutes <= LONGEST_GRACE:
        yield f"grace_minutes: {policy.grace_minutes}; write 0 to {LONGEST_GRACE}"
    yield from _not_among("unmanaged", policy.unmanaged, (ADOPT, BESIDE))
    yield from (f"log_groups{place}: {problem}" for place, problem in log_groups.problems(policy.log_groups))
    yield from _wrong_duplicates(policy.accepted_duplicates)
    yield from _wrong_spec("default", policy.default)
    for number, rule in enumerate(policy.rules):
        yield from _wrong_selection(f"rules[{number}].where", rule.where)
        yield from _wrong_spec(f"rules[{number}].flow_log", rule.flow_log)
        yield from _not_among(f"rules[{number}].level", rule.level, LEVELS)
    yield from _wrong_gateways(policy)
    yield from _at_odds(policy)
    for number, exemption in enumerate(policy.exemptions):
        yield from _wrong_exemption(f"exemptions[{number}]", exemption)


def _wrong_gateways(policy: FlowLogsPolicy) -> Iterator[str]:
    """What is wrong with the transit gateways; their log format and aggregation interval cannot be chosen."""
    path, spec, selections = "transit_gateways", policy.gateway_spec, policy.transit_gateways.where
    for problem in transit_gateways.id_problems(selections):
        yield f"{path}.where{': '.join(problem)}"
    for number, where in enumerate(selections):
        like = Selection(accounts=where.accounts, regions=where.regions)
        yield from _wrong_selection(f"{path}.where[{number}]", like)
    yield from _wrong_settings(path, spec)
    yield from _wrong_tags(f"{path}.tags", spec.tags)
    yield from _wrong_destination(path, spec, instead="leave it out")
    for place, each in (("default", policy.default), *_rules(policy)):
        if transit_gateways.is_taken(each.log_group_suffix):
            yield (
                f"{place}.log_group_suffix: {each.log_group_suffix!r}; write another, this one is that of "
                "transit gateways, whose log group the monitor does not read"
            )


def _rules(policy: FlowLogsPolicy) -> Iterator[tuple[str, FlowLogSpec]]:
    for number, rule in enumerate(policy.rules):
        yield f"rules[{number}].flow_log", rule.flow_log


def _wrong_duplicates(accepted: tuple[str, ...]) -> Iterator[str]:
    for number, value in enumerate(accepted):
        if value != ANY and not _DUPLICATE.fullmatch(value):
            yield (
                f"accepted_duplicates[{number}]: {value!r}; write the id of a flow log (fl-0123abcd), the "
                f"name of a log group, the ARN of a destination, or {ANY} for all"
            )


def _at_odds(policy: FlowLogsPolicy) -> Iterator[str]:
    """Specs that share a log group but have different settings for it."""
    settings = {_shared(policy.default): policy.default}
    for number, rule in enumerate(policy.rules):
        spec = rule.flow_log
        other = settings.setdefault(_shared(spec), spec)
        if (spec.retention_days, spec.kms_key_arn) != (other.retention_days, other.kms_key_arn):
            yield (
                f"rules[{number}].flow_log: retention_days {spec.retention_days}, kms_key_arn "
                f"{spec.kms_key_arn!r}; another flow log with the same log group has different values: "
                f"write the same values, or a different log_group_suffix"
            )


def _shared(spec: FlowLogSpec) -> tuple[str, str]:
    """A key that is equal for specs with the same log group; specs of other destinations share none."""
    in_group = spec.destination_type == CLOUD_WATCH_LOGS
    return (CLOUD_WATCH_LOGS, spec.log_group_suffix) if in_group else (spec.destination_type, repr(spec))


def _wrong_exemption(path: str, exemption: Exemption) -> Iterator[str]:
    if not exemption.reason.strip():
        yield f"{path}.reason: {exemption.reason!r}; write why these VPCs need no flow log"
    if not (exemption.where.vpcs or exemption.where.tags):
        yield f"{path}.where: {{}}; write vpcs or tags, so that not all VPCs are exempt"
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
            network = ip_network(value)
        except ValueError:
            yield f"{path}.cidrs[{number}]: {value!r}; write a CIDR such as 10.0.0.0/16"
        else:
            if problem := unknown_notation(value, network):
                yield f"{path}.cidrs[{number}]: {value!r} {problem}"


def _wrong_spec(path: str, spec: FlowLogSpec) -> Iterator[str]:
    yield from _wrong_settings(path, spec)
    if spec.kms_key_arn and not _KEY.fullmatch(spec.kms_key_arn):
        yield f"{path}.kms_key_arn: {spec.kms_key_arn!r}; write arn:aws:kms:REGION:ACCOUNT:key/ID"
    yield from _wrong_tags(f"{path}.tags", spec.tags)
    yield from _wrong_log_format(path, spec)
    yield from _wrong_destination(path, spec)


def _wrong_settings(path: str, spec: FlowLogSpec) -> Iterator[str]:
    """Values that the table of settings does not allow."""
    for setting in SPEC_SETTINGS:
        value = getattr(spec, setting.name)
        if setting.allowed:
            yield from _not_among(f"{path}.{setting.name}", value, setting.allowed)
        if not setting.applies_to(spec.destination_type) and value != setting.default:
            kinds = " and ".join(setting.destinations)
            yield f"{path}.{setting.name}: {value!r}; only for {kinds}: remove it, or set destination_type"


def _wrong_tags(path: str, tags: Mapping[str, str]) -> Iterator[str]:
    if len(tags) > MOST_TAGS:
        yield f"{path}: {len(tags)} tags; write at most {MOST_TAGS}"
    for key, value in tags.items():
        if len(value) > LONGEST_VALUE:
            yield f"{path}.{key}: value of {len(value)} characters; write at most {LONGEST_VALUE}"
    for key in tags:
        if not key.strip() or len(key) > LONGEST_KEY or key.lower().startswith("aws:"):
            yield f"{path}: {key!r}; write 1 to {LONGEST_KEY} characters that do not begin with aws:"


def _wrong_log_format(path: str, spec: FlowLogSpec) -> Iterator[str]:
    """What EC2 would reject in a log format and its tag keys; '' stands for the stack's format."""
    text = spec.log_format
    if text and not text.startswith("${"):
        yield f"{path}.log_format: {text!r}; write ${{field}} ${{field}} …"
        return
    try:
        log_format = LogFormat.parse(text) if text else None
    except LogFormatError as error:
        yield f"{path}.log_format: {error}"
        return
    for problem in field_problems(log_format, spec.tag_fields) if log_format else ():
        yield f"{path}.log_format: {problem}"
    for place, problem in tag_fields.problems(spec.tag_fields, log_format.names if log_format else ()):
        yield f"{path}.tag_fields{place}: {problem}"
    if log_format and spec.destination_type == CLOUD_WATCH_LOGS:
        yield from _unreadable(f"{path}.log_format", log_format)


def _unreadable(path: str, log_format: LogFormat) -> Iterator[str]:
    """Why the monitor, which reads the log groups, could not read lines of a format."""
    try:
        LineReader((log_format,))
    except LogFormatError as error:
        yield f"{path}: {error}"


def _wrong_destination(
    path: str, spec: FlowLogSpec, instead: str = "write log_group_suffix"
) -> Iterator[str]:
    """What is wrong with where the records go; `instead`: what to do for a log group."""
    kind = spec.destination_type
    if kind in _ARN:
        pattern, allowed = _ARN[kind]
        if not pattern.fullmatch(spec.destination):
            yield f"{path}.destination: {spec.destination!r}; write {allowed}"
        if kind == S3 and "AWSLogs" in spec.destination.split("/"):
            yield f"{path}.destination: {spec.destination!r}; AWSLogs is reserved by AWS, write another"
    elif spec.destination:
        yield f"{path}.destination: {spec.destination!r}; {instead}, or write destination_type s3"
    if spec.log_group_suffix and (kind != CLOUD_WATCH_LOGS or not _SUFFIX.fullmatch(spec.log_group_suffix)):
        yield (
            f"{path}.log_group_suffix: {spec.log_group_suffix!r}; "
            f"write up to 64 letters, digits and _ . # / -, with destination_type {CLOUD_WATCH_LOGS} only"
        )


def _not_among(path: str, value: object, allowed: tuple[object, ...]) -> Iterator[str]:
    if value not in allowed:
        listed = ", ".join(str(each) for each in allowed if each is not None)
        yield f"{path}: {value!r}; write one of {listed}"
