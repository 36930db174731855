"""Report-only detectors: found, counted, listed in the digest; never sent, and no burden for the others."""

from __future__ import annotations

from copy import deepcopy
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.monitor.detectors import DETECTORS
from flowwarden.monitor.findings import Finding, identity, vpc_of
from flowwarden.monitor.pipeline import Invocation
from flowwarden.monitor.report import BatchReport, route_of
from flowwarden.notify.alert import Route
from flowwarden.policy.mutes import Mute
from flowwarden.policy.policy import Policy
from flowwarden.records.model import Flow
from flowwarden.records.subscription import LogBatch
from tests.examples import examples
from tests.faults import Faults
from tests.monitor.scenarios import Account, batches, makers, scenario
from tests.monitor.test_inhibited_count import PRIVATE, SSH
from tests.monitor.test_inhibition import NOW, OTHER, SCANNER, batch, blocked, probes, process, stored
from tests.monitor.test_triage import FLOWS

NOTIFYING: Final = tuple(each.name for each in DETECTORS if each.severity.pages)
ALL: Final = Policy(report_only=NOTIFYING)


def delivered(account: Account, given: list[tuple[LogBatch, int]]) -> list[BatchReport]:
    """The reports of batches, processed by one container."""
    container = account.container(Faults())
    return [container.process(one, Invocation(one.batch_id, lambda: 40.0), now) for one, now in given]


def names(findings: list[Finding]) -> set[str]:
    """Their detectors."""
    return {each.detector for each in findings}


def only_reported(reports: list[BatchReport]) -> list[Finding]:
    """The findings that would notify if their detectors were not report-only."""
    return [each for one in reports for each in one.found if each.report_only]


def as_facts(one: BatchReport) -> list[tuple[object, ...]]:
    """What a batch shows, without what becomes of it."""
    return sorted((vpc_of(each), identity(each)[:2], str(each.facts)) for each in one.found if each.subject)


@pytest.mark.matrix(10)
@pytest.mark.parametrize("name", makers())
def test_a_report_only_detector_finds_the_same_and_sends_nothing(name: str) -> None:
    """It claims nothing and opens no incident. Each finding that was sent is a row of the digest instead."""
    given = scenario(name)
    paging, quiet = deepcopy(given.account), deepcopy(given.account)
    quiet.policy = replace(quiet.policy, report_only=NOTIFYING)
    expected = delivered(paging, [*given.batches])
    before = len(quiet.incidents)
    reports = delivered(quiet, [*given.batches])
    assert given.detectors <= names(only_reported(reports))
    assert len(quiet.incidents) == before
    assert quiet.claims == given.account.claims
    assert not any(each.delivery.sent or each.incidents for each in reports)
    assert [as_facts(each) for each in reports] == [as_facts(each) for each in expected]
    assert all(route_of(each) is Route.DIGEST for each in only_reported(reports))


@pytest.mark.matrix(10)
@pytest.mark.parametrize("name", makers())
def test_detectors_that_are_not_report_only_send_as_before(name: str) -> None:
    """Positive control: the names of the others change nothing."""
    given = scenario(name)
    paging, same = deepcopy(given.account), deepcopy(given.account)
    others = tuple(each for each in NOTIFYING if each not in given.detectors)
    same.policy = replace(same.policy, report_only=others)
    delivered(paging, [*given.batches])
    reports = delivered(same, [*given.batches])
    assert {each for each, _ in same.incidents} >= {each for each, _ in paging.incidents} & given.detectors
    assert names(only_reported(reports)).isdisjoint(given.detectors)


@examples(0.5)
@given(st.lists(st.lists(FLOWS, min_size=1, max_size=12), min_size=1, max_size=3))
def test_with_all_detectors_report_only_no_traffic_is_paged(some: list[list[Flow]]) -> None:
    """And the findings are those of the policy without `report_only`."""
    reports = []
    for policy in (Policy(), ALL):
        account = Account(policy=policy)
        reports.append(delivered(account, [*batches(*some)]))
        assert policy != ALL or (account.pages.sent, account.operations.sent) == ([], [])
    assert [as_facts(each) for each in reports[0]] == [as_facts(each) for each in reports[1]]
    assert not any(each.notifications or each.delivery.sent for each in reports[1])


def reporting(*detectors: str, **settings: object) -> Account:
    """An account in whose policy these detectors are report-only."""
    return Account(policy=Policy(report_only=detectors, **settings))  # type: ignore[arg-type]


def test_it_inhibits_no_lesser_finding_of_another_batch() -> None:
    """No page says what it found, so the lesser finding is the only page."""
    alone = reporting("host-probing")
    process(alone.container(Faults()), probes())
    assert stored(alone) == set()
    for account, sent in ((Account(), ["host-probing"]), (reporting("host-probing"), ["blocked-connection"])):
        process(account.container(Faults()), probes())
        process(account.container(Faults()), blocked(), NOW + 60)
        assert [each for each, _ in account.incidents] == sent


@pytest.mark.parametrize("is_on_trial", [False, True])
def test_it_inhibits_no_lesser_finding_of_its_batch(*, is_on_trial: bool) -> None:
    """The lesser one is judged as if the graver one had not been found."""
    on_trial = ("internet-to-private",) if is_on_trial else ()
    report = process(Account(policy=replace(PRIVATE, report_only=on_trial)).container(Faults()), SSH)
    lesser, graver = sorted(report.found, key=lambda each: each.detector)
    assert (lesser.inhibited, graver.report_only) == ("" if is_on_trial else graver.detector, is_on_trial)
    assert (report.inhibited, report.digest_rows) == ((0, 2) if is_on_trial else (1, 0))


def test_a_graver_page_explains_it() -> None:
    """It would not have notified then, so the digest does not list it."""
    account = reporting("blocked-connection")
    process(account.container(Faults()), probes())
    report = process(account.container(Faults()), blocked(), NOW + 60)
    assert [(each.inhibited, route_of(each)) for each in report.found] == [("host-probing", Route.LOG)]
    assert (report.inhibited, report.digest_rows) == (1, 0)


def test_a_mute_and_an_exemption_come_first() -> None:
    """They keep it out of the digest, too."""
    mute = Mute(detector="host-probing", until="never", reason="known")
    for settings in ({"mutes": (mute,)}, {"exempt": (SCANNER,)}):
        report = process(reporting("host-probing", **settings).container(Faults()), probes())
        assert [(each.report_only, route_of(each)) for each in report.found] == [(False, Route.LOG)]
    report = process(reporting("host-probing").container(Faults()), probes())
    assert [(each.report_only, route_of(each)) for each in report.found] == [(True, Route.DIGEST)]
    assert report.digest_rows == 1


def test_a_page_counts_what_report_only_detectors_found() -> None:
    """So that no reader takes their silence for the absence of findings."""
    account = reporting("host-probing")
    process(account.container(Faults()), batch("both", *probes().lines, *blocked(OTHER).lines))
    (page,) = account.pages.sent
    assert page.document["not_sent"]["report_only"] == 1
    assert "1 of report-only detectors" in page.text
