"""The interface of a traffic source: the built-in generator, or a user's module.

`make eval ARGS="--source MODULE"` imports the module and calls its function `make(network)` once for each
scenario. It returns a `Source`. The module must be importable, for example from the current folder; pickling
its source after a day must keep its state, because a run continues from such checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Protocol

from benchmarks.evaluation.generator.generator import Generator
from benchmarks.evaluation.generator.model import Delivery, Incident, Interface, Network


class Source(Protocol):
    """The traffic of a network, day by day. Days begin at `generator.model.BEGIN`."""

    day: int
    """The number of completed days."""

    @property
    def learning(self) -> bool:
        """Whether the next day is one of `network.learning_days`, for which only pages are counted."""

    @property
    def over(self) -> bool:
        """Whether all of `network.days` are completed."""

    @property
    def labels(self) -> Sequence[Incident]:
        """The incidents until now. Their kinds are those of `generator.incidents`, or new ones."""

    def interfaces(self) -> Mapping[str, Interface]:
        """The hosts: the current result of DescribeNetworkInterfaces, by interface id."""

    def next_day(self) -> Iterable[Delivery]:
        """The deliveries that arrive on the next day, in the order of arrival.

        The lines have the layout of the network. If `truth` contains a character of `Truth` for each line,
        the initiator is checked as well; an empty text skips that.
        """


def source_of(module: str, network: Network) -> Source:
    """The traffic of a network, from a module; from the generator if the name is empty.

    Raises:
        SystemExit: the module cannot be imported, or has no function `make`.
    """
    if not module:
        return Generator(network)
    try:
        source: Source = import_module(module).make(network)
    except (ImportError, AttributeError) as error:
        raise SystemExit(
            f"--source {module}: {error}; benchmarks/evaluation/README.md describes the required content"
        ) from error
    return source
