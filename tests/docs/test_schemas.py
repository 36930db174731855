"""The published schemas of what the command prints are those of the types."""

from __future__ import annotations

import pytest

from local.docs_schemas import FOLDER, TYPES, path_of, schema


@pytest.mark.parametrize("name", TYPES)
def test_the_schema_is_that_of_the_type(name: str) -> None:
    """Run `make docs` if it is not."""
    assert path_of(name).read_text() == schema(name)


@pytest.mark.parametrize("name", TYPES)
def test_the_list_of_schemas_contains_it(name: str) -> None:
    """Beside those of the notifications."""
    assert f"[{name}.json]({name}.json)" in (FOLDER / "README.md").read_text()
