"""The currency of a document, from codes and symbols at its amounts."""

from __future__ import annotations

import re

from skerry_workflows.invoice.currencies import ISO_4217
from skerry_workflows.invoice.rules import labels
from skerry_workflows.invoice.rules.find import labelled, only
from skerry_workflows.invoice.rules.page import Page

# Symbols that mean one currency. "kr", "$" and the yen sign mean several.
SYMBOLS = {
    "€": "EUR", "£": "GBP", "zł": "PLN", "Kč": "CZK", "₹": "INR", "₺": "TRY", "₴": "UAH", "₪": "ILS", "₩": "KRW",
    "US$": "USD",
}  # fmt: skip

_AT_AMOUNT = re.compile(
    r"(?<![A-Za-z$])(?P<before>[A-Z]{3}|US\$|[€£₹₺₴₪₩$])\s{0,20}(?=[-\u2212]?\d)"
    r"|(?<=\d)\s{0,3}(?P<after>[A-Z]{3}|[€£₹₺₴₪₩$]|zł|Kč)(?![A-Za-z])"
)
# Signs that a dollar may be another country's than the United States'.
_OTHER_DOLLARS = re.compile(
    r"\b(?:gst|hst|pst|qst|abn|acn|nzbn|uen|canada|canadian|australia|australian|new zealand|singapore|hong kong|mexico"
    r"|taiwan|chile|colombia|argentina|brazil|brasil|cad|aud|nzd|sgd|hkd|mxn|twd|rut|rfc|nit|cnpj|iva|vat)\b"
    r"|\b[acs]\$|nz\$|hk\$|mx\$|r\$"
)


def currency(page: Page) -> str | None:
    """The ISO 4217 code, if the document names one currency only.

    A bare "$" is read as USD where nothing speaks against it; the verifiers take it for a guess.
    """
    stated = only(labelled(page, labels.CURRENCY, _code))
    if stated:
        return stated
    found: set[str] = set()
    for match in _AT_AMOUNT.finditer(page.text):
        mark = match["before"] or match["after"]
        code = mark if mark in ISO_4217 else SYMBOLS.get(mark, "$" if mark == "$" else "")
        if code:
            found.add(code)
    # A column headed "Amount EUR" marks no single amount.
    found |= {m[0] for m in re.finditer(r"\b(?:EUR|USD|GBP|CHF|SEK|NOK|DKK|PLN|CZK)\b", page.text)}
    if found == {"$"}:
        return None if _OTHER_DOLLARS.search(page.folded) else "USD"
    found.discard("$") if len(found) == 2 and "USD" in found else None
    return found.pop() if len(found) == 1 and "$" not in found else None


def _code(text: str) -> str | None:
    code = text[:3]
    return code if code in ISO_4217 and not text[3:4].isalpha() else None
