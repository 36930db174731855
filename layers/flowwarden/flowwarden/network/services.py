"""Protocols and well-known ports: display names, and the ports of servers, administration and databases."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Self

import numpy as np
from msgspec import Struct

from flowwarden.records.columnar.tokenizer import Integers, Mask

ICMP, TCP, UDP, ICMPV6, SCTP = 1, 6, 17, 58, 132

PROTOCOL_NAMES = {
    ICMP: "icmp",
    2: "igmp",
    4: "ipip",
    TCP: "tcp",
    UDP: "udp",
    41: "ipv6",
    47: "gre",
    50: "esp",
    51: "ah",
    ICMPV6: "icmpv6",
    SCTP: "sctp",
}
"""Names of well-known IANA protocol numbers."""

SERVICE_NAMES = {
    20: "FTP data",
    21: "FTP",
    22: "SSH",
    23: "Telnet",
    25: "SMTP",
    53: "DNS",
    80: "HTTP",
    88: "Kerberos",
    110: "POP3",
    111: "portmapper",
    123: "NTP",
    135: "Windows RPC",
    139: "NetBIOS",
    143: "IMAP",
    161: "SNMP",
    179: "BGP",
    389: "LDAP",
    443: "HTTPS",
    445: "SMB",
    464: "Kerberos password change",
    465: "SMTPS",
    514: "syslog",
    587: "mail submission",
    636: "LDAPS",
    873: "rsync",
    993: "IMAPS",
    995: "POP3S",
    1433: "SQL Server",
    1521: "Oracle",
    2049: "NFS",
    2181: "ZooKeeper",
    2379: "etcd",
    3128: "HTTP proxy",
    3260: "iSCSI",
    3268: "global catalog",
    3269: "global catalog over TLS",
    3306: "MySQL",
    3389: "RDP",
    4222: "NATS",
    5044: "Logstash",
    5432: "PostgreSQL",
    5439: "Redshift",
    5601: "Kibana",
    5671: "AMQPS",
    5672: "AMQP",
    5900: "VNC",
    5985: "WinRM",
    5986: "WinRM over TLS",
    6379: "Redis",
    6443: "Kubernetes API",
    8000: "HTTP",
    8080: "HTTP",
    8443: "HTTPS",
    8883: "MQTT over TLS",
    9042: "Cassandra",
    9090: "Prometheus",
    9092: "Kafka",
    9094: "Kafka over TLS",
    9100: "node exporter",
    9200: "Elasticsearch",
    9300: "Elasticsearch nodes",
    10250: "kubelet",
    11211: "memcached",
    15672: "RabbitMQ management",
    26379: "Redis Sentinel",
    27017: "MongoDB",
    50051: "gRPC",
    61616: "ActiveMQ",
}
"""Ports that servers listen on in VPCs. If exactly one end has a listed port, it is the server."""

WEB: Final = frozenset({80, 443})
"""Ports of ordinary web traffic to the internet."""

VNC: Final = 5900
ADMIN_PORTS: Final = frozenset({22, 23, 135, 445, 3389, VNC, 5985, 5986})
"""Remote administration: SSH, Telnet, Windows RPC, SMB, RDP, VNC, WinRM. Database ports are excluded, because
pools and replicas connect to many of them (6.6 false pages per day per 1,000 interfaces on synthetic
traffic)."""


DIRECTORY_SERVICES: Final = {53: 1, 88: 2, 389: 3, 636: 4, 464: 5, 3268: 6, 3269: 6}
"""Port → number of the directory service: DNS, Kerberos, LDAP, LDAPS, Kerberos password change, global
catalog. Domain controllers answer on most of them, other servers on one at most."""

FILE_AND_RPC: Final = frozenset({135, 445})
"""Remote administration ports that each member of a domain also uses on its domain controllers: group policy
is read over SMB, and logons and directory lookups use RPC."""

RPC_DYNAMIC: Final = 49_152
"""Lowest port that Windows RPC services listen on; the service at port 135 tells clients which one."""

DATABASE_PORTS: Final = frozenset({3306, 5432, 1433, 1521, 6379, 27017})
"""MySQL, PostgreSQL, SQL Server, Oracle, Redis, MongoDB."""


UNPRIVILEGED = 1024
"""Lowest port that NAT gateways assign to their clients."""

EPHEMERAL = 32_768
"""Lowest ephemeral port on Linux; on Windows it is 49,152."""


_NO_CLIENT: Final = 2**16
"""Above every port."""


class ServicePorts:
    """Ports that servers listen on: those with a name, and those in the policy."""

    def __init__(self, more: Iterable[int] = ()) -> None:
        ports = np.array([*SERVICE_NAMES, *more])
        self._are = np.zeros(2**16, bool)
        self._are[ports] = True
        ports = ports[ports < EPHEMERAL]
        # The type of port columns, so that comparisons need no conversion.
        self._clients_from = np.full(2**16, _NO_CLIENT, np.int32)
        self._clients_from[ports] = np.where(ports < UNPRIVILEGED, UNPRIVILEGED, EPHEMERAL)

    def are_servers(self, ports: Integers, others: Integers) -> Mask:
        """Where a port is a server's and the far end's port is a client's; false for `ABSENT`.

        For a privileged service port, the far end must have an unprivileged port. A service port above 1,023
        can also be the port of a client behind a NAT gateway, so the far end must have an ephemeral port.
        """
        # Index `ABSENT` is the last element, which is not a service port.
        decided: Mask = others >= self._clients_from[ports]
        return decided & ~self._are[others]


WELL_KNOWN: Final = ServicePorts()


def are_reply_ports(srcports: Integers, dstports: Integers) -> Mask:
    """Where the ports are those of a reply: from a non-ephemeral to an ephemeral port."""
    return (srcports >= 0) & (srcports < EPHEMERAL) & (dstports >= EPHEMERAL)


WITH_PORTS: Final = frozenset({TCP, UDP, SCTP})
"""Protocols whose connections have ports."""


def has_ports(protocol: int | None) -> bool:
    """Whether connections of the protocol have ports; also true if the log lacks the protocol."""
    return protocol is None or protocol in WITH_PORTS


def protocol_name(protocol: int | None) -> str:
    """The protocol's name, or its number if it has no well-known name, or `ip` if the log lacks it."""
    if protocol is None:
        return "ip"
    return PROTOCOL_NAMES.get(protocol, f"protocol {protocol}")


def _protocol(name: str) -> int | None:
    """The protocol with this name or number; the reverse of `protocol_name`. Raises ValueError."""
    if name == protocol_name(None):
        return None
    for number, known in PROTOCOL_NAMES.items():
        if name == known:
            return number
    number = int(name.removeprefix("protocol "))
    if not 0 <= number < 2**8:
        raise ValueError(f"{number} is not a protocol number")
    return number


def describe_service(protocol: int | None, port: int | None) -> str:
    """Display name: `PostgreSQL (tcp/5432)`, `tcp/31337`, `icmp`."""
    number = short_service(protocol, port)
    name = SERVICE_NAMES.get(port) if port else None
    return f"{name} ({number})" if name else number


def short_service(protocol: int | None, port: int | None) -> str:
    """Display name without the name of the port: `tcp/5432`, `icmp`."""
    return f"{protocol_name(protocol)}/{port}" if port else protocol_name(protocol)


class Service(Struct, frozen=True):
    """A service: protocol and server port. Keys use `identity`, texts for people use `label`."""

    protocol: int | None
    """IANA number; None if the log format lacks it."""
    port: int | None
    """None if the protocol has no ports or the log format lacks them."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """A service from its `number`: `tcp/5432`, `icmp`, `protocol 89`. Raises ValueError."""
        name, _, port = text.lower().partition("/")
        protocol = _protocol(name.strip())
        if not port:
            return cls(protocol, None)
        if not has_ports(protocol) or not port.isdecimal() or not 0 < int(port) < 2**16:
            raise ValueError(f"{text!r} is not a service")
        return cls(protocol, int(port))

    @property
    def identity(self) -> str:
        """A key that does not depend on names: `6/5432`, `1/-`."""
        return "/".join("-" if part is None else str(part) for part in (self.protocol, self.port))

    @property
    def label(self) -> str:
        """Display name: `PostgreSQL (tcp/5432)`."""
        return describe_service(self.protocol, self.port)

    @property
    def number(self) -> str:
        """Display name without the name of the port: `tcp/5432`."""
        return short_service(self.protocol, self.port)

    def __str__(self) -> str:
        return self.label
