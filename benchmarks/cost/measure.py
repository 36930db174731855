"""Counts what ordinary traffic uses: the real monitor and dispatcher process a sample of it."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from moto import mock_aws
from msgspec import Struct

from benchmarks.cost.counts import BUSY, MANY, ORDINARY, QUIET, Counts, Sample
from benchmarks.cost.installation import MINUTE, Installation, Items, stored_bytes
from benchmarks.cost.traffic import HOUR, SEED, arriving, by_minute, network
from benchmarks.evaluation.generator.generator import Generator
from benchmarks.evaluation.generator.model import Delivery
from flowwarden.state import watermarks
from flowwarden.state.schema import BASELINES

_PROJECT: Final = Path(__file__).parents[2]
RESULTS: Final = _PROJECT / "benchmarks" / "results.md"
EXAMPLE: Final = _PROJECT / "events" / "monitor" / "reject-burst.json"

RATES: Final = {QUIET: 7.0, ORDINARY: 29.0, BUSY: 300.0}
"""Conversations relative to the generator's usual number at night, by the name of the traffic: about 5, 20
and 200 records per interface and minute."""
FIRST: Final = 2 * HOUR
"""Seconds of the day before the sample, in which records of the learning days still arrive."""


class Plan(Struct, frozen=True):
    """A sample to measure."""

    traffic: str
    batch_minutes: int
    containers: int
    hours: float


PLANS: Final = (
    Plan(QUIET, 1, 1, 1),
    Plan(ORDINARY, 1, 1, 1),
    Plan(ORDINARY, 1, MANY, 1),
    Plan(ORDINARY, 5, 1, 1),
    Plan(BUSY, 1, 1, 0.5),
)


def measure(tell: Callable[[str], None]) -> Counts:
    """Measure all samples; `tell` receives a line before each."""
    tell("learning")
    generator, items = _learned()
    kept, interfaces = pickle.dumps(generator), len(generator.interfaces())
    samples = []
    for plan in PLANS:
        tell(f"{plan}")
        samples.append(_sample(pickle.loads(kept), items, plan))  # noqa: S301 -- made above
    tell("an incident")
    writes, reads = incident()
    return Counts(
        interfaces=interfaces,
        seed=SEED,
        samples=tuple(samples),
        incident_writes=writes,
        incident_reads=reads,
        idle_reads=idle(),
        stored_bytes=stored_bytes(items),
        roles=roles(items),
        microseconds=microseconds(RESULTS.read_text()),
    )


def _learned() -> tuple[Generator, Items]:
    """The generator after the days of learning, and what the state table contains then."""
    generator = Generator(network())
    with mock_aws():
        installation = Installation(generator.interfaces, containers=1, seed=SEED)
        while generator.learning:
            for each in generator.next_day():
                installation.process(each)
    return generator, installation.items


def _sample(generator: Generator, items: Items, plan: Plan) -> Sample:
    interfaces = len(generator.interfaces())
    deliveries = arriving(generator, RATES[plan.traffic], FIRST, plan.hours)
    if plan.batch_minutes == 1:
        deliveries = by_minute(deliveries, generator.network.layout)
    with mock_aws():
        one = Installation(generator.interfaces, plan.containers, SEED, items)
        for each in deliveries:
            one.process(each)
    return Sample(
        traffic=plan.traffic,
        batch_minutes=plan.batch_minutes,
        containers=plan.containers,
        interface_hours=interfaces * plan.hours,
        batches=one.batches,
        records=one.records,
        record_bytes=one.record_bytes,
        write_units=one.monitor.write_units,
        read_units=one.monitor.read_units,
        table_calls=one.monitor.table_calls,
        line_bytes=one.line_bytes,
        metric_bytes=one.metric_bytes,
        metrics=len(one.metric_names),
    )


def incident() -> tuple[float, float]:
    """The write and read units from an application that is rejected to the message that this is over."""
    document = json.loads(EXAMPLE.read_text())["event"]
    lines = tuple(each["message"] for each in document["logEvents"])
    at = document["logEvents"][0]["timestamp"] // 1000 + MINUTE
    with mock_aws():
        one = Installation(dict, containers=1, seed=SEED)
        one.process(
            Delivery(1, at, document["logGroup"], document["logStream"], document["owner"], lines, "")
        )
        if not one.monitor.publishes:
            raise RuntimeError("the example does not page")
        # Records of later slots are processed meanwhile, each when its time has come.
        for until in range(at, at + 2 * HOUR, watermarks.SLOT):
            one.see(document["logGroup"], until)
            one.dispatch(until)
        if not one.dispatcher.publishes:
            raise RuntimeError("the incident of the example is not resolved")
    both = one.monitor, one.dispatcher
    return sum(each.write_units for each in both), sum(each.read_units for each in both)


def idle() -> float:
    """The read units of a run of the dispatcher without an incident that is due."""
    with mock_aws():
        one = Installation(dict, containers=1, seed=SEED)
        one.run(MINUTE)
    return one.dispatcher.read_units


def roles(items: Items) -> int:
    """The number of roles with a baseline."""
    keys = (key.removeprefix(BASELINES.prefix) for key in items if key.startswith(BASELINES.prefix))
    return len({key.rpartition("#")[0] for key in keys})


def microseconds(results: str) -> dict[int, float]:
    """The times to findings with the template's format, of one interface, in a page of `make bench`."""
    rows = re.findall(r"^\| template, ([\d,]+) records +\|.*\| +([\d,]+) \|[^|]*\|$", results, re.MULTILINE)
    return {int(records.replace(",", "")): float(time.replace(",", "")) for records, time in rows}
