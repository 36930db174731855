"""Sums of uploads: the bytes that a host sent out within an hour, and within 24 hours.

One item contains a host's records of a day, with the hour of each. So a batch makes one write for both sums,
and with the item of the day before, counting does not restart at midnight.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct

from flowwarden.monitor.baseline.peers import network_of
from flowwarden.monitor.traffic.record_sizes import Counts, SizedRecords, Volume, place_number, sized
from flowwarden.monitor.traffic.uploads import size_of
from flowwarden.network.addresses import CLASSES, PeerClass
from flowwarden.network.direction import Directions
from flowwarden.records.columnar.tokenizer import ABSENT, Integers, Mask
from flowwarden.state.schema import UPLOADS
from flowwarden.state.sets import DAY, HOUR, Addition, fingerprint

HOURS: Final = DAY // HOUR
(SENT,) = UPLOADS.sets


class Place(NamedTuple):
    """The host and day whose uploads are summed, and where they go."""

    host: str
    """The host's address."""
    day: int
    """Days since 1970."""
    outside: PeerClass
    """The internet or AWS services."""

    def key(self, scope: str) -> str:
        """The key of the item; `scope` is the VPC, within which the host's address is unique."""
        return UPLOADS.key_of(f"{scope}/{self.host}", self.outside.value, self.day)


class Sent(Struct, frozen=True):
    """The data that a host sent within an hour or 24 hours."""

    bytes: float
    """The approximate number."""
    end: int
    """The end of that time (Unix seconds)."""


type Sums = Mapping[int, Sent]
"""By span in seconds: of the hour with the most bytes, and of 24 hours."""


def by_day(directions: Directions, rows: Integers, now: int) -> dict[Place, Integers]:
    """Uploads of one interface, by host, day and class of the far end; `now` is Unix seconds."""
    texts = directions.traffic.flows.texts
    columns = directions.client[rows], directions.server_class[rows], hours_of(directions, rows, now)
    found: dict[Place, list[int]] = {}
    for row, client, outside, hour in zip(rows.tolist(), *(each.tolist() for each in columns), strict=True):
        place = Place(str(texts[client]), hour // HOURS, CLASSES[outside])
        found.setdefault(place, []).append(row)
    return {place: np.array(each, np.int64) for place, each in found.items()}


def hours_of(directions: Directions, rows: Integers, now: int) -> Integers:
    """The hours (since 1970) in which these records begin; at the latest that of `now` (Unix seconds)."""
    starts = directions.traffic.flows["start"][rows]
    hours: Integers = np.where(starts == ABSENT, now, np.minimum(starts, now)) // HOUR
    return hours


def places_of(directions: Directions, rows: Integers) -> list[int]:
    """The numbers of the networks to which these records go; 0 for AWS services, which have many."""
    texts, internet = directions.traffic.flows.texts, CLASSES.index(PeerClass.INTERNET)
    columns = directions.server[rows].tolist(), directions.server_class[rows].tolist()
    return [
        place_number(fingerprint(network_of(str(texts[server])))) if outside == internet else 0
        for server, outside in zip(*columns, strict=True)
    ]


def addition(place: Place, scope: str, directions: Directions, rows: Integers, now: int) -> Addition:
    """The addition of the uploads in these rows to the item of a host's day.

    Args:
        place: the host and day.
        scope: the VPC, within which the host's address is unique.
        directions: of the batch.
        rows: the rows of the records that count.
        now: Unix seconds.
    """
    flows = directions.traffic.flows
    columns = [directions.server, flows["protocol"], directions.service_port, directions.client_port]
    columns += [flows["start"], flows["bytes"]]
    values = zip(*(column[rows].tolist() for column in columns), strict=True)
    hours = (hours_of(directions, rows, now) % HOURS).tolist()
    numbers = (
        sized(fingerprint(flows.texts[server], *each), to, hour, size_of(each[-1]))
        for (server, *each), to, hour in zip(values, places_of(directions, rows), hours, strict=True)
    )
    until = UPLOADS.kept_until(place.day * DAY)
    return Addition(place.key(scope), {SENT: frozenset(numbers)}, until)


def sums_of(
    place: Place,
    hours: Collection[int],
    today: Volume,
    before: Volume,
    usual_networks: Collection[int] = (),
) -> Sums:
    """The sums of a host.

    Args:
        place: the host and day.
        hours: hours of that day in which a batch has uploads, at least one.
        today: the records of the day.
        before: the records of the day before.
        usual_networks: the numbers of the networks to which uploads do not count.
    """
    usual, last, begin = np.array([*usual_networks], np.int64), max(hours), place.day * DAY

    def total(volume: Volume, is_within: Counts) -> float:
        return volume.total(lambda each: is_within(each) & ~np.isin(each.place, usual))

    most, at = max((total(today, partial(_is_of, at)), at) for at in {*hours})
    day = total(today, lambda each: each.hour <= last) + total(before, lambda each: each.hour > last)
    return {HOUR: Sent(most, begin + (at + 1) * HOUR), DAY: Sent(day, begin + (last + 1) * HOUR)}


def _is_of(hour: int, records: SizedRecords) -> Mask:
    """Which records began in an hour of the day."""
    of_hour: Mask = records.hour == hour
    return of_hour
