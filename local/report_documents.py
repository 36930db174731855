"""The types of the documents that are not about incidents: digests and reports; see `incident_documents`."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from local.incident_documents import Version


class Group(TypedDict):
    """Findings of a detector about one subject, in an hour."""

    detector: str
    subject: str | None
    service: str | None
    peer: str | None
    vpc: str | None
    batches_at_least: int
    report_only: bool
    runbook: str


class Count(TypedDict):
    """How often a detector had findings."""

    findings: int
    batches_at_least: int


class NotPaged(TypedDict):
    """Findings that were not sent in the hour."""

    suppressed: int
    muted: int
    inhibited: int


class HourlyDigestDocument(TypedDict):
    """The findings of an hour that do not page; Unix seconds."""

    version: Version
    kind: Literal["hourly-digest"]
    begin: int
    end: int
    account: str
    region: str
    groups: list[Group]
    groups_left_out: int
    detectors: dict[str, Count]
    not_sent: NotPaged
    text: str


class Source(TypedDict):
    """An internet host whose traffic was rejected."""

    address: str
    records_at_least: int
    ports_at_least: int
    ports: list[str]
    new: bool


class Target(TypedDict):
    """A host that internet hosts tried to reach."""

    host: str
    records_at_least: int
    new: bool


class DailyDigestDocument(TypedDict):
    """REJECTs of internet hosts on a day (UTC)."""

    version: Version
    kind: Literal["daily-digest"]
    day: str
    account: str
    region: str
    records_about: int
    hosts_about: int
    sources: list[Source]
    targets: list[Target]
    compared_with_day_before: bool
    new_ports: list[str]
    text: str


class Trigger(TypedDict):
    """Why the enforcer ran."""

    reason: str
    event: str | None
    event_id: str | None
    actor: str | None
    source_ip: str | None
    credentials: str | None
    deleted_flow_logs: list[str]


class Outcome(TypedDict):
    """What became of a VPC."""

    result: str
    vpc: str | None
    name: str | None
    flow_log: str | None
    reason: str
    retryable: bool
    earlier: bool


class Repair(TypedDict):
    """What was repaired, or should be."""

    subject: str
    what: str
    done: bool


class DuplicateFlowLogs(TypedDict):
    """Flow logs that record the same traffic."""

    vpc: str
    flow_logs: list[str]
    monthly_dollars: float
    measured: bool


class Deletion(TypedDict):
    """A flow log that was deleted."""

    flow_log: str
    vpc: str | None
    resources: list[str]
    managed: bool
    actor: str | None
    source_ip: str | None
    event_id: str | None


class Adopted(TypedDict):
    """A flow log that is recorded as managed."""

    flow_log: str
    vpc: str


class Unmanaged(TypedDict):
    """A flow log that the enforcer does not manage."""

    flow_log: str
    resource: str
    destination: str


class OtherStack(TypedDict):
    """Another stack with flow logs in these VPCs."""

    stack: str
    vpcs: list[str]
    flow_logs: list[str]


class Rule(TypedDict):
    """A telemetry rule, and the flow logs that it made."""

    rule: str
    flow_logs: list[str]


class TelemetryRules(TypedDict):
    """Telemetry rules of CloudWatch, and why they could not be read."""

    rules: list[Rule]
    problems: list[str]
    unread: str | None


class ReadInPlace(TypedDict):
    """An existing flow log that the monitor reads: the fields that it lacks, and what needs them."""

    flow_log: str
    resource: str
    log_group: str
    losses: dict[str, list[str]]
    monthly_dollars_more: float | None


class NotRead(TypedDict):
    """An existing flow log that the monitor cannot read."""

    flow_log: str
    resource: str
    log_group: str
    reason: str


class EnforcementDocument(TypedDict):
    """What a run of the enforcer did."""

    version: Version
    kind: Literal["enforcement"]
    severity: Literal["info", "warning", "error"]
    account: str
    region: str
    trigger: Trigger
    counts: dict[str, int]
    outcomes: list[Outcome]
    repairs: list[Repair]
    duplicates: list[DuplicateFlowLogs]
    deletions: list[Deletion]
    deletions_later: int
    located: list[Deletion]
    reported_later: int
    recorded_as_managed: list[Adopted]
    not_recorded: list[Unmanaged]
    other_stacks: list[OtherStack]
    recorded_elsewhere: list[Unmanaged]
    telemetry_rules: TelemetryRules
    read_in_place: list[ReadInPlace]
    not_read: list[NotRead]
    omitted: int
    text: str


class PolicyDocument(TypedDict):
    """A policy that cannot be used."""

    version: Version
    kind: Literal["policy"]
    severity: Literal["error"]
    account: str
    region: str
    reason: str
    used: Literal["last-good", "parameter", "default"]
    text: str


class Role(TypedDict):
    """A role whose learning has ended, with the number of rows of each kind; `since` is a day."""

    role: str
    since: str
    days: int
    learning: bool
    databases: list[int]
    networks: list[str]
    listed: dict[str, int]


class LearningReportDocument(TypedDict):
    """What was learned of roles."""

    version: Version
    kind: Literal["learning-report"]
    incident: str
    severity: Literal["info"]
    account: str
    region: str
    roles: list[Role]
    rows_left_out: int
    roles_left_out: int
    more_roles_follow: bool
    advice: list[str]
    text: str


class MuteExpiredDocument(TypedDict):
    """Mutes of the policy that have ended, as the policy contains them."""

    version: Version
    kind: Literal["mute-expired"]
    severity: Literal["info"]
    account: str
    region: str
    mutes: list[dict[str, Any]]
    text: str
