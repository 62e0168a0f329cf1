"""Documents that make careless code take the square of their length, with the fields that make it worst."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from decimal import Decimal

from skerry_workflows.invoice import limits
from skerry_workflows.invoice.model import InvoiceFields, Line, Reading, TaxLine

DAY = dt.date(2024, 5, 17)
_DIGITS = random.Random(4)

TEXTS: dict[str, str] = {
    "one letter": "a ",
    "one long word": "a",
    "letters in columns": "a   ",
    "words that nearly fit": "oak board oile ",
    "one word and its beginning": "aab ",
    "groups of digits": "111 ",
    "groups with commas": "111,111,",
    "groups that never end": "1 111 111 111 111 111 111x ",
    "small numbers": "1 ",
    "numbers in columns": "1,00   ",
    "dates": "1.1.11 ",
    "half dates": "1 May   ",
    "dates in words": "1 May 24 ",
    "half IBANs": "DE78 9995 0000 1234 5678 9 ",
    "dots": "a.",
    "blanks": "a" + " " * 50,
    "newlines": "a\n",
    "marks": "!!!!!!!!!a",
    "brackets": "((((((((((((((((a",
    "currencies": "EUR1 ",
    "percent": "19 % 1,00 ",
    "titles": "Mahnung a\n",
    "long titles": "payment reminder " * 50 + "\n",
    "blanks in titles": "-" * 900 + "a\n",
    "letters that fold": "ﬁǅß ",
    "letters of many kinds": "".join(chr(n) for n in range(0x4E00, 0x6E00)),
    "accents": "e\u0301 ",
    "totals": "Total 1,00\nNet 1,00\nVAT 0,00\n",
    "one long line of cells": "ab   ",
    "lines of cells": "ab   " * 190 + "\n",
    "one long line of labels": "total ",
    "rates": "19% 1,00 0,19\n",
    "tables": "Description   Amount\nabc           1,00\n",
    "rows": "Description   Amount\n" + "abc           1,00\n" * 3_000,
    "VAT ids": "DE 1 2 3 4 5 6 7 8 ",
    "labels without values": "Invoice no\n",
    "labels in a row": "Invoice no   ",
    "labels of buyers": "Bill to   ",
    "senders": "From\n",
    "senders with names": "From: Ab Ltd\n",
    "deliveries": "Ship to: Ab\n",
    "parties": "Ab\n12345 Town\niban\n",
    "addresses": "Ab · Street 4 · 12345 Town\n",
    "names in columns": "Ab   Cd   Ef   Gh\n",
    "names": "Ab\n",
    "percentages in labels": "VAT 19 % " * 100 + "\n",
    "labels with brackets": "Total " + "(" * 900 + "\n",
    "postcodes": "AB 1234 " * 120 + "\n",
    "please": "please pay a a a a " * 50 + "\n",
    "transfers": "uberweisen sie a a a a a a a " * 34 + "\n",
    "numbers of invoices": "Invoice no 1 of 2 Invoice\n",
    "currency labels": "Currency EUR\n",
}
"""What a text is made of, over and over."""


def text_of(name: str, size: int) -> str:
    """About `size` characters."""
    if name == "different totals":
        return "".join(f"Total {n},00\nNet {n % 59},50\nVAT {n % 57},10\n" for n in range(size // 33))
    if name == "different numbers":
        return " ".join(str(n) for n in range(size // 6))
    if name == "numbers with zeros":
        return "".join(f"{n}{'0' * (n % 7)},{'0' * (n % 5)}1 " for n in range(size // 9))
    unit = TEXTS[name]
    return (unit * (size // len(unit) + 1))[:size]


NAMES = (*TEXTS, "different totals", "different numbers", "numbers with zeros")


def reading_of(name: str, size: int) -> Reading:
    return Reading(name="x", media_type="text/plain", kind="text", text=text_of(name, size))


def _fields(lines: int, name: Callable[[int], str], number: Callable[[int], Decimal]) -> InvoiceFields:
    return InvoiceFields(
        number=name(1), issue_date=DAY, due_date=dt.date(2011, 1, 2), currency="PLN", seller_name=name(2),
        seller_vat_id="DE 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8", buyer_name=name(3), buyer_vat_id="A" * 50,
        purchase_order=name(4), iban=tuple(("DE78 9995 0000 1234 5678 9" + str(n) * 9)[:34] for n in range(20)),
        net_total=number(1), tax_total=number(2), gross_total=number(3),
        tax_breakdown=tuple(TaxLine(rate=number(n), basis=number(n), amount=number(n)) for n in range(50)),
        lines=tuple(
            Line(name=name(n), quantity=number(n), unit_price=number(n + 1), net_amount=number(n + 2))
            for n in range(lines)
        ),
    )  # fmt: skip


FIELDS: dict[str, Callable[[int], InvoiceFields]] = {
    "a letter that is in every word": lambda n: _fields(n, lambda i: "a", lambda i: Decimal(i)),
    "words that are there, too far apart": lambda n: _fields(
        n, lambda i: f"oak {'board ' * (i % 20)}oile a{i}", Decimal
    ),
    "many words": lambda n: _fields(n, lambda i: "a " * 400 + "aab " * 20, lambda i: Decimal(i * 1000)),
    "long names": lambda n: _fields(n, lambda i: "a" * 900 + "ba" * 40 + str(i), lambda i: Decimal(i) / 100),
    "names of a hundred": lambda n: _fields(n, lambda i: "a" * 40 + "b" + "a" * (i % 58), lambda i: Decimal(i) / 7),
    "short names": lambda n: _fields(n, lambda i: f"b{i}", lambda i: Decimal("11111")),
    "words of the text": lambda n: _fields(n, lambda i: "a aab", lambda i: Decimal(111 + i)),
}
"""Fields that are looked for in them, by the number of their lines."""


def xml_of(size: int) -> str:
    """Elements as short as they can be, each with another number."""
    return "<x>" + "".join(f"<a>{n}</a>" for n in range(size // 12)) + "</x>"


def xml_reading(size: int) -> Reading:
    """A PDF with XML inside, both as long as they may be, and nothing of one in the other."""
    page = text_of("small numbers", min(size, limits.TEXT_CHARS_MAX))
    return Reading(
        name="x", media_type="application/pdf", kind="pdf-hybrid", text=page, xml=xml_of(size), fields=InvoiceFields()
    )
