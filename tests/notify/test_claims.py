"""Who claims."""

from __future__ import annotations

from flowwarden.notify.claims import Owner


def test_an_owner_knows_its_batch_in_what_was_stored() -> None:
    """A retry and a second delivery have the batch in common."""
    owner = Owner("batch-a", "request-1")
    assert owner.same_batch(str(Owner("batch-a", "request-2")))
    assert not owner.same_batch(str(Owner("batch-b", "request-1")))
    assert not owner.same_batch("")
