"""An installation on ports that count: containers of the monitor, and the dispatcher, on one state table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from logging import StreamHandler
from random import Random
from typing import Any, Final

import monitor
from benchmarks.cost.metered import Client, Digests, Log, Meter, Metrics, Mutes, Table, Topic
from benchmarks.evaluation.generator.model import REGION, Delivery, Interface
from benchmarks.evaluation.memory import Directory, Formats
from benchmarks.evaluation.monitor import LEASE_SECONDS, QUIET_MINUTES, described, policy
from benchmarks.layouts import log_format
from benchmarks.loud.measured_container import Context
from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.incidents import DynamoDbIncidents
from flowwarden.aws.dynamodb.page_budget import DynamoDbPageBudget
from flowwarden.bootstrap.monitor_service import MonitorPorts, build
from flowwarden.dispatcher.dispatch import Dispatcher
from flowwarden.dispatcher.pending import Limited
from flowwarden.memory.formats import MemoryFormatStore
from flowwarden.notify.alert import Route
from flowwarden.notify.claims import ClaimTerms
from flowwarden.notify.page_budget import PageLimits
from flowwarden.records.log_format import LogFormat
from flowwarden.records.subscription import encode
from flowwarden.settings import MonitorSettings
from flowwarden.sinks.sns import SnsSink
from flowwarden.state import watermarks
from flowwarden.state.sets import Sets
from tests.aws.clients import make_state_table, shared

TABLE: Final = "state"
MINUTE: Final = 60
TIME_LEFT: Final = 40.0
BESIDE: Final = 100
"""Bytes of an item beside its sets: its key and expiry, and what DynamoDB adds for each item."""
_TERMS: Final = ClaimTerms(suppression=QUIET_MINUTES * 60, lease=LEASE_SECONDS)
_LIMITS: Final = PageLimits(hour=1000, day=1000)
"""A budget that is never spent: a held page costs less than one that is sent."""
_TOPICS: Final = "arn:aws:sns:us-east-1:111122223333:"
_ENVIRONMENT: Final = {
    "AWS_REGION": REGION, "LOG_FORMAT": log_format(), "STATE_TABLE": TABLE,
    "OPERATIONS_TOPIC_ARN": f"{_TOPICS}operations", "PAGES_TOPIC_ARN": f"{_TOPICS}pages",
}  # fmt: skip

type Items = dict[str, tuple[int, Sets]]
"""The expiry and the sets of each item, by key."""
type Interfaces = Callable[[], Mapping[str, Interface]]
type Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


class Installation:
    """The functions of a stack. Incidents are items of a table of moto, all other items in memory."""

    def __init__(
        self, interfaces: Interfaces, containers: int, seed: int, items: Items | None = None
    ) -> None:
        """`items` is what the table contains at the beginning; the containers are new."""
        self.monitor, self.dispatcher = Meter(), Meter()
        """What each function used."""
        self.batches = self.records = self.record_bytes = 0
        """Batches, their lines, and the bytes of these."""
        make_state_table(TABLE)
        self.items: Items = dict(items or {})
        self._due: dict[str, int] = {}
        self._random = Random(seed)
        self._now = self._minute = 0
        self._lines, self._metrics = Log(), Metrics()
        self._digests = Digests(self.monitor)
        self._containers = [self._container(interfaces) for _ in range(containers)]
        client: Any = Client(shared("dynamodb"), self.dispatcher, self._due)
        self._dispatcher = Dispatcher(
            DynamoDbIncidents(client, TABLE, LEASE_SECONDS),
            DynamoDbClaims(client, TABLE, _TERMS),
            Table(self.dispatcher, self.items),
            {route: (_sink(route, self.dispatcher),) for route in (Route.PAGES, Route.OPERATIONS)},
            Limited(DynamoDbPageBudget(client, TABLE, _LIMITS)),
        )

    @property
    def line_bytes(self) -> int:
        """Bytes of the log lines of the monitor."""
        return self._lines.size

    @property
    def metric_bytes(self) -> int:
        """Bytes of the metrics that the monitor writes to its log."""
        return self._metrics.size

    @property
    def metric_names(self) -> set[str]:
        """The metrics of the monitor that had a value, without those by detector."""
        return self._metrics.names

    def process(self, delivery: Delivery) -> None:
        """Process a batch in a random container, after the runs of the dispatcher before it."""
        self.dispatch(delivery.arrived)
        self._now = delivery.arrived
        context: Any = Context(left=lambda: TIME_LEFT)
        handler = monitor.logger.registered_handler
        if isinstance(handler, StreamHandler):
            handler.setStream(self._lines)
        with redirect_stdout(self._metrics):
            self._random.choice(self._containers)(_event(delivery), context)
        self.batches += 1
        self.records += len(delivery.lines)
        self.record_bytes += sum(map(len, delivery.lines))

    def see(self, log_group: str, until: int) -> None:
        """Note that records of a log group were processed until this time (Unix seconds)."""
        Table(Meter(), self.items).add(watermarks.addition(log_group, watermarks.slot_of(until)))

    def dispatch(self, until: int) -> None:
        """Run the dispatcher in the minutes in which an incident is due; all other runs are alike."""
        while self._due and (minute := self._next_minute()) <= until:
            self._minute = minute
            self.run(minute)

    def run(self, now: int) -> None:
        """Run the dispatcher once (Unix seconds)."""
        self._dispatcher.run(str(now), now, lambda: TIME_LEFT)

    def _next_minute(self) -> int:
        return max(-(-min(self._due.values()) // MINUTE) * MINUTE, self._minute + MINUTE)

    def _container(self, interfaces: Interfaces) -> Handler:
        client: Any = Client(shared("dynamodb"), self.monitor, self._due)
        settings = MonitorSettings.from_mapping(_ENVIRONMENT)
        ports = MonitorPorts(
            formats=Formats(log_format()),
            format_store=MemoryFormatStore(),
            interfaces=Directory(interfaces, described),
            state=Table(self.monitor, self.items),
            claims=DynamoDbClaims(client, TABLE, _TERMS),
            page_budget=DynamoDbPageBudget(client, TABLE, _LIMITS),
            digests=self._digests,
            mutes=Mutes(self.monitor),
            pages=_sink(Route.PAGES, self.monitor),
            operations=_sink(Route.OPERATIONS, self.monitor),
        )
        layout = (LogFormat.parse(log_format()),)
        rules = policy(interfaces().values())
        service = build(ports, rules, layout, region=REGION, suppression_minutes=QUIET_MINUTES)
        return monitor.make_handler(lambda: (settings, service), lambda: float(self._now))


def stored_bytes(items: Items) -> int:
    """About the bytes of these items in the table."""
    return sum(BESIDE + sum(8 * len(each) for each in sets.values()) for _, sets in items.values())


def _sink(route: Route, meter: Meter) -> SnsSink:
    return SnsSink(Topic(route.value, meter))


def _event(delivery: Delivery) -> dict[str, Any]:
    lines = [
        {"id": f"{delivery.number}-{at}", "timestamp": delivery.arrived * 1000, "message": line}
        for at, line in enumerate(delivery.lines)
    ]
    return dict(
        encode(
            {
                "messageType": "DATA_MESSAGE",
                "owner": delivery.account,
                "logGroup": delivery.log_group,
                "logStream": delivery.log_stream,
                "logEvents": lines,
            }
        )
    )
