"""`flowwarden uninstall`: prints what is removed and what remains, asks, and removes it."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable, Iterable

from flowwarden.bootstrap.uninstall import on_aws
from flowwarden.errors import FlowWardenError, NotDeployed
from flowwarden.notify.text import plural
from flowwarden.printable import one_line
from flowwarden.removal.inventory import Inventory
from flowwarden.removal.plan import described, obstacle, plan, remaining, undoing
from flowwarden.removal.ports import Account, Deletion
from flowwarden.removal.remove import Progress, remove
from flowwarden_cli.commands.command import SUCCEEDED, UNREADABLE
from flowwarden_cli.commands.stack import region_of
from flowwarden_cli.commands.stored import explained
from flowwarden_cli.terminal.console import Console
from flowwarden_cli.terminal.status import Status

ANSWER = "yes"
AGAIN = "run the command again to continue"


def run(
    options: Namespace,
    console: Console,
    wired: Callable[[str, str | None, int], Account] | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> int:
    """Remove the stack; return the exit code.

    Args:
        options: `stack`, `region`, `delete_log_groups`, `dry_run` and `yes`.
        console: where to print, and to read the answer.
        wired: finds the stack in a Region at a time (Unix seconds); by default on AWS.
        wait: sleeps for some seconds.

    Raises:
        KeyboardInterrupt: the command was interrupted; what is removed stays removed.
    """
    try:
        account = (wired or on_aws)(options.stack, region_of(options.region), int(console.now()))
        found = account.inventory()
    except NotDeployed as error:
        console.print(f"There is nothing to remove: {one_line(str(error), 1000)}")
        return SUCCEEDED
    except FlowWardenError as error:
        console.report(f"error: {explained(error)}; nothing was removed")
        return UNREADABLE
    _show(found, options, console)
    if why := obstacle(found):
        console.report(f"error: {why}")
        return UNREADABLE
    if options.dry_run:
        return SUCCEEDED
    return _remove(found, account, options, console, wait) if _agrees(options, console) else UNREADABLE


def _show(found: Inventory, options: Namespace, console: Console) -> None:
    """Print the steps, and what remains."""
    steps = plan(found, log_groups=options.delete_log_groups)
    where = f"account {one_line(found.account)}, region {one_line(found.region)}"
    console.print(f"Uninstall of stack {one_line(found.stack)}, {where}\n\nSteps, in this order:")
    for number, step in enumerate(steps, 1):
        console.print(f"  {number}. {one_line(described(step), 1000)}")
    _show_remaining(remaining(found, log_groups=options.delete_log_groups), console)
    console.stdout.flush()


def _show_remaining(sentences: Iterable[str], console: Console) -> None:
    listed = list(sentences)
    if listed:
        console.print("\nWhat remains:")
    for each in listed:
        console.print(f"  - {one_line(each, 2000)}")


def _agrees(options: Namespace, console: Console) -> bool:
    """Whether the person at the terminal, or the option, says yes."""
    if options.yes:
        return True
    if not console.stdin.isatty():
        console.report(
            "error: standard input is not a terminal: add --yes to remove all of this without confirmation"
        )
        return False
    console.stderr.write(f"\nRemove all of this? Type {ANSWER}: ")
    console.stderr.flush()
    if console.stdin.readline().decode("utf-8", "replace").strip() == ANSWER:
        return True
    console.report("nothing was removed")
    return False


def _remove(
    found: Inventory, account: Account, options: Namespace, console: Console, wait: Callable[[float], None]
) -> int:
    status = Status(console)

    def line(text: str) -> None:
        status.wipe()
        console.print(one_line(text, 1000))
        console.stdout.flush()

    def show(state: Deletion) -> None:
        status.draw(f"the stack is being deleted: {plural(state.left, 'resource')} left")

    console.print("")
    progress = Progress(done=lambda step: line(f"done: {described(step)}"), deleting=show, wait=wait)
    try:
        problems = remove(found, account, progress, log_groups=options.delete_log_groups)
    except KeyboardInterrupt:
        status.wipe()
        console.report(AGAIN)
        raise
    status.wipe()
    for each in problems:
        console.report(f"error: {each}")
    if problems:
        console.report(AGAIN)
        return UNREADABLE
    return _check(account, found, options, console)


def _check(account: Account, found: Inventory, options: Namespace, console: Console) -> int:
    """Check that nothing was restored while the stack was deleted, and say how to deploy again."""
    try:
        left = account.inventory()
    except FlowWardenError as error:
        console.report(f"warning: cannot check what is left: {error}")
        return SUCCEEDED
    new = {each.flow_log_id for each in left.unproven} - {each.flow_log_id for each in found.unproven}
    problems = [f"restored during the removal: {described(each)}" for each in undoing(left)]
    if new:
        ids = " ".join(sorted(new))
        problems.append(
            "created during the removal: aws ec2 delete-flow-logs "
            f"--flow-log-ids {ids} --region {found.region}"
        )
    for each in problems:
        console.report(f"error: {each}")
    console.print(f"The stack {one_line(found.stack)} is removed.")
    if found.groups and not options.delete_log_groups:
        console.print(
            "Its log groups remain. Before you deploy again, read docs/operating.md#removal: the "
            "deployment needs another FlowLogGroupName, or imports the group."
        )
    return UNREADABLE if problems else SUCCEEDED
