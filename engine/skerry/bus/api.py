"""JetStream's management API: JSON requests on `$JS.API.*`."""

from __future__ import annotations

from typing import Any

import msgspec

from skerry.bus import headers
from skerry.bus.replies import Replies
from skerry.errors import Unavailable

TIMEOUT_S = 5.0
_AGAIN_S = 1.0
"""Every question and every wish here may be repeated: who makes a stream that is there as it should be has made it."""

STREAM_NOT_FOUND = 10059
CONSUMER_NOT_FOUND = 10014
MESSAGE_NOT_FOUND = 10037
STREAM_NAME_TAKEN = 10058
SUBJECTS_OVERLAP = 10065


class ApiError(Unavailable):
    """JetStream said no. `code` is its own number (nats-server/server/errors.json)."""

    def __init__(self, what: str, code: int, description: str) -> None:
        hint = "raise the server's or the account's limit" if "insufficient" in description else "see its log"
        super().__init__(f"the NATS server refuses {what}: {description} (JetStream error {code})", hint=hint)
        self.code = code
        self.description = description


class Api:
    """Calls the API. Raises `ApiError` for a no, `Unavailable` when nobody answers."""

    def __init__(self, replies: Replies, *, domain: str = "") -> None:
        """`domain` is that of a JetStream which is reached through a leaf."""
        self._replies = replies
        self.prefix = f"$JS.{domain}.API" if domain else "$JS.API"

    async def call(self, verb: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One call, for example `STREAM.INFO.NAME`."""
        data = b"" if body is None else msgspec.json.encode(body)
        answer = await self._replies.send(f"{self.prefix}.{verb}".encode(), b"", data, TIMEOUT_S, again_s=_AGAIN_S)
        if headers.status(answer.headers) == 503:
            raise Unavailable(
                "the NATS server has no JetStream", hint="start nats-server with -js, or give the account JetStream"
            )
        told: dict[str, Any] = msgspec.json.decode(answer.data, type=dict[str, Any])
        error = told.get("error")
        if error:
            raise ApiError(verb, int(error.get("err_code", 0)), str(error.get("description", "")))
        return told
