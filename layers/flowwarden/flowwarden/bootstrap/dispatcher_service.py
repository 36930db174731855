"""Builds the dispatcher on its ports, in the same way for the function, replays and tests."""

from __future__ import annotations

from msgspec import Struct, field

from flowwarden.bootstrap.more_sinks import NONE, MoreSinks
from flowwarden.dispatcher.digest_place import DigestPlace
from flowwarden.dispatcher.digests import DigestSender
from flowwarden.dispatcher.dispatch import Dispatcher
from flowwarden.dispatcher.pending import Limited
from flowwarden.dispatcher.ports import OpenIncidents
from flowwarden.notify import held
from flowwarden.notify.alert import Route
from flowwarden.notify.ports import Claims, PageBudget, Sink
from flowwarden.state.digests import Digests
from flowwarden.state.ports import DigestStore, EvidenceStore
from flowwarden.unreadable import Unreadable


class DispatcherPorts(Struct, frozen=True, kw_only=True):
    """The ports of the dispatcher."""

    incidents: OpenIncidents
    claims: Claims
    evidence: EvidenceStore
    pages: Sink
    operations: Sink
    more_sinks: MoreSinks = NONE
    """The sinks beside these two."""
    digests: DigestStore | None = None
    """What the digests say; without it, none are sent."""
    which_digests: Digests = Digests.HOURLY_AND_DAILY
    place: DigestPlace = DigestPlace("", "", "")
    page_budget: PageBudget | None = None
    """The budget for pages; without it, there are no limits."""
    unreadable_items: Unreadable = field(default_factory=Unreadable)
    """Where the ports on the state table note what they cannot read."""


def build(ports: DispatcherPorts) -> tuple[Dispatcher, Unreadable]:
    """The dispatcher on these ports, and where these note what they cannot read."""
    more = ports.more_sinks
    routes = more.routes(pages=ports.pages, operations=ports.operations)
    summaries = {Route.OPERATIONS: more.routes(digest=ports.operations)[Route.DIGEST]}
    sender = (
        DigestSender(ports.digests, ports.claims, summaries, ports.which_digests, ports.place)
        if ports.digests
        else None
    )
    limited = Limited(ports.page_budget, ports.place.runbook(held.NAME)) if ports.page_budget else None
    dispatcher = Dispatcher(ports.incidents, ports.claims, ports.evidence, routes, limited, sender)
    return dispatcher, ports.unreadable_items
