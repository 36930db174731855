"""Bounded pagination: a listing that never ends is an error.

botocore only notices a token that is equal to the previous one. Alternating tokens, or empty pages that each
have a new token, would occupy a function until its timeout.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from botocore.exceptions import PaginationError

from flowwarden.aws.answers import Answer

MOST: Final = 300
"""Maximum pages of a listing of the account: 300,000 resources, or 15,000 log groups."""
FEW: Final = 20
"""Maximum pages of a listing of a few resources, which usually has one page."""
_TOKENS: Final = ("NextToken", "nextToken", "Marker", "LastEvaluatedKey")


def bounded[Page](pages: Iterable[Page], most: int = MOST) -> Iterator[Page]:
    """The pages of a listing, at most `most`.

    Raises:
        PaginationError: a token for the next page occurs twice, or there are more than `most` pages.
    """
    seen = set[str]()
    for number, page in enumerate(pages, 1):
        yield page
        token = next((repr(found) for name in _TOKENS if (found := Answer(page).value(name))), "")
        if token and (token in seen or number >= most):
            raise PaginationError(message=f"the listing does not end: {number} pages, and a token for more")
        seen.add(token)
