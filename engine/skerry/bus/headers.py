"""Headers of a NATS message: written in one go, read only when somebody looks at them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from skerry.errors import DataError

VERSION = b"NATS/1.0"
_STATUS_AT = len(VERSION) + 1

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_known_names: set[str] = set()
_KNOWN_NAMES_MAX = 1000


def encode(headers: Mapping[str, str]) -> bytes:
    """The header block as it goes on the wire; empty when there are none.

    Raises `DataError` for a name or value that would break out of its line: it could smuggle in protocol commands.
    """
    if not headers:
        return b""
    for name in headers:
        if name not in _known_names:
            _check_name(name)
    block = "NATS/1.0\r\n" + "".join([f"{name}: {value}\r\n" for name, value in headers.items()]) + "\r\n"
    lines = len(headers) + 2
    if block.count("\n") != lines or block.count("\r") != lines:
        raise DataError("a header's value holds a line break", hint="put it into the message's data")
    return block.encode()


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise DataError(f"{name[:100]!r} cannot be the name of a header", hint="letters, digits and '-'")
    if len(_known_names) < _KNOWN_NAMES_MAX:
        _known_names.add(name)


def status(block: bytes) -> int:
    """The inline status of a message from the server itself (`NATS/1.0 408 ...`), 0 for anybody else's."""
    if block[_STATUS_AT - 1 : _STATUS_AT] != b" ":
        return 0
    digits = block[_STATUS_AT : _STATUS_AT + 3]
    return int(digits) if digits.isdigit() else 0


def description(block: bytes) -> str:
    """The words beside the status."""
    line = block[_STATUS_AT:].split(b"\r\n", 1)[0]
    return line.partition(b" ")[2].decode(errors="replace")


class Headers(Mapping[str, str]):
    """The headers of a message that came in. The bytes are parsed at the first look, which the hot path never takes."""

    __slots__ = ("_block", "_parsed")

    def __init__(self, block: bytes) -> None:
        self._block = block
        self._parsed: dict[str, str] | None = None

    def _all(self) -> dict[str, str]:
        if self._parsed is None:
            parsed: dict[str, str] = {}
            for line in self._block.split(b"\r\n")[1:]:
                name, colon, value = line.partition(b":")
                if colon:
                    parsed[name.decode(errors="replace").strip()] = value.decode(errors="replace").strip()
            self._parsed = parsed
        return self._parsed

    def __getitem__(self, name: str) -> str:
        if self._parsed is None:
            # One header of many is looked for where it stands; of several with one name, the last one counts.
            sought = f"\r\n{name}:".encode()
            at = self._block.rfind(sought)
            if at >= 0:
                value, _, _ = self._block[at + len(sought) :].partition(b"\r\n")
                return value.decode(errors="replace").strip()
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return f"Headers({self._all()!r})"
