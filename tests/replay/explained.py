"""Explanations of random archives, and what a reader of their lines would expect."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Final

from msgspec import Struct

from flowwarden.bootstrap.replay import stack
from flowwarden.monitor.detectors import BY_NAME
from flowwarden.monitor.findings import Finding, TrafficFinding
from flowwarden.monitor.report import BatchReport
from flowwarden.monitor.view import BatchView
from flowwarden.network.interface import NetworkInterface
from flowwarden.policy.policy import Policy
from flowwarden.replay.batches import LogGroups
from flowwarden.replay.explain.model import Judgment, RecordExplanation
from flowwarden.replay.explain.record import RecordWatch, Wanted
from flowwarden.replay.replay import Hooks, Replay
from flowwarden.replay.result import ReplayResult
from flowwarden.state.sets import DAY
from tests.replay.archives import BEGIN, HOUR, LAYOUT, end_of, line, ordinary, probing, scan, slices_of, talk

HOSTS: Final = ("10.0.0.11", "10.0.0.12", "10.0.0.13")
"""The hosts of a role that is learned, see `weeks`."""

ROLE: Final = "subnet:subnet-1"

type Observe = Callable[[BatchReport, BatchView], None]


def replayed(
    lines: Sequence[str], *observe: Observe, policy: Policy | None = None, hosts: Sequence[str] = ()
) -> ReplayResult:
    """Replay lines, of which these hosts have a described interface."""
    built = stack(policy or Policy(), described(hosts), "eu-west-1", "111122223333")

    def see(report: BatchReport, view: BatchView) -> None:
        for each in observe:
            each(report, view)

    replay = Replay(built, LogGroups("archive", built.formats), "111122223333", hooks=Hooks(batch=see))
    for one in slices_of([sorted(lines, key=end_of)]):
        replay.process(one)
    replay.finish()
    return replay.result(1, 0)


def described(hosts: Sequence[str]) -> Mapping[str, NetworkInterface]:
    """Their interfaces, in one subnet."""
    names = {f"eni-{int(each.rsplit('.', maxsplit=1)[-1]):017x}": each for each in hosts}
    return {
        name: NetworkInterface(interface_id=name, subnet_id="subnet-1", addresses=(host,), vpc_id="")
        for name, host in names.items()
    }


def explained(
    lines: Sequence[str], wanted: Sequence[str], policy: Policy | None = None
) -> dict[str, RecordExplanation]:
    """The explanations of some of the lines."""
    watches = {each: RecordWatch(Wanted(each, (LAYOUT,), "the record")) for each in wanted}
    replayed(lines, *(watch.see for watch in watches.values()), policy=policy)
    return {each: watch.found for each, watch in watches.items() if watch.found is not None}


def traffic(seed: int) -> list[str]:
    """Ordinary traffic with a scan, a host that probes, refusals, guesses and internet noise, all random."""
    random = Random(seed)  # noqa: S311
    return [
        *ordinary(2, 4),
        *(scan(BEGIN + HOUR, random.randrange(8, 70)) if random.random() < 0.8 else ()),
        *(probing(BEGIN + 1800) if random.random() < 0.7 else ()),
        *noise(random),
        *_refusals(random),
        *_sessions(random),
    ]


def noise(random: Random) -> Iterator[str]:
    """Rejected attempts from the internet."""
    for number in range(random.randrange(40)):
        at, source = BEGIN + random.randrange(60, HOUR), f"203.0.113.{random.randrange(1, 9)}"
        target = f"10.0.0.{random.choice((100, 101, 200))}"
        ports = 30_000 + number, random.choice((22, 23, 3389, 8080))
        yield line(at, target, source, target, ports, action="REJECT", direction="ingress")


def _refusals(random: Random) -> Iterator[str]:
    """Some hosts that a service refuses, with a few packets or many."""
    slot = BEGIN + 600 * random.randrange(1, 6)
    for number in range(random.randrange(3, 12)):
        client, at = f"10.0.0.{140 + number}", slot + random.randrange(60, 500)
        yield line(at, client, client, "10.0.0.220", (45_000 + number, 6379), action="REJECT")


def _sessions(random: Random) -> Iterator[str]:
    """A host that logs in to others, often or rarely."""
    for number in range(random.randrange(120)):
        at, server = BEGIN + 3600 + 20 * number, f"10.0.4.{random.randrange(1, 6)}"
        yield from talk(at, "10.0.0.77", server, 22, 40_000 + number)


def weeks(seed: int) -> list[str]:
    """Hosts of one role that are learned for two weeks; then one of them does what is new for the role."""
    random = Random(seed)  # noqa: S311
    lines = [each for day in range(16) for each in _usual(BEGIN + day * DAY)]
    at = BEGIN + 16 * DAY
    lines += _usual(at)
    lines += [each for kind in _UNUSUAL if random.random() < 0.8 for each in kind(at + 600, random)]
    return lines


def _usual(at: int) -> Iterator[str]:
    for number, host in enumerate(HOSTS):
        yield from talk(at + 60, host, "10.0.9.1", 5432, 40_000 + number)
        yield from talk(at + 90, host, "198.51.100.1", 443, 41_000 + number)


def _administration(at: int, random: Random) -> Iterator[str]:
    for number in range(random.randrange(1, 7)):
        yield from talk(at + 30 * number, HOSTS[0], f"10.0.{20 + number}.9", 22, 42_000 + number)


def _guesses(at: int, random: Random) -> Iterator[str]:
    for number in range(random.randrange(20, 70)):
        yield from talk(at + 20 * number, HOSTS[1], "10.0.8.8", 22, 43_000 + number)


def _new_port(at: int, random: Random) -> Iterator[str]:
    for number in range(random.randrange(1, 20)):
        yield from talk(at + 600 * number, HOSTS[2], "198.51.100.77", 4444, 44_000 + number)


def _upload(at: int, random: Random) -> Iterator[str]:
    much = random.choice((20_000_000, 900_000_000))
    for each in talk(at, HOSTS[1], "198.51.100.99", 443, 46_000):
        yield each.replace(" 3 180 ", f" 900000 {much} ")


def _scanner(at: int, random: Random) -> Iterator[str]:
    """An internet host that is refused at many places, and then connects."""
    for number in range(random.randrange(4, 20)):
        ports = 50_000 + number, 8000 + number
        yield line(
            at + number, HOSTS[0], "203.0.113.7", HOSTS[0], ports, action="REJECT", direction="ingress"
        )
    there = line(at + 60, HOSTS[0], "203.0.113.7", HOSTS[0], (51_000, 3306), flags=3, direction="ingress")
    yield from (there, line(at + 60, HOSTS[0], HOSTS[0], "203.0.113.7", (3306, 51_000), flags=19))


def _refused(at: int, random: Random) -> Iterator[str]:
    """A usual connection that is refused."""
    for number in range(random.randrange(1, 4)):
        yield line(at + number, HOSTS[2], HOSTS[2], "10.0.9.1", (47_000 + number, 5432), action="REJECT")


_UNUSUAL: Final = (_administration, _guesses, _new_port, _upload, _scanner, _refused)


class Ends(Struct, frozen=True):
    """A connection as a reader of the line sees it."""

    client: str
    server: str
    port: int
    rejected: bool

    @classmethod
    def of(cls, text: str) -> Ends:
        """By the flags: a SYN opens, a SYN-ACK answers."""
        tokens = text.split()
        source, target, ports = tokens[3], tokens[4], (int(tokens[5]), int(tokens[6]))
        answers = int(tokens[14]) & 18 == 18
        client, server, port = (target, source, ports[0]) if answers else (source, target, ports[1])
        return cls(client, server, port, tokens[12] == "REJECT")


def concerns(finding: Finding, ends: Ends) -> bool:
    """Whether the subject of the finding is an end of the connection, and its traffic includes it."""
    if not isinstance(finding, TrafficFinding):
        return False
    if finding.subject not in {ends.client, ends.server, ROLE}:
        return False
    if BY_NAME[finding.detector].rejects and not ends.rejected:
        return False
    tally = finding.tally
    return (
        ends.client in dict(tally.clients)
        and ends.server in dict(tally.servers)
        and (6, ends.port) in dict(tally.services)
    )


def of(explanation: RecordExplanation, detector: str) -> Judgment:
    """The judgment of a detector."""
    (found,) = [each for each in explanation.judgments if each.detector == detector]
    return found


def one_of(lines: Sequence[str], address: str, policy: Policy | None = None) -> RecordExplanation:
    """The explanation of the last record with an address."""
    wanted = [each for each in sorted(lines, key=end_of) if f" {address} " in each][-1]
    return explained(lines, [wanted], policy)[wanted]
