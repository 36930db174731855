"""One run of the enforcer for each kind of notification and for the plan output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from msgspec.structs import replace

from flowwarden.enforcer.registry import DeletedFlowLog
from flowwarden.enforcer.reporting.report import EnforcementReport
from flowwarden.enforcer.state.desired import managed_tags, resolved
from flowwarden.enforcer.state.inventory import FlowLog, LogGroup, Subnet, Vpc
from flowwarden.enforcer.triggers.cloudtrail import ApiCaller
from flowwarden.enforcer.triggers.trigger import RunKind, Trigger
from flowwarden.errors import CallRefused, FlowLogExists
from flowwarden.network.interface import NetworkInterface
from flowwarden.policy.flow_logs import SUBNET, Exemption, FlowLogSpec, FlowLogsPolicy, Rule, Selection
from flowwarden.policy.transit_gateways import GatewaySelection, TransitGateways
from flowwarden.state import heartbeats
from tests.enforcer.cases import readable, seen
from tests.enforcer.fakes import ACCOUNT, GROUP, STACK, FakeRoles, Fakes, sound
from tests.enforcer.fakes_ec2 import FakeEc2, wanted
from tests.enforcer.runs import AT_ONCE, BIRTH, BORN, DESIRED, SWEEP, THROTTLED, existing, own

HOST: Final = NetworkInterface(interface_id="eni-0a", vpc_id="vpc-1")
UNMANAGED: Final = existing(tags={}, flow_log_id="fl-unmanaged", log_group_name="theirs")
OTHER_STACK: Final = existing(
    "vpc-2",
    flow_log_id="fl-other",
    tags=managed_tags("flow-warden-2"),
    log_group_name="/flow-warden-2/flow-logs",
    recorded=False,
)
ARCHIVE: Final = existing(
    tags={},
    flow_log_id="fl-archive",
    log_group_name=None,
    log_destination_type="s3",
    log_destination="arn:aws:s3:::archive/vpc/",
)
CALLER: Final = ApiCaller(
    event_name="CreateVpc",
    event_id="8f6d",
    actor="arn:aws:iam::111122223333:user/maria",
    source_ip="203.0.113.24",
    credentials="IAMUser; access key AKIAEXAMPLE; without MFA",
)
CREATION: Final = replace(BIRTH, origin=CALLER)
DELETION: Final = replace(
    SWEEP,
    reason="DeleteFlowLogs does not name the VPC that lost coverage",
    deleted=("fl-of-vpc-1",),
    origin=replace(CALLER, event_name="DeleteFlowLogs"),
)


def _run(ec2: FakeEc2, trigger: Trigger = SWEEP) -> EnforcementReport:
    fakes = Fakes(ec2=ec2)
    for each in ec2.existing:
        group = each.log_group_name or GROUP
        fakes.groups.there[group] = sound(group)
    return _reconcile(fakes, trigger)


def _reconcile(fakes: Fakes, trigger: Trigger = SWEEP) -> EnforcementReport:
    return fakes.service(AT_ONCE).reconcile(trigger, BORN + 10)


def _by_subnet(*, dry_run: bool = False) -> EnforcementReport:
    subnets = [Subnet(subnet_id=f"subnet-{number}", vpc_id="vpc-1") for number in range(3)]
    faults = {} if dry_run else {"subnet-1": CallRefused("CreateFlowLogs: UnauthorizedOperation")}
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), subnets_listed=subnets, create_faults=dict(faults), clock=BORN))
    rule = Rule(where=Selection(), flow_log=FlowLogSpec(), level=SUBNET)
    policy = FlowLogsPolicy(rules=(rule,), grace_minutes=0)
    return fakes.service(policy, dry_run=dry_run).reconcile(SWEEP, BORN + 10)


def _gateways(*, dry_run: bool = False) -> EnforcementReport:
    """One of two transit gateways is selected. The other one was, and has a managed flow log."""
    selected = GatewaySelection(ids=("tgw-1",))
    policy = FlowLogsPolicy(transit_gateways=TransitGateways(where=(selected,)), grace_minutes=0)
    old = wanted("fl-old", "tgw-2", resolved(policy.gateway_spec, STACK), BORN - 9999)
    gateways = [Vpc(vpc_id=f"tgw-{number}", owner_id=ACCOUNT) for number in (1, 2)]
    fakes = Fakes(ec2=FakeEc2(existing=[old], gateways_listed=gateways, clock=BORN))
    fakes.registry.record(old)
    name = old.log_group_name or ""
    fakes.groups.there[name] = replace(sound(), name=name, subscriptions=())
    return fakes.service(policy, dry_run=dry_run).reconcile(SWEEP, BORN + 10)


def _replacement() -> FlowLog:
    alternate = DESIRED.alternate_destination
    assert alternate is not None
    return wanted("fl-new", "vpc-1", alternate, BORN - 9999)


def _failed_delivery(*old: FlowLog) -> EnforcementReport:
    ec2 = FakeEc2(own("vpc-1"), [*old, _replacement()])
    ec2.fail("fl-new")
    return _run(ec2)


def _conflict() -> EnforcementReport:
    class LateEc2(FakeEc2):
        """Lists a conflicting flow log only after the creation was refused."""

        def create(self, *_: object) -> str:
            self.existing.append(existing(traffic_type="REJECT", tags={}))
            raise FlowLogExists("CreateFlowLogs: FlowLogAlreadyExists")

    return _run(LateEc2(own("vpc-1")))


def _unverified() -> EnforcementReport:
    guest = replace(HOST, instance_id="i-1", instance_owner="444455556666")
    old = existing(creation_time=BORN - 24 * 3600)
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), [old], [guest]))
    for each in heartbeats.additions(GROUP, seen("eni-0b", at=BORN + 10)[GROUP]):
        fakes.evidence.add(each)
    return _reconcile(fakes)


def _dependencies() -> EnforcementReport:
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), [existing()]), roles=FakeRoles(None))
    fakes.groups.there = {GROUP: LogGroup(name=GROUP, retention_days=1)}
    return _reconcile(fakes)


def _deleted(ec2: FakeEc2) -> EnforcementReport:
    """A managed flow log was deleted."""
    fakes = Fakes(ec2=ec2)
    fakes.registry.record(existing())
    return _reconcile(fakes, DELETION)


def _deleted_without_event() -> EnforcementReport:
    """An earlier sweep missed the flow log; no event came."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), [existing(flow_log_id="fl-2")]))
    missed = DeletedFlowLog(
        flow_log_id="fl-unmanaged", resource_ids=("subnet-1",), vpc_id="vpc-1", at=BORN - 2 * 3600
    )
    fakes.registry.put(missed)
    return _reconcile(fakes)


def _located() -> EnforcementReport:
    """The creation of a flow log whose deletion was reported before arrives late."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), [existing()]))
    fakes.registry.put(
        DeletedFlowLog(flow_log_id="fl-9", at=BORN - 60, caller=DELETION.origin, reported=True)
    )
    caller = replace(CALLER, event_name="CreateFlowLogs")
    made = replace(
        BIRTH,
        vpcs=(),
        origin=caller,
        created=(("fl-9", ("vpc-1",)),),
        reason="CreateFlowLogs shows what a flow log records",
    )
    return _reconcile(fakes, made)


def _unrecorded() -> EnforcementReport:
    tagged = [existing(flow_log_id=f"fl-{number}", resource_id=f"vpc-{number}") for number in (1, 2)]
    fakes = Fakes(ec2=FakeEc2(own("vpc-1", "vpc-2")))
    assert isinstance(fakes.ec2, FakeEc2)
    fakes.ec2.existing += tagged
    stack = replace(STACK, enforcer_name="flow-warden-enforcer")
    return fakes.service(AT_ONCE, stack).reconcile(SWEEP, BORN + 10)


def _recorded() -> EnforcementReport:
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), [existing(), replace(UNMANAGED, flow_log_id="fl-2")]))
    request = Trigger(
        kind=RunKind.RECORD,
        reason="a request to record flow logs as managed",
        to_record=("fl-of-vpc-1", "fl-2", "fl-3"),
    )
    return _reconcile(fakes, request)


def _out_of_time() -> EnforcementReport:
    fakes = Fakes(ec2=FakeEc2(own("vpc-1")))
    fakes.clock.left = 1
    return _reconcile(fakes, DELETION)


def _plan() -> EnforcementReport:
    old = [existing(log_format="${version}"), replace(UNMANAGED, resource_id="vpc-2"), existing("vpc-2")]
    old.append(OTHER_STACK)
    fakes = Fakes(ec2=FakeEc2(own("vpc-1", "vpc-2", "vpc-3"), old, [HOST]))
    for each in heartbeats.additions(GROUP, seen("eni-0a", at=BORN + 10)[GROUP]):
        fakes.evidence.add(each)
    return fakes.service(AT_ONCE, dry_run=True).reconcile(SWEEP, BORN + 10)


def _first_sweep() -> EnforcementReport:
    """After the first deployment: an account with names, a lab that is exempt, and a shared VPC."""
    vpcs = [
        Vpc(vpc_id="vpc-1", owner_id=ACCOUNT, tags={"Name": "payments"}),
        Vpc(vpc_id="vpc-2", owner_id=ACCOUNT),
        Vpc(vpc_id="vpc-3", owner_id=ACCOUNT, tags={"Name": "covered before"}),
        Vpc(vpc_id="vpc-4", owner_id=ACCOUNT, tags={"Name": "lab"}),
        Vpc(vpc_id="vpc-5", owner_id="444455556666", tags={"Name": "shared"}),
        Vpc(vpc_id="vpc-6", owner_id=ACCOUNT, tags={"Name": "forbidden"}),
        Vpc(vpc_id="vpc-7", owner_id=ACCOUNT, tags={"Name": "slow"}),
    ]
    faults = {"vpc-6": CallRefused("CreateFlowLogs: UnauthorizedOperation"), "vpc-7": THROTTLED}
    fakes = Fakes(ec2=FakeEc2(vpcs, [existing("vpc-3")], create_faults=faults))
    exempt = Exemption(where=Selection(vpcs=("vpc-4",)), reason="a lab")
    policy = replace(AT_ONCE, exemptions=(exempt,))
    deployed = replace(SWEEP, reason="the stack was deployed", deployed=True)
    return fakes.service(policy).reconcile(deployed, BORN + 10)


def _existing_log_groups() -> EnforcementReport:
    """One is read where it is, and one cannot be subscribed."""
    vpcs = ("vpc-1", "vpc-2")
    logs = [
        readable(flow_log_id=f"fl-{each}", resource_id=each, log_group_name=f"/aws/vpc/{each}")
        for each in vpcs
    ]
    fakes = Fakes(ec2=FakeEc2(own(*vpcs), logs, clock=BORN))
    fakes.existing.add(
        LogGroup(name="/aws/vpc/vpc-1"), LogGroup(name="/aws/vpc/vpc-2", log_class="INFREQUENT_ACCESS")
    )
    return _reconcile(fakes, SWEEP)


EXAMPLES: Final[Mapping[str, Callable[[], EnforcementReport]]] = {
    "created": lambda: _run(FakeEc2(own("vpc-1"), clock=BORN), CREATION),
    "first-sweep": _first_sweep,
    "one-subnet-failed": _by_subnet,
    "plan-by-subnet": lambda: _by_subnet(dry_run=True),
    "transit-gateways": _gateways,
    "plan-of-transit-gateways": lambda: _gateways(dry_run=True),
    "replaced": lambda: _run(FakeEc2(own("vpc-1"), [existing(log_format="${version}"), _replacement()])),
    "rolled-back": lambda: _failed_delivery(existing(log_format="${version}")),
    "not-delivering": _failed_delivery,
    "failed": lambda: _run(
        FakeEc2(own("vpc-1"), create_faults={"vpc-1": CallRefused("CreateFlowLogs: UnauthorizedOperation")})
    ),
    "conflict": _conflict,
    "deleted-and-delayed": lambda: _deleted(FakeEc2(own("vpc-1"), create_faults={"vpc-1": THROTTLED})),
    "deleted-and-covered": lambda: _deleted(FakeEc2(own("vpc-1"), [existing(flow_log_id="fl-2")])),
    "deleted-in-an-unknown-vpc": lambda: _run(FakeEc2(own("vpc-1", "vpc-2"), [existing("vpc-2")]), DELETION),
    "deleted-without-an-event": _deleted_without_event,
    "deleted-before-its-creation-was-reported": _located,
    "tagged-but-not-recorded": _unrecorded,
    "recorded-as-managed": _recorded,
    "recorded-elsewhere": lambda: _run(FakeEc2(own("vpc-1"), [existing(), ARCHIVE])),
    "out-of-time": _out_of_time,
    "dependencies": _dependencies,
    "silent-log-group": lambda: _run(
        FakeEc2(own("vpc-1"), [existing(creation_time=BORN - 24 * 3600)], [HOST])
    ),
    "other-stack": lambda: _run(FakeEc2(own("vpc-1", "vpc-2"), [existing(), existing("vpc-2"), OTHER_STACK])),
    "unverified": _unverified,
    "duplicates": lambda: _run(FakeEc2(own("vpc-1"), [existing(), UNMANAGED])),
    "existing-log-groups": _existing_log_groups,
    "plan": _plan,
}
"""By the name of the golden file."""
