"""Owners of claims, and the keys of incidents."""

from __future__ import annotations

from flowwarden.network.interface import NetworkInterface
from flowwarden.network.roles import role_of
from flowwarden.notify.claims import Owner, digest
from flowwarden.state.sets import fingerprint


def test_an_owner_recognizes_stored_owners_of_the_same_batch() -> None:
    """A retry and a second delivery belong to the same batch."""
    owner = Owner("batch-a", "request-1")
    assert owner.same_batch(str(Owner("batch-a", "request-2")))
    assert not owner.same_batch(str(Owner("batch-b", "request-1")))
    assert not owner.same_batch("")


def test_text_that_utf8_does_not_allow_has_a_key() -> None:
    """An incident, an edge and a role of a lone surrogate have keys, and different ones than others."""
    assert digest("\ud800") != digest("\ud801") != digest("?")
    assert fingerprint("\ud800") != fingerprint("?")
    tags = {"Role": "\ud800" * 200}
    assert role_of(NetworkInterface(interface_id="eni-1", tags=tags), ["Role"]).startswith("tag:Role=")
