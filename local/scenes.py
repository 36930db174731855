"""The demo's scenario: a small VPC, its traffic, and the expected reactions. Pure data."""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.policy.flow_logs import INTERFACE, SUBNET
from local.feed import Conversation, Host

CIDR = "10.20.0.0/16"
DATABASES = "10.20.3.0/24"
LEVEL_TAG: Final = "flow-logs"
"""The tag key of VPCs whose subnets or interfaces get flow logs; the value is the level."""
POLICY = {
    "listener_only": [DATABASES],
    "flow_logs": {
        "grace_minutes": 0,
        "rules": [
            {"where": {"tags": {LEVEL_TAG: level}}, "flow_log": {}, "level": level}
            for level in (SUBNET, INTERFACE)
        ],
    },
}
"""The policy of the scenario: databases only listen and never connect to the internet. There is no grace
period, so that a new VPC is covered at once and the demo does not wait five minutes."""

MANY_PAGES = dict.fromkeys(("PagesPerHour", "PagesPerDay", "CriticalPagesPerHour"), "500")
"""Parameters for experiments, which page more often than the default budget allows; 500 is the highest
limit. The demo pages less."""
SANDBOX = {"Dashboard": "yes", **MANY_PAGES}
REFUSED_AGO = 4500
"""Seconds since the records of the rejected connections: longer than until their incident is over."""

POSTGRES, HTTPS, SSH = 5432, 443, 22


class Scene(Struct, frozen=True, kw_only=True):
    """Traffic, and the expected reaction of Flow Warden."""

    title: str
    about: str
    conversations: tuple[Conversation, ...]
    pages: tuple[str, ...] = ()
    """Detectors that page, in any order; empty for no page."""
    revokes: bool = False
    """Whether the rule of the database's security group is revoked before."""
    ago: int = 0
    """Seconds since the records were written by the flow log."""
    metrics: dict[str, int] = {}
    """Expected metrics of the monitor, besides the number of flows."""
    verdict: str
    """The sentence printed on success."""


class Hosts(Struct, frozen=True, kw_only=True):
    """The hosts of the scenario; the VPC's id is known only after its creation."""

    web: Host
    app: Host
    database: Host
    """The database that rejects the application. EC2 describes it."""
    archive: Host
    """Another database."""
    builder: Host
    """An internal host that should not connect to its neighbors."""


def make_hosts(vpc: str) -> Hosts:
    """The hosts, in this VPC."""
    return Hosts(
        web=_host("10.20.1.10", 1, vpc),
        app=_host("10.20.2.20", 2, vpc),
        database=_host("10.20.3.30", 3, vpc),
        archive=_host("10.20.3.40", 5, vpc),
        builder=_host("10.20.2.66", 4, vpc),
    )


def _host(address: str, number: int, vpc: str) -> Host:
    subnet = address.split(".")[2]
    return Host(
        address=address,
        interface=f"eni-0f10a4de00000000{number}",
        instance=f"i-0f10a4de00000000{number}",
        subnet=f"subnet-0f10a4de00000000{subnet}",
        vpc=vpc,
    )


def scenes(hosts: Hosts) -> tuple[Scene, ...]:
    """The scenes in order."""
    return (
        _requests(hosts.web),
        _noise(hosts.web),
        _too_strict(hosts.app, hosts.database),
        _still_too_strict(hosts.app, hosts.database),
        _probing(hosts.builder),
        _database_egress(hosts.archive),
        _intruder(hosts.archive),
    )


def muted(hosts: Hosts) -> Scene:
    """The scene after the mute of the page about the probing host was added to the policy."""
    return replace(
        _probing(hosts.builder),
        title="8. The mute that the page suggests",
        about="The mute at the end of the page in scene 5 is added to the policy, with a reason. The build "
        "agent probes its neighbors again.",
        pages=(),
        metrics={"Muted": 1, "Suppressed": 0},
        verdict="the finding is muted: logged and counted, no page",
    )


def _requests(web: Host) -> Scene:
    clients = [f"198.51.100.{number}" for number in range(10, 22)]
    return Scene(
        title="1. Requests to a web server",
        about=f"12 clients on the internet open https://{web.address} and get replies.",
        conversations=tuple(
            Conversation(at=web, client=client, client_port=50_000 + number, server=web.address, port=HTTPS)
            for number, client in enumerate(clients)
        ),
        verdict="no page: requests to a web server are normal",
    )


def _noise(web: Host) -> Scene:
    ports = (22, 23, 80, 445, 1433, 3306, 3389, 5900, 6379, 8080)
    return Scene(
        title="2. Background noise from the internet",
        about=f"40 internet hosts try ten ports of {web.address}; its security group rejects them.",
        conversations=tuple(
            _refused(web, f"203.0.113.{number + 1}", 40_000 + number, web.address, ports[number % len(ports)])
            for number in range(40)
        ),
        metrics={"InternetRejects": 40},
        verdict="40 REJECTs counted (metric InternetRejects), no page",
    )


def _attempts(app: Host, database: Host, first_port: int) -> tuple[Conversation, ...]:
    """Three connections as both interfaces record them: accepted at the source, rejected at the target."""
    ports = range(first_port, first_port + 3)
    left = tuple(
        Conversation(
            at=app,
            client=app.address,
            client_port=port,
            server=database.address,
            port=POSTGRES,
            answered=False,
            packets=4,
            bytes=240,
        )
        for port in ports
    )
    refused = tuple(_refused(database, app.address, port, database.address, POSTGRES, 4) for port in ports)
    return left + refused


def _too_strict(app: Host, database: Host) -> Scene:
    return Scene(
        title="3. A security group that is too strict",
        about=f"The application {app.address} connects to its database {database.address}; after a change of "
        "the database's security group, every connection is rejected. The records are 75 minutes old, so "
        "that the demo need not wait until the incident is over.",
        conversations=_attempts(app, database, 41_000),
        ago=REFUSED_AGO,
        revokes=True,
        pages=("blocked-connection",),
        verdict="one page for all attempts, with the rule that is missing",
    )


def _probes(prober: Host) -> tuple[Conversation, ...]:
    """Attempts at SSH and PostgreSQL on 12 neighbors."""
    targets = [f"10.20.{net}.{host}" for net in (1, 2) for host in range(70, 76)]
    return tuple(
        _refused(prober, prober.address, 42_000 + number, target, port)
        for number, target in enumerate(targets)
        for port in (SSH, POSTGRES)
    )


def _intruder(database: Host) -> Scene:
    return Scene(
        title="7. The same database probes its neighbors",
        about=f"{database.address}, which connected to the internet in scene 6, tries SSH and PostgreSQL on "
        "12 neighbors.",
        conversations=_probes(database),
        pages=("host-probing",),
        verdict="one update of its incident, now critical: it names both, in their order",
    )


def _probing(prober: Host) -> Scene:
    return Scene(
        title="5. An internal host that probes its neighbors",
        about=f"The build agent {prober.address} tries SSH and PostgreSQL on 12 neighbors; its own security "
        "group rejects all attempts. So its own interface records every REJECT, and all records reach the "
        "monitor in one batch, where one detector finds the probing host. If the neighbors rejected the "
        "attempts, the records would arrive in one batch per interface.",
        conversations=_probes(prober),
        pages=("host-probing",),
        verdict="24 rejected attempts, one page",
    )


def _database_egress(database: Host) -> Scene:
    return Scene(
        title="6. A database that connects to the internet",
        about=f"{database.address} opens a connection to 203.0.113.77; the policy says that hosts in "
        f"{DATABASES} only listen.",
        conversations=(
            Conversation(
                at=database,
                client=database.address,
                client_port=43_000,
                server="203.0.113.77",
                port=HTTPS,
                packets=5200,
                bytes=48_000_000,
            ),
        ),
        pages=("unexpected-egress",),
        verdict="a page, although the connection was accepted",
    )


def _still_too_strict(app: Host, database: Host) -> Scene:
    return Scene(
        title="4. Scene 3 repeats",
        about=f"{app.address} keeps trying to reach its database.",
        conversations=_attempts(app, database, 44_000),
        ago=REFUSED_AGO,
        metrics={"Suppressed": 1},
        verdict="on-call was already paged: one repeat suppressed, no page",
    )


def _refused(  # a connection has four ends
    at: Host, client: str, client_port: int, server: str, port: int, packets: int = 1
) -> Conversation:
    return Conversation(
        at=at,
        client=client,
        client_port=client_port,
        server=server,
        port=port,
        accepted=False,
        packets=packets,
        bytes=60 * packets,
    )
