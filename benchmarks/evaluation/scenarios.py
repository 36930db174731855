"""The scenarios: the networks of quick, medium and full runs."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from benchmarks.evaluation.generator.model import Network
from benchmarks.layouts import layouts

TUNING_SEED: Final = 20_260
"""For tuning thresholds, and for quick runs."""
REPORTING_SEED: Final = 61_843
"""For published results. Its traffic must not be used to choose thresholds."""

BENIGN, STRESS, INCIDENTS, INCIDENTS_V2, BENIGN_V2, LEARNING, LEARNING_V2 = (
    *("benign", "stress", "incidents", "incidents-v2", "benign-v2", "learning", "learning-v2"),
)
WITHOUT_INCIDENTS: Final = BENIGN, STRESS, BENIGN_V2
"""Scenarios with ordinary traffic, changes and faults only."""
WITH_INCIDENTS: Final = INCIDENTS, INCIDENTS_V2
STRESS_FACTOR: Final = 5.0
WINDOW: Final = 600
"""Seconds of traffic in a delivery on scored days, except in the network with another window."""


class Scenario(Struct, frozen=True):
    """A network, and the name of its purpose."""

    name: str
    network: Network
    source: str = ""
    """The module of a traffic source; empty for the generator."""
    peers: bool = True
    """Whether the rules of peers are evaluated too."""


class Size(Struct, frozen=True):
    """The size of the networks of a run: interfaces, scored days, incidents of each kind."""

    benign: tuple[int, int] | None
    """None if it is not in the run: the network with frequent faults shows the same and more."""
    stress: tuple[int, int]
    benign_v2: tuple[int, int]
    incidents: tuple[int, int]
    of_each_kind: int
    window: int
    """Window of the network with incidents and the template's layout; all others have 600 s."""
    learning: tuple[int, int]
    """Interfaces and days of the networks that consist of learning days only.

    Their traffic and deliveries are like those of scored days."""
    learning_rate: float
    learning_slot: int = 3600
    """Seconds of traffic in a delivery during learning, in the other networks. Deliveries of many hours take
    less time to process, but make interfaces look silent, so the report of a quick run omits these days."""
    peers: bool = True
    """Whether the rules of peers are evaluated too."""


QUICK: Final = Size(None, (100, 1), (100, 2), (100, 1), 1, 600, (100, 3), 0.1, 12 * 3600, peers=False)
"""One incident of each kind: a second one within the day would often be a repeat at the same role, which
joins the incident that is already paged. Two days of ordinary traffic, since a lasting incident costs most
writes on its first one."""
MEDIUM: Final = Size((300, 5), (200, 5), (100, 3), (300, 3), 5, 600, (100, 14), 0.2)
"""For results between full runs: about a quarter of the time."""
FULL: Final = Size((1000, 7), (400, 3), (400, 5), (300, 4), 6, 60, (150, 14), 0.2)
"""7,000 interface-days without an incident, after learning."""


def seed_of(given: int | None, *, tuning: bool) -> int:
    """The seed of a run: the given one, or else that for tuning or for reporting."""
    if given is not None:
        return given
    return TUNING_SEED if tuning else REPORTING_SEED


def scenarios(size: Size, seed: int, source: str = "") -> tuple[Scenario, ...]:
    """The networks of a run; each has its own traffic, from a module if `source` names one."""
    template, default = layouts()["template"], layouts()["v2"]
    rate, slot, kinds = size.learning_rate, size.learning_slot, size.of_each_kind
    networks = {
        STRESS: Network(
            seed=seed + 1, layout=template, interfaces=size.stress[0], judged_days=size.stress[1],
            learning_rate=rate, learning_slot=slot, stress=STRESS_FACTOR,
        ),
        INCIDENTS: Network(
            seed=seed + 2, layout=template, interfaces=size.incidents[0], judged_days=size.incidents[1],
            learning_rate=rate, learning_slot=slot, window=size.window,
            incidents_of_each_kind=kinds,
        ),
        INCIDENTS_V2: Network(
            seed=seed + 3, layout=default, interfaces=size.incidents[0], judged_days=size.incidents[1],
            learning_rate=rate, learning_slot=slot, incidents_of_each_kind=kinds,
        ),
        BENIGN_V2: Network(
            seed=seed + 4, layout=default, interfaces=size.benign_v2[0], judged_days=size.benign_v2[1],
            learning_rate=rate, learning_slot=slot,
        ),
    }  # fmt: skip
    for name, each in ((LEARNING, template), (LEARNING_V2, default)):
        networks[name] = Network(
            seed=seed + len(networks) + 1, layout=each, interfaces=size.learning[0],
            learning_days=size.learning[1], judged_days=0, learning_rate=1.0, learning_slot=WINDOW,
        )  # fmt: skip
    if size.benign:
        benign = Network(
            seed=seed, layout=template, interfaces=size.benign[0], judged_days=size.benign[1],
            learning_rate=rate, learning_slot=slot,
        )  # fmt: skip
        networks = {BENIGN: benign, **networks}
    return tuple(
        Scenario(name, network, source, size.peers and network.judged_days > 0)
        for name, network in networks.items()
    )
