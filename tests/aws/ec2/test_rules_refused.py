"""Each permission of the lookup of rules is taken away: the page goes out, and the rest of it stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError, ReadTimeoutError

from flowwarden.aws.dynamodb import recent_changes
from flowwarden.aws.dynamodb.recent_changes import DynamoDbRecentChanges
from flowwarden.aws.ec2 import rules
from flowwarden.aws.ec2.rules import DescribedRules
from flowwarden.monitor.rules.ports import RuleChanges, RuleDirectory
from flowwarden.notify.notification import Notification
from tests.aws.ec2.test_rules import ACCOUNT, Answering, refused
from tests.monitor.rules import test_pages
from tests.monitor.rules.test_pages import blocked_by, without_rules

CHANGES: Final[Mapping[str, Any]] = {"query": {"Items": []}}
THROTTLED = refused("RequestLimitExceeded", 503)
DENIED = refused("UnauthorizedOperation")
HANGING = ReadTimeoutError(endpoint_url="https://ec2.eu-west-1.amazonaws.com")


def page(actions: Sequence[str] = (), error: Exception = DENIED, *, without: bool = False) -> Notification:
    """The page about a rejected connection, if AWS answers these actions with an error."""
    failing = {xform_name(each.partition(":")[2]): error for each in actions}
    ec2, table = Answering({**ACCOUNT, **failing}), Answering({**CHANGES, **failing})
    directory: RuleDirectory = DescribedRules(lambda: ec2)  # type: ignore[arg-type, return-value]
    changes: RuleChanges = DynamoDbRecentChanges(lambda: table, "state")  # type: ignore[arg-type, return-value]
    account = test_pages.Account(directory=directory, changes=changes)  # type: ignore[arg-type]
    account.process(test_pages.refused(), without=without)
    (sent,) = account.sink.sent
    return sent


def test_with_all_permissions_the_page_names_the_rule() -> None:
    """The other tests take them away."""
    assert blocked_by(page()).startswith("No inbound rule of sg-db (sg-db) allows tcp/5432 from 10.0.1.5")


@pytest.mark.parametrize("action", [*rules.ACTIONS, *recent_changes.ACTIONS])
@pytest.mark.parametrize("error", [DENIED, THROTTLED, HANGING], ids=["denied", "throttled", "hanging"])
def test_a_call_that_fails_leaves_the_page_as_it_is(action: str, error: ClientError) -> None:
    """The rows about the rules state the reason, if they needed the call."""
    sent = page([action], error)
    assert without_rules(sent) == without_rules(page(without=True))
    assert blocked_by(sent)


@pytest.mark.parametrize("error", [DENIED, THROTTLED, HANGING], ids=["denied", "throttled", "hanging"])
def test_without_any_permission_the_page_goes_out(error: ClientError) -> None:
    """It says that the rule is undetermined, and why."""
    sent = page([*rules.ACTIONS, *recent_changes.ACTIONS], error)
    assert without_rules(sent) == without_rules(page(without=True))
    assert blocked_by(sent).startswith("Undetermined: EC2 ")
