"""`environment.sh`: variables with which the AWS CLI and `flowwarden` use the AWS emulator of `make up`."""

from __future__ import annotations

import shlex
from typing import Final

from local.environment import environment

_USED: Final = ("AWS_", "NO_PROXY")
"""The prefixes of the variables that AWS tools read."""


def script(endpoint: str) -> str:
    """The file's text: a command for each variable, and comments that say how to be rid of them."""
    used = {name: value for name, value in environment(endpoint).items() if name.startswith(_USED)}
    comments = (
        "# With these variables, AWS tools use the AWS emulator instead of your account.",
        "# Use them in a subshell, so that they do not stay in your shell:",
        "#   (source FILE && .venv/bin/flowwarden plan)",
        "# If they are in your shell, open another one, or remove them:",
        f"#   unset {' '.join(used)}",
    )
    return "\n".join(
        [*comments, *(f"export {name}={shlex.quote(value)}" for name, value in used.items()), ""]
    )
