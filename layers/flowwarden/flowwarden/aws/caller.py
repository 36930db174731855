"""The caller's own part in an error of AWS, in words: no Region, no credentials, credentials that ended."""

from __future__ import annotations

from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004  botocore's name
    ConnectTimeoutError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSOError,
)

from flowwarden.aws.answers import Answer

NO_REGION: Final = "no Region is set; write --region REGION, or set AWS_REGION"
NO_CREDENTIALS: Final = "there are no AWS credentials; sign in with the AWS CLI, or set AWS_PROFILE"
SIGN_IN: Final = "sign in again with the AWS CLI, or set AWS_PROFILE"

REFUSED_CREDENTIALS: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""Codes with which AWS refuses the credentials, not the call."""
NOT_PERMITTED: Final = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})


def reason(error: Exception) -> str:
    """The reason of an error of the SDK; if the caller can correct it, with what to do."""
    match error:
        case NoRegionError():
            return NO_REGION
        case NoCredentialsError():
            return NO_CREDENTIALS
        case ProfileNotFound() | PartialCredentialsError() | CredentialRetrievalError() | SSOError():
            return f"{error}; {SIGN_IN}"
        case ClientError() if code_of(error) in REFUSED_CREDENTIALS:
            return f"{error}; {SIGN_IN}"
        case BotoCoreError():
            return str(error).rstrip(".")
    return str(error)


def short_reason(error: ClientError | BotoCoreError) -> str:
    """The reason in a few words for a page, without the names of roles and resources: AWS's code."""
    match error:
        case ClientError():
            return code_of(error) or "an error without a code"
        case ReadTimeoutError() | ConnectTimeoutError():
            return "no response in time"
        case ConnectionError() | HTTPClientError():
            return "no connection"
    return type(error).__name__


def is_denied(error: Exception) -> bool:
    """Whether the credentials are valid, but lack a permission."""
    return isinstance(error, ClientError) and code_of(error) in NOT_PERMITTED


def code_of(error: ClientError) -> str | None:
    """AWS's code of an error."""
    return Answer(error.response).inner("Error").text("Code")
