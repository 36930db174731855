"""The generator: a network's deliveries, day by day, in the order of arrival.

Memory does not grow with the number of days. Between two days a generator can be pickled, and continues with
the same deliveries.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final

from benchmarks.evaluation.generator.benign import Benign
from benchmarks.evaluation.generator.conversations import ConversationRecorder
from benchmarks.evaluation.generator.deliveries import Deliveries
from benchmarks.evaluation.generator.event_queue import EventQueue, UntrackedPacket
from benchmarks.evaluation.generator.faults import Faults
from benchmarks.evaluation.generator.fleet import Fleet
from benchmarks.evaluation.generator.hosts import any_contains
from benchmarks.evaluation.generator.incidents import Incidents
from benchmarks.evaluation.generator.internet_noise import InternetNoise
from benchmarks.evaluation.generator.model import BEGIN, DAY, Delivery, Incident, Interface, Network
from benchmarks.evaluation.generator.recorder import Recorder
from benchmarks.evaluation.generator.scheduler import Scheduler

SHORTEST_SLOT: Final = 300
"""Seconds of traffic in a delivery on judged days, unless the window is longer."""


class Generator:
    """Generates a network's deliveries. Each part has its own random numbers, so parts are independent."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.day = 0
        """The number of completed days."""
        recorder = Recorder(network.window, self._random("recorder"))
        self.fleet = Fleet(self._random("fleet"), network.layout, network.interfaces, network.window)
        events, conversations = EventQueue(), ConversationRecorder(recorder)
        self._events, self._conversations, self._recorder = events, conversations, recorder
        self._benign = Benign(self._random("benign"), self.fleet, conversations, events)
        self._noise = InternetNoise(self._random("radiation"), self.fleet, recorder, conversations)
        self._faults = Faults(self._random("faults"), self.fleet, events, network.stress)
        scheduler = Scheduler(self._random("incidents"), self.fleet, events, network)
        self._incidents = Incidents(scheduler)
        self._deliveries = Deliveries(self._random("deliveries"), max(SHORTEST_SLOT, network.window))

    def _random(self, part: str) -> Random:
        return Random(f"{self.network.seed} {part}")

    @property
    def learning(self) -> bool:
        """Whether the next day is a learning day, which is not scored."""
        return self.day < self.network.learning_days

    @property
    def over(self) -> bool:
        """Whether all days are over."""
        return self.day >= self.network.days

    @property
    def labels(self) -> list[Incident]:
        """The incidents that have begun until now."""
        return self._incidents.labels

    def interfaces(self) -> dict[str, Interface]:
        """The current result of DescribeNetworkInterfaces, by interface id."""
        return self.fleet.interfaces()

    def next_day(self) -> Iterator[Delivery]:
        """The deliveries that arrive on the next day; for the last day also those that arrive later.

        Consume all of them before requesting another day.
        """
        begin = BEGIN + self.day * DAY
        slot = self.network.learning_slot if self.learning else max(SHORTEST_SLOT, self.network.window)
        rate = self.network.learning_rate if self.learning else self.network.judged_rate
        self._faults.plan(begin)
        self._incidents.plan(begin)
        for now in range(begin, begin + DAY, slot):
            self._faults.replace(now, slot)
            self._benign.generate(now, slot, rate)
            self._noise.generate(now, slot, rate)
            self._generate_due(now + slot)
            self._write(now + slot, slot)
            yield from self._deliveries.arrived(now + slot)
        self.day += 1
        if self.over:
            yield from self._deliveries.arrived(self.network.end + DAY)

    def _generate_due(self, until: int) -> None:
        """Generate the queued events."""
        for event in self._events.due(until):
            if isinstance(event, UntrackedPacket):
                self._conversations.untracked(event.conversation, event.at, event.packets)
            else:
                self._conversations.add(event)

    def _write(self, until: int, slot: int) -> None:
        """Send the records of the closed windows."""
        for host in list(self.fleet.hosts.values()):
            lines, truth = self._recorder.write(host, until)
            if lines and not any_contains(host.mute, until - 1):
                self._deliveries.send(host.stream, lines, truth, until, slot)
        self.fleet.remove_ended(until)
