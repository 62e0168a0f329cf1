"""Untrusted XML to a small typed tree. The only file that touches lxml.

Namespaces are dropped once the root is known: within one syntax no two elements differ by namespace alone, and paths of
local names read like the standard's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from skerry_workflows.invoice import limits
from skerry_workflows.invoice.unreadable import Unreadable

_DOCTYPE = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_ASK_AGAIN = "ask the sender for the invoice as plain XML or as a PDF"


@dataclass(frozen=True, slots=True)
class Node:
    """One element: local `tag`, its own `text` (stripped), attributes by local name, child elements in order."""

    tag: str
    text: str
    attributes: dict[str, str] = field(default_factory=dict[str, str])
    children: list[Node] = field(default_factory=list["Node"])

    def all(self, path: str) -> Iterator[Node]:
        """Every element below at `path` ("A/B/C", local names), in document order."""
        first, _, rest = path.partition("/")
        for child in self.children:
            if child.tag == first:
                if rest:
                    yield from child.all(rest)
                else:
                    yield child

    def everywhere(self, tag: str) -> Iterator[Node]:
        """Every element of that name at any depth, in document order."""
        for child in self.children:
            if child.tag == tag:
                yield child
            yield from child.everywhere(tag)

    def first(self, *paths: str) -> Node | None:
        """The first element at the first of `paths` that has one."""
        for path in paths:
            for node in self.all(path):
                return node
        return None

    def value(self, *paths: str) -> str | None:
        """The first text that is not empty at one of `paths`."""
        for path in paths:
            for node in self.all(path):
                if node.text:
                    return node.text
        return None


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file: its `root`, the root's `namespace`, and `text`, the XML as lxml writes it down again."""

    root: Node
    namespace: str
    text: str


def parse(data: bytes) -> Document:
    """Parse XML without entities, DTD or network.

    Raises:
        Unreadable: it is too large, too deep, declares a DTD or entities, or is not well-formed.
    """
    from lxml import etree

    if len(data) > limits.XML_BYTES_MAX:
        limit_mib = limits.XML_BYTES_MAX // 2**20
        raise Unreadable(f"this XML file is larger than {limit_mib} MiB", hint="a person has to enter it")
    if _DOCTYPE.search(data):
        raise _forbidden()
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root: Any = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise Unreadable(f"this XML file is damaged ({error.msg})", hint=_ASK_AGAIN) from None
    # The bytes were searched already, but UTF-16 would have hidden a declaration from that search.
    if root is None or root.getroottree().docinfo.internalDTD is not None:
        raise _forbidden()
    namespace = str(etree.QName(root).namespace or "")
    return Document(_node(root, [0], 0), namespace, str(etree.tostring(root, encoding="unicode")))


def _forbidden() -> Unreadable:
    return Unreadable(
        "this XML file declares a document type or entities, which invoices never need and attacks do", hint=_ASK_AGAIN
    )


def _node(element: Any, count: list[int], depth: int) -> Node:
    """Copy an lxml element and all below it; `count` is shared by the whole copy."""
    count[0] += 1
    if count[0] > limits.XML_ELEMENTS_MAX or depth > limits.XML_DEPTH_MAX:
        raise Unreadable("this XML file is too large or too deep for an invoice", hint="a person has to enter it")
    return Node(
        tag=_local(element.tag),
        text=(element.text or "").strip(),
        attributes={_local(key): value for key, value in element.attrib.items()},
        # Anything whose tag is not a string is no element (an entity reference, say).
        children=[_node(child, count, depth + 1) for child in element if isinstance(child.tag, str)],
    )


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
