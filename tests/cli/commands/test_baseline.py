"""`flowwarden baseline` prints what is learned, and forgets one role."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator

import pytest
from moto import mock_aws

from flowwarden.aws.dynamodb.table import key_of
from flowwarden.bootstrap.baseline import BaselinePorts, on_aws
from flowwarden.errors import SettingsError
from flowwarden.monitor.review.due import KEY, ROLES, candidates, number_of, reported_addition
from flowwarden.state.schema import LEARNING_REPORTS
from flowwarden.state.sets import Addition
from flowwarden_cli.commands.baseline import run
from flowwarden_cli.commands.command import SUCCEEDED, UNREADABLE
from tests.aws.clients import REGION, make_state_table, shared
from tests.cli.commands.test_plan import Terminal
from tests.cli.fakes_account import NOW
from tests.cli.fakes_learned import TODAY, learned_account
from tests.monitor.review.examples import DATABASE, items_of, known

WEB, DB = "tag:Role=web", "tag:Role=db"


def options(action: str, role: str | None = None, *, as_json: bool = False) -> Namespace:
    """The parsed arguments."""
    return Namespace(action=action, stack="x", region=None, role=role, json=as_json)


def ran(ports: BaselinePorts, given: Namespace) -> tuple[int, str, str]:
    """Exit code, output and errors."""
    terminal = Terminal()
    code = run(given, terminal.console, lambda _: ports)
    return code, terminal.text, terminal.err.getvalue()


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[BaselinePorts]:
    """A stack on moto, with two learned roles that were reported."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        make_state_table("state")
        ports = on_aws({"AWS_REGION": REGION, "STATE_TABLE": "state", "ACCOUNT_ID": "111122223333"})
        items = items_of(WEB, today=TODAY) | items_of(DB, DATABASE, sent=10**9, today=TODAY)
        for key, sets in items.items():
            ports.evidence.add(Addition(key, sets, NOW))
        for each in (known(WEB, "10.0.1.5"), known(DB, "10.0.2.30")):
            ports.roles.put(each)
        ports.evidence.add(reported_addition([WEB, DB], TODAY - 1, more=False))
        yield ports


def test_a_forgotten_role_is_learned_again(stack: BaselinePorts) -> None:
    """Its history and its mark are gone, those of the others stay, and it is reported again later."""
    code, text, _ = ran(stack, options("forget", DB))
    assert (code, "28 items removed" in text) == (SUCCEEDED, True)
    shown = json.loads(ran(stack, options("show", as_json=True))[1])
    rows = {each["role"]: len(each["rows"]) for each in shown["roles"]}
    assert rows[DB] == 0
    assert rows[WEB] > 0
    reported = stack.evidence.read([KEY])[KEY]
    assert reported[ROLES] == {number_of(WEB)}
    roles = stack.roles.load()
    assert {each.role: each.known for each in roles}[DB] == TODAY
    later = TODAY + 16
    assert [each.role for each in candidates(roles, reported, later)] == [DB]
    assert candidates(roles, reported, later - 1) == []


def test_forgetting_twice_does_no_harm(stack: BaselinePorts) -> None:
    """As after a failure half-way."""
    ran(stack, options("forget", DB))
    assert "0 items removed" in ran(stack, options("forget", DB))[1]


def test_before_the_first_report_a_role_can_be_forgotten(stack: BaselinePorts) -> None:
    """No item of reports is created for it."""
    shared("dynamodb").delete_item(TableName="state", Key=key_of(LEARNING_REPORTS.address()))
    assert ran(stack, options("forget", DB))[0] == SUCCEEDED
    assert stack.evidence.read([KEY]) == {}


def test_an_unknown_role_is_an_error() -> None:
    """Nothing is removed."""
    ports = learned_account()
    code, _, errors = ran(ports, options("forget", "tag:Role=dbs"))
    assert (code, "no role 'tag:Role=dbs' is known" in errors) == (UNREADABLE, True)
    assert len(ports.evidence.items) == 42  # type: ignore[attr-defined]


def test_one_role_is_shown() -> None:
    """And not the others."""
    _, text, _ = ran(learned_account(), options("show", DB))
    assert f"Role {DB} " in text
    assert WEB not in text


def test_settings_without_a_table_are_an_error() -> None:
    """The stack is not Flow Warden's."""
    with pytest.raises(SettingsError, match="STATE_TABLE"):
        on_aws({"AWS_REGION": REGION})
