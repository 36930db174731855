"""The roles of interfaces in a VPC, and their usual conversations."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from benchmarks.evaluation.generator.conversations import ICMP, TCP, UDP


class Role(Struct, frozen=True):
    """A role of several interfaces in a VPC."""

    name: str
    count: int
    """Number in a VPC."""
    subnets: str
    """`public`, `private`, `edge`, `data` or `locked`; only the first has a route to an internet
    gateway."""
    interface_type: str = "interface"
    managed: bool = False
    """Whether AWS manages the interface."""
    scaled: bool = False
    """Whether the instances belong to an Auto Scaling group, and are replaced over time."""
    pods: int = 0
    dual_stack: bool = False
    open_port: int = 0
    """The port that a public address accepts from all sources; 0 for none."""


ROLES: Final = (
    Role("alb", 4, "public", managed=True, open_port=443),
    Role("nlb", 1, "public", "network_load_balancer", managed=True, open_port=8883),
    Role("nat", 2, "public", "nat_gateway", managed=True),
    Role("bastion", 1, "public"),
    Role("legacy", 2, "public", open_port=80),
    Role("tgw", 1, "private", "transit_gateway", managed=True),
    Role("web", 13, "private", scaled=True, dual_stack=True),
    Role("edge", 4, "edge", scaled=True),
    Role("app", 17, "private", scaled=True, dual_stack=True),
    Role("worker", 17, "private", scaled=True),
    Role("node", 18, "private", scaled=True, pods=5),
    Role("ci", 2, "private"),
    Role("monitor", 1, "private"),
    Role("resolver", 2, "private"),
    Role("database", 6, "data"),
    Role("cache", 4, "data"),
    Role("queue", 3, "data"),
    Role("payment", 2, "locked"),
)
BY_NAME: Final = {role.name: role for role in ROLES}
VPC_INTERFACES: Final = sum(role.count for role in ROLES)

REPLICATED: Final = "database"
"""Roles whose first half are primaries; each has its replica at the same position of the second half."""

ANYONE: Final = "anyone"
"""All roles that are the account's instances."""
INTERNET, OFFICE, ON_PREMISES, VENDOR, TIME, RESOLVERS = (
    *("internet", "office", "on-premises", "vendor", "time", "resolvers"),
)
"""Far ends outside the VPCs."""
OUTSIDE: Final = frozenset({INTERNET, OFFICE, ON_PREMISES, VENDOR, TIME, RESOLVERS})


class Edge(Struct, frozen=True):
    """The daily conversations of a client role with a server role."""

    client: str
    server: str
    port: int
    a_day: float
    """Conversations per client and day; for external clients, of all clients with a server."""
    protocol: int = TCP
    fan: int = 3
    """Number of servers per client; 0 for all servers."""
    seconds: float = 2
    """The mean duration."""
    packets: int = 8
    """The mean number in one direction."""
    answered: bool = True
    sends: bool = False
    """Whether the client sends all data, and receives only acknowledgments."""
    via: str = ""
    """The role of the interface on the path out of the VPC, or into it."""
    keeps_address: bool = False
    """Whether the server forwards it to an `edge` host and preserves the client's address."""
    egress_rejected: bool = False
    """Whether the client's own outbound rules always reject it."""


EDGES: Final = (
    Edge(INTERNET, "alb", 443, 1500, packets=14),
    Edge(INTERNET, "nlb", 8883, 700, packets=6, keeps_address=True),
    Edge(INTERNET, "legacy", 80, 250, packets=8),
    Edge(OFFICE, "bastion", 22, 20, seconds=900, packets=300),
    Edge(ON_PREMISES, "app", 8443, 20, via="tgw"),
    Edge("alb", "web", 8080, 500, fan=5, seconds=20, packets=30),
    Edge("alb", "web", 8081, 288, fan=0, seconds=0, packets=5),  # health checks
    Edge("nlb", "edge", 8883, 288, fan=0, seconds=0, packets=4),  # health checks
    Edge("edge", "queue", 9092, 60, seconds=200, packets=40),
    Edge("web", "app", 8443, 110, fan=6, packets=12),
    Edge("web", "cache", 6379, 40, fan=2, packets=6),
    Edge("app", "database", 5432, 45, fan=2, seconds=120, packets=60),
    Edge("app", "cache", 6379, 40, fan=2, seconds=60, packets=30),
    Edge("app", "queue", 9092, 20, fan=3, seconds=200, packets=50),
    Edge("app", ON_PREMISES, 636, 4, fan=2, via="tgw"),
    Edge("worker", "queue", 9092, 30, seconds=300, packets=60),
    Edge("worker", "database", 5432, 25, fan=2, seconds=30, packets=40),
    Edge("worker", "app", 8443, 12, fan=4),
    Edge("node", "node", 8080, 60, fan=5, packets=10),
    Edge("node", "node", 50051, 30, fan=4, seconds=60, packets=40),
    Edge("node", "database", 5432, 15, fan=1, seconds=60, packets=30),
    Edge("node", "cache", 6379, 15, fan=1, packets=8),
    Edge("node", "node", 10250, 12, fan=0, packets=8),
    Edge("database", "database", 5432, 24, fan=1, seconds=600, packets=400),  # replication
    Edge("legacy", "database", 5432, 30, fan=1),
    Edge("app", "payment", 9443, 20, fan=1, packets=10),
    Edge("monitor", ANYONE, 9100, 1600, fan=0, packets=9),
    Edge("monitor", ANYONE, 0, 100, protocol=ICMP, fan=0, seconds=4, packets=5),
    Edge("ci", "web", 22, 14, fan=0, seconds=30, packets=80),
    Edge("ci", "app", 22, 14, fan=0, seconds=30, packets=80),
    Edge("bastion", ANYONE, 22, 25, fan=0, seconds=300, packets=200),
    Edge(ANYONE, "resolver", 53, 40, protocol=UDP, fan=2, seconds=0, packets=1),
    Edge(ANYONE, "monitor", 8125, 6, protocol=UDP, fan=1, seconds=60, packets=30, answered=False),
    Edge("resolver", RESOLVERS, 53, 250, protocol=UDP, seconds=0, packets=1, via="nat"),
    Edge("resolver", TIME, 123, 12, protocol=UDP, seconds=0, packets=1, via="nat"),
    Edge("web", VENDOR, 443, 5, via="nat", packets=15),
    Edge("app", VENDOR, 443, 16, fan=8, via="nat", packets=20),
    Edge("worker", VENDOR, 443, 20, fan=12, via="nat", packets=40),
    Edge("node", VENDOR, 443, 16, fan=10, via="nat", packets=25),
    Edge("edge", VENDOR, 443, 3, via="nat", packets=15),
    Edge("ci", VENDOR, 443, 120, fan=40, via="nat", packets=60),
    Edge("bastion", VENDOR, 443, 3, packets=15),
    Edge("legacy", VENDOR, 443, 8, packets=15),
    Edge("legacy", VENDOR, 443, 1, fan=1, seconds=900, packets=2_000_000, sends=True),  # backups
    Edge("ci", VENDOR, 443, 6, fan=2, via="nat", seconds=120, packets=800_000, sends=True),  # releases
    Edge("payment", VENDOR, 443, 300, fan=20, egress_rejected=True),  # updates, and telemetry
    Edge("payment", TIME, 123, 150, protocol=UDP, egress_rejected=True),
)

EGRESS_REJECTED_ROLES: Final = frozenset(edge.client for edge in EDGES if edge.egress_rejected)
"""Roles whose hosts permanently try connections that their own rules reject, which is not an incident."""
