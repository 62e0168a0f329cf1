"""Hands over what waits, oldest first, to an OTLP/HTTP collector; holds it for as long as none is there."""

from __future__ import annotations

import http.client
import logging
import random
import ssl
import threading
import time
import urllib.parse
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import msgspec

from skerry.core.structs import Frozen
from skerry.errors import DataError
from skerry.telemetry.spool import Batch, SenderLock, Spool, batches
from skerry.version import __version__

log = logging.getLogger("skerry.telemetry")

_TIMEOUT_S = 10.0
_LOOK_S = 2.0
"""So often a look is taken for what other processes have put there."""
_BACKOFF_S, _BACKOFF_S_MAX = 1.0, 60.0
_ANSWER_BYTES_MAX = 65536
_HOLD = frozenset((401, 403, 404, 407, 408, 429, 500, 502, 503, 504))
"""Answers after which it is tried again. OTLP names 429, 502, 503 and 504 only; but a token that has run out, or a
wrong path, is mended by a person, and what has gathered until then is not to be thrown away for it."""


class Held(Exception):
    """It was not taken, and may be later."""

    def __init__(self, why: str, after_s: float = 0.0) -> None:
        super().__init__(why)
        self.after_s = after_s


class Refused(Exception):
    """It will never be taken."""


class Collector:
    """One connection to a collector, made again when it breaks."""

    def __init__(self, endpoint: str, headers: Mapping[str, str]) -> None:
        """Raises `DataError` when the endpoint is no http(s) URL."""
        url = urllib.parse.urlsplit(endpoint)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise DataError(
                f"telemetry.endpoint {endpoint!r} is no URL of a collector", hint="as in http://localhost:4318"
            )
        self._url = url
        self._headers = {
            "User-Agent": f"skerry/{__version__}",
            **headers,
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
        }
        self._connection: http.client.HTTPConnection | None = None

    def post(self, signal: str, body: bytes) -> int:
        """How many were refused of what was handed over. Raises `Held` or `Refused`."""
        path = f"{self._url.path.rstrip('/')}/v1/{signal}"
        try:
            connection = self._connected()
            connection.request("POST", path, body, self._headers)
            response = connection.getresponse()
            answer = response.read(_ANSWER_BYTES_MAX)
            if not response.isclosed():
                self.close()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Held(f"{type(error).__name__}: {error}") from None
        if response.status == 200:
            return _refused(answer)
        why = f"{response.status} {response.reason}: {answer[:200].decode('utf-8', 'replace')}".rstrip(": ")
        if response.status in _HOLD or response.status < 400:
            raise Held(why, _seconds(response.getheader("Retry-After", "")))
        raise Refused(why)

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            host, port = self._url.hostname or "", self._url.port
            if self._url.scheme == "https":
                context = ssl.create_default_context()
                self._connection = http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_S, context=context)
            else:
                self._connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
        return self._connection

    def close(self) -> None:
        """Ends the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Sender:
    """A thread that hands over. Several processes may have one for a folder: one of them at a time does it."""

    def __init__(self, spool: Spool, collector: Collector) -> None:
        self._spool = spool
        self._collector = collector
        self._news = threading.Event()
        self._stop_at = 0.0
        self._thread = threading.Thread(target=self._run, name="skerry telemetry sender", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def wake(self) -> None:
        """There is something to hand over."""
        self._news.set()

    def stop(self, within_s: float) -> None:
        """Hands over what it can in so many seconds; the rest stays where it is."""
        self._stop_at = time.monotonic() + within_s
        self._news.set()
        self._thread.join(within_s + 0.5)

    @property
    def _late(self) -> bool:
        return bool(self._stop_at) and time.monotonic() >= self._stop_at

    def _run(self) -> None:
        lock = SenderLock(self._spool.folder)
        delay_s = 0.0
        try:
            while True:
                last = bool(self._stop_at)
                self._news.clear()
                pause_s = _LOOK_S
                try:
                    if lock.take():
                        self._drain()
                        delay_s = 0.0
                except Held as held:
                    delay_s = min(_BACKOFF_S_MAX, 2 * delay_s or _BACKOFF_S)
                    pause_s = max(held.after_s, delay_s * random.uniform(0.5, 1.0))
                    self._spool.stuck(str(held))
                    log.info("telemetry waits %.1f s for its collector: %s", pause_s, held)
                except OSError as error:
                    log.warning("telemetry cannot be handed over: %s", error)
                if last:
                    return
                self._wait(pause_s, asleep=delay_s > 0)
        finally:
            self._collector.close()
            lock.close()

    def _wait(self, pause_s: float, *, asleep: bool) -> None:
        """Until there are news; while the collector is away, news of more to hand over are none."""
        until = time.monotonic() + pause_s
        while not self._stop_at and (left := until - time.monotonic()) > 0:
            if self._news.wait(left) and not asleep:
                return
            if asleep:
                self._news.clear()

    def _drain(self) -> None:
        for batch in batches(self._spool.folder):
            if self._late:
                return
            self._hand_over(batch)

    def _hand_over(self, batch: Batch) -> None:
        try:
            body = batch.path.read_bytes()
        except FileNotFoundError:
            return
        try:
            refused = self._collector.post(batch.signal, body) if body else batch.items
        except Refused as error:
            log.warning("the collector refuses %d %s: %s", batch.items, batch.signal, error)
            return self._spool.done(batch, refused=batch.items, why=f"refused: {error}")
        if refused:
            log.warning("the collector refuses %d of %d %s", refused, batch.items, batch.signal)
        self._spool.done(batch, refused=min(refused, batch.items))


class _Partial(Frozen, rename="camel"):
    rejected_spans: int | str = 0
    rejected_data_points: int | str = 0


class _Answer(Frozen, rename="camel"):
    partial_success: _Partial = _Partial()


def _refused(answer: bytes) -> int:
    """Of an answer that says 200. Numbers of 64 bits may come as text."""
    try:
        partial = msgspec.json.decode(answer or b"{}", type=_Answer).partial_success
        return int(partial.rejected_spans) + int(partial.rejected_data_points)
    except (msgspec.MsgspecError, ValueError):
        return 0


def _seconds(retry_after: str) -> float:
    """What `Retry-After` says, in seconds; a minute is as long as we listen."""
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(retry_after).timestamp() - time.time()
        except (TypeError, ValueError):
            return 0.0
    return min(max(0.0, seconds), _BACKOFF_S_MAX)
