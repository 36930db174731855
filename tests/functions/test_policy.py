"""Both functions, through their handlers, keep working with an invalid policy, and report it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

import enforcer
import monitor
from flowwarden.bootstrap.enforcer import build as build_enforcer
from flowwarden.bootstrap.monitor_service import MonitorPorts
from flowwarden.bootstrap.monitor_service import build as build_monitor
from flowwarden.enforcer.state.inventory import Vpc
from flowwarden.notify.notification import Notification
from flowwarden.policy.last_good import PolicyRecorder
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT
from flowwarden.records.subscription import encode
from flowwarden.settings import EnforcerSettings, MonitorSettings
from tests.enforcer.fakes import TERMS, FakeGroups, Fakes
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.functions.test_enforcer_events import ENVIRONMENT as ENFORCER
from tests.functions.test_enforcer_events import Context
from tests.functions.test_monitor_events import BLOCKED, document
from tests.functions.test_monitor_events import ENVIRONMENT as MONITOR
from tests.monitor.fakes_interfaces import FakeDirectory
from tests.monitor.fakes_log_formats import FakeFormats, MemoryLogFormats
from tests.monitor.fakes_state import MemoryEvidence
from tests.notify.fakes import MemoryClaims, MemorySink
from tests.policy.fakes import MemoryPolicy

NOW = 1_764_000_120
TYPO = '{"exemt": ["10.0.1.20"]}'
EXEMPT = '{"exempt": ["10.0.1.20"]}'
"""Exempts the host of the blocked connection, so that its page shows which policy is used."""
SWEEP = {
    "source": "aws.events",
    "detail-type": "Scheduled Event",
    "id": "sweep",
    "time": "2025-11-24T16:00:00Z",
}
VPC = "vpc-1"


@dataclass
class Monitor:
    """The monitor's handler on fakes that outlive a container."""

    store: MemoryPolicy
    claims: MemoryClaims = field(default_factory=lambda: MemoryClaims(TERMS))
    pages: MemorySink = field(default_factory=MemorySink)
    operations: MemorySink = field(default_factory=lambda: MemorySink(name="memory:operations"))
    made: int = 0
    """How often the handler was wired: in each container, and in each later attempt to read the policy."""

    def container(self, policy: str) -> monitor.Handler:
        """A new container with this policy."""

        def wire() -> monitor.Wiring:
            self.made += 1
            settings = MonitorSettings.from_mapping(MONITOR | {"POLICY": policy})
            ports = MonitorPorts(
                formats=FakeFormats({}),
                format_store=MemoryLogFormats(),
                interfaces=FakeDirectory(),
                state=MemoryEvidence(),
                claims=self.claims,
                pages=self.pages,
                operations=self.operations,
            )
            policy_recorder = PolicyRecorder.choosing(settings.policy, self.store)
            service = build_monitor(
                ports, policy_recorder, (DEFAULT_LOG_FORMAT,), region="us-east-1", suppression_minutes=60
            )
            return settings, service

        return monitor.make_handler(wire, lambda: NOW)


def batch() -> dict[str, Any]:
    """A batch with a refusal that pages."""
    return encode(document(BLOCKED))


def invoke(handler: Any, event: object) -> dict[str, Any]:
    """Invoke a handler with an event."""
    answer: dict[str, Any] = handler(event, Context())
    return answer


def about_policy(sink: MemorySink) -> list[Notification]:
    """The notifications about the policy."""
    return [each for each in sink.sent if each.document["kind"] == "policy"]


def test_the_monitor_stores_a_policy_that_works_and_uses_it_when_the_next_one_does_not() -> None:
    """A page that the good policy exempts is not sent; one notification per window says what is wrong."""
    fakes = Monitor(MemoryPolicy())
    assert invoke(fakes.container(EXEMPT), batch())["PolicyInvalid"] == 0
    assert (fakes.store.text, fakes.operations.sent) == (EXEMPT, [])
    for _ in range(2):
        container = fakes.container(TYPO)
        assert [invoke(container, batch())["PolicyInvalid"] for _ in range(2)] == [1, 1]
    assert fakes.pages.sent == []
    (sent,) = about_policy(fakes.operations)
    assert "exemt: unknown setting" in sent.text
    assert fakes.store.text == EXEMPT


def test_the_monitor_without_a_good_policy_uses_the_default_and_pages() -> None:
    """It does not fail a batch, and does not store the default."""
    fakes = Monitor(MemoryPolicy())
    assert invoke(fakes.container(TYPO), batch())["Notifications"] == 2
    assert [each.attributes["detector"] for each in fakes.pages.sent] == ["blocked-connection"]
    assert about_policy(fakes.operations)[0].document["used"] == "default"
    assert fakes.store.text is None


def test_the_monitor_reads_the_good_policy_once_the_table_is_available_again() -> None:
    """The container does not stay with the default."""
    fakes = Monitor(MemoryPolicy(EXEMPT, away=True))
    container = fakes.container(TYPO)
    invoke(container, batch())
    assert len(fakes.pages.sent) == 1
    fakes.store.away = False
    for _ in range(2):
        assert invoke(container, batch())["PolicyInvalid"] == 1
    assert fakes.made == 1, "the caches of the container are kept"
    assert len(fakes.pages.sent) == 1


def test_a_valid_policy_that_cannot_be_stored_is_used() -> None:
    """The batch succeeds."""
    fakes = Monitor(MemoryPolicy(away=True))
    container = fakes.container(EXEMPT)
    assert [invoke(container, batch())["PolicyInvalid"] for _ in range(2)] == [0, 0]
    assert (fakes.pages.sent, fakes.made) == ([], 1)


@dataclass
class Enforced:
    """The enforcer's handler on fakes that outlive a container, with one VPC without a flow log."""

    store: MemoryPolicy
    ec2: FakeEc2 = field(
        default_factory=lambda: FakeEc2(vpcs_listed=[Vpc(vpc_id=VPC, owner_id="111122223333", cidrs=())])
    )

    def __post_init__(self) -> None:
        """Share the sink and the claims between containers."""
        self.fakes = Fakes(ec2=self.ec2, groups=FakeGroups())

    def container(self, policy: str) -> enforcer.Handler:
        """A new container with this policy."""
        settings = EnforcerSettings.from_mapping(ENFORCER | {"POLICY": policy})
        return enforcer.make_handler(
            lambda _clock: build_enforcer(
                settings,
                self.fakes.aws(),
                policy_recorder=PolicyRecorder.choosing(settings.policy, self.store),
            ),
            now=lambda: NOW,
        )


def created(answer: dict[str, Any]) -> list[str]:
    """The VPCs that got a flow log."""
    names: list[str] = answer["created"]
    return names


def test_the_enforcer_covers_a_vpc_with_the_last_good_policy() -> None:
    """The exemption in it still applies."""
    exempting = json.dumps({"flow_logs": {"exemptions": [{"where": {"vpcs": [VPC]}, "reason": "a lab"}]}})
    stored = Enforced(MemoryPolicy())
    assert invoke(stored.container(exempting), SWEEP)["exempt"] == [VPC]
    assert stored.store.text == exempting
    assert invoke(stored.container(TYPO), SWEEP)["exempt"] == [VPC]
    other = Enforced(MemoryPolicy("{}"))
    assert created(invoke(other.container(TYPO), SWEEP)) == [VPC]
    assert len(about_policy(other.fakes.sink)) == 1


def test_the_enforcer_without_a_good_policy_plans_only_and_says_so() -> None:
    """The default may contradict the flow logs that exist."""
    run = Enforced(MemoryPolicy())
    container = run.container(TYPO)
    for _ in range(2):
        answer = invoke(container, SWEEP)
        assert created(answer) == []
        assert [each["vpc"] for each in answer["plan"]["vpcs"]] == [VPC]
    (sent,) = run.fakes.sink.sent
    assert "changes nothing" in sent.text


@pytest.mark.parametrize("policy", ["{}", TYPO])
def test_the_metric_says_whether_the_policy_is_valid(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither function emits a zero: the alarm treats no data as valid."""
    invoke(Enforced(MemoryPolicy("{}")).container(policy), SWEEP)
    invoke(Monitor(MemoryPolicy("{}")).container(policy), batch())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "PolicyInvalid" in line]
    metrics = {each["service"]: each["PolicyInvalid"] for each in lines if "_aws" in each}
    assert metrics == ({} if policy == "{}" else {"monitor": [1.0], "enforcer": [1.0]})
