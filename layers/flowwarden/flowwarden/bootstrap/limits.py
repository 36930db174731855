"""The limits of the budget for pages, from the settings of the functions that page."""

from __future__ import annotations

from flowwarden.notify.page_budget import PageLimits
from flowwarden.settings import PagingSettings


def page_limits(settings: PagingSettings) -> PageLimits:
    """The limits of each sink."""
    return PageLimits(
        hour=settings.pages_per_hour,
        day=settings.pages_per_day,
        critical_hour=settings.critical_pages_per_hour,
    )
