"""The figures in the text of docs/cost.md, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from benchmarks.cost import model
from benchmarks.cost.counts import MANY, Counts
from benchmarks.cost.model import Line, Month, Size, Stack
from benchmarks.cost.numbers import count, money, percent
from benchmarks.cost.prices import ALARM, DASHBOARD, DATE, GB_SECOND, GB_SECOND_ARM, READ, REGION, WRITE
from benchmarks.layouts import layouts
from benchmarks.loud.throttle import MB_PER_CORE
from flowwarden.enforcer.decide.cost import BYTES_PER_FIELD
from flowwarden.notify.text import plural

FIXED: Final = "custom metrics", "alarms", "KMS key"


def of_months(ordinary: Sequence[Month], rare: Month, counts: Counts) -> dict[str, str]:
    """Figures of the bills.

    Args:
        ordinary: ordinary traffic, by size.
        rare: the same for 1,000 interfaces, with fewer and larger batches.
        counts: all counts.
    """
    _, thousand, largest = ordinary
    return {
        "ordinary_rate": count(thousand.sample.records_per_minute),
        "fixed": money(sum(each.dollars for each in thousand.flow_warden if each.name in FIXED)),
        "largest": _largest(thousand),
        "rare": money(rare.total),
        "thousand": money(thousand.total),
        "milliseconds": count(thousand.seconds * 1000),
        "containers": count(largest.containers),
        "dispatcher": money(line(thousand, "Lambda, dispatcher").dollars),
        "enforcer": money(line(thousand, "Lambda, enforcer").dollars),
        "per_incident": money(_incident(largest, counts)),
        "s3": money(thousand.s3),
        "flow_logs": money(thousand.flow_logs_total),
        "storage": money(thousand.flow_logs[1].dollars),
        "sizes": ", ".join(_size(each.size) for each in ordinary),
    }


def of_counts(counts: Counts) -> dict[str, str]:
    """Figures of the samples."""
    sample = counts.ordinary
    record = sample.record_bytes / sample.records + model.EVENT_BYTES
    template, default = (len(layouts()[name].fields) for name in ("template", "v2"))
    return {
        "log_kb": count(sample.log_bytes / sample.batches / 1000),
        "monitor_metrics": str(sample.metrics),
        "metric_share": percent(sample.metric_bytes / sample.log_bytes),
        "line_share": percent(sample.line_bytes / sample.log_bytes),
        "record_bytes": count(record),
        "field_bytes": str(BYTES_PER_FIELD),
        "format_share": percent((template - default) * BYTES_PER_FIELD / record),
        "sample_interfaces": f"{counts.interfaces:,}",
        "roles": str(counts.roles),
        "sample_days": str(model.SAMPLE_DAYS),
        "incident_writes": count(counts.incident_writes),
        "incident_reads": count(counts.incident_reads),
        "idle_reads": count(counts.idle_reads),
    }


def of_stack(stack: Stack) -> dict[str, str]:
    """Figures of the template and the prices."""
    return {
        "date": DATE,
        "region": REGION,
        "monitor_mb": str(stack.monitor_mb),
        "enforcer_mb": str(stack.enforcer_mb),
        "dispatcher_mb": str(stack.dispatcher_mb),
        "enforcer_metrics": str(stack.metrics),
        "dashboard": money(DASHBOARD.dollars(1)),
        "alarm": money(ALARM.dollars(1)),
        "arm_share": percent(1 - GB_SECOND_ARM.dollars(1) / GB_SECOND.dollars(1)),
    }


def of_assumptions() -> dict[str, str]:
    """The assumptions."""
    return {
        "hours": str(model.HOURS),
        "event_bytes": str(model.EVENT_BYTES),
        "retention": str(model.RETENTION_DAYS),
        "log_retention": str(model.LOG_RETENTION_DAYS),
        "compressed": percent(model.COMPRESSED),
        "core_mb": f"{MB_PER_CORE:,}",
        "call_ms": f"{model.CALL_SECONDS * 1000:.0f}",
        "overhead_ms": f"{model.OVERHEAD_SECONDS * 1000:.0f}",
        "dispatcher_ms": f"{(model.CALL_SECONDS + model.OVERHEAD_SECONDS) * 1000:.0f}",
        "burst": str(model.BURST),
        "role_interfaces": str(model.ROLE_INTERFACES),
        "many": str(MANY),
        "platform_bytes": str(model.PLATFORM_BYTES),
        "sweep_seconds": f"{model.SWEEP_SECONDS:g}",
        "sweep_vpc_seconds": f"{model.SWEEP_SECONDS_PER_VPC:g}",
        "retry_seconds": f"{model.RETRY_SECONDS:g}",
        "enforcer_kb": f"{model.ENFORCER_LOG_BYTES / 1000:g}",
        "incidents": f"{model.INCIDENTS * 1000:g}",
        "publishes": str(model.PUBLISHES),
        "learned": str(model.LEARNED_DAYS),
        "query_minutes": str(model.QUERY_MINUTES),
        "extra_queries": str(model.EXTRA_QUERIES),
        "detectors": str(model.DETECTORS),
    }


def line(month: Month, name: str) -> Line:
    """A line of Flow Warden's bill. Raises StopIteration."""
    return next(each for each in month.flow_warden if each.name == name)


def _size(size: Size) -> str:
    return f"{size.interfaces:,} interfaces in {plural(size.vpcs, 'VPC')}"


def _largest(month: Month) -> str:
    first, second, third = sorted(month.flow_warden, key=lambda each: -each.dollars)[:3]
    parts = [f"{each.name} ({percent(each.dollars / month.total)})" for each in (first, second, third)]
    return f"{parts[0]}, {parts[1]} and {parts[2]}"


def _incident(month: Month, counts: Counts) -> float:
    """Dollars of an incident: its messages, its writes and its reads."""
    sent = line(month, "SNS, publishes and email")
    table = WRITE.dollars(counts.incident_writes) + READ.dollars(counts.incident_reads)
    return sent.dollars / sent.amount * model.PUBLISHES + table
