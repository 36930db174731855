"""The texts of the enforcer change only on purpose."""

from __future__ import annotations

import pytest

from flowwarden.enforcer.reporting.notification import HEADINGS
from tests.enforcer.reporting.examples import EXAMPLES
from tests.enforcer.reporting.golden import FOLDER, page_of, path_of


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_text_equals_its_golden_file(name: str) -> None:
    """If the change is intended, run `make golden` and review the difference."""
    assert page_of(name) == path_of(name).read_text()


def test_every_example_has_a_golden_file_and_every_file_an_example() -> None:
    """No golden file is missing or left over."""
    assert {each.name for each in FOLDER.iterdir()} == {path_of(name).name for name in EXAMPLES}


def test_the_golden_files_have_every_heading() -> None:
    """Each result that is listed in a notification appears in a golden file."""
    texts = "".join(path_of(name).read_text() for name in EXAMPLES)
    assert [heading for _, heading in HEADINGS if heading not in texts] == []
