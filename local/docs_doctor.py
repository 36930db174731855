"""Writes docs/doctor.md: the checks of `flowwarden doctor`, and each problem with its fix.

Run `make docs` after a change to `flowwarden.doctor.checks`. A test compares the page with the code.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.checks import CHECKS
from flowwarden.doctor.line import Problem

PAGE: Final = Path(__file__).parents[1] / "docs" / "doctor.md"
INTRODUCTION: Final = """\
# What the doctor checks

`make docs` writes this page from `layers/flowwarden/flowwarden/doctor/checks/`. Change these files instead.

[`flowwarden doctor`](command-line.md#flowwarden-doctor) reads an installed stack and what it depends on,
changes nothing, and prints a line for each subject. A line begins with its verdict:

| Verdict | Meaning |
|---|---|
| `ok` | no problem found |
| `warning` | the subject works, but with a risk or a restriction. The exit code stays 0 |
| `failed` | the subject does not work: records, pages or repairs are lost. The exit code is 1 |
| `unknown` | the subject could not be read, often because a permission is missing. The exit code is 1 |

If a call is refused, only the lines that need it are `unknown`. The doctor does not check whether each VPC is
covered: [`flowwarden plan`](command-line.md#flowwarden-plan) does. To check that a page reaches you, run
[`flowwarden test-page`](command-line.md#flowwarden-test-page).

In the tables below, a word in braces stands for a value, which the doctor inserts.
"""
END: Final = """\
## Restore the stack

A deployment with the same template and parameters changes nothing, even if a resource was changed or deleted
by hand. A drift-aware change set restores such resources: it compares the template with the actual resources.

```sh
aws cloudformation describe-stacks --stack-name flow-warden --output json \\
  --query 'Stacks[0].Parameters[].{ParameterKey:ParameterKey,UsePreviousValue:`true`}' > parameters.json
aws cloudformation create-change-set --stack-name flow-warden --change-set-name restore \\
  --use-previous-template --parameters file://parameters.json --deployment-mode REVERT_DRIFT \\
  --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND
aws cloudformation describe-change-set --stack-name flow-warden --change-set-name restore
aws cloudformation execute-change-set --stack-name flow-warden --change-set-name restore
```

`--deployment-mode` needs a version of the AWS CLI from November 2025 or later. The AWS emulator of the tests
does not have this mode, so these commands are not tested. If CloudFormation cannot restore a resource,
[remove](operating.md#removal) the stack and deploy it again. The log group with your records stays.
"""


def page(checks: Sequence[Check] = CHECKS) -> str:
    """docs/doctor.md."""
    head = "| Check | Verifies that |\n|---|---|"
    rows = "\n".join(f"| [`{each.name}`](#{each.name}) | {each.verifies} |" for each in checks)
    sections = (f"## {each.name}\n\n{_table(each)}\n" for each in checks)
    return "\n".join([INTRODUCTION, head, rows, "", *sections, END])


def _table(check: Check) -> str:
    head = "| Problem | Verdict | Line | Fix |\n|---|---|---|---|"
    return "\n".join([head, *map(_row, check.problems)])


def _row(problem: Problem) -> str:
    return f"| `{problem.name}` | {problem.verdict} | {_cell(problem.text)} | {_cell(problem.fix)} |"


def _cell(text: str) -> str:
    """A text in a table: placeholders in code, pages as links, doubled braces as single ones."""
    linked = re.sub(r"docs/([\w/.-]+\.md)(#[\w-]+)?", r"[\1](\1\2)", text.replace("|", "\\|"))
    marked = re.sub(r"(?<!\{)\{(\w+)\}(?!\})", r"*{\1}*", linked)
    return marked.replace("{{", "{").replace("}}", "}")


def main() -> None:
    """Write the page."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
