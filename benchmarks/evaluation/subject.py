"""The interface of a system under test: it processes deliveries and returns its pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from msgspec import Struct

from benchmarks.evaluation.generator.model import Delivery, Interface
from flowwarden.records.log_format import LogFormat

OVERDUE_SECONDS: Final = 2 * 3600
"""Seconds after its wait within which an incident must be resolved: records are up to an hour late."""


class Page(Struct, frozen=True, kw_only=True):
    """A page or finding about a delivery."""

    at: int | None
    """Unix seconds of its first packet; None if unknown."""
    arrived: int
    """Unix seconds of the arrival of its delivery."""
    detector: str
    subject: str
    """The host, interface or role that it is about."""
    key: str
    """The key of its incident; pages with the same key are repeats."""
    confidence: float | None
    """Confidence in the initiator, 0 to 1; None if the page names none."""
    names: frozenset[str]
    """Addresses and interface ids in it, including the subject."""
    service: str = ""
    """The service that it is about, if it is about one."""
    also: tuple[str, ...] = ()
    """The other detectors that it names: what else the host did."""
    paged: bool = True
    """False for a finding without a page."""
    joined: bool = False
    """Whether it has no page because its incident was paged before, and is still suppressed."""
    event: str = ""
    """What it reports about its incident: `opened`, `updated`, `reopened` or `resolved`; empty if unknown."""


class Surroundings(Struct, frozen=True):
    """The information about the network besides its deliveries: from AWS and from the user."""

    layout: LogFormat
    judged_from: int
    """Unix seconds of the end of learning."""
    interfaces: Callable[[], Mapping[str, Interface]]
    """The current result of DescribeNetworkInterfaces, by interface id."""


class Judged(Protocol):
    """Processes deliveries in the order of arrival."""

    name: str
    learns: bool
    """Whether it also gets the deliveries of the learning days."""

    @property
    def write_units(self) -> float:
        """The writes to its state until now, in billed units."""

    def process(self, delivery: Delivery) -> list[Page]:
        """Process a delivery and return its pages and findings, and what was sent before it arrived."""

    def overdue(self, now: int) -> list[str]:
        """The keys of incidents that should have been resolved before `now` (Unix seconds)."""

    def state(self) -> Any:  # noqa: ANN401 -- any picklable value
        """Its complete state."""

    def restore(self, state: Any) -> None:  # noqa: ANN401 -- as above
        """Continue with a value of `state`."""
