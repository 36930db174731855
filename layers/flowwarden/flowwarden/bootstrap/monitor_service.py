"""Builds the monitor on its ports, in the same way for the function, replays, benchmarks and tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct, field

from flowwarden.bootstrap.more_sinks import NONE, MoreSinks
from flowwarden.monitor.alerts import Deployment
from flowwarden.monitor.baseline.known_roles import RoleStore
from flowwarden.monitor.caches.interfaces import InterfaceCache
from flowwarden.monitor.caches.log_formats import LogFormatCache
from flowwarden.monitor.caches.mutes import MuteCache
from flowwarden.monitor.caches.names import NameCache
from flowwarden.monitor.caches.roles import RoleCache
from flowwarden.monitor.caches.state import StateCache
from flowwarden.monitor.digest_rows import DigestRows
from flowwarden.monitor.pipeline import Caches, MonitoringService
from flowwarden.monitor.ports import InterfaceDirectory, LogFormats, LogFormatStore, NameDirectory
from flowwarden.monitor.render.console import Console
from flowwarden.monitor.review.reports import LearningReports
from flowwarden.monitor.rules.explainer import RuleExplainer
from flowwarden.monitor.rules.ports import RuleChanges, RuleDirectory
from flowwarden.notify.notifier import Routes
from flowwarden.notify.ports import Claims, PageBudget, Sink
from flowwarden.parameters import RUNBOOKS
from flowwarden.policy.last_good import PolicyInUse, PolicyRecorder
from flowwarden.policy.made_mutes import MadeMutes
from flowwarden.policy.policy import Policy
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat
from flowwarden.state.digests import Digests
from flowwarden.state.ports import DigestStore, EvidenceStore
from flowwarden.unreadable import Unreadable

PARTS_OF_ARN: Final = 6


class Home(Struct, frozen=True):
    """Where the stack is."""

    partition: str = ""
    """Such as `aws-cn`; '' if it is not known."""
    account: str = ""

    @classmethod
    def of(cls, arn: str) -> Home:
        """The partition and the account in the ARN of one of the stack's resources."""
        parts = arn.split(":")
        return cls(parts[1], parts[4]) if len(parts) >= PARTS_OF_ARN else cls()


type Warn = Callable[[str], None]


class MonitorPorts(Struct, frozen=True, kw_only=True):
    """The ports of the monitor."""

    formats: LogFormats
    format_store: LogFormatStore
    interfaces: InterfaceDirectory
    state: EvidenceStore
    claims: Claims
    pages: Sink
    """Receives notifications that on-call must act on."""
    operations: Sink
    """Receives notifications about data that the monitor cannot see or read, and the report on learning."""
    more_sinks: MoreSinks = NONE
    """The sinks beside these two."""
    page_budget: PageBudget | None = None
    """The budget for pages; without it, there are no limits."""
    roles: RoleStore | None = None
    """The known roles; without it, there are no reports on learning."""
    digests: DigestStore | None = None
    """Where to store what the digests say; without it, nothing is stored."""
    which_digests: Digests = Digests.HOURLY_AND_DAILY
    mutes: MadeMutes | None = None
    """The mutes made by command; without it, there are none."""
    names: NameDirectory | None = None
    """Where notifications get names from; without it, they contain what the batch knows."""
    home: Home = Home()
    rules: RuleDirectory | None = None
    """Security groups and network ACLs; without it, no page names a rule."""
    rule_changes: RuleChanges | None = None
    """The latest changes of rules; without it, no page lists them."""
    unreadable_items: Unreadable = field(default_factory=Unreadable)
    """Where the ports on the state table note what they cannot read."""
    unreadable_answers: Unreadable = field(default_factory=Unreadable)
    """Where the ports on EC2 note what they cannot read."""
    breadth: int = 1
    """A batch has the limits of so many usual ones; more than 1 if it has the records of many interfaces."""
    warn: Warn = lambda _message: None
    """Logs a warning, such as one about an unknown field."""


def build(
    ports: MonitorPorts,
    policy: Policy | PolicyRecorder,
    log_formats: Sequence[LogFormat] = (DEFAULT_LOG_FORMAT,),
    *,
    region: str,
    suppression_minutes: int,
    runbooks: str = RUNBOOKS,
) -> MonitoringService:
    """The monitor on these ports, one per container.

    Args:
        ports: the ports.
        policy: the user's policy, or the recorder that chose it.
        log_formats: formats for lines whose format cannot be learned, the configured one first.
        region: the Region named in pages.
        suppression_minutes: minutes for which repeats of an incident are suppressed.
        runbooks: base address of the runbooks.

    Raises:
        LogFormatError: one of the formats cannot be parsed.
    """
    routes = ports.more_sinks.routes(pages=ports.pages, operations=ports.operations)
    return MonitoringService(
        caches=_caches(ports, routes, tuple(log_formats), region),
        policy_recorder=policy
        if isinstance(policy, PolicyRecorder)
        else PolicyRecorder(PolicyInUse(policy=policy)),
        claims=ports.claims,
        page_budget=ports.page_budget,
        routes=routes,
        deployment=Deployment(
            region=region,
            suppression_minutes=suppression_minutes,
            runbooks=runbooks,
            console=Console(ports.home.partition, region),
        ),
    )


def _caches(ports: MonitorPorts, routes: Routes, log_formats: tuple[LogFormat, ...], region: str) -> Caches:
    return Caches(
        formats=LogFormatCache(
            ports.formats, ports.format_store, log_formats, ports.warn, ports.unreadable_items
        ),
        interfaces=InterfaceCache(ports.interfaces, ports.warn, ports.breadth),
        names=NameCache(ports.names, ports.home.account, ports.warn) if ports.names else None,
        state=StateCache(ports.state, ports.breadth),
        roles=RoleCache(ports.roles) if ports.roles else None,
        rules=RuleExplainer(ports.rules, ports.rule_changes, ports.warn) if ports.rules else None,
        mutes=MuteCache(ports.mutes) if ports.mutes else None,
        reports=LearningReports(ports.roles, ports.claims, routes, region) if ports.roles else None,
        digests=DigestRows(ports.digests, ports.which_digests) if ports.digests else None,
        unreadable_items=ports.unreadable_items,
        unreadable_answers=ports.unreadable_answers,
    )
