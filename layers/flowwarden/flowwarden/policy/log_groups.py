"""Existing log groups that the monitor reads: names and patterns, and those that it must never read. Pure.

A log group that receives what functions write is never read: the monitor writes a line for each batch, so
reading its own output would be an endless loop, and the lines of other functions are no flow records. AWS's
services copy that output to groups of their own, such as that of Lambda Insights. A pattern that could match
such a group is refused, so no invoke permission covers one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

ANYTHING: Final = "*"
"""At the end of a pattern."""
FUNCTIONS: Final = (
    "/aws/lambda",  # the functions' log groups, and /aws/lambda-insights, which gets lines about each run
    "/aws/application-signals/",  # metrics of each run of an instrumented function
    "aws/spans",  # the traces of each run
    "sns/",  # the delivery status of each notification that a function sends
)
"""Prefixes of the log groups that receive what functions write, or lines about their runs."""
MOST: Final = 20
"""Names and patterns in a policy. Each is a statement of the monitor's resource policy, which may have 20 KB
(AWS Lambda, Quotas)."""
_NAME: Final = re.compile(r"[A-Za-z0-9_./#-]{1,512}")


class LogGroupSelection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Existing log groups of this account and Region, by name and tags.

    A selection of other accounts would be another member: `name` and `tags` do not depend on the account.
    """

    name: str
    """The name of a log group, or a pattern: the beginning of names, then `*`."""
    tags: dict[str, str] = {}
    """Tags that the log group must have, all of them; the value `*` matches any value."""

    @property
    def is_pattern(self) -> bool:
        """Whether the name is a pattern."""
        return self.name.endswith(ANYTHING)

    @property
    def prefix(self) -> str:
        """What the names of the groups begin with; the whole name if it is no pattern."""
        return self.name.removesuffix(ANYTHING)


TELEMETRY_RULES: Final = LogGroupSelection(name="/aws/vpc/*")
"""Where the telemetry enablement rules of CloudWatch deliver flow logs by default."""


def is_of_function(log_group: str) -> bool:
    """Whether a log group, by its name, receives what Lambda functions write, or lines about their runs."""
    return log_group.startswith(FUNCTIONS)


def matches(name_or_pattern: str, log_group: str) -> bool:
    """Whether a name or pattern names this log group; never if it is that of a function."""
    if is_of_function(log_group):
        return False
    if name_or_pattern.endswith(ANYTHING):
        return log_group.startswith(name_or_pattern.removesuffix(ANYTHING))
    return log_group == name_or_pattern


def covers(name_or_pattern: str, other: str) -> bool:
    """Whether everything that `other` names, which may be a pattern, is named by the first one, too."""
    if name_or_pattern.endswith(ANYTHING):
        return other.startswith(name_or_pattern.removesuffix(ANYTHING))
    return name_or_pattern == other


def problem_of(name_or_pattern: str) -> str:
    """Why a name or pattern is refused; '' if it is not."""
    prefix = name_or_pattern.removesuffix(ANYTHING)
    is_pattern = prefix != name_or_pattern
    if is_of_function(prefix) or (is_pattern and any(each.startswith(prefix) for each in FUNCTIONS)):
        which = ", ".join(f"{each}*" for each in FUNCTIONS)
        return (
            f"it names log groups of functions ({which}), which the monitor must not read; write the "
            "name of a log group of flow logs, or a narrower pattern such as /aws/vpc/*"
        )
    if not _NAME.fullmatch(prefix):
        return (
            "write 1 to 512 letters, digits and _ . # / -, such as /vpc/flow-logs, or a pattern that ends "
            "with *, such as /aws/vpc/*"
        )
    return ""


def problems(selections: Sequence[LogGroupSelection]) -> Iterator[tuple[str, str]]:
    """What is refused, each as its place in the list and the problem."""
    if len(selections) > MOST:
        yield "", f"{len(selections)} names and patterns; write at most {MOST}: a pattern may replace names"
    first: dict[str, int] = {}
    for number, each in enumerate(selections):
        if problem := problem_of(each.name):
            yield f"[{number}].name", f"{each.name!r}; {problem}"
        elif first.setdefault(each.name, number) != number:
            yield f"[{number}].name", f"{each.name!r}; it is in the list twice: write it once"
        for key, value in each.tags.items():
            if not key.strip() or not value:
                yield f"[{number}].tags", f"{key!r}: {value!r}; write a key and a value, or * for any value"


def selecting(selections: Iterable[LogGroupSelection], log_group: str) -> list[LogGroupSelection]:
    """The selections whose name or pattern names this log group."""
    return [each for each in selections if matches(each.name, log_group)]
