"""Typed values from XML text, as the invoice syntaxes write them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from skerry_workflows.invoice.model import DocType
from skerry_workflows.invoice.unreadable import Unreadable
from skerry_workflows.invoice.xml_tree import Node

# xs:decimal, bounded: no exponent, no NaN, no thousands separators.
_DECIMAL = re.compile(r"[+-]?(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})")

# UNTDID 1001 codes that EN 16931 treats as credit notes.
_CREDIT_CODES = frozenset({"81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "502", "503", "532"})


def decimal_of(text: str | None, where: str) -> Decimal | None:
    """An amount or quantity as XML Schema writes it.

    Raises:
        Unreadable: there is text and it is not a decimal number; `where` names the element.
    """
    if text is None:
        return None
    if not _DECIMAL.fullmatch(text):
        raise Unreadable(f"{where} in the XML is not a number: {text[:40]!r}", hint="a person has to check the invoice")
    return Decimal(text)


def date_of(text: str | None, where: str) -> dt.date | None:
    """A date as "2024-01-31" or, in CII's format 102, "20240131"; what follows the date (a time, a zone) is ignored.

    Raises:
        Unreadable: there is text and it does not begin with a date.
    """
    if text is None:
        return None
    digits = re.match(r"(\d{4})-?(\d{2})-?(\d{2})(?!\d{1,3}$)", text)
    try:
        if digits:
            return dt.date(int(digits[1]), int(digits[2]), int(digits[3]))
    except ValueError:
        pass
    raise Unreadable(f"{where} in the XML is not a date: {text[:40]!r}", hint="a person has to check the invoice")


def doc_type_of(type_code: str | None) -> DocType:
    """Credit note or invoice, by the UNTDID 1001 code."""
    return "credit_note" if type_code in _CREDIT_CODES else "invoice"


def looks_like_iban(text: str) -> bool:
    """Whether an account id is meant as an IBAN; right or wrong is for the verifier to say."""
    return bool(re.fullmatch(r"[A-Za-z]{2}\d{2}[A-Za-z0-9 ]{8,40}", text))


def text_at(node: Node | None, path: str) -> str:
    """The first text that is not empty at a path; "" where there is none, or no node."""
    return (node.value(path) if node else None) or ""


def attribute_of(node: Node | None, name: str) -> str:
    """An attribute; "" where there is none, or no node."""
    return node.attributes.get(name, "") if node else ""


def schemes_of(identifiers: Iterable[Node]) -> Iterator[str]:
    """The schemes of those identifiers that name one."""
    return (scheme for node in identifiers if (scheme := attribute_of(node, "schemeID")))


def amount_of(text: str | None) -> Decimal | None:
    """The decimal number that a text is; None for nothing, or something else."""
    return Decimal(text) if text is not None and _DECIMAL.fullmatch(text) else None


def amount_at(node: Node, path: str) -> Decimal | None:
    """The decimal number at a path; None where there is none, or something else."""
    return amount_of(node.value(path))


def sum_of(node: Node, path: str, within: str) -> Decimal:
    """Of the numbers at `within` of every element at `path`."""
    return sum((amount_at(part, within) or Decimal(0) for part in node.all(path)), Decimal(0))
