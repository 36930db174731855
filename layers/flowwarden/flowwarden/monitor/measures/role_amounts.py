"""What the detectors that compare a connection with a role measured: the role's days, and the replies."""

from __future__ import annotations

import numpy as np

from flowwarden.monitor.baseline.baseline import (
    DAYS_LEARNED,
    DAYS_SEEN,
    GOES_OUT,
    LEARNING_DAYS,
    LISTENS,
    Edge,
    EdgeKind,
)
from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.measured import Measured
from flowwarden.monitor.measures.asked import Asked
from flowwarden.monitor.traffic.selection import are_replies
from flowwarden.network.services import TCP, describe_service


def earlier(profile: RoleProfile, edge: Edge | EdgeKind, what: str) -> Measured:
    """The earlier days with what is unusual; from the limit on it is usual."""
    days = profile.days_of(edge)
    return Measured(
        what=f"earlier days on which {what}", value=days, limit=DAYS_SEEN, below=True, needed=True
    )


def replies(asked: Asked) -> Measured:
    """The replies to the connection in the batch; one is enough."""
    view = asked.view
    here = np.zeros(len(view.records.flows), bool)
    here[asked.rows] = True
    of_contacts = view.contacts.count(here) > 0
    count = int(view.contacts.count(are_replies(view.directions))[of_contacts].sum())
    return Measured(what="replies to the connection, in the batch", value=count, limit=1, needed=True)


def served(profile: RoleProfile, *, now: bool) -> Measured:
    """The days on which the role served the database that it served on most days.

    Args:
        profile: of the role.
        now: whether a database is served in the batch, which is enough for a new role of a learned VPC.
    """
    serving = profile.baseline.days_serving if profile.baseline else {}
    days, port = max(((days, port) for port, days in serving.items()), default=(0, 0))
    name = describe_service(TCP, port) if days else "a database"
    value, limit = max(days, int(now)), profile.days_to_serve
    return Measured(what=f"days on which the role served {name}", value=value, limit=limit, needed=True)


def listens(profile: RoleProfile) -> tuple[Measured, Measured]:
    """Whether the role is listener-only: it answers others, and never connects to the internet."""
    answers = profile.days_of(LISTENS)
    return (
        Measured(
            what="earlier days on which the role answered others", value=answers, limit=DAYS_SEEN, needed=True
        ),
        earlier(profile, GOES_OUT, "the role connected to the internet"),
    )


def age(profile: RoleProfile, purpose: str = "") -> tuple[Measured, Measured]:
    """How long the role has been learned; `purpose` is what needs it, if the finding does not."""
    baseline = profile.baseline
    days, since = (baseline.days, baseline.day - baseline.first) if baseline else (0, 0)
    return (
        Measured(
            what=f"days on which the role was learned{purpose}", value=days, limit=DAYS_LEARNED, needed=True
        ),
        Measured(
            what=f"days since the role was first learned{purpose}",
            value=since,
            limit=LEARNING_DAYS,
            needed=True,
        ),
    )
