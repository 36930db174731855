"""Scenarios of several batches, which lead to every kind of notification of the monitor."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from flowwarden.bootstrap.monitor_service import MonitorPorts, build
from flowwarden.bootstrap.more_sinks import NONE, MoreSinks
from flowwarden.errors import (
    InterfacesUnavailable,
    LogFormatsUnavailable,
    PublishFailed,
    PublishUnanswered,
    StateUnavailable,
)
from flowwarden.monitor.pipeline import Invocation, MonitoringService
from flowwarden.notify.claims import ClaimTerms
from flowwarden.policy.policy import Policy
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat
from flowwarden.records.model import FLOW_ATTRIBUTES, Flow
from flowwarden.records.subscription import LogBatch
from flowwarden.settings import MonitorSettings
from flowwarden.state.heartbeats import SLOT
from tests.faults import Fault, Faults
from tests.flows import WHOLE, flow
from tests.functions.test_monitor_events import ENVIRONMENT, EVENTS
from tests.monitor.detectors import test_egress_volume_over_time as uploads
from tests.monitor.detectors import test_internet_brute_force as guessing
from tests.monitor.detectors.test_blocked_connection_over_time import blocked
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_log_formats import FakeFormats, MemoryLogFormats
from tests.monitor.fakes_roles import MemoryRoles
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.tightened import APPS, DATABASES, HOSTS, refused, usual
from tests.monitor.tightened import NOW as REFUSED_FROM
from tests.monitor.weeks import CLIENT, IN, KNOCKS, OUT, SCAN, TODAY, got, knock, learned, tried, visit
from tests.notify.fakes import MemoryClaims, MemorySink

TERMS: Final = ClaimTerms(suppression=4 * 3600, lease=50)
GROUP: Final = "/flow-warden/flow-logs"
RETRIES: Final = (0, 60, 180)
"""Seconds from the first delivery to each attempt: Lambda delivers a failed batch twice more."""

SINK_ERRORS: Final = {
    Fault.REFUSED: PublishFailed("refused by the test"),
    Fault.UNANSWERED: PublishUnanswered("the answer is lost"),
}


@dataclass
class Account:
    """What outlives a container: the table, EC2's descriptions and the topics."""

    evidence: MemoryEvidence = field(default_factory=MemoryEvidence)
    directory: FakeDirectory = field(
        default_factory=lambda: FakeDirectory.of(interface("eni-1"), interface("eni-nat", "nat"))
    )
    formats: FakeFormats = field(default_factory=lambda: FakeFormats({GROUP: [WHOLE.to_log_format()]}))
    memory: MemoryLogFormats = field(default_factory=MemoryLogFormats)
    claims: MemoryClaims = field(default_factory=lambda: MemoryClaims(TERMS))
    roles: MemoryRoles = field(default_factory=MemoryRoles)
    pages: MemorySink = field(default_factory=MemorySink)
    operations: MemorySink = field(default_factory=lambda: MemorySink(name="memory:operations"))
    policy: Policy = field(default_factory=Policy)
    configured: LogFormat = DEFAULT_LOG_FORMAT
    more_sinks: MoreSinks = NONE

    def container(self, faults: Faults) -> MonitoringService:
        """A new container."""
        away = StateUnavailable("by the test")
        ports = MonitorPorts(
            formats=faults.port(self.formats, LogFormatsUnavailable("by the test")),
            format_store=faults.port(self.memory, away),
            interfaces=faults.port(self.directory, InterfacesUnavailable("by the test")),
            state=faults.port(self.evidence, away),
            roles=faults.port(self.roles, away),
            claims=faults.port(self.claims, away),
            pages=faults.port(self.pages, SINK_ERRORS),
            operations=faults.port(self.operations, SINK_ERRORS),
            more_sinks=self.more_sinks,
        )
        formats = (self.configured, DEFAULT_LOG_FORMAT)
        return build(ports, self.policy, formats, region="eu-west-1", suppression_minutes=240)

    @property
    def incidents(self) -> list[tuple[str, str]]:
        """Detector and incident of each notification."""
        return [
            (each.attributes.get("detector", each.attributes["kind"]), each.document["incident"])
            for sink in (self.pages, self.operations)
            for each in sink.sent
        ]


@dataclass(frozen=True)
class Scenario:
    """An account, and the batches that it delivers."""

    name: str
    account: Account
    batches: tuple[tuple[LogBatch, int], ...]
    """With the time of each first delivery; Unix seconds."""
    detectors: frozenset[str]
    """The detectors of its notifications."""

    def run(self, faults: Faults, *, cold: bool = False, late: bool = False) -> Account:
        """Deliver the batches as Lambda does: what raises is delivered again.

        Args:
            faults: what fails.
            cold: whether a failed batch is delivered to a new container, which receives all later ones.
            late: whether a failed batch is delivered again after the next one.
        """
        account = deepcopy(self.account)
        container = account.container(faults)
        queue = [(batch, now, 0) for batch, now in self.batches]
        while queue:
            batch, now, attempt = queue.pop(0)
            invocation = Invocation(f"{batch.batch_id} {attempt}", lambda: 40.0)
            try:
                container.process(batch, invocation, now + RETRIES[attempt]).raise_if_unsent()
            except BaseException as error:
                if attempt + 1 == len(RETRIES) or faults.number < 0:
                    raise
                if cold or not isinstance(error, PublishFailed):
                    container = account.container(faults)
                queue.insert(int(late), (batch, now, attempt + 1))
        return account

    def up_to_its_notifications(self) -> Scenario:
        """Without the batches after the first one that notifies."""
        account = deepcopy(self.account)
        container = account.container(Faults())
        for count, (batch, now) in enumerate(self.batches, 1):
            container.process(batch, Invocation(batch.batch_id, lambda: 40.0), now).raise_if_unsent()
            if account.incidents:
                return replace(self, batches=self.batches[:count])
        raise ValueError(f"{self.name} sends nothing")


def line_of(one: Flow) -> str:
    """The line of a flow in the layout of all fields."""
    return " ".join("-" if (value := getattr(one, name)) is None else str(value) for name in FLOW_ATTRIBUTES)


def batches(
    *flows: Sequence[Flow], at: int = TODAY + 7200, every: int = 300
) -> Iterator[tuple[LogBatch, int]]:
    """Batches of flows, one after the other."""
    for number, some in enumerate(flows):
        lines = tuple(line_of(each) for each in some)
        yield LogBatch("111122223333", GROUP, "eni-1-all", lines, f"batch{number}"), at + number * every


def of_flows(
    name: str, learn: Callable[[], MemoryEvidence], *flows: Sequence[Flow], **given: Any
) -> Scenario:
    """A scenario of batches of flows of a role with a history; `name` is the detector."""
    evidence = MemoryEvidence(dict(learn().items))
    return Scenario(name, Account(evidence=evidence), tuple(batches(*flows, **given)), frozenset({name}))


def served(port: int) -> list[Flow]:
    """A client is answered at a port of the host."""
    return [
        flow("10.0.7.7:41000", f"{CLIENT}:{port}", tcp_flags=2, flow_direction=IN),
        flow(f"{CLIENT}:{port}", "10.0.7.7:41000", tcp_flags=18, flow_direction=OUT),
    ]


def over_time() -> Iterator[tuple[str, Callable[[], Scenario]]]:
    """The detectors that compare with the history of a role."""

    def case(
        name: str, learn: Callable[[], MemoryEvidence], *flows: Sequence[Flow], **given: Any
    ) -> tuple[str, Callable[[], Scenario]]:
        return name, partial(of_flows, name, learn, *flows, **given)

    yield case("scanner-connected", learned, KNOCKS[:4], visit(8081), KNOCKS[4:], got("10.0.3.1", 5432))
    thin = [[knock(port)] for port in range(8000, 8015)]
    yield "thin scan", partial(of_flows, "scanner-connected", learned, *thin[:9], visit(8081), *thin[9:])
    yield case("scan", learned, SCAN[:7], SCAN[7:])
    moves = [got("10.0.9.1", 22), [tried("10.0.9.2", 3389)], got("10.0.9.3", 5985)]
    yield case("lateral-movement", learned, *moves)
    sessions = [
        [each for port in range(begin, begin + 11) for each in got("10.0.9.1", 22, client_port=port)]
        for begin in (41_000, 41_011, 41_022, 41_033)
    ]
    yield case("brute-force", learned, *sessions)
    times = [TODAY + 3600 + number * 600 for number in range(13)]
    refusals = [blocked("10.0.200.1", at) for at in times]
    yield case("blocked-connection", learned, *refusals, at=times[0] + 60, every=600)
    refused = [blocked("203.0.113.9", at) for at in times]
    yield case("egress-denied", learned, *refused, at=times[0] + 60, every=600)
    yield case("database-egress", partial(learned, *served(5432)), got("203.0.113.9", 443))
    yield case("unexpected-egress", partial(learned, *served(8080)), got("203.0.113.9", 443))
    yield case("internet-to-admin-port", learned, visit(22), visit(22, TODAY + 6000))
    guesses = [guessing.guesses(20, first) for first in (0, 20, 40, 60)]
    log_ins = partial(guessing.learned, guessing.session(1, size=9000))
    yield case("internet-brute-force", log_ins, *guesses, at=TODAY + 7200, every=60)
    used = [got("203.0.113.9", 4444, at) for at in times]
    usual_web = partial(learned, *got("198.51.100.7", 443))
    yield case("new-egress-port", usual_web, *used, at=times[0] + 60, every=600)
    parts = [uploads.sent(150, port=40_000 + part) for part in range(4)]
    yield case("egress-volume", uploads.learned, *parts, at=TODAY + 3700, every=60)


SILENT_FROM, WINDOWS, BEGIN = 18, 34, 1_764_000_000
IDS: Final = [f"eni-{number:017x}" for number in range(0xA0, 0xA3)]


def silent_interface() -> Scenario:
    """An interface stops writing, while two others go on; the batches of the last hours."""

    def batch(number: int) -> tuple[LogBatch, int]:
        at = BEGIN + number * 600
        lines = tuple(
            f"2 1 {each} 10.0.0.1 10.0.0.2 40000 443 6 5 500 {at + 5} {at + 50} ACCEPT OK"
            for each in IDS[number >= SILENT_FROM :]
        )
        return LogBatch("111122223333", GROUP, "stream", lines, f"window{number}"), at + 840

    account = Account(
        directory=FakeDirectory.of(*map(interface, IDS)),
        formats=FakeFormats({GROUP: [DEFAULT_LOG_FORMAT.to_log_format()]}),
    )
    every = [batch(number) for number in range(WINDOWS)]
    first = SILENT_FROM + 3 * SLOT // 600 - 3
    before = Scenario("before", account, tuple(every[:first]), frozenset()).run(Faults())
    return Scenario("interface-silent", before, tuple(every[first:]), frozenset({"interface-silent"}))


def skipped_records() -> Scenario:
    """Three windows are skipped, in a batch each."""
    skipped = [
        LogBatch("111122223333", GROUP, "stream", (line,), f"gap{number}")
        for number in range(3)
        for line in [
            f"2 1 eni-0a - - - - - - - {BEGIN + number * 600} {BEGIN + number * 600 + 600} - SKIPDATA"
        ]
    ]
    account = Account(formats=FakeFormats({GROUP: [DEFAULT_LOG_FORMAT.to_log_format()]}))
    delivered = tuple((each, BEGIN + number * 600 + 840) for number, each in enumerate(skipped))
    return Scenario("records-skipped", account, delivered, frozenset({"records-skipped"}))


def one_cause() -> Scenario:
    """Two servers of a role refuse three clients, in a batch each: one incident, which the others join."""
    pairs = [(APPS[0], DATABASES[0]), (APPS[1], DATABASES[1]), (APPS[2], DATABASES[0])]
    delivered = [
        (LogBatch("111122223333", GROUP, server, tuple(map(line_of, refused(client, server))), client), at)
        for at, (client, server) in enumerate(pairs, REFUSED_FROM)
    ]
    account = Account(evidence=usual(), directory=FakeDirectory.of(*HOSTS))
    return Scenario("one-cause", account, tuple(delivered), frozenset({"blocked-connection"}))


def sent_of(path: Path) -> list[dict[str, Any]]:
    """What an example event of the monitor leads to."""
    expected = json.loads(path.read_text())["expected"]
    return [*expected.get("pages", ()), *expected.get("operations", ())]


def of_event(path: Path) -> Scenario:
    """An example event of the monitor, as one batch."""
    readable: dict[str, Any] = json.loads(path.read_text())
    settings = MonitorSettings.from_mapping(ENVIRONMENT | readable.get("settings", {}))
    event = readable["event"]
    account = Account(
        policy=Policy.from_json(settings.policy),
        configured=LogFormat.parse(settings.log_format),
        directory=FakeDirectory(),
        formats=FakeFormats({event["logGroup"]: readable.get("log_formats", [])}),
    )
    lines = tuple(each["message"] for each in event["logEvents"])
    batch = LogBatch(event["owner"], event["logGroup"], event["logStream"], lines, path.stem)
    names = frozenset(each.get("detector", each.get("kind", path.stem)) for each in sent_of(path))
    return Scenario(path.stem, account, ((batch, 1_764_000_120),), names)


@cache
def makers() -> dict[str, Callable[[], Scenario]]:
    """By name: how to make each scenario. Collecting tests needs the names alone."""
    events = {path.stem: partial(of_event, path) for path in EVENTS if sent_of(path)}
    ours = {
        "interface-silent": silent_interface,
        "records-skipped": skipped_records,
        "one-cause": one_cause,
    }
    return {**dict(over_time()), **ours, **events}


@cache
def scenario(name: str) -> Scenario:
    """A scenario; running it does not change it."""
    return makers()[name]()
