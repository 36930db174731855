"""A packed build has the same code and the same template as the build."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from local.packing import pack

TEMPLATE = """
Resources:
  Role: {Type: AWS::IAM::Role, Properties: {Version: 2012-10-17}}
  Empty: {Type: AWS::SNS::Topic}
  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: Libraries}}
  Function: {Type: AWS::Serverless::Function, Properties: {CodeUri: Code, Handler: 'a.b'}}
  Elsewhere: {Type: AWS::Serverless::Function, Properties: {CodeUri: 's3://bucket/code.zip'}}
"""


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A build with one function and one layer."""
    for name, content in (
        ("Code/a.py", "b = 1\n"),
        ("Libraries/python/deep/c.py", ""),
        ("Libraries/run", "!"),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (tmp_path / "Libraries" / "run").chmod(0o755)
    template = tmp_path / "template.yaml"
    template.write_text(TEMPLATE)
    return template


def properties(packed: Path) -> dict[str, Any]:
    """The properties of each resource."""
    resources = json.loads(packed.read_text())["Resources"]
    return {name: each.get("Properties") for name, each in resources.items()}


def test_code_is_in_zip_files_beside_the_template(built: Path) -> None:
    """Every file is in it, with its content and its permissions."""
    packed = pack(built)
    found = properties(packed)
    with ZipFile(packed.parent / found["Function"]["CodeUri"]) as code:
        assert [(each.filename, code.read(each)) for each in code.infolist()] == [("a.py", b"b = 1\n")]
    with ZipFile(packed.parent / found["Layer"]["ContentUri"]) as layer:
        modes = {each.filename: oct(each.external_attr >> 16)[-3:] for each in layer.infolist()}
    assert modes.keys() == {"python/deep/c.py", "run"}
    assert modes["run"] == "755"


def test_the_rest_of_the_template_is_unchanged(built: Path) -> None:
    """Also a date, which YAML does not read as a text, and code that is no folder of the build."""
    found = properties(pack(built))
    assert found["Role"] == {"Version": "2012-10-17"}
    assert found["Empty"] is None
    assert found["Elsewhere"] == {"CodeUri": "s3://bucket/code.zip"}
    assert found["Function"]["Handler"] == "a.b"


def test_a_build_is_packed_once(built: Path) -> None:
    """A second deployment uploads the same files; one that was interrupted is packed again."""
    packed = pack(built)
    before = {each.name: each.stat().st_mtime_ns for each in packed.parent.iterdir()}
    assert pack(built) == packed
    assert {each.name: each.stat().st_mtime_ns for each in packed.parent.iterdir()} == before
    packed.unlink()
    assert pack(built) == packed
    assert packed.exists()
