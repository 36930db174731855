"""Spikes over days: stored attempts, several containers, and the cost."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from flowwarden.monitor.detectors import reject_spike
from flowwarden.monitor.detectors.reject_spike import LEAST, SLOT
from flowwarden.monitor.findings import Finding
from flowwarden.records.model import Flow
from flowwarden.state.schema import ATTEMPTS, SHARED
from flowwarden.state.sets import Sets
from tests.examples import examples
from tests.flows import rejected
from tests.monitor.batches import Container, table
from tests.monitor.fakes_state import MemoryEvidence

HOST = "10.0.0.10"
BEGIN = 1_764_000_000 // SLOT * SLOT
DAY = 86_400 // SLOT
"""In slots."""


def noise(slot: int, count: int) -> list[Flow]:
    """This number of attempts in a slot."""
    return [
        rejected(
            f"198.51.{each % 100}.{slot % 250}:40000", f"{HOST}:{1 + each}", start=BEGIN + slot * SLOT
        )
        for each in range(count)
    ]  # fmt: skip


def look(evidence: MemoryEvidence, slot: int, flows: list[Flow]) -> list[Finding]:
    """A batch, in a new container."""
    container = Container(evidence=evidence)
    return container.detect(reject_spike.DETECTOR, table(*flows), BEGIN + (slot + 1) * SLOT)


def attempts(evidence: MemoryEvidence) -> dict[str, Sets]:
    """The attempts in the table."""
    return {key: sets for key, sets in evidence.items.items() if key.startswith(ATTEMPTS.prefix)}


def written(evidence: MemoryEvidence) -> int:
    """The number of writes of attempts."""
    return sum(key.startswith(ATTEMPTS.prefix) for key in evidence.written)


def test_a_spike_after_a_day_of_noise_is_reported_once_in_six_hours() -> None:
    """At any level of noise."""
    evidence = MemoryEvidence()
    for slot in range(DAY):
        assert look(evidence, slot, noise(slot, 60 + slot % 20)) == []
    reported = [slot for slot in range(DAY, DAY + 12) if look(evidence, slot, noise(slot, 900))]
    assert reported == [DAY]
    assert look(evidence, DAY + 60, noise(DAY + 60, 900)) != []


def test_few_attempts_are_neither_written_nor_read() -> None:
    """The case for most slots of most hosts."""
    evidence = MemoryEvidence()
    for slot in range(DAY):
        look(evidence, slot, noise(slot, LEAST - 1))
    assert (written(evidence), evidence.reads) == (0, 0)


def test_a_flood_of_hosts_costs_a_bounded_number_of_writes() -> None:
    """A batch of one interface can contain many addresses, also spoofed ones."""
    evidence = MemoryEvidence()
    flows = [
        rejected(f"203.0.113.{each}:40000", f"10.0.{host}.1:22", start=BEGIN)
        for host in range(50)
        for each in range(LEAST)
    ]
    look(evidence, 0, flows)
    assert ATTEMPTS.per_batch <= written(evidence) <= ATTEMPTS.per_batch + SHARED


def test_without_the_table_a_batch_is_evaluated_alone() -> None:
    """Nothing raises; without history, only a very high count is a spike."""
    evidence = MemoryEvidence(is_away=True)
    assert look(evidence, 0, noise(0, 100)) == []
    assert look(evidence, 0, noise(0, 900)) != []


@examples(0.2)
@given(st.integers(1, 5), st.randoms(use_true_random=False), st.sampled_from((60, 900)))
def test_order_repetition_and_partition_change_nothing(parts: int, random: Random, count: int) -> None:
    """The slot is evaluated as if it had arrived at once, if each part is large enough to be stored."""
    together, apart = MemoryEvidence(), MemoryEvidence()
    flows = noise(0, count * parts)
    whole = look(together, 0, flows)
    split = [flows[part::parts] for part in range(parts)] * 2
    random.shuffle(split)
    reported = [finding for part in split for finding in look(apart, 0, part)]
    assert bool(whole) == bool(reported)
    assert attempts(together) == attempts(apart)
