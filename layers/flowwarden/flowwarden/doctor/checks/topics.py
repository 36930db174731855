"""Whether notifications reach a receiver: the topics and their subscriptions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.facts import Facts, Topic
from flowwarden.doctor.fixes import RESTORE
from flowwarden.doctor.line import Found, Problem, Verdict

PAGES: Final = "pages"
CHAT: Final = "chat"

_SUBSCRIBE: Final = (
    "aws sns subscribe --topic-arn {arn} --protocol email --notification-endpoint ADDRESS --region "
    "{region}, and confirm it"
)
_CONFIRM: Final = (
    "follow the link in the message that SNS sent, which is valid for 2 days; to get a new one, subscribe "
    "again: "
)

MISSING: Final = Problem(
    name="topic-missing", verdict=Verdict.FAILED, text="the topic does not exist", fix=RESTORE
)
PAGES_UNSUBSCRIBED: Final = Problem(
    name="pages-unsubscribed",
    verdict=Verdict.FAILED,
    text="the topic has no subscription, so pages reach no receiver",
    fix=_SUBSCRIBE,
)
OPERATIONS_UNSUBSCRIBED: Final = Problem(
    name="operations-unsubscribed",
    verdict=Verdict.WARNING,
    text="the topic has no subscription, so alarms, reports and digests reach no receiver",
    fix=_SUBSCRIBE,
)
CHAT_UNSUBSCRIBED: Final = Problem(
    name="chat-unsubscribed",
    verdict=Verdict.FAILED,
    text="the topic has no subscription, so Amazon Q Developer gets no notification",
    fix="in Amazon Q Developer in chat applications, add the topic {arn} to the configuration of a channel",
)
UNCONFIRMED: Final = Problem(
    name="topic-unconfirmed",
    verdict=Verdict.FAILED,
    text="no subscription of the topic is confirmed, so notifications reach no receiver; pending: {pending}",
    fix=f"{_CONFIRM}{_SUBSCRIBE}",
)
PARTLY: Final = Problem(
    name="topic-partly-confirmed",
    verdict=Verdict.WARNING,
    text="subscriptions of the topic wait for their confirmation: {pending}; confirmed: {confirmed}",
    fix=f"{_CONFIRM}{_SUBSCRIBE}",
)


_UNSUBSCRIBED: Final = {PAGES: PAGES_UNSUBSCRIBED, CHAT: CHAT_UNSUBSCRIBED}


def _judge(name: str, topic: Topic, _facts: Facts) -> Iterator[Found]:
    if topic.pending and not topic.confirmed:
        yield UNCONFIRMED.of(pending=topic.pending, arn=topic.arn)
    elif topic.pending:
        yield PARTLY.of(pending=topic.pending, confirmed=topic.confirmed, arn=topic.arn)
    elif not topic.confirmed:
        yield _UNSUBSCRIBED.get(name, OPERATIONS_UNSUBSCRIBED).of(arn=topic.arn)


CHECK: Final = Check(
    name="topics",
    verifies="each topic exists, and has subscriptions, all of them confirmed",
    sound="subscriptions are confirmed",
    subjects=lambda facts: facts.topics,
    judge=_judge,
    missing=MISSING,
    problems=(MISSING, PAGES_UNSUBSCRIBED, OPERATIONS_UNSUBSCRIBED, CHAT_UNSUBSCRIBED, UNCONFIRMED, PARTLY),
)
