"""Explanations of the detectors that compare a connection with a role say by which days and replies."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

import pytest
from msgspec import to_builtins

from flowwarden.policy.policy import Policy
from flowwarden.replay.explain import text
from flowwarden.replay.explain.model import Explanation, Judgment, RecordExplanation
from flowwarden.replay.explain.record import RecordWatch, Wanted
from flowwarden.state.sets import DAY
from tests.replay.archives import BEGIN, LAYOUT, database, served, talk
from tests.replay.explained import HOSTS, of, replayed

HOST: Final = HOSTS[0]
DATABASE, PRIVATE, ADMIN, EGRESS = (
    *("database-egress", "internet-to-private", "internet-to-admin-port", "unexpected-egress"),
)
DETECTORS: Final = DATABASE, PRIVATE, ADMIN, EGRESS
DECLARED: Final = Policy.from_json('{"private_subnets": ["10.0.0.0/24"], "listener_only": ["10.0.0.0/24"]}')
_NOTHING: Final = Policy()


def explained(more: Sequence[str], days: int = 17, policy: Policy = _NOTHING) -> RecordExplanation:
    """The explanation of the first of some records that follow the archive."""
    (found,) = all_explained(more, [more[0]], days, policy)
    return found


def all_explained(
    more: Sequence[str], wanted: Sequence[str], days: int, policy: Policy
) -> list[RecordExplanation]:
    """The explanations of some of the records that follow the archive."""
    watches = [RecordWatch(Wanted(each, (LAYOUT,), "the record")) for each in wanted]
    replayed([*database(HOST, days), *more], *(each.see for each in watches), policy=policy, hosts=HOSTS)
    found = [each.found for each in watches if each.found is not None]
    assert len(found) == len(wanted)
    return found


def amounts(judgment: Judgment) -> list[tuple[float, float, bool]]:
    """Values and limits, and whether the condition is met."""
    return [(each.value, each.limit, each.reached) for each in judgment.measured]


def out(days: int = 17, server: str = "198.51.100.77", port: int = 4444) -> list[str]:
    """The host connects to a server, on the day after the archive."""
    return talk(BEGIN + days * DAY + 600, HOST, server, port, 42_000)


def entered(port: int = 22, days: int = 17, *, answered: bool = True) -> list[str]:
    """The internet connects to the host, on the day after the archive."""
    return served(BEGIN + days * DAY + 600, HOST, "203.0.113.7", port, answered=answered)


def test_what_a_database_opens_has_the_days_it_served_and_the_days_with_such_a_connection() -> None:
    said = of(explained(out()), DATABASE)
    assert said.flagged
    assert amounts(said) == [(17, 2, True), (0, 2, True), (1, 1, True)]


def test_a_connection_that_a_database_opened_on_two_days_is_usual() -> None:
    earlier = [*out(15), *out(16)]
    said = of(explained([*out(), *earlier]), DATABASE)
    assert not said.flagged
    assert amounts(said) == [(17, 2, True), (2, 2, False), (1, 1, True)]


def test_one_to_another_database_does_not_count() -> None:
    said = of(explained(out(server="10.0.7.7", port=5432)), DATABASE)
    assert not said.flagged
    assert said.why_not == "it leads to a database of another of your hosts, as a replica's does"


def test_one_that_databases_need_does_not_count_while_the_role_is_learned() -> None:
    said = of(explained(out(3, port=443), days=3), DATABASE)
    assert not said.flagged
    assert said.why_not


def test_a_host_that_serves_no_database_has_no_amounts() -> None:
    said = of(explained(talk(BEGIN + 600, HOST, "198.51.100.77", 4444, 42_000), days=0), DATABASE)
    assert said.measured == []
    assert said.why_not == "the role of its client serves no database"


def test_what_a_listener_opens_has_the_days_of_its_role() -> None:
    said = of(explained(out()), EGRESS)
    assert said.flagged
    assert amounts(said) == [(17, 2, True), (0, 2, True), (17, 7, True), (17, 14, True), (1, 1, True)]


def test_a_role_that_is_young_is_not_listener_only_yet() -> None:
    said = of(explained(out(5), days=5), EGRESS)
    assert not said.flagged
    assert amounts(said) == [(5, 2, True), (0, 2, True), (5, 7, False), (5, 14, False), (1, 1, True)]


def test_a_role_that_goes_out_is_not_listener_only() -> None:
    said = of(explained([*out(port=9999), *out(15), *out(16)]), EGRESS)
    assert not said.flagged
    assert amounts(said) == [(17, 2, True), (2, 2, False)]
    assert said.why_not == "the role of its client is not listener-only"


def test_a_declared_listener_is_flagged_by_the_policy_and_not_if_the_connection_is_rejected() -> None:
    said = of(explained(out(), policy=DECLARED), EGRESS)
    assert said.flagged
    assert "the policy declares it listener-only" in said.because
    refused = [out()[0].replace(" ACCEPT ", " REJECT ")]
    other = of(explained(refused, policy=DECLARED), EGRESS)
    assert not other.flagged
    assert other.why_not == "the policy declares its client listener-only, but the connection was rejected"


@pytest.mark.parametrize(("answered", "replies"), [(True, 1), (False, 0)])
def test_a_private_subnet_is_entered_if_there_is_a_reply(*, answered: bool, replies: int) -> None:
    said = of(explained(entered(8080, answered=answered), policy=DECLARED), PRIVATE)
    assert said.flagged is answered
    assert amounts(said) == [(replies, 1, answered)]


def test_a_host_outside_the_private_subnets_is_not_judged() -> None:
    other = Policy.from_json('{"private_subnets": ["10.9.0.0/24"]}')
    said = of(explained(entered(8080), policy=other), PRIVATE)
    assert (said.flagged, said.measured) == (False, [])
    assert said.why_not == "its server is in none of the policy's private_subnets"


def test_an_administration_port_is_new_by_the_days_on_which_the_internet_reached_it() -> None:
    said = of(explained(entered()), ADMIN)
    assert said.flagged
    assert amounts(said) == [(0, 2, True), (1, 1, True), (17, 7, True), (17, 14, True)]


def test_one_that_the_internet_reached_on_two_days_is_usual() -> None:
    said = of(explained([*entered(), *entered(days=15), *entered(days=16)]), ADMIN)
    assert not said.flagged
    assert amounts(said)[0] == (2, 2, False)


def test_one_that_does_not_answer_is_not_reached() -> None:
    said = of(explained(entered(answered=False)), ADMIN)
    assert not said.flagged
    assert amounts(said)[:2] == [(0, 2, True), (0, 1, False)]


def test_one_of_a_young_role_is_flagged_and_has_the_age_that_a_page_needs() -> None:
    said = of(explained(entered(days=4), days=4), ADMIN)
    assert said.flagged
    assert amounts(said) == [(0, 2, True), (1, 1, True), (4, 7, False), (4, 14, False)]


def test_the_document_says_which_amounts_are_conditions_and_on_which_side_of_the_limit_they_hold() -> None:
    new, replies, *_ = to_builtins(of(explained(entered()), ADMIN))["measured"]
    assert new == {
        "what": "earlier days on which the internet reached this port of the role",
        "value": 0, "limit": 2, "reached": True, "threshold": "", "below": True, "needed": True,
    }  # fmt: skip
    assert (replies["below"], replies["needed"]) == (False, True)


def test_the_text_names_conditions_and_their_limits() -> None:
    shown = text.summary(Explanation(record=explained(out()))).splitlines()
    assert (
        "      met          earlier days on which the role opened such a connection: 0, must be below 2"
        in shown
    )
    assert "      met          replies to the connection, in the batch: 1, must be at least 1" in shown
    usual = text.summary(Explanation(record=explained([*out(), *out(15), *out(16)]))).splitlines()
    assert any(each.startswith("      not met      earlier days") for each in usual)


@cache
def cases() -> list[RecordExplanation]:
    """Explanations of records that detectors flag or not, of young roles and old ones."""
    return [each for days in (4, 17) for policy in (_NOTHING, DECLARED) for each in _cases(days, policy)]


def _cases(days: int, policy: Policy) -> list[RecordExplanation]:
    connections = [
        out(days), out(days, port=443), out(days, server="10.0.7.7", port=8080), entered(22, days),
        entered(443, days), entered(3389, days, answered=False), out(days, port=4445)[:1],
    ]  # fmt: skip
    records = [each for connection in connections for each in connection]
    return all_explained(records, [each[0] for each in connections], days, policy)


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_record_is_flagged_only_if_all_conditions_are_met_otherwise_it_says_what_is_missing(
    detector: str,
) -> None:
    for each in (of(case, detector) for case in cases()):
        conditions = [one for one in each.measured if not one.what.endswith(", for a page")]
        met = all(one.reached for one in conditions)
        assert met or not each.flagged, each
        assert each.flagged or each.why_not or not met, each
    assert {of(case, detector).flagged for case in cases()} == {True, False}
