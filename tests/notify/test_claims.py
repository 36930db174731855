"""Owners of claims."""

from __future__ import annotations

from flowwarden.notify.claims import Owner


def test_an_owner_recognizes_stored_owners_of_the_same_batch() -> None:
    """A retry and a second delivery belong to the same batch."""
    owner = Owner("batch-a", "request-1")
    assert owner.same_batch(str(Owner("batch-a", "request-2")))
    assert not owner.same_batch(str(Owner("batch-b", "request-1")))
    assert not owner.same_batch("")
