"""Events on a bus of EventBridge."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from flowwarden.aws.answers import Answer
from flowwarden.aws.delivering import delivered, failed_part

ACTIONS = ("events:PutEvents",)
"""The IAM actions that this file needs."""


class EventBus:
    """One bus."""

    def __init__(self, make_client: Callable[[], Any], name: str, wait: Callable[[float], None]) -> None:
        """Use a bus of the account and Region by its name; `make_client` creates the client."""
        self._make_client = make_client
        self._name = name
        self._wait = wait

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401 - the environment has no stubs of it
        return self._make_client()

    def put(self, source: str, kind: str, detail: str) -> None:
        """Put one event on the bus.

        Args:
            source: the source of the event.
            kind: its detail type.
            detail: a JSON object.

        Raises:
            PublishFailed: EventBridge did not accept it, or did not answer.
        """
        entry = {"Source": source, "DetailType": kind, "Detail": detail, "EventBusName": self._name}
        what = f"event bus {self._name}"
        answer = Answer(delivered(lambda: self._client.put_events(Entries=[entry]), what, self._wait))
        for each in answer.each("Entries"):
            if code := each.text("ErrorCode"):
                raise failed_part(code, each.text("ErrorMessage"), what)
