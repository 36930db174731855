"""What each sink sends for each kind of notification is what its golden file says."""

from __future__ import annotations

import pytest

from flowwarden.sinks.table import SINKS
from tests.sinks.examples import EXAMPLES
from tests.sinks.golden import FOLDER, path_of, request_of


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("sink", [each.name for each in SINKS])
def test_a_request_is_as_its_golden_file(sink: str, example: str) -> None:
    """`make golden` rewrites it."""
    assert request_of(sink, example) == path_of(sink, example).read_text()


def test_there_are_no_other_golden_files() -> None:
    """Of a sink or an example that does not exist any more."""
    wanted = {path_of(sink.name, example) for sink in SINKS for example in EXAMPLES}
    assert {*FOLDER.rglob("*.json")} == wanted
