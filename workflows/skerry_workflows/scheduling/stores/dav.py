"""What CalDAV needs of HTTP and WebDAV (RFC 4918): one server, one user, bounded answers."""

from __future__ import annotations

import base64
import http.client
import ssl
import time
from collections.abc import Iterator
from typing import Final, Protocol, Self, cast
from urllib.parse import quote, unquote, urljoin, urlsplit

import msgspec

from skerry.errors import RetryableError, TerminalError, Unavailable

TIMEOUT_S: Final = 20.0
ANSWER_S_MAX: Final = 120.0
ANSWER_BYTES_MAX: Final = 50 * 1024 * 1024
_REDIRECTS_MAX: Final = 3
DAV: Final = "{DAV:}"
CALDAV: Final = "{urn:ietf:params:xml:ns:caldav}"


class Element(Protocol):
    """What is used of lxml's elements."""

    def find(self, path: str) -> Self | None:
        """The first below it at that path."""
        ...

    def findtext(self, path: str) -> str | None:
        """Its text; empty for one without."""
        ...

    def iter(self, tag: str) -> Iterator[Self]:
        """All of that name below it."""
        ...

    def get(self, key: str) -> str | None:
        """An attribute."""
        ...


class Answer(msgspec.Struct, frozen=True):
    """What a server said; names of headers in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes
    path: str
    """Where it came from, after redirections."""


class DavClient:
    """A server at `url`. A user and password are sent as HTTP Basic, over plain HTTP only to this machine.

    Raises:
        TerminalError: the address is none, or a password would be seen by others.
    """

    def __init__(self, url: str, user: str = "", password: str = "") -> None:
        self.url = url if url.endswith("/") else url + "/"
        self._user, self._password = user, password
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise TerminalError(f"{url[:80]!r} is no address of a calendar", hint="write it as https://host/path/")
        if parts.scheme == "http" and user and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise TerminalError("a password is not sent over plain http", hint="write https://")

    def check(self, answer: Answer, what: str) -> None:
        """Raises `TerminalError` or `RetryableError`, unless it is a success."""
        if 200 <= answer.status < 300:
            return
        host = urlsplit(self.url).hostname
        if answer.status in (401, 403):
            raise TerminalError(
                f"{host} refuses {what} ({answer.status})", hint="check user, password and rights of the calendar"
            )
        if answer.status == 404:
            raise TerminalError(f"{host} has no calendar there (404)", hint="check the address of the calendar")
        if answer.status == 429 or answer.status >= 500:
            wait = answer.headers.get("retry-after", "")
            after_s = float(wait) if wait.isascii() and wait.isdigit() else 5.0
            raise RetryableError(f"{host} answers {answer.status} to {what}", retry_after_s=after_s)
        raise TerminalError(f"{host} answers {answer.status} to {what}", hint="is it a CalDAV calendar?")

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        """A request, and its answer, whatever it is; redirections are followed on the same server.

        Raises:
            RetryableError: it cannot be reached, or takes too long.
            TerminalError: it sends us elsewhere, or does not prove who it is.
            Unavailable: the answer is too long.
        """
        parts = urlsplit(self.url)
        if self._user:
            said = base64.b64encode(f"{self._user}:{self._password}".encode()).decode()
            headers = {**headers, "Authorization": f"Basic {said}"}
        for _ in range(_REDIRECTS_MAX):
            answer = self._once(method, quote(unquote(path), safe="/@:+~!$&'()*,;="), headers, body)
            if answer.status not in (301, 302, 307, 308):
                return answer
            to = urlsplit(urljoin(self.url, answer.headers.get("location", "")))
            if (to.scheme, to.netloc) != (parts.scheme, parts.netloc):
                raise TerminalError(
                    f"{parts.hostname} sends us to {to.scheme}://{to.netloc}",
                    hint="if that is right, name it as the address of the calendar",
                )
            path = to.path
        raise TerminalError(f"{parts.hostname} sends us in circles", hint="check the address of the calendar")

    def _once(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, parts.port, timeout=TIMEOUT_S, context=context
            )
        else:
            connection = http.client.HTTPConnection(host, parts.port, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, body=body or None, headers=headers)
            response = connection.getresponse()
            data = _body(response, host)
        except ssl.SSLCertVerificationError as error:
            raise TerminalError(
                f"{host} does not prove who it is: {error.verify_message}",
                hint="check its certificate, and the address",
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise RetryableError(f"{host} cannot be reached: {error}", retry_after_s=5.0) from error
        finally:
            connection.close()
        if len(data) > ANSWER_BYTES_MAX:
            raise Unavailable(f"{host} answers more than {ANSWER_BYTES_MAX >> 20} MB", hint="ask for a shorter time")
        return Answer(response.status, {key.lower(): value for key, value in response.getheaders()}, data, path)


def responses(body: bytes) -> Iterator[tuple[str, Element]]:
    """The parts of a multistatus answer (section 13): the path of each, and the element.

    Raises:
        TerminalError: it is none.
    """
    from lxml import etree

    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
        root = cast(Element, etree.fromstring(body, parser))
    except etree.XMLSyntaxError as error:
        raise TerminalError(f"the server's answer is no XML: {error}", hint="is it a CalDAV calendar?") from None
    for response in root.iter(f"{DAV}response"):
        href = (response.findtext(f"{DAV}href") or "").strip()
        if href:
            yield href, response


def _body(response: http.client.HTTPResponse, host: str) -> bytes:
    """The answer's body: not longer than a calendar is, and not for ever."""
    until = time.monotonic() + ANSWER_S_MAX
    pieces: list[bytes] = []
    while piece := response.read1(1 << 20):
        pieces.append(piece)
        if sum(map(len, pieces)) > ANSWER_BYTES_MAX:
            break
        if time.monotonic() > until:
            raise RetryableError(f"{host} takes more than {ANSWER_S_MAX:.0f} s to answer", retry_after_s=60.0)
    return b"".join(pieces)
