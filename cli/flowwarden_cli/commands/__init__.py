"""The commands of `flowwarden`, one file each; `COMMANDS` is the only list of them."""

from __future__ import annotations

from typing import Final

from flowwarden_cli.commands import (
    athena,
    baseline,
    completion,
    doctor,
    explain,
    incidents,
    interfaces,
    mutes,
    plan,
    policy,
    read,
    redrive,
    replay,
    test_page,
    uninstall,
)

COMMANDS: Final = (
    read.COMMAND, replay.COMMAND, explain.COMMAND, interfaces.COMMAND, plan.COMMAND, policy.COMMAND,
    incidents.COMMAND, mutes.COMMAND, test_page.COMMAND, baseline.COMMAND, doctor.COMMAND, redrive.COMMAND,
    uninstall.COMMAND, athena.COMMAND, completion.COMMAND,
)  # fmt: skip
"""In the order of the help."""
