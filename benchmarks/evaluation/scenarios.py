"""The scenarios: which worlds are judged, in the quick and in the full run."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from benchmarks.evaluation.generator.model import World
from benchmarks.layouts import layouts

TUNING_SEED: Final = 20_260
"""For whoever changes a threshold, and for quick runs."""
REPORTING_SEED: Final = 91_129
"""For results that are told. Nobody looks at its traffic when thresholds are chosen."""

BENIGN, STRESS, INCIDENTS, INCIDENTS_V2, BENIGN_V2 = (
    *("benign", "stress", "incidents", "incidents-v2", "benign-v2"),
)
STRESS_FACTOR: Final = 5.0


class Scenario(Struct, frozen=True):
    """A world, and the name of what it is for."""

    name: str
    world: World


class Size(Struct, frozen=True):
    """How large the worlds of a run are: interfaces, judged days, incidents of each kind."""

    benign: tuple[int, int]
    stress: tuple[int, int]
    benign_v2: tuple[int, int]
    incidents: tuple[int, int]
    of_each_kind: int
    window: int
    """Of the world with incidents and the template's layout; all others have 600 s."""
    learning_rate: float


QUICK: Final = Size((200, 1), (100, 1), (100, 1), (100, 2), 2, 600, 0.05)
MEDIUM: Final = Size((300, 5), (200, 5), (100, 3), (200, 3), 5, 600, 0.2)
"""About a quarter of the time: for results between full runs."""
FULL: Final = Size((1000, 7), (400, 3), (400, 5), (200, 4), 6, 60, 0.2)
"""7,000 interface-days without an incident, after learning."""


def scenarios(size: Size, seed: int) -> tuple[Scenario, ...]:
    """The worlds of a run; each has traffic of its own."""
    template, default = layouts()["template"], layouts()["v2"]
    rate, kinds = size.learning_rate, size.of_each_kind
    worlds = {
        BENIGN: World(
            seed=seed, layout=template, interfaces=size.benign[0], judged_days=size.benign[1],
            learning_rate=rate,
        ),
        STRESS: World(
            seed=seed + 1, layout=template, interfaces=size.stress[0], judged_days=size.stress[1],
            learning_rate=rate, stress=STRESS_FACTOR,
        ),
        INCIDENTS: World(
            seed=seed + 2, layout=template, interfaces=size.incidents[0], judged_days=size.incidents[1],
            learning_rate=rate, window=size.window, incidents_of_each_kind=kinds,
        ),
        INCIDENTS_V2: World(
            seed=seed + 3, layout=default, interfaces=size.incidents[0], judged_days=size.incidents[1],
            learning_rate=rate, incidents_of_each_kind=kinds,
        ),
        BENIGN_V2: World(
            seed=seed + 4, layout=default, interfaces=size.benign_v2[0], judged_days=size.benign_v2[1],
            learning_rate=rate,
        ),
    }  # fmt: skip
    return tuple(Scenario(name, world) for name, world in worlds.items())
