"""What the runbooks contain: sections, parts written by hand, queries and commands."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import jmespath  # type: ignore[import-untyped]
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

from local.docs_runbook_page import columns, parse_line
from tests.docs.test_commands import blocks
from tests.template import stack

LOGS: Final = {f"log of the {each.lower()}": each.lower() for each in stack.FUNCTIONS}
"""The functions whose log a query reads, by the query's first line."""
FLOWS: Final = "flow logs"
WORDS: Final = {
    "fields",
    "filter",
    "stats",
    "sort",
    "limit",
    "parse",
    "as",
    "by",
    "and",
    "or",
    "in",
    "like",
    "desc",
}
FUNCTIONS: Final = {
    "avg", "bin", "count", "count_distinct", "isPresent", "max", "min", "strcontains", "sum",
}  # fmt: skip
"""Functions of CloudWatch Logs Insights."""
DISCOVERED: Final = {"@timestamp", "@message", "@logStream", "@type", "@duration", "@maxMemoryUsed"}
"""Fields that CloudWatch Logs adds, and those of Lambda's reports."""
POWERTOOLS: Final = {"level", "location", "message", "timestamp", "service"}
"""Members of each line that the Logger of Powertools writes."""
OPTIONS: Final = {"query", "output", "region", "max-items"}
"""Options of the AWS CLI itself."""
CUSTOM: Final = {("create-network-acl-entry", "ingress"), ("create-network-acl-entry", "egress")}
"""Options that the AWS CLI has in place of a parameter of the API."""
_LITERAL: Final = re.compile(r'"[^"]*"|/(?:\\.|[^/\\])+/')
_WORD: Final = re.compile(r"(?<![\w@.])@?[A-Za-z_]\w*(\()?")


def part(page: str, name: str) -> str:
    """What is written by hand in a part of a page."""
    (found,) = re.findall(rf"<!-- by hand: {name} -->\n(.*?)<!-- end -->", page, re.DOTALL)
    return str(found)


def sections(page: str) -> list[str]:
    """The headings of a page's sections, in order; a comment of a command is not one."""
    return re.findall(r"^## (.+)$", page, re.MULTILINE)


def queries(path: Path) -> list[str]:
    """The queries of a page."""
    return blocks(path, "insights")


def problems_of(query: str) -> list[str]:
    """What is wrong with a query: its log group, its parsing of flow logs, names of fields and functions."""
    first, _, text = query.partition("\n")
    log = first.removeprefix("# ")
    if log == FLOWS:
        known, head = set(columns()), text.partition("\n")[0]
        if head != parse_line():
            return [f"it does not begin with the fields of the log format: {head[:60]}"]
        text = text.partition("\n")[2]
    elif log in LOGS:
        known = POWERTOOLS | logged_by(LOGS[log])
    else:
        return [f"it does not say in which log group it runs: {first}"]
    return [f"unknown: {name}" for name in _names(text, known)]


def _names(text: str, known: set[str]) -> Iterator[str]:
    """The names in a query that mean nothing."""
    text = _LITERAL.sub('""', text)
    known = known | DISCOVERED | set(re.findall(r"\bas (\w+)", text))
    for match in _WORD.finditer(text):
        name = match[0].removesuffix("(")
        if name not in (FUNCTIONS if match[1] and name not in WORDS else known | WORDS):
            yield name


@cache
def logged_by(function: str) -> set[str]:
    """The members that a handler adds to its lines: names of keyword arguments, an upper bound."""
    source = stack.PROJECT / "functions" / function / f"{function}.py"
    calls = (node for node in ast.walk(ast.parse(source.read_text())) if isinstance(node, ast.Call))
    return {each.arg for call in calls for each in call.keywords if each.arg}


def commands(path: Path) -> Iterator[list[str]]:
    """The words of each command of a page that calls AWS, inside functions too."""
    for block in blocks(path, "sh"):
        for line in block.splitlines():
            for call in re.findall(r"(?:^|[{(] ?)(aws [^#]*?)(?:; }|$)", line):
                yield shlex.split(call)


@cache
def service_of(name: str) -> ServiceModel:
    """A service of AWS, as the SDK describes it: up to 10 MB of JSON, so it is read once."""
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


def operation_of(words: list[str]) -> OperationModel | None:
    """The operation that a command calls; None if the service has none of this name."""
    service = service_of(words[1])
    names = {xform_name(each, "-"): each for each in service.operation_names}
    return service.operation_model(names[words[2]]) if words[2] in names else None


def problems_with(words: list[str]) -> list[str]:
    """What is wrong with a command: operation, options, or the expression of `--query`."""
    operation = operation_of(words)
    if operation is None:
        return [f"no operation {words[2]}"]
    members = operation.input_shape.members if operation.input_shape else {}
    known = {xform_name(each, "-") for each in members} | OPTIONS
    given = [word.removeprefix("--") for word in words[3:] if word.startswith("--")]
    unknown = [each for each in given if each not in known and (words[2], each) not in CUSTOM]
    return [*(f"no option --{each}" for each in unknown), *_query_problems(words, operation)]


def _query_problems(words: list[str], operation: OperationModel) -> Iterator[str]:
    if "--query" not in words:
        return
    expression = words[words.index("--query") + 1]
    jmespath.compile(expression)
    first = re.match(r"(?:sort_by\()?(\w+)", expression)
    if first and operation.output_shape and first[1] not in operation.output_shape.members:
        yield f"no member {first[1]} in the answer"
