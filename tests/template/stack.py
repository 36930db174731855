"""The template as plain dictionaries, and queries that several tests share."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import yaml

import flowwarden.aws

PROJECT = Path(__file__).resolve().parents[2]
BOOTSTRAP = PROJECT / "layers" / "flowwarden" / "flowwarden" / "bootstrap"
PATH = PROJECT / "template.yaml"
TEXT = PATH.read_text()

type Node = dict[str, Any]


class _Loader(yaml.CSafeLoader):
    """YAML with CloudFormation's short functions, such as `!Ref`; dates stay text."""

    yaml_implicit_resolvers: ClassVar = {  # type: ignore[misc]  # it is declared as if each loader had its own
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


def _long(loader: _Loader, name: str, node: yaml.Node) -> Node:
    """The long form of a short function."""
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name if name in {"Ref", "Condition"} else f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _long)


TEMPLATE: Node = yaml.load(TEXT, Loader=_Loader)  # noqa: S506 -- a SafeLoader
PARAMETERS: Node = TEMPLATE["Parameters"]
RESOURCES: Node = TEMPLATE["Resources"]
OUTPUTS: Node = TEMPLATE["Outputs"]

FUNCTIONS = ("Monitor", "Enforcer", "Dispatcher")
QUEUED = ("Monitor", "Enforcer")
"""The functions whose events must not be lost. The dispatcher's say nothing, and are frequent."""


def properties(logical_id: str) -> Node:
    """The properties of a resource."""
    found: Node = RESOURCES[logical_id]["Properties"]
    return found


def of_type(kind: str) -> dict[str, Node]:
    """Properties of all resources of a type, such as `AWS::SQS::Queue`, by logical id."""
    return {name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == kind}


def environment(function: str) -> Node:
    """The variables of a function, one of `FUNCTIONS`, the global ones included."""
    own: Node = properties(f"{function}Function")["Environment"]["Variables"]
    shared: Node = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    return shared | own


def as_list(value: object) -> list[Any]:
    """A list; IAM and CloudFormation accept a single item instead of a list."""
    return value if isinstance(value, list) else [value]


def role_statements(role: str) -> list[Node]:
    """The statements of a role's IAM policies, those under a condition among them."""
    return [
        statement["Fn::If"][1] if "Fn::If" in statement else statement
        for policy in properties(role)["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def actions(statements: Iterable[Node]) -> set[str]:
    """Every action that the statements name."""
    return {action for each in statements for action in as_list(each["Action"])}


def granting(statements: Iterable[Node], action: str) -> Node:
    """The one statement that allows an action."""
    (found,) = [
        each for each in statements if action in as_list(each["Action"]) and each["Effect"] == "Allow"
    ]
    return found


def mentions(node: object, logical_id: str) -> bool:
    """Whether a `Ref`, `GetAtt` or `Sub` below `node` names `logical_id`."""
    return logical_id in set(references(node))


def references(node: object) -> Iterator[str]:
    """Every logical id and parameter that is named below `node`."""
    if isinstance(node, list):
        for each in node:
            yield from references(each)
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _named(key, value)
            yield from references(value)


def _named(key: str, value: Any) -> Iterator[str]:
    if key == "Ref":
        yield value
    elif key == "Fn::GetAtt":
        yield value.partition(".")[0] if isinstance(value, str) else value[0]
    elif key == "Fn::Sub" and isinstance(value, str):
        yield from (part.partition("}")[0].partition(".")[0] for part in value.split("${")[1:])


def declared_actions() -> dict[str, tuple[str, ...]]:
    """The `ACTIONS` of each module of `flowwarden.aws` that calls AWS."""
    modules = [
        importlib.import_module(found.name)
        for found in pkgutil.walk_packages(flowwarden.aws.__path__, "flowwarden.aws.")
    ]
    return {module.__name__: module.ACTIONS for module in modules if hasattr(module, "ACTIONS")}


def imported_by(function: str) -> set[str]:
    """The modules of `flowwarden` that a function's handler and its wiring import."""
    name = function.lower()
    files = [
        PROJECT / "functions" / name / f"{name}.py",
        *(BOOTSTRAP / f"{each}.py" for each in (name, "sinks", *(["policy"] if function in QUEUED else []))),
    ]
    trees = [ast.parse(path.read_text()) for path in files]
    found = (node for tree in trees for node in ast.walk(tree))
    return {node.module for node in found if isinstance(node, ast.ImportFrom) and node.module}
