"""A batch is freed when it is done, not at the next garbage collection: its arrays take megabytes."""

from __future__ import annotations

import gc
from weakref import ref

from flowwarden.monitor.detectors import detected
from flowwarden.records.model import Flow
from tests.flows import flow, rejected
from tests.monitor.batches import Container, table

REFUSED = [rejected(f"10.0.1.5:{40_000 + host}", f"10.0.2.{host}:8080") for host in range(40)]


def _is_freed(flows: list[Flow]) -> bool:
    view, state = Container().begin(table(*flows))
    detected(view, state)
    batch = ref(view)
    del view
    return batch() is None


def test_the_view_of_a_batch_is_not_part_of_a_cycle() -> None:
    """Whether or not a rule rejects flows."""
    gc.disable()
    try:
        assert _is_freed([flow("10.0.1.5:40000", "10.0.2.9:443")])
        assert _is_freed(REFUSED)
    finally:
        gc.enable()
