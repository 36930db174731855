"""Problems of the delivery role, and what cannot be determined about it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.enforcer.decide.delivery_role import NEEDED, DeliveryRole, role_doubts, role_problems
from flowwarden.enforcer.decide.iam_policy import AccessRequest, Permitted, Statement, evaluate
from tests.enforcer.fakes import ACCOUNT, GROUP, LETS_WRITE, SOUND_ROLE, STACK

ARN = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:{GROUP}"
REMEDY = "redeploy the stack flow-warden"
ALL_NEEDED = "logs:CreateLogStream, logs:PutLogEvents, logs:DescribeLogStreams"
READING = AccessRequest(action="logs:GetLogEvents", resources=("arn:one",))


def allow(**changes: Any) -> Statement:
    """A statement that allows the role to write, with changes."""
    return replace(LETS_WRITE, **changes)


def deny(**changes: Any) -> Statement:
    """The same statement as a Deny."""
    return replace(LETS_WRITE, allows=False, **changes)


def problems(*statements: Statement, **changes: Any) -> list[str]:
    """The problems and doubts of a role with these statements."""
    role = replace(SOUND_ROLE, statements=statements, **changes)
    return [*role_problems(role, STACK), *(what for _, what in role_doubts(role, STACK))]


@pytest.mark.parametrize(
    "statements",
    [
        (allow(resources=(f"{ARN}:*", f"{ARN}-*:*")),),
        (allow(resources=("arn:*:logs:*:*:log-group:/flow-warden/*",)),),
        (allow(resources=(f"arn:aws:logs:eu-west-?:{ACCOUNT}:log-group:*",)),),
        (allow(actions=("logs:*",)),),
        (allow(actions=("*",)),),
        (allow(actions=("LOGS:createlogstream", "logs:Put*", "logs:Describe??gStreams")),),
        tuple(allow(actions=(each,)) for each in NEEDED),
        (allow(), deny(resources=("arn:aws:s3:::*",))),
        (allow(), deny(actions=("logs:Delete*", "logs:Get*"))),
        (allow(), deny(actions=(), not_actions=("logs:*",))),
        (allow(), deny(resources=(), not_resources=(f"{ARN}:*",))),
    ],
)
def test_a_role_that_may_write_is_sound(statements: tuple[Statement, ...]) -> None:
    """Any pattern that matches is enough, and it does not matter what else is denied."""
    assert problems(*statements) == []


@pytest.mark.parametrize(
    "statements",
    [
        (allow(conditional=True),),
        (allow(actions=(), not_actions=("iam:*",)),),
        (allow(resources=(), not_resources=("arn:aws:s3:::*",)),),
        (allow(resources=(ARN,)),),
        (allow(resources=(f"{ARN}:log-stream:eni-*",)),),
        (allow(resources=("arn:aws:logs:*:${aws:PrincipalAccount}:*",)),),
        (allow(), deny(conditional=True)),
        (allow(), deny(actions=(), not_actions=("s3:*",))),
        (allow(), deny(resources=(), not_resources=("arn:aws:s3:::*",))),
        (allow(), deny(resources=(ARN,))),
    ],
)
def test_an_undetermined_permission_is_not_a_problem(statements: tuple[Statement, ...]) -> None:
    """Records show whether the role works."""
    assert problems(*statements) == []


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ((), f"no longer allows {ALL_NEEDED}"),
        ((allow(actions=("s3:*",)),), f"no longer allows {ALL_NEEDED}"),
        ((allow(resources=(f"{ARN}-2:*",)),), f"no longer allows {ALL_NEEDED}"),
        ((allow(actions=(), not_actions=("logs:*",)),), f"no longer allows {ALL_NEEDED}"),
        ((allow(actions=NEEDED[:1]),), "no longer allows logs:PutLogEvents, logs:DescribeLogStreams"),
        ((allow(actions=("logs:PutLogEvent",)),), f"no longer allows {ALL_NEEDED}"),
        ((allow(), deny()), f"is denied {ALL_NEEDED} by one of its policies"),
        ((deny(actions=("logs:Put*",)), allow()), "is denied logs:PutLogEvents by one"),
        ((allow(), deny(resources=(f"{ARN}:*",))), f"is denied {ALL_NEEDED}"),
    ],
)
def test_a_role_that_may_not_write_is_reported_with_the_missing_actions(
    statements: tuple[Statement, ...], expected: str
) -> None:
    """A Deny overrides every Allow; the text contains the remedy."""
    (problem,) = problems(*statements)
    assert expected in problem
    assert REMEDY in problem


def test_a_policy_that_could_not_be_read_may_allow_and_hides_no_denial() -> None:
    """The text states that the permissions are unknown."""
    (unknown,) = problems(unread=("GetPolicy: AccessDenied",))
    assert "it is unknown whether the delivery role delivery may write" in unknown
    assert "GetPolicy: AccessDenied" in unknown
    denied, still = problems(deny(), unread=("GetPolicy: AccessDenied",))
    assert ("is denied" in denied, "it is unknown" in still) == (True, True)


def test_a_role_that_is_missing_untrusted_or_bounded_is_reported() -> None:
    """Each text contains the remedy."""
    found = [
        *role_problems(None, STACK),
        *role_problems(replace(SOUND_ROLE, trusted=("lambda.amazonaws.com",)), STACK),
        *problems(LETS_WRITE, boundary="arn:boundary"),
    ]
    for problem, part in zip(
        found, ("does not exist", "no longer trusts", "boundary arn:boundary"), strict=True
    ):
        assert part in problem
        assert REMEDY in problem
    assert list(role_problems(SOUND_ROLE, STACK)) == []
    assert len(list(role_problems(DeliveryRole(), STACK))) == 2


@pytest.mark.parametrize(
    ("statements", "answer"),
    [
        ([], Permitted.NO),
        ([Statement(allows=True, actions=("logs:Get*",), resources=("arn:*",))], Permitted.YES),
        ([Statement(allows=True, actions=("logs:Get*",), resources=("ARN:*",))], Permitted.NO),
        ([Statement(allows=True, actions=("logs:Get*",))], Permitted.NO),
        ([Statement(allows=True, actions=("logs:Get.*",), resources=("arn:one",))], Permitted.NO),
        ([Statement(allows=True, actions=("logs:Get[L]ogEvents",), resources=("*",))], Permitted.NO),
    ],
)
def test_patterns_follow_iam(statements: list[Statement], answer: Permitted) -> None:
    """Actions ignore case, resources do not; `*` and `?` are the only wildcards."""
    assert evaluate(statements, READING) is answer


@given(st.text("ab*?:", max_size=12), st.text("ab:", max_size=12))
def test_a_pattern_matches_like_the_equivalent_regular_expression(pattern: str, value: str) -> None:
    """This holds for any position of the stars."""
    same = re.sub(r"\*+", ".*", re.sub(r"\?", ".", pattern))
    statement = Statement(allows=True, actions=("*",), resources=(pattern,))
    fits = evaluate([statement], AccessRequest(action="logs:Put", resources=(value,))) is Permitted.YES
    assert fits is bool(re.fullmatch(same, value))


@pytest.mark.parametrize(
    "pattern", ["*-" * 2000 + "x", "*" * 6000 + "x", "arn:" + "*:" * 30 + "none", "*?" * 3000]
)
def test_no_pattern_takes_long(pattern: str) -> None:
    """Otherwise a role's policy could stop the enforcer, and this test would not end."""
    value = f"{ARN}:log-stream:" + "-:" * 100
    statement = Statement(allows=True, actions=("*",), resources=(pattern,))
    assert evaluate([statement], AccessRequest(action="logs:Put", resources=(value,))) is Permitted.NO


def test_an_unreadable_statement_is_not_a_problem() -> None:
    """This holds for Allow and Deny."""
    assert problems(allow(actions=(), unclear=True)) == []
    assert problems(allow(), deny(unclear=True)) == []
