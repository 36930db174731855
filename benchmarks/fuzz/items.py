"""Kind of input: damaged items of the state table, which both functions read from a table in memory."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, Final

import monitor
from benchmarks.fuzz import enforcing
from benchmarks.fuzz.kind import Kind, Problem
from benchmarks.fuzz.monitoring import handle
from benchmarks.fuzz.table import ITEMS, Stored, Table, drawn
from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.formats import DynamoDbLogFormats
from flowwarden.aws.dynamodb.mutes import DynamoDbMutes
from flowwarden.aws.dynamodb.page_budget import DynamoDbPageBudget
from flowwarden.aws.dynamodb.policy import DynamoDbPolicy
from flowwarden.aws.dynamodb.roles import DynamoDbRoles
from flowwarden.aws.dynamodb.sets import DynamoDbEvidence
from flowwarden.bootstrap.monitor_service import MonitorPorts, build
from flowwarden.notify.page_budget import PageLimits
from flowwarden.policy.last_good import PolicyRecorder
from flowwarden.settings import MonitorSettings
from flowwarden.unreadable import Unreadable
from tests.enforcer.fakes import TERMS
from tests.functions.test_enforcer_events import ROOT, read, run_of
from tests.functions.test_monitor_events import ENVIRONMENT
from tests.functions.test_policy import NOW, TYPO, batch
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_log_formats import FakeFormats
from tests.notify.fakes import MemorySink

_SWEEP: Final = read(ROOT / "events" / "enforcer" / "sweep.json")
_TABLE: Final = "state"


def make(random: Random) -> Stored:
    """The content of a table."""
    return drawn(random, int(run_of(_SWEEP).now))


def check(stored: Stored) -> Iterator[Problem]:
    """Process a batch that pages, and a sweep. The configured policy is invalid: the stored one is read."""
    pages, operations = MemorySink(), MemorySink(name="memory:operations")
    done = handle(_monitor(Table(stored), pages, operations), batch(), pages, operations)
    yield from done.problems
    if done.result is None:
        yield Problem("an item that fails a batch")
    run = run_of(_SWEEP)
    yield from enforcing.process(enforcing.handler(run, Table(stored)), _SWEEP["event"], run.sink.sent)


def _monitor(table: Any, pages: MemorySink, operations: MemorySink) -> monitor.Handler:  # noqa: ANN401 - a client
    settings, notes = MonitorSettings.from_mapping(ENVIRONMENT | {"POLICY": TYPO}), Unreadable()
    ports = MonitorPorts(
        formats=FakeFormats(),
        format_store=DynamoDbLogFormats(table, _TABLE, notes),
        interfaces=FakeDirectory.of(interface("eni-1")),
        state=DynamoDbEvidence(table, _TABLE, notes),
        roles=DynamoDbRoles(table, _TABLE, notes),
        mutes=DynamoDbMutes(table, _TABLE, notes),
        claims=DynamoDbClaims(table, _TABLE, TERMS, notes),
        page_budget=DynamoDbPageBudget(table, _TABLE, PageLimits(hour=2, day=2, critical_hour=1), notes),
        pages=pages,
        operations=operations,
        unreadable_items=notes,
    )
    recorder = PolicyRecorder.choosing(settings.policy, DynamoDbPolicy(table, _TABLE, notes))
    service = build(ports, recorder, region="us-east-1", suppression_minutes=60)
    return monitor.make_handler(lambda: (settings, service), lambda: NOW)


KIND: Final = Kind(
    name="items",
    what="items of the state table with changed members and documents: the monitor, the enforcer",
    make=make,
    check=check,
    size=ITEMS,
    share=0.08,
)
