"""Operations gets each report once, even if a run crashes or a sink fails."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flowwarden.enforcer.reporting.alerts import alerts_of, owner_of
from flowwarden.enforcer.reporting.recurring import UNVERIFIED, silent_group
from flowwarden.enforcer.reporting.report import EnforcementReport, Remediation, Result, VpcOutcome
from flowwarden.errors import PublishFailed
from flowwarden.network.interface import NetworkInterface
from flowwarden.notify.alert import Route
from tests.enforcer.fakes import ACCOUNT, GROUP, STACK, TERMS, Fakes
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.enforcer.runs import AT_ONCE, BIRTH, BORN, RETRY, SWEEP, deliver, existing, own, run
from tests.notify.fakes import CrashError, MemorySink


def silent() -> Fakes:
    """A sweep finds only a log group from which the monitor sees no records."""
    old = existing(creation_time=BORN - 24 * 3600)
    interface = NetworkInterface(interface_id="eni-0a", vpc_id="vpc-1")
    return Fakes(ec2=FakeEc2(own("vpc-1"), [old], [interface]))


def created() -> Fakes:
    """An event leads to a new flow log."""
    return Fakes(ec2=FakeEc2(own("vpc-1"), clock=BORN + 5))


def test_a_run_terminated_before_its_claim_loses_no_recurring_incident() -> None:
    """An incident that was found but not sent does not count as sent: the next sweep sends it once."""
    fakes = silent()
    service = fakes.service(AT_ONCE)
    assert service.reconcile(SWEEP, BORN).remediations
    for hour in (1, 2):
        run(service, SWEEP, BORN + hour * 3600)
    assert len(fakes.sink.sent) == 1


def test_a_run_terminated_between_claim_and_send_loses_nothing() -> None:
    """The lease of the claim expires, and the next run sends once."""
    fakes = silent()
    service = fakes.service(AT_ONCE)
    fakes.sink.crash_before = True
    with pytest.raises(CrashError):
        run(service, SWEEP, BORN)
    fakes.sink.crash_before = False
    run(service, SWEEP, BORN + TERMS.lease - 1)
    assert fakes.sink.sent == [], "sent within the lease of the terminated run"
    run(service, SWEEP, BORN + TERMS.lease)
    run(service, SWEEP, BORN + 3600)
    assert len(fakes.sink.sent) == 1


def test_the_retry_after_a_terminated_run_sends_the_report_once() -> None:
    """The retry reports the flow log that the first run created; a third delivery repeats nothing."""
    fakes = created()
    service = fakes.service(AT_ONCE)
    fakes.sink.crash_before = True
    with pytest.raises(CrashError):
        deliver(service, service.reconcile(BIRTH, BORN + 10), BORN + 10)
    fakes.sink.crash_before = False
    for now in (BORN + 70, BORN + 130):
        deliver(service, service.reconcile(BIRTH, now), now)
    (sent,) = fakes.sink.sent
    assert sent.subject.startswith("[INFO] flow log created for vpc-1")


def test_a_run_terminated_between_send_and_mark_may_repeat_its_report() -> None:
    """Delivery is at least once; the retry marks the claim as sent."""
    fakes = created()
    service = fakes.service(AT_ONCE)
    fakes.sink.crash_after = True
    with pytest.raises(CrashError):
        deliver(service, service.reconcile(BIRTH, BORN + 10), BORN + 10)
    fakes.sink.crash_after = False
    for now in (BORN + 70, BORN + 130):
        deliver(service, service.reconcile(BIRTH, now), now)
    assert len(fakes.sink.sent) == 2


@pytest.mark.parametrize("seconds", [1, 3600])
def test_the_next_run_sends_what_a_sink_refused(seconds: int) -> None:
    """It sends immediately, because the claim was released; later runs do not repeat it."""
    fakes = silent()
    service = fakes.service(AT_ONCE)
    fakes.sink.away = True
    with pytest.raises(PublishFailed):
        run(service, SWEEP, BORN)
    fakes.sink.away = False
    for now in (BORN + seconds, BORN + seconds + 60):
        run(service, SWEEP, now)
    assert len(fakes.sink.sent) == 1


def test_the_retry_sends_only_to_the_sink_that_refused() -> None:
    """The other sink already has the report."""
    fakes, second = silent(), MemorySink(name="memory:second")
    fakes.more_sinks = (second,)
    service = fakes.service(AT_ONCE)
    second.away = True
    with pytest.raises(PublishFailed):
        deliver(service, service.reconcile(SWEEP, BORN), BORN)
    second.away = False
    deliver(service, service.reconcile(SWEEP, BORN + 60), BORN + 60)
    assert (len(fakes.sink.sent), len(second.sent)) == (1, 1)


def test_a_concurrent_second_delivery_neither_sends_nor_succeeds() -> None:
    """It fails, so that its retry can check whether the first delivery sent the report."""
    fakes = created()
    service = fakes.service(AT_ONCE)
    fakes.sink.crash_before = True
    report = service.reconcile(BIRTH, BORN + 10)
    with pytest.raises(CrashError):
        deliver(service, report, BORN + 10)
    fakes.sink.crash_before = False
    with pytest.raises(PublishFailed, match="Another delivery of this batch"):
        deliver(service, report, BORN + 11)
    assert fakes.sink.sent == []


def test_each_sweep_reports_persistent_problems_but_a_second_delivery_does_not() -> None:
    """Each sweep is a separate event."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1")))
    fakes.groups.fault = None
    fakes.roles.role = None
    service = fakes.service(AT_ONCE)
    for hour in range(3):
        run(service, SWEEP, BORN + hour * 3600)
    assert len(fakes.sink.sent) == 3
    again = service.reconcile(replace(SWEEP, idempotency_key="again"), BORN + 3 * 3600)
    for _ in range(2):
        deliver(service, again, BORN + 3 * 3600)
    assert len(fakes.sink.sent) == 4


def of(*repairs: Remediation, outcomes: tuple[VpcOutcome, ...] = ()) -> EnforcementReport:
    """A sweep's report."""
    return EnforcementReport(
        account_id=ACCOUNT, region=STACK.region, trigger=SWEEP, remediations=repairs, outcomes=outcomes
    )


ONCE = Remediation(
    resource=GROUP, summary="silent", applied=False, incident=silent_group(GROUP), every_run=False
)
ALWAYS = Remediation(resource=GROUP, summary="restored")


def test_each_recurring_incident_is_a_separate_alert_and_the_rest_is_one_alert() -> None:
    """All alerts go to operations."""
    found = alerts_of(of(ALWAYS, ONCE, replace(ONCE, resource="2 flow logs", incident=UNVERIFIED)), "a")
    assert [each.key for each in found[1:]] == [ONCE.incident, UNVERIFIED]
    assert {each.route for each in found} == {Route.OPERATIONS}
    assert [each.key for each in alerts_of(of(ONCE), "a")] == [ONCE.incident]
    assert alerts_of(of(), "a") == []


def test_the_alert_of_a_run_has_a_key_for_its_event_and_results() -> None:
    """A different event or outcome gets a different key; a different wording does not."""
    one = VpcOutcome(result=Result.CREATED, vpc_id="vpc-1", reason="made", flow_log_id="fl-1")
    (first,) = alerts_of(of(outcomes=(one,)), "a")
    (same,) = alerts_of(of(outcomes=(replace(one, reason="made since", earlier=True),)), "b")
    (other,) = alerts_of(of(outcomes=(replace(one, vpc_id="vpc-2"),)), "a")
    (later,) = alerts_of(replace(of(outcomes=(one,)), trigger=replace(SWEEP, idempotency_key="later")), "a")
    assert first.key == same.key
    assert len({first.key, other.key, later.key}) == 3


def test_each_run_of_an_event_without_an_id_has_its_own_key() -> None:
    """A manually started sweep reports its findings every time."""
    nameless = replace(of(ALWAYS), trigger=replace(SWEEP, idempotency_key=""))
    keys = {alert.key for attempt in ("a", "b") for alert in alerts_of(nameless, attempt)}
    assert len(keys) == 2


def test_deliveries_of_one_event_share_an_owner_batch_and_other_events_do_not() -> None:
    """A sweep and a retry in the same minute are two events; an event without a key is unique."""
    first, second = (owner_of(of(), attempt) for attempt in ("a", "b"))
    assert second.same_batch(str(first))
    retry = replace(of(), trigger=replace(RETRY, idempotency_key=SWEEP.idempotency_key))
    assert not owner_of(retry, "c").same_batch(str(first))
    nameless = replace(of(), trigger=replace(SWEEP, idempotency_key=""))
    assert not owner_of(nameless, "a").same_batch(str(owner_of(nameless, "b")))
