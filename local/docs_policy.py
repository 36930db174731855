"""Writes the tables of docs/policy.md that come from the code: thresholds, and settings of a flow log.

Run `make docs` after a change to `flowwarden.policy` or to a detector's thresholds. A test compares the page
with the code.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, get_args

from msgspec import Meta, Struct
from msgspec.structs import FieldInfo, fields

from flowwarden.monitor.detectors import DETECTORS
from flowwarden.monitor.detectors.base import Detector
from flowwarden.policy.detection import Thresholds
from flowwarden.policy.flow_logs import SPEC_SETTINGS
from flowwarden.policy.setting import Setting

PAGE: Final = Path(__file__).parents[1] / "docs" / "policy.md"


def page(text: str) -> str:
    """docs/policy.md with up-to-date generated tables. Raises ValueError if the page lacks one of them."""
    for table in (thresholds(), flow_log_settings()):
        text = _with_table(text, table)
    return text


def thresholds(
    limits: type[Struct] = Thresholds, detectors: Sequence[Detector] = DETECTORS
) -> tuple[str, ...]:
    """The lines of the table of thresholds."""
    rows = (_threshold(field, detectors) for field in fields(limits))
    return _table(("Threshold", "Default", "Allowed", "Detectors", "What is counted"), rows)


def _threshold(field: FieldInfo, detectors: Sequence[Detector]) -> tuple[str, ...]:
    facts = [each for each in get_args(field.type) if isinstance(each, Meta)]
    least = next(each.ge for each in facts if each.ge is not None)
    most = next(each.le for each in facts if each.le is not None)
    users = ", ".join(f"`{each.name}`" for each in detectors if field.name in each.thresholds)
    what = next(each.description for each in facts if each.description)
    return f"`{field.name}`", str(field.default), f"{least} to {most}", users, what


def flow_log_settings(settings: Sequence[Setting] = SPEC_SETTINGS) -> tuple[str, ...]:
    """The lines of the table of settings of a flow log."""
    rows = (
        (f"`{each.name}`", _default(each), _allowed(each), f"{_only(each)}{each.purpose}")
        for each in settings
    )
    return _table(("Setting of a flow log", "Default", "Allowed", "Meaning"), rows)


def _default(setting: Setting) -> str:
    return setting.otherwise if setting.default in (None, "", {}) else _value(setting.default)


def _allowed(setting: Setting) -> str:
    if isinstance(setting.default, bool):
        return "true, false"
    return ", ".join(_value(each) for each in setting.allowed if each is not None)


def _only(setting: Setting) -> str:
    names = " and ".join(_value(each) for each in setting.destinations)
    return f"Only for {names}. " if names else ""


def _value(value: Any) -> str:  # noqa: ANN401  a setting can have any type
    if isinstance(value, bool):
        return str(value).lower()
    return f"`{value}`" if isinstance(value, str) else str(value)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    first, *rest = (f"| {' | '.join(cells)} |" for cells in (head, *rows))
    return (first, "|" + "---|" * len(head), *rest)


def _with_table(text: str, table: tuple[str, ...]) -> str:
    """The text with this table in place of the table with the same first column."""
    lines = text.splitlines()
    column = table[0].split("|")[1].strip()
    starts = [at for at, line in enumerate(lines) if line.startswith(f"| {column} |")]
    if len(starts) != 1:
        raise ValueError(
            f"{PAGE.name} has {len(starts)} tables with the first column {column}; add the heading"
        )
    end = next(at for at in range(starts[0], len(lines)) if not lines[at].startswith("|"))
    return "\n".join([*lines[: starts[0]], *table, *lines[end:], ""])


def main() -> None:
    """Write the tables."""
    PAGE.write_text(page(PAGE.read_text()))


if __name__ == "__main__":
    main()
