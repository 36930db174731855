"""The published JSON schemas are those of the documents."""

from __future__ import annotations

import pytest

from local.docs_schemas import FOLDER, TYPES, schema


@pytest.mark.parametrize("name", TYPES)
def test_the_schema_is_that_of_the_type(name: str) -> None:
    """Run `make docs` if it is not."""
    assert (FOLDER / f"{name}.schema.json").read_text() == schema(name)


def test_there_is_no_other_schema() -> None:
    """A file that nothing writes would not be kept up to date."""
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.schema.json" for name in TYPES}
