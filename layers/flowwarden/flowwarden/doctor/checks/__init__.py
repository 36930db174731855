"""The checks of the doctor, one file each; `CHECKS` is the only list of them."""

from __future__ import annotations

from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.checks import (
    alarms,
    concurrency,
    coverage,
    delivery,
    flow_logs,
    functions,
    invocations,
    keys,
    mutes,
    policy,
    protection,
    queues,
    roles,
    rules,
    runs,
    services,
    sinks,
    stack,
    state_table,
    subscriptions,
    topics,
    trail,
)

CHECKS: Final[tuple[Check, ...]] = (
    stack.CHECK, functions.CHECK, roles.CHECK, invocations.CHECK, rules.CHECK, runs.CHECK, concurrency.CHECK,
    subscriptions.CHECK, protection.CHECK, flow_logs.CHECK, coverage.CHECK, delivery.CHECK, state_table.CHECK,
    policy.CHECK, mutes.CHECK, topics.CHECK, sinks.CHECK, services.CHECK, keys.CHECK, queues.CHECK,
    alarms.CHECK, trail.CHECK,
)  # fmt: skip
"""In the order of the report: what others depend on first."""
