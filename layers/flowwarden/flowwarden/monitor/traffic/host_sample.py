"""The parts of a finding about an active host: the traffic behind it, and the time over which it counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from flowwarden.monitor.findings import FlowSample, Window, representative
from flowwarden.monitor.traffic.contact import Contact
from flowwarden.monitor.traffic.host_activity import HostActivity
from flowwarden.network.direction import DirectedFlow
from flowwarden.state.sets import error

type Count = Callable[[Contact], Iterable[object]]
"""A function that returns the values of a contact that a detector counts, each distinct value once."""


def sample_of(host: HostActivity, flows: Sequence[DirectedFlow]) -> FlowSample:
    """The sample of the host's contacts that these flows, of which there is at least one, belong to.

    It sums up all records of these contacts. The flows alone, one for each contact, would show a thousand
    connections to a service as one.
    """
    return FlowSample(host.tally(contacts_of(host, flows)), representative(flows))


def contacts_of(host: HostActivity, flows: Iterable[DirectedFlow]) -> list[Contact]:
    """The host's contacts that these flows belong to."""
    places = {(each.server, each.flow.protocol, each.service_port) for each in flows}
    return [
        each for each in (*host.contacts, *host.watched) if (each.server, each.protocol, each.port) in places
    ]


def window_of(host: HostActivity, span: int, contacts: Iterable[Contact], count: Count) -> Window:
    """The time over which a detector counted, and how much of the count is in the batch.

    Args:
        host: an active host.
        span: the seconds over which the detector counts.
        contacts: those of the batch that count.
        count: what it counts of a contact.
    """
    begin = host.begins[span]
    within = [each for each in contacts if each.first < 0 or begin <= each.first < begin + span]
    in_batch = len({value for each in within for value in count(each)})
    return Window(begin, begin + span, in_batch, error(in_batch))


def place_of(contact: Contact) -> tuple[object, ...]:
    """The place that a contact is with: server, protocol and port."""
    return contact.server, contact.protocol, contact.port
