"""The script of the plotting library, which the report contains. Imported only for reports."""

from __future__ import annotations

from functools import cache

from flowwarden.errors import SettingsError

MISSING = (
    "--report needs the package vl-convert-python, which contains the plotting library: "
    "pip install '.[report]'"
)


@cache
def script() -> str:
    """Vega-Embed with Vega and Vega-Lite, ready for a `script` element. Bundling them takes seconds.

    Raises:
        SettingsError: the package is not installed.
    """
    try:
        from vl_convert import javascript_bundle  # noqa: PLC0415 - an optional package
    except ImportError as error:
        raise SettingsError(MISSING) from error
    bundle: str = javascript_bundle()  # type: ignore[call-arg]  # its types lack the default
    # Within a script element, these begin or end something. They can only be in strings.
    return bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--")
