"""CONTRIBUTING.md lists every module with its first sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from local import docs_modules


def test_the_list_is_up_to_date() -> None:
    """If this fails, run `make docs`."""
    text = docs_modules.PAGE.read_text()
    assert docs_modules.page(text) == text


def test_every_module_of_the_product_is_listed() -> None:
    """By its name, under its folder."""
    text = docs_modules.page("")
    for folder in docs_modules.FOLDERS:
        for path in (docs_modules.ROOT / folder).rglob("*.py"):
            if path.name != "__init__.py":
                assert (
                    f"- `{path.name}`: "
                    in text.split(f"**`{path.parent.relative_to(docs_modules.ROOT)}/`**")[1]
                )


def test_the_text_before_the_list_is_kept() -> None:
    """Only the last section is generated."""
    assert docs_modules.page("# Title\n\nText.\n\n## Every module\n\nold").startswith(
        "# Title\n\nText.\n\n## Every"
    )


@pytest.mark.parametrize(
    ("docstring", "sentence"),
    [
        ("One sentence. Another one.", "One sentence."),
        ("Over\ntwo lines.\n\nMore.", "Over two lines."),
        ("some-module: what it does.", "what it does."),
        ("A question? Yes.", "A question?"),
    ],
)
def test_a_module_is_described_by_its_first_sentence(docstring: str, sentence: str, tmp_path: Path) -> None:
    """Without the module's name, which the list shows before it."""
    path = tmp_path / "some_module.py"
    path.write_text(f'"""{docstring}"""')
    assert docs_modules.first_sentence(path) == sentence
