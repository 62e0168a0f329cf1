"""HTTP to one endpoint, by the standard library, over connections that can be given up at any moment.

There are no proxies, no redirects (they would carry the key elsewhere) and no unverified certificates.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import ssl
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import Any, Final, NamedTuple, cast
from urllib.parse import urlsplit

from skerry_workers.models.openai_line import TICK_S, Line, Patience, connect, resolve
from skerry_workers.models.port import ModelBroken, ModelError, ModelUnavailable

BYTES_MAX: Final = 32 * 1024 * 1024
"""More than this nobody answers to one question; whoever sends it is broken, or means harm."""
LINE_BYTES_MAX: Final = 4 * 1024 * 1024


class Address(NamedTuple):
    """Where an endpoint is. `path` is what its URL ends in, without the last slash."""

    host: str
    port: int
    path: str
    tls: bool

    @property
    def loopback(self) -> bool:
        """Whether nothing that is sent there leaves this machine."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{self.path}"


def address_of(url: str) -> Address:
    """What the URL says; without a path, `/v1`. Raises `ModelBroken`: it is no URL of an endpoint."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise ModelBroken(f"the url of a model is none: {error}") from None
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        # Not repeated: there may be a secret in it.
        raise ModelBroken(
            "the url of a model holds more than an address",
            hint="a key belongs in an environment variable: name it in key_variable",
        )
    path = parts.path.rstrip("/")
    if parts.scheme not in ("http", "https") or not parts.hostname or not _printable(parts.hostname + path):
        raise ModelBroken(f"{url!r} is no url of an endpoint", hint='write it like "http://localhost:8080/v1"')
    tls = parts.scheme == "https"
    return Address(parts.hostname, port or (443 if tls else 80), path or "/v1", tls)


class Reply:
    """What an endpoint answers: a status, headers, and a body that can be read once, as lines or as a whole."""

    def __init__(self, response: HTTPResponse, line: Line) -> None:
        self._response = response
        self._line = line
        self._left = BYTES_MAX
        self.status = response.status
        self.headers: HTTPMessage = response.headers

    def lines(self) -> Iterator[bytes]:
        """Its lines as they come, without their ends."""
        while line := self._response.readline(LINE_BYTES_MAX):
            self._count(line)
            if len(line) >= LINE_BYTES_MAX:  # it may be a little more than was asked for
                raise ModelError(f"a line of the answer has more than {LINE_BYTES_MAX} bytes")
            yield line.rstrip(b"\r\n")

    def body(self, bytes_max: int = BYTES_MAX) -> bytes:
        """All of it. Raises `ModelError` when it has more bytes than that."""
        parts: list[bytes] = []
        left = bytes_max
        while part := self._response.read(min(64 * 1024, left + 1)):
            self._count(part)
            left -= len(part)
            if left < 0:
                raise ModelError(f"the answer has more than {bytes_max} bytes")
            parts.append(part)
        return b"".join(parts)

    def start(self, bytes_max: int) -> bytes:
        """Its first bytes."""
        return self._response.read(bytes_max)

    def drain(self) -> None:
        """Reads the end that should be there already, so that the connection can be used again; else it cannot."""
        if self._response.will_close:
            return
        self._line.patience = self._line.patience.shorter(TICK_S)
        try:
            self.body(64 * 1024)
        except (OSError, HTTPException, ModelError):
            self._response.close()
            self._response.will_close = True

    @property
    def reusable(self) -> bool:
        """Whether it was read to its end, and the connection stays open after it."""
        return self._response.isclosed() and not self._response.will_close

    def _count(self, part: bytes) -> None:
        self._left -= len(part)
        if self._left < 0:
            raise ModelError(f"the answer has more than {BYTES_MAX} bytes")


class Endpoint:
    """One endpoint, with the connections to it that are open. Any number of threads may ask at a time."""

    def __init__(
        self, address: Address, *, key: str = "", key_header: str = "", ca: str = "", connect_s: float = 10.0
    ) -> None:
        """`key` goes into the header `key_header` as it is, or without one into `Authorization` as a bearer's.

        `ca` is a file with the certificates to trust instead of the machine's.
        Raises `ModelBroken`: the key cannot be sent, or the certificates cannot be read.
        """
        self.address = address
        self._key = key
        if key and not (_printable(key) and " " not in key):
            raise ModelBroken("the key of an endpoint holds characters that cannot be sent")
        self._headers = [f"Host: {_host_header(address)}", "User-Agent: skerry", "Accept-Encoding: identity"]
        if key:
            self._headers.append(f"{key_header}: {key}" if key_header else f"Authorization: Bearer {key}")
        self._connect_s = connect_s
        self._tls = _tls(ca) if address.tls else None
        self._idle: list[Line] = []
        self._lock = threading.Lock()
        self._closed = False

    @contextmanager
    def ask(self, method: str, path: str, body: bytes | None, patience: Patience) -> Generator[Reply]:
        """The reply to one request; `path` is below the endpoint's own, or from the root when it begins with "//".

        Leaving it before the body was read to its end closes the connection, which stops the endpoint's work.
        Raises `Stopped`; `ModelUnavailable` when it cannot be reached or the exchange breaks off, also while the body
        is read; `ModelBroken` when its certificate is not to be trusted.
        """
        line: Line | None = None
        try:
            line, reply = self._exchange(self._request(method, path, body), method, patience)
            yield reply
            if reply.reusable:
                self._keep(line)
                line = None
        except ssl.SSLCertVerificationError as error:
            hint = "options: ca = a file with the certificate of whoever signed it"
            raise ModelBroken(f"{self.address}: its certificate is not trusted: {error.reason}", hint=hint) from None
        except TimeoutError as error:
            raise ModelUnavailable(f"{self.address}: {error}") from None
        except (OSError, HTTPException) as error:
            raise ModelUnavailable(f"{self.address}: {self.clean(_words(error))}") from None
        finally:
            if line is not None:
                line.close()

    def clean(self, text: str, characters_max: int = 300) -> str:
        """What somebody else wrote, fit for a message: short, in one line, and without the key."""
        text = text.replace(self._key, "***") if self._key else text
        text = " ".join("".join(c if c.isprintable() else " " for c in text[: characters_max * 4]).split())
        return text if len(text) <= characters_max else text[: characters_max - 3] + "..."

    def close(self) -> None:
        """Closes what is open and idle; what is under way ends by itself."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for line in idle:
            line.close()

    def _request(self, method: str, path: str, body: bytes | None) -> bytes:
        where = path[1:] if path.startswith("//") else self.address.path + path
        headers = [f"{method} {where} HTTP/1.1", *self._headers, "Accept: application/json, text/event-stream"]
        if body is not None:
            headers += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return "\r\n".join([*headers, "", ""]).encode("latin-1") + (body or b"")

    def _exchange(self, request: bytes, method: str, patience: Patience) -> tuple[Line, Reply]:
        """Sends the request and reads up to the body; over a connection from before, if one is still good."""
        while kept := self._kept():
            kept.patience = patience
            patience.heard()
            try:
                return kept, self._say(kept, request, method)
            except (ConnectionError, HTTPException):
                kept.close()  # the other side had let go of it
            except BaseException:
                kept.close()
                raise
        line = self._connect(patience)
        try:
            return line, self._say(line, request, method)
        except BaseException:
            line.close()
            raise

    def _say(self, line: Line, request: bytes, method: str) -> Reply:
        response = HTTPResponse(cast(socket.socket, line), method=method)
        try:
            line.send(request)
        except ConnectionError:
            # It may have answered before it had read everything ("too large"), and that says more.
            try:
                response.begin()
            except (OSError, HTTPException):
                pass
            else:
                return Reply(response, line)
            raise
        response.begin()
        return Reply(response, line)

    def _kept(self) -> Line | None:
        with self._lock:
            while self._idle:
                line = self._idle.pop()
                if line.usable():
                    return line
                line.close()
        return None

    def _keep(self, line: Line) -> None:
        line.idle_since = time.monotonic()
        with self._lock:
            if not self._closed:
                self._idle.append(line)
                return
        line.close()

    def _connect(self, patience: Patience) -> Line:
        waiting = patience.shorter(self._connect_s)
        found = self._resolved(waiting, patience)
        if self.address.loopback:
            # "localhost" is whatever a file says, and what is for this machine only must not depend on that.
            found = [each for each in found if ipaddress.ip_address(each[4][0]).is_loopback]
        last: OSError = OSError(errno.EADDRNOTAVAIL, "no such host")
        for family, kind, protocol, _, address in found:
            sock = socket.socket(family, kind, protocol)
            try:
                connect(sock, address, waiting)
                return self._secured(sock, waiting, patience)
            except ssl.SSLError:
                sock.close()
                raise
            except TimeoutError:
                sock.close()
                patience.check()
                last = TimeoutError(f"no connection within {self._connect_s:.3g} s")
            except OSError as error:
                sock.close()
                last = error
            except BaseException:
                sock.close()
                raise
        raise last

    def _resolved(self, waiting: Patience, patience: Patience) -> list[Any]:
        try:
            return resolve(self.address.host, self.address.port, waiting)
        except TimeoutError:
            patience.check()
            raise TimeoutError(f"its name could not be looked up within {self._connect_s:.3g} s") from None

    def _secured(self, sock: socket.socket, waiting: Patience, patience: Patience) -> Line:
        sock.settimeout(TICK_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is None:
            return Line(sock, patience)
        wrapped = self._tls.wrap_socket(sock, server_hostname=self.address.host, do_handshake_on_connect=False)
        line = Line(wrapped, waiting)
        try:
            line.patiently(wrapped.do_handshake)
        except BaseException:
            line.close()
            raise
        line.patience = patience
        patience.heard()
        return line


def _tls(ca: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca or None)
    except (OSError, ssl.SSLError) as error:
        raise ModelBroken(f"options: ca: {ca}: {error}") from None


def _host_header(address: Address) -> str:
    host = f"[{address.host}]" if ":" in address.host else address.host
    return host if address.port == (443 if address.tls else 80) else f"{host}:{address.port}"


def _printable(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _words(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return f"its name is not known ({error.strerror})"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
