"""docs/cost.md: it is current, and every resource of the template has a price or is free."""

from __future__ import annotations

from contextlib import redirect_stdout

import pytest
from aws_lambda_powertools import single_metric
from aws_lambda_powertools.metrics import MetricUnit

import monitor
from benchmarks.cost.counts import load
from benchmarks.cost.metered import Metrics
from benchmarks.cost.numbers import count, money, percent
from benchmarks.cost.page import PAGE, filled, page
from benchmarks.cost.prices import PRICES, RESOURCES
from benchmarks.cost.stack import enforcer_metrics, of_template, resource_types


def test_the_page_is_current() -> None:
    """It is what the stored counts, the prices and the template give: `make docs` writes it again."""
    assert PAGE.read_text() == page(load(), of_template()), "run `make docs`"


def test_each_type_of_resource_has_a_price_or_is_free() -> None:
    """A new type of resource needs a row in `benchmarks/cost/prices.py`; a type that is gone has none."""
    assert set(RESOURCES) == set(resource_types())


def test_each_price_of_a_resource_is_in_the_table_of_prices() -> None:
    """The page lists no price without its source, and a free resource says so."""
    for given in RESOURCES.values():
        if isinstance(given, str):
            assert given.startswith("free")
        else:
            assert given
            assert set(given) <= set(PRICES)


def test_the_last_step_of_each_price_has_no_end() -> None:
    """Otherwise, what exceeds the steps would cost nothing."""
    for each in PRICES:
        *others, (last, _) = each.steps
        assert last is None
        assert all(size is not None for size, _ in others)


def test_the_metrics_of_both_functions_are_counted() -> None:
    """Those of the enforcer are in its function; the sample shows which of the monitor are not zero."""
    assert {"FlowLogsCreated", "EnforcementFailures"} <= set(enforcer_metrics())
    assert of_template().metrics == len(enforcer_metrics())
    assert all(3 <= each.metrics < len(monitor.METRICS) for each in load().samples)


def test_a_metric_is_counted_by_its_name_and_not_by_detector() -> None:
    """As the monitor prints them."""
    log = Metrics()
    with redirect_stdout(log):
        monitor.metrics.add_metric("Flows", MetricUnit.Count, 1)
        monitor.metrics.flush_metrics()
        with single_metric(
            "Findings", MetricUnit.Count, 1, namespace="FlowWarden", default_dimensions={"service": "monitor"}
        ) as metric:
            metric.add_dimension("detector", "scan")
    assert log.names == {"Flows"}
    assert log.size > 100


@pytest.mark.parametrize(
    ("dollars", "shown"),
    [
        (0.004, "< 0.01"), (0.0123, "0.012"), (0.999, "1.0"), (1.25, "1.2"), (9.96, "10"), (12.3, "12"),
        (123.4, "120"), (98_765, "99,000"),
    ],
)  # fmt: skip
def test_an_amount_has_two_significant_digits(dollars: float, shown: str) -> None:
    """Also after rounding up to the next power of ten."""
    assert money(dollars) == shown


def test_a_count_is_short() -> None:
    """Millions and billions are words; nothing is nothing."""
    shown = [count(each) for each in (0, 0.0004, 0.25, 7, 43_800, 4_380_000, 2.5e9)]
    assert shown == ["0", "< 0.001", "0.25", "7.0", "44,000", "4.4 million", "2.5 billion"]
    assert percent(0.254) == "25 %"


def test_paragraphs_and_lists_are_wrapped_and_tables_are_not() -> None:
    """Figures of any length leave the lines at their width; a table needs its line breaks."""
    word = "word " * 40
    assert max(map(len, filled(word).splitlines())) <= 120
    first, second, third = filled(f"- one\n  two\n- {word}").splitlines()
    assert (first, second[:6], third[:6]) == ("- one two", "- word", "  word")
    assert filled(f"| {word} |\n|---|") == f"| {word} |\n|---|"
    assert filled(f"## {word}") == f"## {word}"
