"""Protocols and well-known ports: names for people; which are servers', administration's, databases'."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from msgspec import Struct

from flowwarden.records.columnar.tokenizer import Integers, Mask

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58

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
    132: "sctp",
}
"""IANA protocol numbers that people know by name."""

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
"""Ports that servers listen on in VPCs. A port on this list on exactly one end tells the server."""

WEB: Final = frozenset({80, 443})
"""What nearly everything asks the internet for."""

ADMIN_PORTS: Final = frozenset({22, 23, 135, 445, 3389, 5985, 5986})
"""SSH, Telnet, Windows RPC, SMB, RDP, WinRM: how one host is operated from another. No database ports: pools
and replicas reach many of those (6.6 false pages a day and 1,000 interfaces, measured on synthetic
traffic)."""


DATABASE_PORTS: Final = frozenset({3306, 5432, 1433, 1521, 6379, 27017})
"""MySQL, PostgreSQL, SQL Server, Oracle, Redis, MongoDB."""


UNPRIVILEGED = 1024
"""NAT gateways choose the ports of their clients from here upwards."""

EPHEMERAL = 32_768
"""Linux chooses the ports of its clients from here upwards, Windows from 49,152."""


_NO_CLIENT: Final = 2**16
"""Above every port."""


class ServicePorts:
    """The ports that servers listen on: those with a name, and others that the user knows of."""

    def __init__(self, more: Iterable[int] = ()) -> None:
        ports = np.array([*SERVICE_NAMES, *more])
        self._are = np.zeros(2**16, bool)
        self._are[ports] = True
        ports = ports[ports < EPHEMERAL]
        # As wide as columns of ports are, so that comparing needs no conversion.
        self._clients_from = np.full(2**16, _NO_CLIENT, np.int32)
        self._clients_from[ports] = np.where(ports < UNPRIVILEGED, UNPRIVILEGED, EPHEMERAL)

    def tell_servers(self, ports: Integers, others: Integers) -> Mask:
        """Where a port is a server's and the one at the far end a client's; `ABSENT` tells nothing.

        A privileged service is told from any unprivileged port. One above 1,023 may itself be the port of a
        client behind a NAT gateway, so there the far end's has to be one that operating systems choose.
        """
        # `ABSENT` is the last place, whose port is a client's.
        tells: Mask = others >= self._clients_from[ports]
        return tells & ~self._are[others]


WELL_KNOWN: Final = ServicePorts()


def look_like_answers(srcports: Integers, dstports: Integers) -> Mask:
    """Where the ports are those of an answer: to an ephemeral port, from one that is not."""
    return (srcports >= 0) & (srcports < EPHEMERAL) & (dstports >= EPHEMERAL)


def protocol_name(protocol: int | None) -> str:
    """The protocol's name, its number where it has none people know, `ip` where the log lacks it."""
    if protocol is None:
        return "ip"
    return PROTOCOL_NAMES.get(protocol, f"protocol {protocol}")


def describe_service(protocol: int | None, port: int | None) -> str:
    """For people: `PostgreSQL (tcp/5432)`, `tcp/31337`, `icmp`."""
    if not port:
        return protocol_name(protocol)
    number = f"{protocol_name(protocol)}/{port}"
    name = SERVICE_NAMES.get(port)
    return f"{name} ({number})" if name else number


class Service(Struct, frozen=True):
    """What a connection is for: protocol and server port. Keys use `identity`, people read `label`."""

    protocol: int | None
    """IANA number; None where the log format lacks it."""
    port: int | None
    """None where the protocol has no ports or the log format lacks them."""

    @property
    def identity(self) -> str:
        """The same for the same service, whatever it is called: `6/5432`, `1/-`."""
        return "/".join("-" if part is None else str(part) for part in (self.protocol, self.port))

    @property
    def label(self) -> str:
        """For people: `PostgreSQL (tcp/5432)`."""
        return describe_service(self.protocol, self.port)

    def __str__(self) -> str:
        return self.label
