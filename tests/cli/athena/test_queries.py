"""The queries: SQL in Athena's dialect, limited to partitions, with a comment on what they leave out."""

from __future__ import annotations

from datetime import date

import pytest
import sqlglot
from msgspec.structs import fields, replace
from sqlglot import exp

from flowwarden.monitor.detectors import DETECTORS
from flowwarden.policy.detection import Thresholds
from flowwarden.policy.policy import Policy
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, STACK_LOG_FORMAT, LogFormat
from flowwarden_cli.athena.archive import Partitions
from flowwarden_cli.athena.period import of_day
from flowwarden_cli.athena.queries import QUERIES, REASONS, text_of
from flowwarden_cli.athena.scope import Scope
from flowwarden_cli.athena.sql import NotExpressible
from tests.cli.athena import duck

POLICY = Policy(
    own_cidrs=("2001:db8::/56", "203.0.113.0/24"),
    partner_cidrs=("10.200.0.0/16",),
    service_ports=(7777,),
    private_subnets=("10.0.1.0/24", "subnet-0a"),
    listener_only=("10.0.2.0/24", "eni-0b", "i-0c"),
    exempt=("10.0.0.9",),
)
SCOPE = Scope(
    layout=STACK_LOG_FORMAT,
    policy=POLICY,
    table="logs.flows",
    partitions=Partitions(),
    period=of_day(date(2026, 1, 2)),
    accounts=("111122223333", "444455556666"),
    regions=("eu-west-1",),
)
LAYOUTS = {"stack": STACK_LOG_FORMAT, "v2": DEFAULT_LOG_FORMAT}
every_query = pytest.mark.parametrize("detector", QUERIES)


def parsed(query: str) -> exp.Query:
    """The only statement of a query, in the dialect of Athena."""
    (found,) = sqlglot.parse(query, read=duck.DIALECT)
    assert isinstance(found, exp.Query)
    return found


def test_every_detector_has_a_query_or_a_reason_why_not() -> None:
    """Also one that is added."""
    assert {*QUERIES} | {*REASONS} == {each.name for each in DETECTORS}
    assert {*QUERIES}.isdisjoint(REASONS)


@pytest.mark.matrix(30)
@every_query
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("partitions", [Partitions(), Partitions(hive=True, hourly=True)])
def test_a_query_reads_only_partitions_of_its_period(
    detector: str, layout: str, partitions: Partitions
) -> None:
    """Whatever the log format and the folders; the first column is the subject."""
    found = parsed(text_of(detector, replace(SCOPE, layout=LAYOUTS[layout], partitions=partitions)))
    assert found.named_selects[0] == "subject"
    reads = [each for each in found.find_all(exp.Table) if each.db]
    assert [each.sql(duck.DIALECT) for each in reads] == ['"logs"."flows"']
    inner = reads[0].parent_select
    assert inner is not None
    limited = {each.name for each in inner.args["where"].find_all(exp.Column)}
    assert {"aws_account", "aws_region", "start", *partitions.of_time} - {"hour"} <= limited


@every_query
def test_a_query_begins_with_what_it_leaves_out(detector: str) -> None:
    """In comments, with the thresholds of the policy."""
    lines = text_of(detector, SCOPE).splitlines()
    comment = [each for each in lines if each.startswith("--")]
    assert lines[: len(comment)] == comment
    assert comment[0].startswith(f"-- {detector}: ")
    assert sum(each.startswith("--   * ") for each in comment) == len(QUERIES[detector].leaves_out) > 0
    for name in QUERIES[detector].thresholds:
        assert f"{name} = {getattr(Thresholds(), name)}" in " ".join(each[3:] for each in comment)


@every_query
def test_each_threshold_of_a_detector_is_in_its_query_or_left_out_by_name(detector: str) -> None:
    """So a threshold that a detector gains does not get lost."""
    query = QUERIES[detector]
    (known,) = (each for each in DETECTORS if each.name == detector)
    mentioned = {each.name for each in fields(Thresholds) if each.name in " ".join(query.leaves_out)}
    usual_only = {"probing_destinations"} if detector == "egress-denied" else set()
    assert {*known.thresholds} - usual_only <= {*query.thresholds} | mentioned


@every_query
def test_the_policy_changes_thresholds(detector: str) -> None:
    """Each threshold that a query names is in it."""
    for name in QUERIES[detector].thresholds:
        changed = replace(POLICY, thresholds=replace(Thresholds(), **{name: 77}))
        before, after = (
            _without_comment(text_of(detector, replace(SCOPE, policy=each))) for each in (POLICY, changed)
        )
        assert before != after


def _without_comment(query: str) -> str:
    return "\n".join(each for each in query.splitlines() if not each.startswith("--"))


@every_query
def test_a_missing_field_is_refused_by_name(detector: str) -> None:
    """Instead of a query that finds nothing."""
    for name in QUERIES[detector].needs:
        layout = LogFormat(tuple(each for each in STACK_LOG_FORMAT.names if each != name))
        with pytest.raises(NotExpressible, match=f"{detector} needs {name} in the log format"):
            text_of(detector, replace(SCOPE, layout=layout))


@pytest.mark.parametrize("detector", REASONS)
def test_a_detector_that_cannot_be_expressed_is_refused_with_the_reason(detector: str) -> None:
    """And with those that can."""
    with pytest.raises(NotExpressible) as refused:
        text_of(detector, SCOPE)
    assert REASONS[detector] in str(refused.value)
    assert all(each in str(refused.value) for each in QUERIES)


def test_an_unknown_detector_is_refused() -> None:
    """With those that exist."""
    with pytest.raises(NotExpressible, match=r"there is no detector 'port-scan'.*scan, "):
        text_of("port-scan", SCOPE)


@pytest.mark.parametrize("detector", ["internet-to-private", "unexpected-egress"])
def test_a_query_about_declared_places_needs_them_in_the_policy(detector: str) -> None:
    """It would find nothing."""
    with pytest.raises(NotExpressible, match="in the policy"):
        text_of(detector, replace(SCOPE, policy=Policy()))


def test_subnets_by_id_need_the_field() -> None:
    """CIDRs do not."""
    scope = replace(SCOPE, layout=DEFAULT_LOG_FORMAT)
    with pytest.raises(NotExpressible, match="subnet-id"):
        text_of("internet-to-private", replace(scope, policy=Policy(private_subnets=("subnet-0a",))))
    assert text_of("internet-to-private", replace(scope, policy=Policy(private_subnets=("10.0.0.0/24",))))


HOSTILE = "x'); DROP TABLE flows; --"


@every_query
def test_no_text_from_outside_is_in_a_query_unquoted(detector: str) -> None:
    """A policy that was not checked: ids are literals, and what is no network is refused."""
    policy = replace(POLICY, private_subnets=(f"subnet-{HOSTILE}",), listener_only=(f"eni-{HOSTILE}",))
    found = parsed(text_of(detector, replace(SCOPE, policy=policy)))
    literals = {each.name for each in found.find_all(exp.Literal) if HOSTILE in each.name}
    expected = {"internet-to-private": f"subnet-{HOSTILE}", "unexpected-egress": f"eni-{HOSTILE}"}
    assert literals == ({expected[detector]} if detector in expected else set())
    assert not [*found.find_all(exp.Drop)]


@pytest.mark.parametrize("setting", ["own_cidrs", "partner_cidrs", "exempt"])
def test_what_is_no_network_is_refused(setting: str) -> None:
    """It never becomes SQL."""
    with pytest.raises(ValueError, match="does not appear to be"):
        text_of("scan", replace(SCOPE, policy=replace(POLICY, **{setting: (HOSTILE,)})))


@pytest.mark.parametrize(
    "wrong", [{"table": 'flows" --'}, {"accounts": ("1' OR '1",)}, {"regions": ("eu'",)}, {"table": "a.b.c"}]
)
def test_names_that_are_none_are_refused(wrong: dict[str, object]) -> None:
    """In each query."""
    with pytest.raises(NotExpressible, match=r"the (table|account|Region)"):
        text_of("records-skipped", replace(SCOPE, **wrong))
