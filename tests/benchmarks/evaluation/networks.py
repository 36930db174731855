"""Small networks for tests, and the content of their deliveries."""

from __future__ import annotations

from functools import cache

from msgspec import Struct
from msgspec.structs import replace

from benchmarks.evaluation.generator.generator import Generator
from benchmarks.evaluation.generator.model import Delivery, Incident, Interface, Network
from benchmarks.evaluation.reading import Reading
from benchmarks.layouts import layouts
from flowwarden.records.model import Flow, Gap, Malformed

LAYOUTS = layouts()
RATE = 0.15
"""The share of a scored day's traffic."""


def network(layout: str = "template", **parameters: float) -> Network:
    """By default a VPC and one learning day with little traffic."""
    small = Network(
        seed=1, layout=LAYOUTS[layout], interfaces=100, learning_days=1, judged_days=0, learning_rate=RATE
    )  # fmt: skip
    return replace(small, **parameters)


class Made(Struct, frozen=True):
    """The output of the generator for the parameters of a `Network`."""

    network: Network
    deliveries: list[Delivery]
    labels: list[Incident]
    flows: list[Flow]
    """Of all deliveries, without duplicates."""
    gaps: list[Gap]
    malformed: list[Malformed]
    interfaces: dict[str, Interface]
    """The interfaces that existed at the beginning or at the end."""


def made(layout: str = "template", **parameters: float) -> Made:
    """Generate the deliveries of an account, and read them with the project's reader."""
    return _made(network(layout, **parameters))


@cache
def _made(given: Network) -> Made:
    generator, reading = Generator(given), Reading(given.layout)
    interfaces = generator.interfaces()
    result = Made(given, [], generator.labels, [], [], [], interfaces)
    seen: set[int] = set()
    while not generator.over:
        for delivery in generator.next_day():
            result.deliveries.append(delivery)
            if delivery.number not in seen:
                records = reading.records(delivery)
                result.flows.extend(records.flows)
                result.gaps.extend(records.gaps)
                result.malformed.extend(records.malformed)
            seen.add(delivery.number)
    interfaces.update(generator.interfaces())
    return result
