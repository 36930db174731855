"""The measured layouts: AWS's default format and the template's."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat

TEMPLATE: Final = Path(__file__).parents[1] / "template.yaml"


class _Plain(yaml.CSafeLoader):
    """Loads a template as data; CloudFormation's tags, such as `!Ref`, become None."""


def _nothing(_loader: yaml.CSafeLoader, _suffix: str, _node: yaml.Node) -> None:
    """Ignore the tag."""


_Plain.add_multi_constructor("!", _nothing)


@cache
def template() -> dict[str, Any]:
    """The template as data."""
    loaded: dict[str, Any] = yaml.load(TEMPLATE.read_text(), Loader=_Plain)  # noqa: S506 -- a SafeLoader
    return loaded


def log_format() -> str:
    """The default of the template's `LogFormat`."""
    default: str = template()["Parameters"]["LogFormat"]["Default"]
    return default


def layouts() -> dict[str, LogFormat]:
    """Every measured layout, by its name in the results."""
    return {"v2": DEFAULT_LOG_FORMAT, "template": LogFormat.parse(log_format())}
