"""Sentences that the fixes of several checks share."""

from __future__ import annotations

from typing import Final

RESTORE: Final = "follow docs/doctor.md#restore-the-stack: a deployment of the same template restores nothing"
"""For a resource that was changed or deleted: CloudFormation changes only what differs in the template."""
DEPLOY: Final = "deploy the stack {stack} again in {region}, with the parameters that you want"
