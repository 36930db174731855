"""The script of the plotting library, which the report contains. Imported only for reports."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from flowwarden.errors import SettingsError

MISSING = (
    "--report needs the package vl-convert-python, which contains the plotting library: "
    "pip install '.[report]'"
)


def script() -> str:
    """Vega-Embed with Vega and Vega-Lite, ready for a `script` element.

    Raises:
        SettingsError: the package is not installed.
    """
    try:
        from vl_convert import javascript_bundle  # noqa: PLC0415 - an optional package
    except ImportError as error:
        raise SettingsError(MISSING) from error
    return _of(javascript_bundle)


@cache  # bundling takes seconds
def _of(bundle: Callable[[], str]) -> str:
    # Within a script element, these begin or end something. They can only be in strings.
    return bundle().replace("</script", "<\\/script").replace("<!--", "<\\!--")
