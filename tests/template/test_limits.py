"""Checks of the template that cfn-lint (`make validate`) does not make, and CloudFormation's limits."""

from __future__ import annotations

import re
import tomllib

import yaml

from tests.template import stack

LARGEST = 1_000_000
"""Maximum bytes of a template in a bucket (AWS CloudFormation User Guide, Quotas)."""


def test_no_yaml_aliases_are_used_because_cloudformation_rejects_them() -> None:
    events = list(yaml.parse(stack.TEXT, Loader=yaml.CSafeLoader))
    assert len(events) > 1000
    assert not [each for each in events if getattr(each, "anchor", None)]


def test_the_template_fits_the_limit_for_templates_in_a_bucket() -> None:
    config = tomllib.loads((stack.PROJECT / "samconfig.toml").read_text())
    assert config["default"]["deploy"]["parameters"]["resolve_s3"] is True
    assert len(stack.TEXT.encode()) < LARGEST


def test_all_functions_share_runtime_architecture_and_layers() -> None:
    shared = stack.TEMPLATE["Globals"]["Function"]
    assert shared["Runtime"] == "python3.13"
    assert shared["Architectures"] == [{"Ref": "Architecture"}]
    assert shared["Layers"] == [{"Ref": "DependenciesLayer"}, {"Ref": "FlowwardenLayer"}]
    for name in (f"{each}Function" for each in stack.FUNCTIONS):
        assert not {"Runtime", "Architectures", "Layers"} & set(stack.properties(name))


def test_layers_are_built_for_the_architecture_of_the_functions() -> None:
    makefile = {"BuildMethod": "makefile", "BuildArchitecture": {"Ref": "Architecture"}}
    assert stack.RESOURCES["FlowwardenLayer"]["Metadata"] == makefile
    assert stack.RESOURCES["DependenciesLayer"]["Metadata"] == {
        **makefile,
        "WorkingDirectory": {"Fn::Sub": "layers/dependencies/${Architecture}"},
    }


def test_every_action_of_a_role_has_a_comment_with_its_reason() -> None:
    lines = [
        line
        for role in stack.of_type("AWS::IAM::Role")
        for line in _section(role).splitlines()
        if re.search(r"(?:- |Action: )(?!sts:)[a-z0-9]+:[A-Z][A-Za-z*]+", line)
    ]
    assert len(lines) > 15
    assert [line for line in lines if "  # " not in line] == []


def _section(logical_id: str) -> str:
    """The lines of one resource."""
    after = stack.TEXT.split(f"\n  {logical_id}:\n", 1)[1]
    return re.split(r"\n  [A-Z]", after, maxsplit=1)[0]
