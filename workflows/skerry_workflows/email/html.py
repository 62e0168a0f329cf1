"""HTML of a message to the text that a reader sees, with the links in it. Nothing is loaded, run or followed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lxml import etree

from skerry_workflows.email import limits
from skerry_workflows.email.model import Link

if TYPE_CHECKING:
    from lxml.etree import _Element as Element  # pyright: ignore[reportPrivateUsage]

_SKIPPED: Final = {
    "head", "script", "style", "title", "noscript", "template", "object", "embed", "applet", "svg", "math", "select",
}  # fmt: skip
_BLOCKS: Final = {
    "address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset", "figure",
    "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre",
    "section", "table", "tr", "ul",
}  # fmt: skip
_APART: Final = {"p", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "pre", "table"}
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|mso-hide\s*:\s*all|opacity\s*:\s*0(?![.\d])"
)
_SHOWN_PIECES = 50
_MARK = "\x1e"
"""Where a quoted block begins, until the lines are made."""


@dataclass(slots=True)
class Rendered:
    """The text (quoted blocks marked by `> `), its links, and how many characters a style hides."""

    text: str = ""
    links: list[Link] = field(default_factory=list[Link])
    hidden_chars: int = 0


def render(html: str) -> Rendered:
    """The text of HTML, whatever is wrong with it; empty where there is none."""
    root = tree(html)
    return Rendered() if root is None else _Renderer().run(root)


def tree(html: str) -> Element | None:
    """The elements of HTML, mended as browsers do."""
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, recover=True)
    data = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udfff]", "", html[: limits.HTML_CHARS_MAX])
    # An encoding that the page declares was that of the bytes; what we hand over is UTF-8.
    data = re.sub(r"(?i)<\?xml[^>]*>|<meta[^>]{0,500}charset[^>]*>", "", data)
    if not data.strip():
        return None
    try:
        return etree.fromstring(data.encode("utf-8"), parser)
    except (etree.LxmlError, ValueError):
        return None


class _Renderer:
    """One walk over the elements, without recursion: they may be nested ten thousand deep."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._done = Rendered()
        self._hidden = 0
        self._skipped = 0
        self._quoted = 0
        self._kept = 0
        self._anchors: list[tuple[str, int]] = []

    def run(self, root: Element) -> Rendered:
        for event, element in etree.iterwalk(root, events=("start", "end")):
            tag = element.tag.lower() if isinstance(element.tag, str) else ""
            if event == "start":
                self._start(tag, element)
            else:
                self._end(tag, element)
                if element is not root:
                    self._add(element.tail)
        self._done.text = _lines("".join(self._out))
        return self._done

    def _start(self, tag: str, element: Element) -> None:
        if tag in _SKIPPED:
            self._skipped += 1
        if _hides(element):
            self._hidden += 1
        if tag == "br":
            self._put("\n")
        elif tag in _BLOCKS:
            self._put("\n\n" if tag in _APART else "\n")
        if tag == "blockquote":
            self._quoted += 1
            self._put(f"{_MARK}+")
        if tag == "li":
            self._put("- ")
        elif tag in ("td", "th"):
            self._put(" ")
        elif tag == "img" and (shown := element.get("alt", "").strip()):
            self._add(shown)
        if tag in ("a", "area"):
            self._anchors.append((element.get("href", ""), len(self._out)))
        elif tag == "form" and (action := element.get("action", "").strip()):
            self._link(action, "")
        self._add(element.text)

    def _end(self, tag: str, element: Element) -> None:
        if tag in _SKIPPED:
            self._skipped -= 1
        if _hides(element):
            self._hidden -= 1
        if tag in ("a", "area") and self._anchors:
            target, at = self._anchors.pop()
            if target.strip():
                self._link(
                    target.strip(), re.sub(r"[\s\x1e]+", " ", "".join(self._out[at : at + _SHOWN_PIECES])).strip()
                )
        if tag == "blockquote":
            self._quoted -= 1
            self._put(f"\n{_MARK}-")
        if tag in _BLOCKS:
            self._put("\n\n" if tag in _APART else "\n")

    def _link(self, target: str, shown: str) -> None:
        if len(self._done.links) < limits.LINKS_MAX:
            self._done.links.append(Link(target=target[:2000], shown=shown[:500]))

    def _add(self, text: str | None) -> None:
        if not text or self._skipped:
            return
        if self._hidden:
            self._done.hidden_chars += len(text.strip())
            return
        self._put(re.sub(r"[ \t\r\n\f]+", " ", text.replace(_MARK, "")))

    def _put(self, text: str) -> None:
        if self._kept <= limits.TEXT_CHARS_MAX:
            self._kept += len(text)
            self._out.append(text)


def _hides(element: Element) -> bool:
    style = element.get("style", "")
    return element.get("hidden") is not None or bool(style and _HIDDEN.search(style.lower()))


def _lines(text: str) -> str:
    """Lines without needless blanks, at most one empty line in a row, quoted ones with `> ` for each level."""
    depth, made, empty = 0, list[str](), True
    for line in text.replace("\xa0", " ").split("\n"):
        for mark in re.findall(rf"{_MARK}([+-])", line):
            depth = max(0, depth + (1 if mark == "+" else -1))
        bare = re.sub(r" {2,}", " ", re.sub(rf"{_MARK}[+-]", "", line)).strip()
        if not bare and empty:
            continue
        empty = not bare
        made.append(f"{'>' * min(depth, 50)} {bare}" if depth and bare else bare)
    return "\n".join(made).strip("\n")
