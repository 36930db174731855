"""No report of the enforcer is lost if a call fails: each call of the scenarios, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count, product

import pytest
from msgspec.structs import replace

from flowwarden.enforcer.ports import EnforcerPorts
from flowwarden.enforcer.reconcile import Enforcer
from flowwarden.enforcer.triggers.trigger import Trigger
from flowwarden.errors import CallFailed, PublishFailed, PublishUnanswered, StateUnavailable
from flowwarden.notify.alert import Route
from flowwarden.notify.notification import Notification
from flowwarden.policy.flow_logs import FlowLogSpec, FlowLogsPolicy
from tests.enforcer.fakes import GROUP, STACK, Fakes, sound
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.enforcer.runs import AT_ONCE, BIRTH, BORN, FORBIDDEN, RETRY, SWEEP, existing, own
from tests.faults import Fault, Faults
from tests.matrix import some

RETRIES = (0, 60, 180)
AWAY = StateUnavailable("by the test")
FAILED = CallFailed("InternalError, by the test")
SINK_ERRORS = {
    Fault.REFUSED: PublishFailed("refused by the test"),
    Fault.UNANSWERED: PublishUnanswered("the answer is lost"),
}
HOUR = 3600

type Fact = tuple[str, str]
"""What was reported, and of which VPC or resource."""


def fails_to_deliver(fakes: Fakes) -> None:
    """The newest flow log fails from now on."""
    assert isinstance(fakes.ec2, FakeEc2)
    fakes.ec2.fail(fakes.ec2.existing[-1].flow_log_id)


def nothing(_fakes: Fakes) -> None:
    """Nothing happens."""


@dataclass(frozen=True)
class Scenario:
    """Runs of the enforcer in an account, one after the other."""

    fakes: Callable[[], Fakes]
    runs: tuple[tuple[Trigger, int, Callable[[Fakes], None]], ...]
    """Trigger, seconds, and what happens before."""
    reports: Fact
    """What must be reported."""
    policy: FlowLogsPolicy = field(default=AT_ONCE)

    def run(self, faults: Faults) -> list[Notification]:
        """All notifications of `play`."""
        return self.play(faults).sink.sent

    def play(self, faults: Faults) -> Fakes:
        """What the runs leave, with Lambda's retries, a later retry and a sweep."""
        fakes, attempts = deepcopy(self.fakes()), count()
        service = self._service(fakes, faults)
        last = self.runs[-1][1]
        for trigger, at, change in (*self.runs, (RETRY, last + 300, nothing), (SWEEP, last + HOUR, nothing)):
            change(fakes)
            event = replace(trigger, idempotency_key=f"{trigger.idempotency_key} at {at}")
            for later in RETRIES:
                try:
                    now = BORN + at + later
                    report = service.reconcile(event, now)
                    service.notify(report, f"attempt {next(attempts)}", now).raise_if_unsent()
                    report.raise_if_incomplete()
                    break
                except BaseException:
                    if later == RETRIES[-1] or faults.number < 0:
                        raise
                    service = self._service(fakes, faults)
        return fakes

    def _service(self, fakes: Fakes, faults: Faults) -> Enforcer:
        """A new container."""
        ports = EnforcerPorts(
            ec2=faults.port(fakes.ec2, FAILED, local={"unread"}),
            groups=faults.port(fakes.groups, FAILED),
            roles=faults.port(fakes.roles, FAILED),
            evidence=faults.port(fakes.evidence, AWAY),
            queue=faults.port(fakes.queue, AWAY),
            registry=faults.port(fakes.registry, AWAY),
            claims=faults.port(fakes.claims, AWAY),
            outbox=faults.port(fakes.outbox, AWAY),
            routes={Route.OPERATIONS: (faults.port(fakes.sink, SINK_ERRORS),)},
            clock=fakes.clock,
        )
        return Enforcer(ports, self.policy, STACK)


def outdated() -> Fakes:
    """A managed flow log in another format."""
    return Fakes(ec2=FakeEc2(own("vpc-1"), [existing(log_format="${version}", creation_time=1)], clock=BORN))


def unsubscribed() -> Fakes:
    """A log group without its subscription."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), [existing(creation_time=1)]))
    fakes.groups.there[GROUP] = replace(sound(), subscriptions=())
    return fakes


def forbidden() -> Fakes:
    """Flow logs cannot be created."""
    return Fakes(ec2=FakeEc2(own("vpc-1"), create_faults={"vpc-1": FORBIDDEN}))


REPLACEMENT = (SWEEP, 10, nothing), (RETRY, 1000, nothing), (RETRY, 2000, nothing)
SCENARIOS = {
    "created": Scenario(
        lambda: Fakes(ec2=FakeEc2(own("vpc-1"))), ((BIRTH, 10, nothing),), ("created", "vpc-1")
    ),
    "replaced": Scenario(outdated, REPLACEMENT, ("replaced", "vpc-1")),
    "rolled back": Scenario(
        outdated, ((SWEEP, 10, nothing), (RETRY, 1000, fails_to_deliver)), ("rolled_back", "vpc-1")
    ),
    "log group restored": Scenario(unsubscribed, ((SWEEP, 10, nothing),), ("True", GROUP)),
    "tagged": Scenario(
        lambda: Fakes(ec2=FakeEc2(own("vpc-1"), [existing(creation_time=1)])),
        ((SWEEP, 10, nothing),),
        ("True", "flow log tags"),
        FlowLogsPolicy(grace_minutes=0, default=FlowLogSpec(tags={"owner": "network"})),
    ),
    "refused": Scenario(forbidden, ((SWEEP, 10, nothing),), ("failed", "vpc-1")),
}


def facts(sent: list[Notification]) -> Counter[Fact]:
    """What notifications report, and how often."""
    outcomes = [(each["result"], each["vpc"]) for one in sent for each in one.document["outcomes"]]
    repairs = [(str(each["done"]), each["subject"]) for one in sent for each in one.document["repairs"]]
    return Counter([*outcomes, *repairs])


@pytest.mark.parametrize("name", SCENARIOS)
def test_without_a_fault_the_scenario_reports_what_it_is_named_after(name: str) -> None:
    """Otherwise the next test would prove nothing."""
    assert SCENARIOS[name].reports in facts(SCENARIOS[name].run(Faults()))


def cells(calls: list[str]) -> list[tuple[int, str, Fault]]:
    """Every call in every way. A run that crashes before it stored its report cannot report what it did."""
    stored = {"FakeOutbox.remove", "MemoryClaims.claim", "MemoryClaims.confirm", "MemorySink.send"}
    every = [(number, call, fault) for (number, call), fault in product(enumerate(calls), Fault)]
    return [each for each in every if not each[2].crashes or each[1] in stored]


@pytest.mark.matrix
@pytest.mark.hypothesis
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_call_that_fails_once_loses_no_report(name: str) -> None:
    """A change is reported at most twice; `make reliability` tries every call in every way."""
    scenario, faultless = SCENARIOS[name], Faults()
    expected = facts(scenario.run(faultless))
    for number, call, fault in some(cells(faultless.calls), 12, name):
        fakes = scenario.play(Faults(number, fault))
        sent = facts(fakes.sink.sent)
        assert isinstance(fakes.ec2, FakeEc2)
        # Without the registry, nothing is rolled back.
        idle = scenario.reports[0] == "rolled_back" and not fakes.ec2.deleted
        assert sent[scenario.reports] > 0 or idle, f"{fault} at {number}, {call}"
        assert sent[scenario.reports] <= expected[scenario.reports] + 1, f"{fault} at {number}, {call}"


def reported_deletions(sent: list[Notification]) -> int:
    """How often notifications report what the enforcer deleted: as a result of a VPC, or by itself."""
    found = facts(sent)
    apart = sum(len(each.document["deletions"]) for each in sent)
    return apart + found["replaced", "vpc-1"] + found["rolled_back", "vpc-1"]


UNSURE = {
    ("MemorySink.send", Fault.UNANSWERED),
    ("MemorySink.send", Fault.CRASH_AFTER),
    ("MemoryClaims.confirm", Fault.CRASH_BEFORE),
}
"""The report is sent, and the table does not know it."""


@pytest.mark.matrix
@pytest.mark.hypothesis
@pytest.mark.parametrize("name", ["replaced", "rolled back"])
def test_what_the_enforcer_deleted_is_reported_once_whichever_call_fails_or_ends_its_run(name: str) -> None:
    """By that run, from the outbox or from the registry; twice only if it is unknown that it was sent."""
    scenario, faultless = SCENARIOS[name], Faults()
    assert reported_deletions(scenario.run(faultless)) == 1
    every = [(number, call, fault) for (number, call), fault in product(enumerate(faultless.calls), Fault)]
    for number, call, fault in some(every, 60, name):
        fakes = scenario.play(Faults(number, fault))
        assert isinstance(fakes.ec2, FakeEc2)
        least = len(set(fakes.ec2.deleted))
        most = least + ((call, fault) in UNSURE)
        assert least <= reported_deletions(fakes.sink.sent) <= most, f"{fault} at {number}, {call}"
