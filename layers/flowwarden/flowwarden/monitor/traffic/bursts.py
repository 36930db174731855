"""Bursts: contacts with many small sessions in a batch, as of a host that guesses passwords.

Where a role uses a service anyway, only this distinguishes password guesses from use: people and connection
pools open few small sessions, and not many at once. If tools of a role do, that is learned as usual.
"""

from __future__ import annotations

from itertools import repeat
from typing import Final

import numpy as np

from flowwarden.monitor.traffic.contact import Contact
from flowwarden.monitor.traffic.contacts import Contacts
from flowwarden.monitor.traffic.sessions import ARE_SIZED, is_small, log_ins, numbers, small_sessions
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import OWN, Directions
from flowwarden.network.services import TCP
from flowwarden.records.columnar.tokenizer import Mask

LEAST: Final = 5
"""Sessions of the same small size that are a burst. A person who mistypes a password twice opens three."""
MOST_INSPECTED: Final = 256
"""Contacts of a batch that are inspected, those with the most small sessions first."""


def bursts(contacts: Contacts, directions: Directions, most: int) -> Mask | None:
    """Which contacts of internal hosts, with services that ask for a password, have bursts; None if none.

    Inspects at most `most` contacts.
    """
    (found,) = (contacts.count() >= LEAST).nonzero()
    lead = contacts.lead_rows(found)
    asks = ARE_SIZED[directions.service_port[lead]] & (directions.server_class[lead] == OWN)
    found, lead = found[asks], lead[asks]
    if not len(found):
        return None
    mine = (directions.traffic.flows["protocol"][lead] == TCP) & ~contacts.inbound(lead)
    found = found[mine & contacts.answered[found] & contacts.is_sure[found]]
    small = contacts.count(is_small(directions))[found]
    chosen = found[small >= LEAST][np.argsort(-small[small >= LEAST], kind="stable")][:most]
    are_bursts = np.zeros(len(contacts), bool)
    are_bursts[chosen] = [*map(_is_burst, contacts.one_by_one(chosen.tolist(), repeat(PeerClass.OWN)))]
    return are_bursts if are_bursts.any() else None


def _is_burst(contact: Contact) -> bool:
    sizes = log_ins(contact.port, contact.sizes)
    if len(sizes) < LEAST:
        return False
    stored = numbers(contact.server, contact.protocol, contact.port, sizes, usual=False)
    return any(each.count >= LEAST for each in small_sessions(stored))
