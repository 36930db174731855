"""The formulas: counted calls, assumptions and prices → what a month costs. Pure.

Dollars are those of `prices.py`, without the free tiers of AWS, which are per account. GB are those of AWS's
bills, 10^9 bytes here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from msgspec import Struct

from benchmarks.cost import prices
from benchmarks.cost.counts import Counts, Sample
from benchmarks.loud.throttle import MB_PER_CORE

HOURS: Final = 730
MINUTES: Final = HOURS * 60
DAYS: Final = HOURS / 24
GB: Final = 1e9
EVENT_BYTES: Final = 26
"""Bytes that CloudWatch Logs bills for each event beside its text."""
COMPRESSED: Final = 0.15
"""Stored bytes for each ingested byte: the ratio of the examples on the price page."""
RETENTION_DAYS: Final = 30
LOG_RETENTION_DAYS: Final = 14
"""The defaults of FlowLogRetentionDays and FunctionLogRetentionDays."""
PLATFORM_BYTES: Final = 400
"""What Lambda itself writes to the log for each invocation: START, END and REPORT."""
CALL_SECONDS: Final = 0.012
"""Duration of a call to the table, as in `make loud`."""
OVERHEAD_SECONDS: Final = 0.005
"""Duration of an invocation beside reading, detecting and calls."""
BURST: Final = 2
"""Containers at the busiest time, relative to the average."""
ROLE_INTERFACES: Final = 50
"""Interfaces of a role in a large installation. A container reads and writes for each role that it sees."""
INCIDENTS: Final = 1 / 1000
"""Incidents of an interface per day: twice the limit of `make eval` for pages without an incident."""
PUBLISHES: Final = 3
"""Messages of an incident: opened, updated once, resolved."""
LEARNED_DAYS: Final = 60
"""Days for which baselines are kept; the sample's table contains those of `SAMPLE_DAYS`."""
SAMPLE_DAYS: Final = 14
SWEEPS: Final = HOURS
RETRIES: Final = HOURS * 12
RETRY_SECONDS: Final = 0.1
SWEEP_SECONDS: Final = 2.0
SWEEP_SECONDS_PER_VPC: Final = 0.1
SWEEP_READS_PER_VPC: Final = 10
ENFORCER_LOG_BYTES: Final = 2000
"""The log of a run of the enforcer."""
DETECTORS: Final = 5
"""Detectors that find something in every hour: each is a metric more."""
QUERY_MINUTES: Final = 20
"""Minutes of all flow logs that the query in a page scans. It runs once for each incident."""
EXTRA_QUERIES: Final = 10
"""Other queries, of an hour of all flow logs."""


class Size(Struct, frozen=True):
    """The size of an installation."""

    interfaces: int
    vpcs: int


SIZES: Final = Size(10, 1), Size(1_000, 10), Size(100_000, 300)


class Stack(Struct, frozen=True, kw_only=True):
    """What the template contains."""

    alarms: int
    metrics: int
    """Custom metrics of the enforcer, which have values in every hour."""
    keys: int
    monitor_mb: int
    enforcer_mb: int
    dispatcher_mb: int


class Line(Struct, frozen=True):
    """A line of the bill."""

    name: str
    amount: float
    unit: str
    dollars: float


class Month(Struct, frozen=True):
    """What a month costs."""

    size: Size
    sample: Sample
    flow_warden: tuple[Line, ...]
    flow_logs: tuple[Line, ...]
    guardduty: float
    """GuardDuty's analysis of the same volume of flow logs."""
    s3: float
    """The same flow logs in S3 instead of CloudWatch Logs."""
    gigabytes: float
    """Flow logs."""
    containers: int
    """Containers of the monitor at the busiest time."""
    seconds: float
    """Duration of the monitor for a batch."""

    @property
    def total(self) -> float:
        """Flow Warden."""
        return sum(each.dollars for each in self.flow_warden)

    @property
    def flow_logs_total(self) -> float:
        """The flow logs."""
        return sum(each.dollars for each in self.flow_logs)


def month(size: Size, traffic: str, batch_minutes: int, counts: Counts, stack: Stack) -> Month:
    """The bill of an installation with the traffic of a sample."""
    sample = counts.sample(traffic, batch_minutes, 1)
    factor = size.interfaces * HOURS / sample.interface_hours
    seconds = batch_seconds(sample, counts.microseconds, stack.monitor_mb)
    containers = math.ceil(BURST * factor * sample.batches * seconds / (HOURS * 3600))
    gigabytes = factor * (sample.record_bytes + EVENT_BYTES * sample.records) / GB
    incidents = size.interfaces * INCIDENTS * DAYS
    return Month(
        size=size,
        sample=sample,
        flow_warden=(
            *_lambda(size, factor * sample.batches, seconds, stack),
            *_table(size, sample, counts, containers, incidents),
            *_logs(factor * (sample.log_bytes + PLATFORM_BYTES * sample.batches)),
            *_fixed(stack, sample),
            *_notifications(incidents),
            _queries(incidents, gigabytes),
        ),
        flow_logs=(
            _line("delivery to CloudWatch Logs", gigabytes, prices.INGESTION, "GB"),
            _line(
                f"storage for {RETENTION_DAYS} days", stored(gigabytes, RETENTION_DAYS), prices.STORAGE, "GB"
            ),
        ),
        guardduty=prices.GUARDDUTY.dollars(gigabytes),
        s3=prices.TO_S3.dollars(gigabytes) + prices.S3_STORAGE.dollars(stored(gigabytes, RETENTION_DAYS)),
        gigabytes=gigabytes,
        containers=containers,
        seconds=seconds,
    )


def batch_seconds(sample: Sample, microseconds: Mapping[int, float], megabytes: int) -> float:
    """The duration of an invocation of the monitor on its share of a core."""
    processor = interpolated(microseconds, sample.records / sample.batches) / 1e6
    share = min(1.0, megabytes / MB_PER_CORE)
    return processor / share + CALL_SECONDS * sample.table_calls / sample.batches + OVERHEAD_SECONDS


def interpolated(points: Mapping[int, float], at: float) -> float:
    """The value between two points, on a straight line; the nearest point outside of all."""
    known = sorted(points.items())
    if at <= known[0][0]:
        return known[0][1]
    for (low, start), (high, end) in pairwise(known):
        if at <= high:
            return start + (end - start) * (at - low) / (high - low)
    return known[-1][1]


def stored(gigabytes: float, days: float) -> float:
    """GB-months that are stored of what is ingested in a month and kept for some days."""
    return gigabytes * COMPRESSED * days / DAYS


def _line(name: str, amount: float, price: prices.Price, unit: str) -> Line:
    return Line(name, amount, unit, price.dollars(amount))


def _lambda(size: Size, batches: float, seconds: float, stack: Stack) -> tuple[Line, ...]:
    swept = SWEEPS * (SWEEP_SECONDS + SWEEP_SECONDS_PER_VPC * size.vpcs) + RETRIES * RETRY_SECONDS
    idle = MINUTES * (CALL_SECONDS + OVERHEAD_SECONDS)
    runs = (
        ("monitor", batches, batches * seconds * stack.monitor_mb),
        ("enforcer", SWEEPS + RETRIES, swept * stack.enforcer_mb),
        ("dispatcher", MINUTES, idle * stack.dispatcher_mb),
    )
    return tuple(
        Line(f"Lambda, {name}", number, "invocations",
             prices.REQUEST.dollars(number) + prices.GB_SECOND.dollars(used / 1024))
        for name, number, used in runs
    )  # fmt: skip


def _table(size: Size, sample: Sample, counts: Counts, containers: int, incidents: float) -> tuple[Line, ...]:
    writes, reads = table_units(size, sample, counts, containers)
    writes += incidents * counts.incident_writes
    reads += incidents * counts.incident_reads
    reads += MINUTES * counts.idle_reads + RETRIES + SWEEPS * (1 + SWEEP_READS_PER_VPC * size.vpcs)
    kept = counts.stored_bytes * more_roles(size, counts) * LEARNED_DAYS / SAMPLE_DAYS / GB
    return (
        _line("DynamoDB, writes", writes, prices.WRITE, "write units"),
        _line("DynamoDB, reads", reads, prices.READ, "read units"),
        _line("DynamoDB, storage", kept, prices.TABLE, "GB"),
        _line("DynamoDB, point-in-time recovery", kept, prices.RECOVERY, "GB"),
    )


def table_units(size: Size, sample: Sample, counts: Counts, containers: int) -> tuple[float, float]:
    """The write and read units of the monitor in a month: those of the traffic, and those of each container.

    What a container adds depends on the roles that it sees, not on its batches: caches last for hours.
    """
    one, many = counts.ordinary, counts.ordinary_many
    grown = containers * HOURS * more_roles(size, counts)
    found = []
    for name in ("write_units", "read_units"):
        hours = one.interface_hours / counts.interfaces
        each = (getattr(many, name) - getattr(one, name)) / (many.containers - one.containers) / hours
        own = max(0.0, getattr(sample, name) - each * sample.interface_hours / counts.interfaces)
        found.append(size.interfaces * HOURS * own / sample.interface_hours + grown * each)
    return found[0], found[1]


def more_roles(size: Size, counts: Counts) -> float:
    """How many times as many roles as in the sample there are; at least as many."""
    return max(1.0, size.interfaces / ROLE_INTERFACES / counts.roles)


def _logs(monitor_bytes: float) -> tuple[Line, ...]:
    other = MINUTES * PLATFORM_BYTES + (SWEEPS + RETRIES) * (PLATFORM_BYTES + ENFORCER_LOG_BYTES)
    gigabytes = (monitor_bytes + other) / GB
    return (
        _line("logs of the functions", gigabytes, prices.INGESTION, "GB"),
        _line("their storage", stored(gigabytes, LOG_RETENTION_DAYS), prices.STORAGE, "GB"),
    )


def _fixed(stack: Stack, sample: Sample) -> tuple[Line, ...]:
    metrics = stack.metrics + sample.metrics + DETECTORS
    return (
        _line("custom metrics", metrics, prices.METRIC, "metrics"),
        _line("alarms", stack.alarms, prices.ALARM, "alarms"),
        _line("KMS key", stack.keys, prices.KEY, "key"),
    )


def _notifications(incidents: float) -> tuple[Line, ...]:
    messages = incidents * PUBLISHES
    return (
        Line("SNS, publishes and email", messages, "messages",
             prices.PUBLISH.dollars(messages) + prices.EMAIL.dollars(messages)
             + prices.KEY_REQUEST.dollars(messages)),
    )  # fmt: skip


def _queries(incidents: float, gigabytes: float) -> Line:
    scanned = (incidents * QUERY_MINUTES / 60 + EXTRA_QUERIES) * gigabytes / HOURS
    return _line("queries of flow logs", scanned, prices.QUERY, "GB")
