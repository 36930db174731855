"""What is judged: anything that takes deliveries and says what it would tell on-call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from msgspec import Struct

from benchmarks.evaluation.generator.model import Delivery, Interface
from flowwarden.records.log_format import LogFormat


class Page(Struct, frozen=True, kw_only=True):
    """Something that was told about a delivery."""

    at: int | None
    """Unix seconds of the first packet behind it, None where nothing tells."""
    arrived: int
    """Unix seconds at which the delivery arrived that made it."""
    detector: str
    severity: str
    subject: str
    """Whom it is about."""
    key: str
    """What makes it the same incident as another page."""
    evidence: str
    confidence: float | None
    """In the initiator, 0 to 1; None where the page claims none."""
    names: frozenset[str]
    """Addresses and interface ids that stand in it, the subject included."""
    paged: bool = True
    """False for what only a digest would hold."""


class Surroundings(Struct, frozen=True):
    """What the judged may know of the world, besides its deliveries: what AWS and the user would tell."""

    layout: LogFormat
    judged_from: int
    """Unix seconds at which learning is over."""
    interfaces: Callable[[], Mapping[str, Interface]]
    """What DescribeNetworkInterfaces tells at the time of asking, by interface id."""


class Judged(Protocol):
    """Takes deliveries in the order in which they arrive."""

    name: str
    learns: bool
    """Whether it is shown the deliveries of the learning days too."""

    @property
    def write_units(self) -> float:
        """What was written into its memory until now, in units of the service that holds it."""

    def process(self, delivery: Delivery) -> list[Page]:
        """Look at a delivery, and tell."""

    def state(self) -> Any:  # noqa: ANN401 -- whatever it is, it can be pickled
        """All that it remembers."""

    def restore(self, state: Any) -> None:  # noqa: ANN401 -- as above
        """Go on from what `state` gave."""
