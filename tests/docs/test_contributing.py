"""CONTRIBUTING.md: the example detectors work."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.findings import TrafficFinding
from flowwarden.records.model import Flow
from tests.flows import flow, rejected
from tests.monitor.batches import Container, of_traffic, table

PAGE = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text()
EXAMPLES = dict(re.findall(r"```python\n# monitor/detectors/(\w+)\.py\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture
def example(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Detector]:
    """The detector of an example, loaded from a temporary file."""
    name = f"contributing_{request.param}"
    path = tmp_path / f"{name}.py"
    path.write_text(EXAMPLES[request.param])
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # msgspec looks up the types of fields here
    try:
        spec.loader.exec_module(module)
        yield module.DETECTOR
    finally:
        del sys.modules[name]


def session(server: str, port: int = 23) -> list[Flow]:
    """A connection of an internal host, with its answer."""
    client = "10.0.1.5:40000"
    return [flow(client, f"{server}:{port}", tcp_flags=2), flow(f"{server}:{port}", client, tcp_flags=18)]


def found(container: Container, detector: Detector, *flows: Flow) -> list[TrafficFinding]:
    """The findings of a detector in a batch."""
    return of_traffic(container.detect(detector, table(*flows)))


@pytest.mark.parametrize("example", ["telnet_session"], indirect=True)
def test_the_first_example_finds_accepted_traffic(example: Detector) -> None:
    """It ignores SSH, refused connections and servers on the internet."""
    (finding,) = found(Container(), example, *session("10.0.2.9"), *session("10.0.2.9", 22))
    assert (finding.detector, finding.subject, finding.facts.clients) == ("telnet-session", "10.0.2.9", 1)
    others = [rejected("10.0.1.5:40000", "10.0.2.9:23", tcp_flags=2), *session("198.51.100.7")]
    assert found(Container(), example, *others) == []
    assert "10.0.2.9 accepted Telnet sessions from 1 hosts" in example.text(finding).summary


@pytest.mark.parametrize("example", ["telnet_spread"], indirect=True)
def test_the_second_example_counts_over_batches(example: Detector) -> None:
    """Three hosts, one in each batch; a repeated batch counts once."""
    container = Container()
    batches = [session(f"10.0.2.{host}") for host in (1, 1, 2, 3)]
    *before, last = [found(container, example, *each) for each in batches]
    assert before == [[], [], []]
    assert [(each.subject, each.facts.servers) for each in last] == [("10.0.1.5", 3)]
    assert found(Container(), example, *session("10.0.2.1")) == []


def test_there_are_two_examples() -> None:
    """One with state, and one without."""
    assert set(EXAMPLES) == {"telnet_session", "telnet_spread"}
