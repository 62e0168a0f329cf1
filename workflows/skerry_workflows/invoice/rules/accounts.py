"""VAT ids and IBANs, and whose they are."""

from __future__ import annotations

import re

from skerry_workflows.invoice import ibans, vat_ids
from skerry_workflows.invoice.rules import labels
from skerry_workflows.invoice.rules.page import Page

_NAMED = re.compile(
    r"\b(?:vat|tax|ust|ust-?id\w*|ustid|uid|umsatzsteuer|mwst|tva|iva|p\.? ?iva|btw|nif|cif|moms|nip|dic|alv|oib|org)\b"
    r"[^\n]{0,24}$"
)


def vat_id_pair(page: Page) -> tuple[str | None, str | None]:
    """The VAT ids of seller and buyer; None where there is none, or where several could be the one."""
    seller: dict[str, None] = {}
    buyer: dict[str, None] = {}
    accounts = list(ibans.find(page.text))
    for start, end in vat_ids.find(page.text):
        if any(s <= start < e for s, e in accounts):
            continue
        line_start = max(page.text.rfind("\n", 0, start), page.text.rfind("   ", 0, start - 1), start - 60) + 1
        # A label may stand in the cell to the left, so the line up to here is looked at, nearest label first.
        before = page.folded[page.text.rfind("\n", 0, start) + 1 : start]
        near = page.folded[line_start:start].strip() or before.strip()[-60:]
        value = page.text[start:end]
        if not _NAMED.search(near) and vat_ids.problem(value) is not None:
            continue
        (buyer if _is_customers(page, start, near) else seller)[vat_ids.compact(value)] = None
    return _one(seller), _one(buyer)


def _is_customers(page: Page, start: int, before: str) -> bool:
    """Whether the id is called the customer's, or stands under a label of the customer."""
    if labels.CUSTOMER_CONTEXT.search(before):
        return True
    line = page.text.count("\n", 0, start) + page.text.count("\f", 0, start)
    column = start - max(page.text.rfind("\n", 0, start), page.text.rfind("\f", 0, start)) - 1
    cell = next((c for c in page.lines[line] if c.start <= column < c.end), None)
    if cell is None:
        return False
    for above in reversed(page.lines[max(0, line - 8) : line]):
        for other in above:
            if other.begins_with(cell):
                if labels.BUYER.match(other.folded):
                    return True
                if labels.SELLER.match(other.folded):
                    return False
    return False


def _one(found: dict[str, None]) -> str | None:
    return next(iter(found)) if len(found) == 1 else None


def accounts(page: Page) -> tuple[str, ...]:
    """Every IBAN, compact, once, in the order of the page."""
    return tuple(dict.fromkeys(ibans.compact(page.text[start:end]) for start, end in ibans.find(page.text)))
