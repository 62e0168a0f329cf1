"""Postings to another program over HTTP: each under its idempotency key, so that a repeated one is none.

The key is the posting's own, in the header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): whoever
receives it books the first and answers the others as it answered that.
"""

from __future__ import annotations

import http.client
import ssl
from typing import Final
from urllib.parse import urlsplit

import msgspec

from skerry.errors import RetryableError, TerminalError
from skerry_workflows.invoice.ledger import Posting

_TIMEOUT_S: Final = 30.0
_ANSWER_BYTES_MAX: Final = 4096
# Not the request's fault: too early, too many, a conflict with the same key that is still being worked on.
_AGAIN: Final = frozenset({408, 409, 425, 429})


def send(posting: Posting, url: str, token: str = "") -> int:
    """Hand over one posting as JSON; returns the status that it was answered with.

    Args:
        posting: what was posted.
        url: where to, http or https. Redirects are not followed: the posting is meant for nobody else.
        token: sent as a bearer token, if there is one.

    Raises:
        RetryableError: it could not be reached, or asks to be asked again.
        TerminalError: it says no, or the address is none, or the token cannot be sent.
    """
    scheme, host, port, target = _address(url)
    if not (token.isascii() and token.isprintable()):  # and it is not told which: errors are kept in the journal
        raise TerminalError(
            "the token of the webhook has characters that no header takes",
            hint="set the variable that invoice.webhook_token_env names anew, without a line end, and retry the run",
        )
    headers = {"Content-Type": "application/json", "Idempotency-Key": posting.idempotency_key, "User-Agent": "skerry"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection = _connection(scheme, host, port)
    try:
        connection.request("POST", target, msgspec.json.encode(posting), headers)
        response = connection.getresponse()
        told = response.read(_ANSWER_BYTES_MAX).decode("utf-8", "replace").strip()
    except (OSError, http.client.HTTPException) as error:
        raise RetryableError(f"the webhook {host} was not reached: {error}") from error
    finally:
        connection.close()
    status = response.status
    if 200 <= status < 300:
        return status
    said = f"the webhook {host} answered {status} {response.reason}{f': {told[:200]}' if told else ''}"
    if status >= 500 or status in _AGAIN:
        raise RetryableError(said)
    raise TerminalError(said, hint="mend what it complains about, and retry the run: its posting stays as it is")


def _address(url: str) -> tuple[str, str, int | None, str]:
    """Scheme, host, port and what to ask there for."""
    try:
        parts = urlsplit(url)
        if (
            parts.scheme in ("http", "https")
            and parts.hostname
            and url.isascii()
            and url.isprintable()
            and " " not in url
        ):
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            return parts.scheme, parts.hostname, parts.port, target
    except ValueError:  # brackets without an end, a port above 65535
        pass
    raise TerminalError(f"the webhook {url!r} is no address", hint="write invoice.webhook like https://host/path")


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_S, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
