"""Links that say one thing and lead to another. Looks at their text only; nothing is opened or resolved."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec

from skerry_workflows.email.model import Link

_SHOWN_HOST = re.compile(r"(?:https?://)?((?:[\w-]+\.)+[a-z]{2,24})(?=[/:?#\s)\]>,.;!]|$)", re.IGNORECASE)
_FILES = {
    "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "txt", "csv", "zip", "png", "jpg", "jpeg", "gif", "htm", "html",
    "xml", "json", "py", "js", "md", "exe",
}  # fmt: skip
_SECOND_LEVEL = {"co", "com", "net", "org", "gov", "edu", "ac", "or", "ne", "go", "gob", "nom", "web", "mil"}
_TRACKED = re.compile(r"(?i)(?:redirect|url|target|dest|destination|goto|link|continue|next)=https?(?::|%3a)")
_SHORTENERS = {
    "bit.ly", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "buff.ly", "cutt.ly", "rebrand.ly", "shorturl.at",
    "rb.gy", "lnkd.in", "tiny.cc",
}  # fmt: skip


class Deceit(msgspec.Struct, frozen=True, kw_only=True):
    """A reason to distrust a link. `kind` is a word for rules, `said` a sentence for people."""

    kind: str
    target: str
    said: str


def deceits(links: Iterable[Link]) -> list[Deceit]:
    """What is wrong with these links, at most one finding of a kind for each."""
    return [each for link in links for each in _of(link)]


def host_of(target: str) -> str:
    """The host that a link leads to, in lower case; empty where there is none."""
    text = re.sub(r"[\s\x00-\x1f]+", "", target).replace("\\", "/")  # as browsers read it
    if text.lower().startswith("www."):
        text = f"http://{text}"
    try:
        parts = urlsplit(text)
        return (parts.hostname or "").rstrip(".").lower() if parts.scheme.lower() in ("http", "https", "ftp") else ""
    except ValueError:
        return ""


def site_of(host: str) -> str:
    """The part of a host that somebody registered: the last two labels, or three where the second is a registry's.

    A rule of thumb in place of the Public Suffix List.
    """
    labels = host.split(".")
    if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL:
        return ".".join(labels[-3:])
    return ".".join(labels[-2:])


def _of(link: Link) -> Iterable[Deceit]:
    target = link.target
    host = host_of(target)
    scheme = re.match(r"\s*([a-z][a-z0-9+.-]*):", re.sub(r"[\x00-\x20]", "", target), re.IGNORECASE)
    if scheme and scheme[1].lower() in ("javascript", "data", "vbscript", "file", "blob"):
        yield _found("script", link, f"the link runs or holds something ({scheme[1].lower()}:)")
    if not host:
        return
    if (shown := _host_shown(link.shown)) and site_of(shown) != site_of(host):
        yield _found("shown", link, f"the link shows {shown} and leads to {host}")
    if _is_ip(host):
        yield _found("ip", link, f"the link leads to a number instead of a name ({host})")
    if _has_user(target):
        yield _found("user", link, f"what stands before the @ is no host: the link leads to {host}")
    yield from _lookalike(link, host)
    if host in _SHORTENERS:
        yield _found("short", link, f"where the link leads is hidden behind {host}")
    if _TRACKED.search(_query(target)):
        yield _found("redirect", link, f"{host} passes the reader on to another page")


def _query(target: str) -> str:
    """What stands behind the ? of a link."""
    return target.partition("?")[2]


def _found(kind: str, link: Link, said: str) -> Deceit:
    return Deceit(kind=kind, target=link.target[:300], said=said[:300])


def _host_shown(shown: str) -> str:
    """The host that the text of a link names, if it is an address and not a sentence or a file."""
    text = shown.strip()
    if len(text.split()) > 3 or "@" in text:
        return ""
    found = _SHOWN_HOST.match(text) or _SHOWN_HOST.search(text)
    if found is None or found[1].rpartition(".")[2].lower() in _FILES:
        return ""
    return found[1].lower()


def _is_ip(host: str) -> bool:
    """Also written as one number, octal or hexadecimal, as browsers understand it."""
    try:
        ipaddress.ip_address(host.strip("[]"))
        return True
    except ValueError:
        return bool(re.fullmatch(r"(?:0x[0-9a-f]+|\d+)(?:\.(?:0x[0-9a-f]+|\d+)){0,3}", host))


def _has_user(target: str) -> bool:
    try:
        user = urlsplit(target.strip()).username
    except ValueError:
        return False
    return user is not None and "." in user


def _lookalike(link: Link, host: str) -> Iterable[Deceit]:
    name = _unicode(host)
    scripts = {script for label in name.split(".") for script in _scripts(label)}
    mixed = any(len(_scripts(label)) > 1 for label in name.split("."))
    if mixed or (scripts and not scripts <= {"LATIN"} and name.rpartition(".")[2].isascii() and _latin_like(name)):
        yield _found("homograph", link, f"letters of other alphabets look like Latin ones in {name} ({host})")
    elif "xn--" in host or not host.isascii():
        yield _found("punycode", link, f"the host is written as {host} and shown as {name}")


def _unicode(host: str) -> str:
    try:
        return host.encode("ascii").decode("idna") if "xn--" in host else host
    except (UnicodeError, ValueError):
        return host


def _scripts(label: str) -> set[str]:
    return {unicodedata.name(char, "?").split(" ")[0] for char in label if char.isalpha()}


_LIKE_LATIN = set("аеорсухіјԛѕһԁԍӏκνοραιτυɡɑⅼ") | set("АВЕКМНОРСТУХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧ")


def _latin_like(name: str) -> bool:
    """Whether every letter that is not Latin looks like one."""
    others = [char for char in name if char.isalpha() and not char.isascii()]
    return bool(others) and all(char in _LIKE_LATIN for char in others)
