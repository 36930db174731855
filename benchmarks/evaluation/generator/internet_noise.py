"""The internet's background radiation at public addresses.

EC2 sensors received 27,100 packets per address and day (Cloud Telescope, 2023); the top 1 % of the sources
send most of them. Here, scanners send many packets on one 5-tuple, to limit the number of records.
"""

from __future__ import annotations

from random import Random
from typing import Final

from benchmarks.evaluation.generator import addresses
from benchmarks.evaluation.generator.conversations import ICMP, TCP, UDP, ConversationRecorder
from benchmarks.evaluation.generator.distributions import heavy_tailed, poisson
from benchmarks.evaluation.generator.fleet import Fleet
from benchmarks.evaluation.generator.hosts import Host
from benchmarks.evaluation.generator.model import DAY
from benchmarks.evaluation.generator.recorder import BY_DESTINATION, BY_SOURCE, Recorder
from benchmarks.evaluation.generator.roles import BY_NAME

PACKETS_A_DAY: Final = 27_100
RECORDS_A_DAY: Final = 2_000
IN_BURSTS: Final = 0.3
BURST: Final = 30
"""Mean number of records in a burst."""
NEW_SOURCES: Final = 0.3
"""The share of one-time sources, with one or two packets, in the records outside bursts."""
STRAYS_A_DAY: Final = 25
ANSWERED: Final = 0.5
"""The share of TCP probes that an open port answers."""

_MEAN: Final = PACKETS_A_DAY / RECORDS_A_DAY
_FEW: Final = 1.5
_MANY: Final = (_MEAN - NEW_SOURCES * _FEW) / (1 - NEW_SOURCES)
_PORTS: Final = (23, 22, 445, 3389, 8080, 80, 443, 6379, 5432, 3306, 1433, 2375, 5900, 8443, 9200, 8883)
_UDP_PORTS: Final = 53, 123, 161, 1900, 5060, 11211
_FIRST_PORT: Final = 1024


class InternetNoise:
    """Generates the radiation."""

    def __init__(
        self, random: Random, fleet: Fleet, recorder: Recorder, conversations: ConversationRecorder
    ) -> None:
        self._random = random
        self._fleet = fleet
        self._recorder = recorder
        self._conversations = conversations
        self._heavy = addresses.pool(random, addresses.HEAVY_SOURCES)

    def generate(self, begin: int, seconds: int, rate: float) -> None:
        """Generate the radiation from `begin` (Unix seconds)."""
        random, share = self._random, seconds / DAY * rate
        for host in self._fleet.public():
            for _ in range(poisson(random, RECORDS_A_DAY * (1 - IN_BURSTS) * share)):
                if random.random() < NEW_SOURCES:
                    source, packets = addresses.internet_address(random), random.choice((1, 2))
                else:
                    source = self._heavy[int(random.random() ** 5 * len(self._heavy))]
                    packets = heavy_tailed(random, _MANY)
                self._probe(host, source, self._port(), begin + int(random.random() * seconds), packets)
            for _ in range(poisson(random, RECORDS_A_DAY * IN_BURSTS / BURST * share)):
                self._burst(host, begin + int(random.random() * seconds))
            for _ in range(poisson(random, STRAYS_A_DAY * share)):
                at, ports = begin + int(random.random() * seconds), (443, random.randrange(1024, 65_536))
                flags = random.choice((18, 4))
                self._conversations.stray(host, addresses.internet_address(random), ports, at, flags)

    def _burst(self, host: Host, begin: int) -> None:
        """A source that tries many ports, or one port repeatedly."""
        random = self._random
        source = random.choice(self._heavy) if random.random() < 0.5 else addresses.internet_address(random)
        ports = range(1, 10_000) if random.random() < 0.5 else (self._port(),)
        for _ in range(1 + poisson(random, BURST - 1)):
            at = begin + random.randrange(60)
            self._probe(host, source, random.choice(ports), at, heavy_tailed(random, _MEAN))

    def _port(self) -> int:
        random = self._random
        if random.random() < 0.2:
            return random.randrange(1, 65_536)
        return _PORTS[int(random.random() ** 2 * len(_PORTS))]

    def _probe(self, host: Host, source: str, port: int, at: int, packets: int) -> None:
        """Record the packets of one source to one port, and the reply, if any."""
        random = self._random
        log, here = self._recorder.log, host.address
        kind = random.random()
        protocol = TCP if kind < 0.85 else UDP if kind < 0.98 else ICMP
        if protocol == UDP:
            port = random.choice(_UDP_PORTS)
        ports = (random.randrange(_FIRST_PORT, 65_536), port) if protocol != ICMP else (0, 0)
        role = host.interface.role
        is_open = protocol == TCP and port == BY_NAME[role].open_port
        # A NAT gateway has no security group: it accepts the packets, and drops unsolicited ones.
        action = "ACCEPT" if is_open or role == "nat" else "REJECT"
        answers = is_open and random.random() < ANSWERED
        flags = 0 if protocol != TCP else 6 if answers else 2
        last = min(at + packets, at - at % self._recorder.window + self._recorder.window - 1)
        key = source, here, *ports, protocol, action, False, source, here
        log(host, key, at, last, packets, 44 * packets, flags, BY_SOURCE)
        if answers:
            back = here, source, ports[1], ports[0], protocol, "ACCEPT", True, here, source
            log(host, back, at, last, packets, 44 * packets, 18, BY_DESTINATION)
