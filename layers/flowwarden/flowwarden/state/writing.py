"""How many items of the state table one call writes."""

from __future__ import annotations

from typing import Final

MOST_TOGETHER: Final = 25
"""DynamoDB's limit for the items of one BatchWriteItem call."""
