"""A network of the evaluation's generator: its files as in S3, and what the monitor finds in its records."""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from benchmarks.evaluation.generator.generator import Generator
from benchmarks.evaluation.generator.model import ACCOUNT, REGION, Delivery, Incident, Interface, Network
from benchmarks.evaluation.monitor import Monitor, policy
from benchmarks.evaluation.subject import Surroundings
from benchmarks.layouts import layouts
from flowwarden.monitor.findings import Finding, InterfaceFinding, TrafficFinding
from flowwarden.policy.policy import Policy
from flowwarden_cli.athena.archive import Archive

MERGED = 3600
"""Seconds of deliveries that become one batch of the monitor: fewer batches take less time."""


def network(layout: str) -> Network:
    """A VPC with two learned weeks, and a day with an incident of each kind."""
    return Network(
        seed=8, layout=layouts()[layout], interfaces=100, learning_days=14, judged_days=1, window=600,
        learning_rate=0.05, learning_slot=24 * 3600, judged_rate=0.1, incidents_of_each_kind=1,
    )  # fmt: skip


class Found(Struct, frozen=True):
    """A finding of the monitor about the judged day."""

    detector: str
    subject: str
    """A host, a subnet, an interface or a role."""
    hosts: frozenset[str]
    """The clients of the finding; the interfaces, if it is about records."""
    pages: bool
    """Whether its severity pages; a finding of the digest does not."""


class Judged(Struct, frozen=True):
    """A network, and what the monitor found on its last day."""

    network: Network
    policy: Policy
    deliveries: list[Delivery]
    """Of the last three days, each once."""
    found: frozenset[Found]
    labels: list[Incident]
    interfaces: dict[str, Interface]
    """All that existed before the last day, or at its end."""
    at_end: frozenset[str]
    """The ids of those that exist at the end."""

    @property
    def day(self) -> date:
        """The judged day."""
        return datetime.fromtimestamp(self.network.judged_from, UTC).date()

    @property
    def roles(self) -> dict[str, str]:
        """The role of each address and each interface id."""
        every = self.interfaces.values()
        of = {
            name: each.role
            for each in every
            for name in (each.private_ipv4, *each.secondary_ipv4, *each.ipv6)
        }
        return of | {name: each.role for name, each in self.interfaces.items()}


def judged(layout: str) -> Judged:
    """Generate the network, and let the monitor process its deliveries."""
    given = network(layout)
    generator = Generator(given)
    interfaces = generator.interfaces()
    monitor = Monitor(Surroundings(given.layout, given.judged_from, generator.interfaces))
    rules = policy(interfaces.values())
    kept: dict[int, Delivery] = {}
    found: set[Found] = set()
    while not generator.over:
        last = not generator.learning
        of_day = [*generator.next_day()]
        for delivery in merged(of_day) if last else of_day:
            findings = monitor.findings(delivery)
            found.update(_known(findings) if last else ())
        kept |= {each.number: each for each in of_day if generator.day > given.days - 3}
        interfaces |= generator.interfaces()
    at_end = frozenset(generator.interfaces())
    return Judged(given, rules, [*kept.values()], frozenset(found), generator.labels, interfaces, at_end)


def merged(deliveries: Iterable[Delivery]) -> Iterator[Delivery]:
    """The deliveries of each stream in an hour as one, in the order of arrival."""
    together: dict[tuple[int, str], list[Delivery]] = defaultdict(list)
    for each in deliveries:
        together[each.arrived // MERGED, each.log_stream].append(each)
    for (slot, _), some in sorted(together.items(), key=lambda each: each[0]):
        lines = tuple(line for each in some for line in each.lines)
        yield replace(some[0], arrived=(slot + 1) * MERGED, lines=lines)


def _known(findings: Iterable[Finding]) -> Iterator[Found]:
    for each in findings:
        if isinstance(each, TrafficFinding):
            hosts = frozenset(name for name, _ in each.tally.clients)
            yield Found(each.detector, each.subject, hosts, each.severity.pages)
        elif isinstance(each, InterfaceFinding):
            yield Found(each.detector, each.subject, frozenset(each.interfaces), each.severity.pages)


def write_files(judged: Judged, archive: Archive, folder: Path) -> None:
    """Write the deliveries as files of S3: in the folder of their arrival, with a header line, compressed."""
    lines: dict[str, list[str]] = defaultdict(list)
    for each in judged.deliveries:
        lines[_key(archive, datetime.fromtimestamp(each.arrived, UTC))] += each.lines
    header = " ".join(judged.network.layout.names)
    for key, some in lines.items():
        path = folder / key / "records.log.gz"
        path.parent.mkdir(parents=True)
        path.write_bytes(gzip.compress("\n".join([header, *some, ""]).encode(), 1))


def _key(archive: Archive, at: datetime) -> str:
    """The folder of a time below the bucket, as AWS names it."""
    days = f"year={at:%Y}/month={at:%m}/day={at:%d}" if archive.partitions.hive else f"{at:%Y/%m/%d}"
    hour = (f"/hour={at:%H}" if archive.partitions.hive else f"/{at:%H}") if archive.partitions.hourly else ""
    if archive.partitions.hive:
        return f"AWSLogs/aws-account-id={ACCOUNT}/aws-service=vpcflowlogs/aws-region={REGION}/{days}{hour}"
    return f"AWSLogs/{ACCOUNT}/vpcflowlogs/{REGION}/{days}{hour}"
