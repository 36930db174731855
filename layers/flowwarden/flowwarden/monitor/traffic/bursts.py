"""Bursts: contacts with many small sessions in a batch, as of a host that guesses passwords.

Where a role uses a service anyway, only this distinguishes guesses: people and pools open few sessions that
are small, and never as many at once. Tools that do are learned.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from flowwarden.monitor.traffic.contacts import Contacts
from flowwarden.monitor.traffic.sessions import SIZED_PORTS, is_small, log_ins, numbers, small_sessions
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import OWN, Directions
from flowwarden.network.services import TCP

LEAST: Final = 5
"""Sessions of the same small size: a person who mistypes a password twice opens three."""
MOST: Final = 256
"""Contacts of a batch that are inspected, those with the most small sessions first."""


def bursts(contacts: Contacts, directions: Directions) -> frozenset[int]:
    """The numbers of the contacts with bursts, of internal hosts with services that ask for a password."""
    lead = contacts.lead_rows(np.arange(len(contacts)))
    chosen = np.isin(directions.service_port[lead], [*SIZED_PORTS]) & (contacts.records >= LEAST)
    chosen &= (directions.traffic.flows["protocol"][lead] == TCP) & (directions.server_class[lead] == OWN)
    chosen &= contacts.answered & contacts.is_sure & ~contacts.inbound(lead)
    (found,) = chosen.nonzero()
    if not len(found):
        return frozenset()
    small = contacts.sums(is_small(directions))[found]
    most = found[small >= LEAST][np.argsort(-small[small >= LEAST], kind="stable")][:MOST]
    return frozenset(number for number in most.tolist() if _is_burst(contacts, number))


def _is_burst(contacts: Contacts, number: int) -> bool:
    (contact,) = contacts.one_by_one([number], PeerClass.OWN)
    sizes = log_ins(contact.port, contact.sizes)
    stored = numbers(contact.server, contact.protocol, contact.port, sizes, usual=False)
    return any(each.count >= LEAST for each in small_sessions(stored))
