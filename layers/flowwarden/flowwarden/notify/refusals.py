"""How each function logs what sinks refuse, and counts it in one metric, whose alarm tells operations.

The logger and the metrics of the functions are given: the package has neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

FINAL: Final = "notification refused; it is not sent there again"
END: Final = "notification of an end refused; it is tried again for a day"
GIVEN_UP: Final = "notification of an end refused for a day; the incident stays open there"
"""The messages of the log. The runbook of the alarm searches for them."""
METRIC: Final = "NotificationsRefused"
NAMESPACE: Final = "FlowWarden"


def report(
    refused: Mapping[str, Sequence[str]],
    service: str,
    log: Callable[..., None],
    metric: Callable[..., AbstractContextManager[Any]],
) -> None:
    """Log titles of notifications by message, and count them.

    Args:
        refused: the titles, with the reason.
        service: the name of the function in its metrics: the name of the stack, a hyphen, and its own.
        log: writes a line with a message and members.
        metric: emits one metric; see `single_metric` of Powertools.
    """
    for message, titles in refused.items():
        for title in titles:
            log(message, notification=title)
    count = sum(map(len, refused.values()))
    if not count:
        return
    stack, hyphen, _ = service.rpartition("-")
    of_all_functions = {"service": f"{stack}{hyphen}sinks"}
    with metric(
        name=METRIC, unit="Count", value=count, namespace=NAMESPACE, default_dimensions=of_all_functions
    ):
        pass
