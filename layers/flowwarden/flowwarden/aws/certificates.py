"""The certificate authorities that the SDK trusts, for requests to other services."""

from __future__ import annotations

from botocore.httpsession import get_cert_path


def authorities() -> str:
    """The path of the file with the certificate authorities."""
    return str(get_cert_path(verify=True))
