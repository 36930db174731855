"""Runs independent scenarios in parallel, each in its own process."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from pathlib import Path
from queue import Queue
from typing import Final

from benchmarks.evaluation.run import Outcome, Run
from benchmarks.evaluation.scenarios import Scenario

COLLECT_AFTER: Final = 100_000
"""New objects before a garbage collection: a day creates millions of objects, and no cycles."""
_GLANCE: Final = 0.2
"""Seconds between two checks for progress."""

type News = Queue[tuple[str, str]]
"""The name of a scenario, and its next step."""
type Tell = Callable[[Mapping[str, str]], None]
"""Receives the current steps, by scenario name, whenever a scenario begins a day."""


def run_all(scenarios: Mapping[Scenario, Path | None], jobs: int, tell: Tell) -> dict[str, Outcome]:
    """Run scenarios with their checkpoints, `jobs` in parallel; their outcomes by name, in this order."""
    context = multiprocessing.get_context("spawn")  # the same on all systems
    with context.Manager() as manager, ProcessPoolExecutor(jobs, context) as pool:
        news: News = manager.Queue()
        names = {
            pool.submit(_run, scenario, checkpoint, news): scenario.name
            for scenario, checkpoint in scenarios.items()
        }
        under_way: dict[str, str] = {}
        left = set(names)
        while left:
            done, left = wait(left, _GLANCE, FIRST_COMPLETED)
            while not news.empty():
                name, detail = news.get()
                under_way[name] = detail
                tell(under_way)
            for future in done:
                under_way.pop(names[future], None)
                if error := future.exception():
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise error
        return {name: future.result() for future, name in names.items()}


def _run(scenario: Scenario, checkpoint: Path | None, news: News) -> Outcome:
    gc.set_threshold(COLLECT_AFTER)
    return Run(scenario, checkpoint).finish(lambda detail: news.put((scenario.name, detail)))
