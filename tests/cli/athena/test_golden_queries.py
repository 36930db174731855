"""The queries change only on purpose."""

from __future__ import annotations

import pytest

from tests.cli.athena.golden import FOLDER, path_of, texts

TEXTS = texts()


@pytest.mark.parametrize("name", TEXTS)
def test_a_query_equals_its_golden_file(name: str) -> None:
    """If the change is intended, run `make golden` and review the difference."""
    assert f"{TEXTS[name]}\n" == path_of(name).read_text()


def test_every_query_has_a_golden_file_and_every_file_a_query() -> None:
    """None is left over."""
    assert {each.name for each in FOLDER.iterdir()} == {path_of(name).name for name in TEXTS}
