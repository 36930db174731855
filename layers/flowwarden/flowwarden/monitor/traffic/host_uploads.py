"""The uploads of a batch by host: the largest ones, and all records of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct

from flowwarden.monitor.baseline.peers import network_of
from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.traffic.interface_index import InterfaceIndex
from flowwarden.monitor.traffic.record_sizes import place_number
from flowwarden.monitor.traffic.upload_sums import HOURS, Place, addition, by_day, hours_of, places_of
from flowwarden.monitor.traffic.uploads import LEAST, amount, main_receiver
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import Directions
from flowwarden.network.host_set import HostSet
from flowwarden.records.columnar.group_by import Groups, Keys, packed
from flowwarden.records.columnar.tokenizer import Integers
from flowwarden.state.schema import MOST_UPLOADS
from flowwarden.state.sets import Addition, fingerprint


class Upload(Struct, frozen=True, kw_only=True):
    """The data that a host sent out on a day, as far as a batch shows it."""

    place: Place
    profile: RoleProfile
    rows: Integers
    """The rows of the records that count."""
    amount: float
    """Bytes for which the rows count, see `uploads.size_of`."""
    hours: frozenset[int]
    """The hours of the day in which they begin."""
    networks: Sequence[int]
    """The numbers of the networks to which large records go, each once. Small records are left out, because
    it is random which of them count."""
    added: Addition
    """What the records add to the state table."""


class Sources:
    """The hosts of a batch that send data out."""

    def __init__(
        self,
        directions: Directions,
        index: InterfaceIndex,
        profiles: Mapping[int, RoleProfile],
        now: int,
    ) -> None:
        """Take the batch, the usual behavior by interface index, and the time (Unix seconds)."""
        self._directions = directions
        self._index = index
        self._profiles = profiles
        self._now = now

    def largest(self, rows: Integers, exempt: HostSet) -> list[Upload]:
        """The uploads at interfaces that EC2 describes, except for exempt hosts, the largest first.

        Args:
            rows: of the records that count.
            exempt: hosts that may send anything.
        """
        found: list[Upload] = []
        groups = Groups(self._index.of_row[rows], ordered=True)
        for number, at in enumerate(groups.keys.tolist()):
            profile = self._profiles.get(at)
            if profile is not None and profile.interface is not None:
                found += self._at_interface(rows[groups.members(number)], profile, exempt)
        return sorted(found, key=_largest_first)

    def _at_interface(self, rows: Integers, profile: RoleProfile, exempt: HostSet) -> list[Upload]:
        """The largest uploads of the hosts at an interface, at most `MOST_UPLOADS`."""
        by_place = by_day(self._directions, rows, self._now)
        sizes = {
            place: amount(self._directions, sent)
            for place, sent in by_place.items()
            if not exempt.hold(place.host)
        }
        most = sorted(sizes, key=lambda place: (-sizes[place], place))[:MOST_UPLOADS]
        return [self._upload(place, by_place[place], profile, sizes[place]) for place in most]

    def _upload(self, place: Place, rows: Integers, profile: RoleProfile, size: float) -> Upload:
        directions, now = self._directions, self._now
        sizes = directions.traffic.flows["bytes"][rows]
        return Upload(
            place=place,
            profile=profile,
            rows=rows,
            amount=size,
            hours=frozenset((hours_of(directions, rows, now) % HOURS).tolist()),
            networks=sorted({*places_of(directions, rows[sizes >= LEAST])}),
            added=addition(place, profile.scope, directions, rows, now),
        )


def ends_of(directions: Directions, upload: Upload) -> frozenset[int]:
    """The numbers by which an upload is recognized: its host, and the internet network with most of it."""
    host = place_number(fingerprint("host", upload.profile.scope, upload.place.host))
    receiver = main_receiver(directions, upload.rows)
    if upload.place.outside is not PeerClass.INTERNET or not receiver:
        return frozenset({host})
    return frozenset({host, place_number(fingerprint(network_of(receiver)))})


def _largest_first(upload: Upload) -> tuple[float, str, Place]:
    return -upload.amount, upload.profile.scope, upload.place


class HostUploads:
    """All uploads of a batch by host and class of the far end, also those that do not count.

    A host is an address at an interface: other interfaces can have the same address, in VPCs with the same
    networks.
    """

    def __init__(self, directions: Directions, index: InterfaceIndex, rows: Integers) -> None:
        """Take the rows of all uploads, see `uploads`."""
        self._rows = rows
        self._sizes = max(1, len(index)), len(directions.traffic.flows.texts), 2**8
        self._ends = index.of_row, directions.client, directions.server_class
        self._groups = Groups(self._keys(rows), ordered=True)

    def of(self, row: int) -> Integers:
        """The rows of the host and class whose upload is in this row."""
        numbers, _ = self._groups.of(self._keys(np.array([row])))
        rows: Integers = self._rows[self._groups.members(int(numbers[0]))]
        return rows

    def _keys(self, rows: Integers) -> Keys:
        return packed([each[rows] for each in self._ends], self._sizes)
