"""A small version of the load run and of the table of `make reliability`, and what makes them fail."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from msgspec.structs import replace

from benchmarks.reliability import node_ids, page, sections
from benchmarks.reliability.deletions import Deletions, Foreign
from benchmarks.reliability.incidents import DAYS
from benchmarks.reliability.incidents import FAULTS as OF_INCIDENTS
from benchmarks.reliability.incidents import INVARIANTS as INCIDENT_INVARIANTS
from benchmarks.reliability.lives import Lives
from benchmarks.reliability.load import Load, figures, load
from benchmarks.reliability.matrix import (
    FAULTS,
    INAPPLICABLE,
    INVARIANTS,
    LINES,
    LOST,
    Row,
    cell_tests,
    markdown,
    prove,
)
from benchmarks.reliability.node_ids import Results, results
from benchmarks.reliability.poison import Poison, event_of, plan, without_poison
from benchmarks.reliability.proofs import ByTests, Evidence, Loaded, MonitorCalls
from benchmarks.reliability.run import Outcome, run
from benchmarks.reliability.services import SERVICES
from benchmarks.reliability.traffic import batches
from tests.dispatcher.lives.stacks import THREE, TWO
from tests.faults import Fault

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
NO_TESTS = Results({}, {})


@cache
def small() -> Load:
    """Six batches: one is poisoned, another one is delivered twice."""
    return load(6, 300, seed=1)


@cache
def every_poison() -> Load:
    """Each kind of poison once."""
    return load(80, 60, seed=3)


@pytest.mark.parametrize("whole", [small, every_poison])
def test_a_load_run_accounts_for_every_line_and_pages_as_without_poison(whole: Callable[[], Load]) -> None:
    """With poison and repeated deliveries."""
    found = whole()
    assert found.differences() == []
    counts = figures(found)
    assert counts["lines in the other payloads"] == counts["lines counted"] > 0
    assert counts["planted incidents"] == counts["incidents paged in both runs"] > 0


def test_the_plan_has_every_kind_of_poison_and_repeats_at_once_and_later() -> None:
    """A tenth of the batches is poisoned, a twentieth is delivered twice; no batch is both."""
    deliveries = plan(batches(500, 100, seed=2), seed=2)
    kinds = [each.poison for each in deliveries if each.poison]
    doubled = [each for each in deliveries if each.doubled_after is not None]
    assert (len(kinds), len(doubled), set(kinds)) == (50, 25, set(Poison))
    assert len({each.doubled_after for each in doubled}) == 2
    assert not any(each.poison for each in doubled)
    assert {each.failed_call != "" for each in every_poison().of(Poison.CRASH_AFTER)} == {True}


def changed(**given: object) -> Load:
    """The small run with another outcome of the poisoned one."""
    return replace(small(), poisoned=replace(small().poisoned, **given))


def found_in(outcome: Load, text: str) -> bool:
    """Whether a difference contains this text."""
    return any(text in each for each in outcome.differences())


def test_lost_repeated_raw_and_uncounted_results_are_differences() -> None:
    """Each check of the load run can fail."""
    poisoned = small().poisoned
    first, *others = poisoned.sent
    assert found_in(changed(sent=tuple(others)), "lost: ")
    assert found_in(changed(sent=(*poisoned.sent, first)), "sent twice, after only 0 failed calls")
    assert found_in(changed(sent=(*poisoned.sent, first, first)), "sent 3 times")
    assert found_in(changed(sent=(*poisoned.sent, replace(first, incident="x"))), "not in the run without")
    assert found_in(changed(sent=(replace(first, visible=False), *others)), "not visible")
    assert found_in(changed(log_is_visible=False), "the log contains")
    done, *rest = poisoned.done
    assert found_in(changed(done=(replace(done, lines=done.lines + 1), *rest)), "lines are counted")
    assert found_in(changed(done=(replace(done, writes=201), *rest)), "201 writes")
    assert found_in(changed(done=(replace(done, counts=None), *rest)), "rejected after 1 attempts")
    assert found_in(changed(undelivered=("batch 1: away",)), "batch 1: away")


def test_a_planted_incident_that_is_paged_in_neither_run_is_a_difference() -> None:
    """Otherwise two blind runs would agree."""
    blind = replace(small().clean, sent=()), replace(small().poisoned, sent=())
    assert found_in(replace(small(), clean=blind[0], poisoned=blind[1]), "planted and not paged")


def test_a_payload_that_is_processed_although_it_is_poisoned_is_a_difference() -> None:
    """Its lines would be unaccounted for."""
    whole = every_poison()
    (refused,) = whole.of(Poison.PAYLOAD)
    assert (refused.counts, refused.attempts) == (None, 3)
    other = tuple(replace(each, counts={}) if each is refused else each for each in whole.poisoned.done)
    assert found_in(
        replace(whole, poisoned=replace(whole.poisoned, done=other)), "processed after 3 attempts"
    )


def test_every_run_has_the_same_batches_and_payloads() -> None:
    """So a difference can be reproduced; another seed gives other batches."""
    first, second = (plan(batches(20, 50, seed=9), seed=9) for _ in range(2))
    assert first == second
    assert list(map(event_of, first)) == list(map(event_of, second))
    assert plan(batches(20, 50, seed=8), seed=8) != first


def test_without_poison_an_unreadable_batch_is_left_out_and_others_keep_their_good_lines() -> None:
    """The two runs differ only in poison and repeated deliveries."""
    deliveries = plan(batches(200, 100, seed=4), seed=4)
    good = {each.poison: without_poison(each) for each in deliveries}
    assert good[Poison.PAYLOAD] is None
    kept = {poison: len(each.batch.lines) for poison, each in good.items() if each}
    assert (kept[None], kept[Poison.MALFORMED], kept[Poison.UNPARSED]) == (100, 91, 70)


def test_every_cell_names_tests_that_exist() -> None:
    """Otherwise a renamed test would be missed only by `make reliability`."""
    for each in cell_tests(FAULTS, OF_INCIDENTS, SERVICES, DAYS):
        file, _, name = each.partition("::")
        assert f"\ndef {name}(" in (ROOT / file).read_text(), each


def test_a_cell_whose_test_fails_is_skipped_or_is_missing_is_an_error() -> None:
    """In the report of pytest."""
    report = """<testsuites><testsuite>
    <testcase classname="tests.a" name="test_good[1]"/><testcase classname="tests.a" name="test_good[2]"/>
    <testcase classname="tests.a" name="test_bad"><failure message="assert 1 == 2"/></testcase>
    <testcase classname="tests.a" name="test_left_out"><skipped message="not here"/></testcase>
    </testsuite></testsuites>"""
    evidence = Evidence(small(), results(report), 1)
    proven, *others = (
        ByTests((f"tests/a.py::test_{name}",)).verdict(evidence)
        for name in ("good", "bad", "left_out", "missing")
    )
    assert (proven.proven, proven.failures) == ("2 tests", ())
    assert [len(each.failures) for each in others] == [1, 1, 1]
    assert "assert 1 == 2" in others[0].failures[0]


def test_tests_are_run_by_their_ids() -> None:
    """In a separate process; the result counts the sets of parameters that passed."""
    light = "tests/docs/test_state.py::test_a_span_has_the_largest_unit_that_fits"
    assert node_ids.run([light], "dev").passed(light) == 4


def test_runs_with_a_failing_call_prove_a_cell() -> None:
    """Each fault in the enforcer, also beside a flow log of others, and a lost answer in the monitor."""
    evidence = Evidence(small(), NO_TESTS, 1)
    for fault in Fault:
        for proof in (Deletions(fault), Foreign(fault)):
            verdict = proof.verdict(evidence)
            assert verdict.failures == ()
            assert int(verdict.proven.split()[0]) >= 10
    assert MonitorCalls(Fault.UNANSWERED, cold=True, about="lost").verdict(evidence).failures == ()


@pytest.mark.matrix(1)
@pytest.mark.parametrize("pagers", [TWO, THREE], ids=len)
@pytest.mark.parametrize("sinks", [False, True])
def test_runs_with_a_failing_call_prove_a_cell_about_incidents(
    *, sinks: bool, pagers: tuple[str, ...]
) -> None:
    """A cell without runs would prove nothing; those of receivers alone are fewer."""
    evidence = Evidence(small(), NO_TESTS, 1)
    verdict = Lives("notified", Fault.CRASH_AFTER, sinks=sinks, pagers=pagers).verdict(evidence)
    assert verdict.failures == ()
    assert 10 <= int(verdict.proven.split()[0]) <= (40 if sinks else 100)


def test_every_cell_about_incidents_has_a_proof_or_does_not_apply() -> None:
    """Budgets and digests do not depend on all that a day of late batches shows."""
    missing = [
        (fault, invariant)
        for fault, row in OF_INCIDENTS.items()
        for invariant in INCIDENT_INVARIANTS
        if not row.get(invariant)
    ]
    assert {fault for fault, _ in missing} == {
        "batches late by hours, shuffled and doubled", "a batch from a failure queue"
    }  # fmt: skip


def test_a_poison_that_the_load_run_does_not_have_proves_nothing() -> None:
    """A cell cannot pass without a batch."""
    missing = set(Poison) - {each.poison for each in small().deliveries}
    assert missing
    for each in missing:
        assert Loaded(each, "lines").verdict(Evidence(small(), NO_TESTS, 1)).failures != ()


def test_the_table_has_a_cell_for_each_fault_and_invariant() -> None:
    """A failing one is shown as such."""
    rows: dict[str, Row] = {
        "one": {LINES: (Loaded(None, "lines"),), LOST: (ByTests(("tests/a.py::test_b",)),)}
    }
    cells = prove(Evidence(small(), NO_TESTS, 1), rows)
    assert [each.invariant for each in cells] == list(INVARIANTS)
    texts = {each.invariant: each.text for each in cells}
    assert (texts[LINES], texts[LOST]) == ("2 deliveries", "FAILED")
    assert set(texts.values()) == {"2 deliveries", "FAILED", INAPPLICABLE}
    assert "FAILED" in markdown(cells)


def test_the_page_has_every_fault_and_invariant() -> None:
    """If this fails, run `make reliability`."""
    written = (ROOT / "docs" / "reliability.md").read_text()
    head = next(line for line in written.splitlines() if line.startswith("| fault"))
    assert [each.strip() for each in head.strip("|").split("|")] == ["fault", *INVARIANTS]
    assert all(f"\n| {each} " in written for each in FAULTS)
    assert all(f"\n| {each} " in written for each in (*figures(small()), *page.POISONS))
    assert all(f"\n| {each} " in written for each in (*OF_INCIDENTS, *SERVICES, *DAYS))
    assert "FAILED" not in written
    prose = sections.composed(page.page(figures(small()), page.Tables(), "ci", 3))
    assert [line for line in prose.splitlines() if line[:1] != "|" and line not in written.splitlines()] == []


def test_the_order_of_the_deliveries_given_to_a_run_does_not_matter() -> None:
    """They are processed in the order of their times."""
    deliveries = [each for each in plan(batches(6, 100, seed=5), seed=5) if each.poison is None]
    assert _facts(run(deliveries)) == _facts(run(deliveries[::-1]))


def _facts(outcome: Outcome) -> list[tuple[str, int]]:
    return sorted((each.incident, each.at) for each in outcome.sent)
