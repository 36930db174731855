"""What is new: the contacts of a batch that are not usual for the roles of the hosts at their interfaces."""

from __future__ import annotations

from collections.abc import Mapping

from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.traffic.contacts import Contacts
from flowwarden.records.columnar.tokenizer import Integers

type NewContacts = Mapping[int, Mapping[Edge, Integers]]
"""Numbers of contacts by the index of their interface and by their edge."""


def new_contacts(contacts: Contacts, profiles: Mapping[int, RoleProfile]) -> NewContacts:
    """Those contacts whose edge is not usual.

    Args:
        contacts: of a batch.
        profiles: what is usual, by the index of the interface.
    """
    edges = contacts.edges
    found: dict[int, dict[Edge, Integers]] = {}
    for place, profile in profiles.items():
        here = edges.at(place)
        keys = edges.keys[here]
        if new := profile.new_among(keys):
            found[place] = {keys[number]: edges.of(here.start + number) for number in new}
    return found
