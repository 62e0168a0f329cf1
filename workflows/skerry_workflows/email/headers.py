"""Header sections and their values: RFC 5322 (fields, folding), RFC 2047 (encoded words), RFC 2231 (parameters)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from skerry_workflows.email import charsets, limits

_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|$)")
_FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
# An encoded word has 75 characters (RFC 2047, 2); longer ones are met, and one without an end must not cost much.
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]{0,500}(?:\?(?!=)[^?]{0,200}){0,3})\?=")
_BETWEEN = re.compile(r"\?=\s+=\?")
_TOKEN = re.compile(r"[^\s;=\"]+")
_TSPECIALS = re.compile(r"[;\s]*")


def split(data: bytes) -> tuple[list[tuple[str, str]], int]:
    """The header fields at the beginning of `data`, decoded as far as bytes go, and where the body begins.

    Lines that are no field are passed over where fields go on behind them; otherwise the body begins there.
    """
    fields: list[tuple[str, bytearray]] = []
    at, end = 0, min(len(data), limits.HEADER_BYTES_MAX)
    while at < end:
        line = _line(data, at)
        behind = at + len(line)
        bare = line.rstrip(b"\r\n")
        if not bare.strip():
            return _values(fields), behind
        if bare[:1] in b" \t" and fields:
            fields[-1][1].extend(b" " + bare.strip())
        elif field := _FIELD.match(bare):
            if len(fields) < limits.HEADERS_MAX:
                fields.append((field[1].decode("ascii"), bytearray(bare[field.end() :].strip())))
        elif not _passed_over(data, at, behind):
            return _values(fields), at
        at = behind
    return _values(fields), at


def _line(data: bytes, at: int) -> bytes:
    found = _LINE.match(data, at)
    return found[0] if found else b""


def _passed_over(data: bytes, at: int, behind: int) -> bool:
    """Whether a line that is no field stands within the header: an mbox separator, or rubbish before more fields."""
    if at == 0 and data.startswith((b"From ", b">From ")):
        return True
    following = _line(data, behind)
    return bool(_FIELD.match(following)) and not following.startswith(b"--")


def _values(fields: list[tuple[str, bytearray]]) -> list[tuple[str, str]]:
    return [(name, charsets.decode(bytes(value[: limits.HEADER_CHARS_MAX]))) for name, value in fields]


def words(value: str) -> str:
    """A value with its encoded words decoded (RFC 2047), also where they stand within quotes or touch other text."""
    if "=?" not in value:
        return value.strip()
    text = _BETWEEN.sub("?==?", value)
    pieces: list[str] = []
    at, charset, pending = 0, "", b""
    for found in _WORD.finditer(text):
        between, data = text[at : found.start()], _word_bytes(found[2], found[3])
        name = found[1].partition("*")[0]  # RFC 2231, 5: a language may follow
        if between or name.lower() != charset.lower():
            pieces += [charsets.decode(pending, charset), between]
            pending = b""
        charset, pending, at = name, pending + data, found.end()  # a character may be cut between two words
    pieces += [charsets.decode(pending, charset), text[at:]]
    return re.sub(r"[\r\n\t]+", " ", "".join(pieces)).strip()


def _word_bytes(encoding: str, text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    if encoding in "bB":
        return unbase64(raw)
    return binascii.a2b_qp(raw, header=True)


def unbase64(data: bytes) -> bytes:
    """What base64 says, whatever else stands in it: strange characters are passed over, padding is mended."""
    clean = re.sub(rb"[^A-Za-z0-9+/]", b"", data.replace(b"-", b"+").replace(b"_", b"/"))
    clean = clean[: len(clean) - 1] if len(clean) % 4 == 1 else clean
    return base64.b64decode(clean + b"=" * (-len(clean) % 4))


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """What stands before the first parameter, in lower case, and the parameters, decoded (RFC 2045, 2231).

    A missing semicolon, blanks around =, unclosed quotes and encoded words in values are taken as they are meant.
    """
    head = re.match(r"\s*([^\s;]*)", value)
    first = head[1].lower() if head else ""
    at = head.end() if head and "=" not in first else 0
    first = "" if "=" in first else first
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[bool, str]]] = {}
    for name, text in _pairs(value, at):
        base, star, rest = name.partition("*")
        if not star:
            plain.setdefault(name, words(text))
            continue
        encoded = rest.endswith("*") or rest == ""
        number = rest.rstrip("*")
        place = int(number) if number.isdecimal() and len(number) < 4 else 0
        pieces.setdefault(base, {}).setdefault(place, (encoded, text))
    for name, numbered in pieces.items():
        plain[name] = _joined([numbered[place] for place in sorted(numbered)])
    return first, plain


def _pairs(value: str, at: int) -> Iterator[tuple[str, str]]:
    while at < len(value):
        skipped = _TSPECIALS.match(value, at)
        at = skipped.end() if skipped else at
        name = _TOKEN.match(value, at)
        if name is None:
            at += 1
            continue
        at = name.end()
        equals = re.compile(r"\s*=\s*").match(value, at)
        if equals is None:
            continue
        at = equals.end()
        if value[at : at + 1] == '"':
            text, at = _quoted(value, at + 1)
        else:
            found = re.compile(r"[^;]*").match(value, at)
            text = found[0] if found else ""
            # `a=b c=d`, where a semicolon was forgotten; but `name=my file.pdf`, where quotes were.
            if cut := re.search(r"\s+[A-Za-z-]+\*?\d*\*?=", text):
                text = text[: cut.start()]
            at += len(text)
            text = text.strip()
        yield name[0].lower(), text


def _quoted(value: str, at: int) -> tuple[str, int]:
    """The text of a quoted string that begins at `at`, and where it is over."""
    pieces: list[str] = []
    while at < len(value) and value[at] != '"':
        if value[at] == "\\" and value[at + 1 : at + 2] in ('"', "\\"):
            at += 1
        pieces.append(value[at])
        at += 1
    return "".join(pieces), at + 1


def _joined(pieces: list[tuple[bool, str]]) -> str:
    """A value in pieces; of the first encoded one, `charset'language'` comes first (RFC 2231, 4)."""
    charset, data = "", b""
    for index, (encoded, text) in enumerate(pieces):
        if not encoded:
            data += text.encode("utf-8", "replace")
            continue
        if index == 0 and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        data += unquote_to_bytes(text)
    return charsets.decode(data, charset)
