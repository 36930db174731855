"""What a rejected connection counts for: the amounts by which it is assigned to a detector. Pure."""

from __future__ import annotations

from msgspec import Struct


class Refusal(Struct, frozen=True, kw_only=True):
    """A rejected connection of an internal host, see `rejections`."""

    pairs: int
    """Pairs of host and port that rejected its client in the batch, as far as they count as probed."""
    packets: int
    """Rejected packets of its client to the service, in the batch."""
    clients: int
    """Hosts that the service rejects in the batch; 0 if this client does not count."""
    usual: bool
    """Whether rules usually refuse it to the role of the client."""
    probes: bool
    """Whether its client probes."""
    outbound: bool
    """Whether the client's own outbound rules explain it."""
    service: bool
    """Whether a service that rejects many hosts explains it."""
