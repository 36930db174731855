"""A batch is freed when it is done, not at the next garbage collection: its arrays take megabytes."""

from __future__ import annotations

import gc
from weakref import ref

from flowwarden.monitor.caches.state import StateCache
from flowwarden.monitor.detectors import detected
from flowwarden.records.model import Flow
from tests.flows import flow, rejected
from tests.monitor.batches import Container, table
from tests.monitor.fakes_state import MemoryEvidence

REFUSED = [rejected(f"10.0.1.5:{40_000 + host}", f"10.0.2.{host}:8080") for host in range(40)]


def _is_freed(flows: list[Flow], *, writes: bool) -> bool:
    view, state = Container().begin(table(*flows))
    detected(view, state)
    written, batch, of_batch = (
        state.claims < StateCache(MemoryEvidence()).for_batch().claims,
        ref(view),
        ref(state),
    )
    assert written == writes
    del view, state
    return batch() is None and of_batch() is None


def test_the_views_of_a_batch_are_not_part_of_a_cycle() -> None:
    """Whether or not a rule rejects flows, so that the batch adds to the state."""
    gc.disable()
    try:
        assert _is_freed([flow("10.0.1.5:40000", "10.0.2.9:443")], writes=False)
        assert _is_freed(REFUSED, writes=True)
    finally:
        gc.enable()
