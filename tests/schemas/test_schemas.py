"""The published schemas: every document fits its own, which describes all members, and has its version."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from flowwarden.dispatcher.digest_place import DOCUMENT_VERSION as OF_DIGESTS
from flowwarden.dispatcher.resolved import DOCUMENT_VERSION as OF_RESOLVED
from flowwarden.dispatcher.trial_page import DOCUMENT_VERSION as OF_TESTS
from flowwarden.enforcer.reporting.notification import DOCUMENT_VERSION as OF_ENFORCEMENT
from flowwarden.monitor.render.parts import DOCUMENT_VERSION as OF_INCIDENTS
from flowwarden.monitor.review.text import DOCUMENT_VERSION as OF_LEARNING
from flowwarden.policy.expired_mutes import DOCUMENT_VERSION as OF_MUTES
from flowwarden.policy.last_good import DOCUMENT_VERSION as OF_POLICIES
from local import docs_schemas
from local.docs_schemas import SENT
from tests.schemas.documents import SCHEMAS, examples
from tests.schemas.validator import RULES, problems

FOLDER: Final = Path(__file__).parents[2] / "docs" / "schemas"
VERSIONS: Final = {
    "incident": OF_INCIDENTS, "resolved": OF_RESOLVED, "several-resolved": OF_RESOLVED,
    "hourly-digest": OF_DIGESTS, "daily-digest": OF_DIGESTS, "test": OF_TESTS, "enforcement": OF_ENFORCEMENT,
    "learning-report": OF_LEARNING, "policy": OF_POLICIES, "mute-expired": OF_MUTES,
}  # fmt: skip


@cache
def documents() -> list[tuple[str, dict[str, Any]]]:
    """All examples."""
    return [*examples()]


@cache
def schema(name: str) -> dict[str, Any]:
    """A published schema."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}-1.json").read_text())
    return found


def strict(rules: Any) -> Any:
    """The same schema, which allows no member that it does not describe."""
    if isinstance(rules, list):
        return [strict(each) for each in rules]
    if not isinstance(rules, dict):
        return rules
    same = {name: strict(each) for name, each in rules.items()}
    return {"additionalProperties": False, **same} if isinstance(same.get("properties"), dict) else same


def test_every_schema_is_listed_and_has_examples() -> None:
    """And there is no other file."""
    of_command = {docs_schemas.path_of(name).name for name in docs_schemas.TYPES}
    assert {each.name for each in FOLDER.glob("*.json")} - of_command == {
        f"{name}-1.json" for name in SCHEMAS
    }
    page = (FOLDER / "README.md").read_text()
    assert all(f"[{name}-1.json]({name}-1.json)" in page for name in SCHEMAS)
    assert Counter(name for name, _ in documents()).keys() == {*SCHEMAS}


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_document_fits_its_schema(name: str) -> None:
    """And has no member that the schema does not describe."""
    for document in (each for kind, each in documents() if kind == name):
        assert problems(document, schema(name)) == []
        assert problems(document, strict(schema(name))) == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_document_that_lacks_a_required_member_does_not_fit(name: str) -> None:
    """Nor one with a member of another type; further members are allowed."""
    document = next(each for kind, each in documents() if kind == name)
    assert len(schema(name)["required"]) > 3
    for member in schema(name)["required"]:
        assert problems({key: each for key, each in document.items() if key != member}, schema(name))
        assert problems(document | {member: ...}, schema(name))
    assert problems(document | {"added_later": 1}, schema(name)) == []


@pytest.mark.parametrize("name", VERSIONS)
def test_the_version_of_a_document_is_that_of_its_schema(name: str) -> None:
    """A new version has a new file."""
    assert VERSIONS[name] == "1"
    assert schema(name)["properties"]["version"]["enum"] == ["1"]


GOLDEN: Final = {"replay": "replay-document", "explain": "explain-json", "interfaces": "replay-json"}


@pytest.mark.parametrize("name", GOLDEN)
def test_what_the_command_prints_fits_its_schema(name: str) -> None:
    """In the golden file of its output; one without a required member does not."""
    text = (FOLDER.parents[1] / "tests" / "cli" / "golden" / f"{GOLDEN[name]}.txt").read_text()
    document, _ = json.JSONDecoder().raw_decode(text[text.index("{") :])
    assert problems(document, schema(name)) == []
    required = schema(name)["$defs"][schema(name)["$ref"].rpartition("/")[2]]["required"]
    assert all(
        problems({key: each for key, each in document.items() if key != member}, schema(name))
        for member in required
    )


def test_the_page_lists_every_kind_of_document() -> None:
    """Subscribers filter by the attribute `kind`: one that they do not know gets lost."""
    page = (FOLDER.parents[0] / "notifications.md").read_text()
    _, _, begin = page.partition("## Message attributes")
    table = [line.split(" | ") for line in begin.partition("```")[0].splitlines() if line.startswith("| ")]
    listed = {kind for row in table for cell in row[1:] for kind in re.findall("`([a-z-]+)`", cell)}
    assert {each["kind"] for _, each in documents()} <= listed
    assert "of-the-future" not in listed


def test_every_schema_has_a_version() -> None:
    """A receiver must see it in each document."""
    assert VERSIONS.keys() == {*SCHEMAS}


@pytest.mark.parametrize("name", SENT)
def test_the_schema_is_that_of_the_type(name: str) -> None:
    """Not one of the examples: a member that all examples lack or have empty would have the wrong type."""
    assert docs_schemas.path_of(name).read_text() == docs_schemas.schema(name), "run make docs"


def test_a_receiver_accepts_documents_that_differ_from_the_examples() -> None:
    """Detectors, owners and fields that no example has; several incidents of different detectors and VPCs."""
    hourly = next(each for kind, each in documents() if kind == "hourly-digest")
    other = {"findings": 1, "batches_at_least": 1}
    assert problems(hourly | {"detectors": {"of-the-future": other}}, schema("hourly-digest")) == []
    assert problems(hourly | {"detectors": {"of-the-future": 1}}, schema("hourly-digest"))
    several = next(each for kind, each in documents() if kind == "several-resolved")
    common = {name: each for name, each in several.items() if name not in {"detector", "vpc", "account"}}
    assert problems(common, schema("several-resolved")) == []


def test_what_no_record_shows_may_be_null() -> None:
    """Times and counts, if the log format does not contain them."""
    document = next(each for kind, each in documents() if kind == "incident")
    unknown = dict.fromkeys(("first", "last", "connections", "packets", "bytes"))
    assert problems(document | unknown, schema("incident")) == []
    assert problems(document | {"summary": None}, schema("incident"))


def test_an_unknown_keyword_is_an_error() -> None:
    """No rule of a schema is ignored."""
    with pytest.raises(KeyError):
        problems({}, {"minProperties": 1})
    assert "required" in RULES
