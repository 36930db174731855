"""FilterLogEvents: on moto, which pages, and refused."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from botocore.stub import Stubber
from moto import mock_aws

from flowwarden.aws.log_events import PAUSE, LogEvents
from flowwarden.errors import DamagedSource, SourceNotOpened
from tests.aws.clients import session

if TYPE_CHECKING:  # importing the stubs takes half a second
    from mypy_boto3_logs.type_defs import InputLogEventTypeDef

GROUP = "/flow-warden/flow-logs"
BEGIN = 1_700_000_000


def test_the_messages_of_all_streams_within_the_time_are_read() -> None:
    """None before it and none after it. Moto, as AWS, drops events that are older than two weeks."""
    begin = int(time.time()) - 3600
    with mock_aws():
        logs = session().client("logs")
        logs.create_log_group(logGroupName=GROUP)
        for stream in ("eni-1-all", "eni-2-all"):
            logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
            events: list[InputLogEventTypeDef] = [
                {"timestamp": (begin + at) * 1000, "message": f"{stream} {at}"} for at in (-1, 0, 59, 60)
            ]
            logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)
        reader = LogEvents(logs, lambda _: None)
        pages = [*reader.messages(GROUP, begin, begin + 60)]
        first, second = (
            [each for page in reader.events(GROUP, begin, begin + 60) for each in page] for _ in range(2)
        )
    found = [message for page in pages for message in page]
    assert sorted(found) == ["eni-1-all 0", "eni-1-all 59", "eni-2-all 0", "eni-2-all 59"]
    assert sorted(each.at // 1000 - begin for each in first) == [0, 0, 59, 59]
    assert len({each.id for each in first}) == len(first)
    assert {each.id for each in second} == {each.id for each in first}, "an event has the same id each time"


def event(message: str) -> dict[str, object]:
    """An event of a response."""
    return {"timestamp": BEGIN * 1000, "message": message}


def test_there_is_a_pause_between_two_calls() -> None:
    """An empty page is not the end."""
    logs, waited = session().client("logs"), list[float]()
    with Stubber(logs) as stub:
        stub.add_response("filter_log_events", {"events": [event("a")], "nextToken": "1"})
        stub.add_response("filter_log_events", {"events": [], "nextToken": "2"})
        stub.add_response("filter_log_events", {"events": [event("b")]})
        assert [*LogEvents(logs, waited.append).messages(GROUP, BEGIN, BEGIN + 60)] == [["a"], ["b"]]
    assert waited == [PAUSE] * 2


def test_a_first_call_that_is_refused_says_why() -> None:
    """Such as for a log group that does not exist."""
    logs = session().client("logs")
    with Stubber(logs) as stub:
        stub.add_client_error("filter_log_events", "ResourceNotFoundException", "no such group")
        with pytest.raises(SourceNotOpened, match="log group /flow-warden/flow-logs: FilterLogEvents: "):
            [*LogEvents(logs, lambda _: None).messages(GROUP, BEGIN, BEGIN + 60)]


def test_what_was_read_before_a_refused_call_is_kept() -> None:
    """The result is then incomplete, which is an error of the source."""
    logs, found = session().client("logs"), list[list[str]]()
    with Stubber(logs) as stub:
        stub.add_response("filter_log_events", {"events": [event("a")], "nextToken": "1"})
        stub.add_client_error("filter_log_events", "AccessDeniedException", "denied")
        with pytest.raises(DamagedSource, match="the 1 pages before it were read"):
            found.extend(LogEvents(logs, lambda _: None).messages(GROUP, BEGIN, BEGIN + 60))
    assert found == [["a"]]


def test_a_token_that_returns_ends_the_reading_with_an_error() -> None:
    """A listing that never ends would never print a result."""
    logs = session().client("logs")
    with Stubber(logs) as stub:
        for token in ("1", "2", "1"):
            stub.add_response("filter_log_events", {"events": [event("a")], "nextToken": token})
        with pytest.raises(DamagedSource):
            [*LogEvents(logs, lambda _: None).messages(GROUP, BEGIN, BEGIN + 60)]
