"""Findings that another one inhibits: each is counted and reported with its inhibitor, and none is sent."""

from __future__ import annotations

from itertools import product

import pytest
from msgspec.structs import replace

from flowwarden.monitor.detectors import BY_NAME
from flowwarden.monitor.report import route_of
from flowwarden.monitor.triage import triage
from flowwarden.notify.alert import Route
from flowwarden.policy.mutes import Mute
from flowwarden.policy.policy import Policy
from tests.faults import Faults
from tests.matrix import some
from tests.monitor.render.examples import EXAMPLES
from tests.monitor.scenarios import Account
from tests.monitor.test_inhibition import NOW, SCANNER, batch, blocked, probes, process

TIMES = f"{NOW - 90} {NOW - 40}"
SSH = batch(
    "ssh",
    f"2 111122223333 eni-db 203.0.113.9 10.0.2.30 50000 22 6 6 360 {TIMES} ACCEPT OK",
    f"2 111122223333 eni-db 10.0.2.30 203.0.113.9 22 50000 6 6 360 {TIMES} ACCEPT OK",
)
"""The internet reaches SSH in a subnet that the policy declares private: two detectors find it."""
PRIVATE = Policy(private_subnets=("10.0.2.0/24",))


def test_a_finding_inhibited_in_its_own_batch_is_counted_and_reported() -> None:
    """With the detector that inhibits it, on the route `log`."""
    report = process(Account(policy=PRIVATE).container(Faults()), SSH)
    inhibited = [each for each in report.found if each.inhibited]
    assert [(each.detector, each.subject) for each in inhibited] == [("internet-to-admin-port", "10.0.2.30")]
    assert [(each.inhibited, route_of(each)) for each in inhibited] == [("internet-to-private", Route.LOG)]
    assert (report.findings, report.inhibited, report.notifications) == (2, 1, 1)
    assert report.reported == inhibited


def test_a_finding_inhibited_by_another_batch_is_counted_and_reported() -> None:
    """Each time that it is found, with the detector of the other batch."""
    account = Account()
    process(account.container(Faults()), probes())
    for number in (1, 2):
        report = process(account.container(Faults()), blocked(name=str(number)), NOW + 60 * number)
        assert (report.findings, report.inhibited, report.notifications) == (1, 1, 0)
        assert [each.inhibited for each in report.reported] == ["host-probing"]


def test_nothing_is_counted_without_inhibition() -> None:
    """Neither what is sent nor what a mute or `exempt` keeps from being sent."""
    assert process(Account().container(Faults()), blocked()).inhibited == 0
    mute = Mute(subject=SCANNER, until="never", reason="known")
    for policy in (Policy(mutes=(mute,)), Policy(exempt=(SCANNER,))):
        report = process(Account(policy=policy).container(Faults()), blocked())
        assert (report.findings, report.inhibited, report.notifications) == (1, 0, 0)


def test_an_inhibited_finding_does_not_count_as_muted_too() -> None:
    """The counts of what is not sent do not overlap."""
    mute = Mute(subject="10.0.2.30", until="never", reason="known")
    report = process(Account(policy=replace(PRIVATE, mutes=(mute,))).container(Faults()), SSH)
    assert (report.findings, report.muted, report.inhibited, report.notifications) == (2, 1, 1, 0)


@pytest.mark.matrix
def test_triage_loses_no_finding() -> None:
    """Every distinct finding remains or is inhibited, whatever was found with it."""
    for first, second in some([*product(EXAMPLES.values(), repeat=2)], 200, "triage"):
        found = [first(), second()]
        result = triage(found, Policy())
        names = {each.detector for each in (*result.remaining, *result.inhibited)}
        assert names == {each.detector for each in found}
        assert not any(each.severity.pages for each in result.inhibited)
        assert not any(each.inhibited for each in result.remaining)


def test_numbers_of_findings_inhibit_no_others() -> None:
    """The findings that are only counted have no subject in common."""
    graver, lesser = BY_NAME["host-probing"].surplus(3), BY_NAME["blocked-connection"].surplus(4)
    result = triage([*graver, *lesser], Policy())
    assert (result.remaining, result.inhibited) == ([*graver, *lesser], [])
