"""A question to a detector about one record of a batch that it inspected, and the answer. Pure."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from flowwarden.monitor.measured import Measured
from flowwarden.monitor.traffic.selection import PAGING_CONFIDENCE
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.host_set import host_set
from flowwarden.policy.detection import Thresholds
from flowwarden.records.columnar.tokenizer import Integers


class Asked(Struct, frozen=True):
    """A record of a batch, after its detection."""

    view: BatchView
    rows: Integers
    """Its rows: several if it was delivered more than once."""
    directed: DirectedFlow

    @property
    def thresholds(self) -> Thresholds:
        """Those of the policy."""
        return self.view.policy.thresholds


class Answer(Struct, frozen=True):
    """What a detector measured about the subject of a record, and why the record did not count."""

    measured: tuple[Measured, ...] = ()
    why_not: str = ""
    """Empty if only the amounts decide."""


type Measure = Callable[[Asked], Answer]


def client_outside(asked: Asked) -> str:
    """Why a detector of what your hosts do does not consider the client; '' if it may."""
    return other_client(asked) or unsure(asked)


def other_client(asked: Asked) -> str:
    """The same, whether or not the initiator is certain."""
    directed = asked.directed
    if directed.client_class is not PeerClass.OWN:
        return "its client is not one of your hosts"
    return "the policy exempts its client" if _is_exempt(asked, directed.client) else ""


def _is_exempt(asked: Asked, host: str) -> bool:
    return host_set(asked.view.policy.exempt).hold(host)


def unsure(asked: Asked) -> str:
    """Why the initiator is not certain enough; '' if it is."""
    verdict = asked.directed.verdict
    if verdict.confidence >= PAGING_CONFIDENCE:
        return ""
    return (
        f"its initiator is not certain: confidence {verdict.confidence:.0%}, "
        f"and {PAGING_CONFIDENCE:.0%} are needed"
    )


def not_from_internet(asked: Asked) -> str:
    """Why a detector of what internet hosts do does not consider the client; '' if it may."""
    directed = asked.directed
    if directed.client_class is not PeerClass.INTERNET:
        return "its client is not on the internet"
    return "the policy exempts its server" if _is_exempt(asked, directed.server) else unsure(asked)
