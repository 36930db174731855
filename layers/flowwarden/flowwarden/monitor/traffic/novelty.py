"""What is new: the contacts of a batch that are not usual for the roles of the hosts at their interfaces."""

from __future__ import annotations

from collections import defaultdict
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
    found: defaultdict[int, dict[Edge, Integers]] = defaultdict(dict)
    for number, (edge, interface) in enumerate(zip(edges.keys, edges.interfaces, strict=True)):
        if not profiles[interface].knows(edge):
            found[interface][edge] = edges.of(number)
    return found
