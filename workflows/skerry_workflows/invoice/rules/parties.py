"""Who sends the invoice and who receives it.

Taking the buyer for the seller would book an invoice on the wrong account, so a seller is named only on evidence: a
label, a return address, or a block with what only sellers print (bank account, trade register). Two answers are
none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from skerry_workflows.invoice import amounts, dates
from skerry_workflows.invoice.rules import labels
from skerry_workflows.invoice.rules.page import Cell, Page, fold

_NAME_CHARS_MAX = 70
_TOP_LINES_MAX = 25
_POSTCODE = re.compile(
    # "12345 Town", "D-12345 Town", "1234 AB Town"; "AB1 2CD"; "Town, NY 10001"
    r"(?:[A-Z]{1,2}-? ?)?\d{4,5}(?: ?[A-Z]{2})?,? +[^\W\d]|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b"
    r"|.*\b[A-Z]{2} \d{5}(?:-\d{4})?\b"
)
# "Verkoopfactuur", "Ausgangsrechnung": what a paper is, in one word.
_PAPER = re.compile(r"[^\W\d_]*(?:rechnung|factuur|faktura|fattura|invoice|facture|factura)")
# "Our general terms apply." is on top of some letters.
_SENTENCE = re.compile(r"\S+(?: \S+){3,}\.$")
_BULLETS = re.compile(r"\s*[●•·∙|▪■]\s*|\s+[-–—]\s+")
_FORMS = labels.phrases(
    r"""
    en: ltd\.? | limited | llp | plc | inc\.? | llc | corp\.? | corporation | pty | co\. | company
    de: gmbh(?: ?& ?co\.? ?kg)? | mbh | ag | kg | ohg | ug | e\.? ?k\.? | gbr | se
    fr: s\.?a\.?r\.?l\.? | sasu? | s\.?a\.?s\.? | eurl | s\.?a\.? | sci | snc
    es: s\.?l\.?u?\.?
    it: s\.?r\.?l\.?s?\.? | s\.?p\.?a\.?
    nl: b\.?v\.? | n\.?v\.? | bvba | vof
    pt: lda\.? | ltda\.?
    xx: sp\. ?z ?o\. ?o\. | s\.r\.o\. | a\.s\. | a/s | aps | ab | asa? | oyj? | d\.o\.o\. | kft\.?
    """
)
_LEGAL_FORM = re.compile(rf"(?<!\w)(?:{_FORMS})(?!\w)")
# Sellers print these about themselves; an address block of a buyer has none of them.
_SELLER_MARKS = re.compile(
    r"\b(?:iban|bic|swift|sort code|account (?:no|number)|bankverbindung|konto|hr[ab] ?\d|handelsregister|steuernummer"
    r"|steuer-?nr|st\.?-?nr|geschaftsfuhrer|kvk|siren|siret|r\.?c\.?s\.?|company (?:no|number|reg)"
    r"|reg(?:istration|istered)? (?:no|number)|rea|registro mercantil|abn|org\.? ?nr)\b"
)
_BANK = re.compile(r"bank|sparkasse|kasse\b|banque|banca\b|banco\b|caja\b|factoring")
_CONTACT_MARKS = re.compile(
    r"@|\bwww\.|https?:"
    r"|\b(?:tel|phone|fon|fax|telefon|telephone|telefono|mobile|e-?mail|vat|tax|ust|tva|iva|nif|cif|btw|uid|nip)\b"
)
_NO_NAME = re.compile(
    r".*(?:@|www\.|https?:|://)|(?:tel|phone|fon|fax|telefon|mobile|e-?mail|page|seite|date|datum|iban|bic|vat|ust|tva|btw"
    r"|uid|kvk|attn|att\.?n?|z\. ?hd)\b"
)


def seller(page: Page) -> str | None:
    """The seller's name, or None where the evidence is thin or contradicts itself."""
    customer = buyer(page)
    for found in (
        [*_labelled(page, labels.SELLER), *_senders(page)],
        [*_return_addresses(page), *_seller_blocks(page)],
        _letterheads(page),
    ):
        names = [n for n in found if not customer or not same(n, customer)]
        if names:
            return _agreed(names)
    return None


def buyer(page: Page) -> str | None:
    """The buyer's name:

    labelled, else in the window under the return address, else the delivery's if it is there twice.
    """
    for found in (_labelled(page, labels.BUYER), _windows(page), _delivered(page)):
        names = list(found)
        if names:
            return _agreed(names)
    return None


def _labelled(page: Page, label: re.Pattern[str]) -> Iterator[str]:
    """The name behind a label; under it where a column begins there, else to its right."""
    for cell in page.cells():
        match = label.match(cell.folded)
        if not match:
            continue
        rest = cell.text[match.end() :].lstrip(" :.").rstrip(" ,;:")
        under = [c for c in page.below(cell, 1) if c.begins_with(cell)]
        for text in [rest] if rest else [c.text for c in under + page.right_of(cell)[:1]]:
            if _is_name(text):
                yield text
                break


def _senders(page: Page) -> Iterator[str]:
    """The name behind "from", which on a ticket is a place: only with an address under it, or a legal form in it."""
    for cell in page.cells():
        if labels.SENDER.match(cell.folded):
            addressed = any(
                _POSTCODE.match(page.joined(c)) or re.search(rf", (?:{_POSTCODE.pattern})", c.text)
                for line in page.lines[cell.line + 1 : cell.line + 5]
                for c in line
                if cell.start - 3 <= c.start <= cell.end + 3
            )
            names = list(_labelled(page, labels.SENDER))
            yield from [n for n in names if addressed or _LEGAL_FORM.search(fold(n))]
            return


def _return_addresses(page: Page) -> Iterator[str]:
    """The name in a line of name, street and town set apart by bullets or dashes, as above an address window."""
    for cell, parts in _address_lines(page):
        if not _under_customer(page, cell):
            yield parts[0]


def _address_lines(page: Page) -> Iterator[tuple[Cell, list[str]]]:
    for line, text in zip(page.lines, page.text.replace("\f", "\n").split("\n"), strict=True):
        parts = [p.strip() for p in _BULLETS.split(text.strip())]
        if len(parts) >= 3 and line and _is_name(parts[0]) and any(_POSTCODE.match(p) for p in parts[1:]):
            yield line[0], parts


def _seller_blocks(page: Page) -> Iterator[str]:
    """The first line of every column that holds an address and something that only sellers print."""
    for block in _blocks(page):
        text = "\n".join(c.folded for c in block)
        if _BANK.search(block[0].folded) or _SELLER_MARKS.match(block[0].folded):
            continue
        if _SELLER_MARKS.search(text) and any(_POSTCODE.match(page.joined(c)) for c in block[1:]):
            yield block[0].text


def _letterheads(page: Page) -> Iterator[str]:
    """The name on top of the page: with a contact under it or a legal form, where the buyer is labelled elsewhere."""
    if not any(labels.BUYER.match(c.folded) for c in page.cells()):
        return
    for block in _blocks(page):
        top = sum(bool(line) for line in page.lines[: block[0].line]) < 6
        contact = any(_CONTACT_MARKS.search(c.folded) for c in block[1:])
        if top and (contact or _LEGAL_FORM.search(block[0].folded)):
            yield block[0].text


def _blocks(page: Page) -> Iterator[list[Cell]]:
    """Every column of cells whose first cell may be a name, but for those of a customer."""
    for cell in page.cells():
        above = page.lines[cell.line - 1] if cell.line else []
        if any(c.begins_with(cell) and _is_name(c.text) for c in above):
            continue
        if _is_name(cell.text) and not _under_customer(page, cell):
            yield [cell, *page.block_below(cell, lines_max=12)]


def _under_customer(page: Page, cell: Cell) -> bool:
    """Whether a label of buyer or delivery stands over the cell, or in front of it on its line."""
    for line in reversed(page.lines[max(0, cell.line - 7) : cell.line]):
        for other in line:
            if other.begins_with(cell) and _names_customer(other):
                return True
    return any(_names_customer(c) for c in page.lines[cell.line] if c.start < cell.start)


def _names_customer(cell: Cell) -> bool:
    return bool(labels.BUYER.match(cell.folded) or labels.DELIVERY.match(cell.folded))


def _windows(page: Page) -> Iterator[str]:
    """The first line of the address under a return address."""
    for cell, _ in _address_lines(page):
        if cell.line > _TOP_LINES_MAX:
            continue
        for line in page.lines[cell.line + 1 : cell.line + 4]:
            first = next((c for c in line if abs(c.start - cell.start) <= 12), None)
            if first:
                block = page.block_below(first, gap_max=3)
                if _is_name(first.text) and any(_POSTCODE.match(page.joined(c)) for c in block):
                    yield first.text
                break


def _delivered(page: Page) -> Iterator[str]:
    everything = [c.text for c in page.cells()]
    for name in _labelled(page, labels.DELIVERY):
        if everything.count(name) >= 2:
            yield name


def _is_name(text: str) -> bool:
    """Whether a cell may be the name of a company or a person: letters, few digits, no label, no address."""
    folded = fold(text)
    letters, digits = sum(c.isalpha() for c in text), sum(c.isdigit() for c in text)
    if (
        not letters >= 2
        or len(text) > _NAME_CHARS_MAX
        or digits * 3 > letters
        or text.endswith(":")
        or not text[0].isalnum()
    ):
        return False
    if _PAPER.fullmatch(folded) or (_SENTENCE.match(text) and not _LEGAL_FORM.search(folded)):
        return False
    if _NO_NAME.match(folded) or _POSTCODE.match(text) or re.search(r"\S: |:$", text) or next(dates.find(text), None):
        return False
    if (
        re.search(r"\b\d{1,4} ?[a-zA-Z]?$", text)
        or re.match(r"\d+[,a-z]* ", text)
        or any(a.decimals for a in amounts.find(text))
    ):
        return False  # a street with its number, or money
    known = (labels.TITLE, labels.NUMBER, labels.BUYER, labels.DELIVERY, labels.ISSUE_DATE, labels.DUE_DATE,
    labels.ORDER,
             labels.BARE_DATE, labels.CREDIT_NOTE, labels.CURRENCY, labels.NOT_INVOICE)  # fmt: skip
    return not any(label.match(folded) for label in known)


def _agreed(names: list[str]) -> str | None:
    """The shortest of names that are all one ("Acme" and "Acme Ltd"), else None."""
    shortest = min(names, key=len)
    return shortest if all(same(shortest, n) for n in names) else None


def companies(page: Page) -> Iterator[str]:
    """Every name with a legal form that stands on top of something and is neither a customer's nor a bank's."""
    for block in _blocks(page):
        if _LEGAL_FORM.search(block[0].folded) and not _BANK.search(block[0].folded):
            yield block[0].text


def plain(name: str) -> str:
    """A name without its legal form: letters and digits, without case and accents."""
    return re.sub(r"\W", "", _LEGAL_FORM.sub("", fold(name)))


def same(a: str, b: str) -> bool:
    """Whether two names are one: but for the legal form, or one is the beginning or a part of the other."""
    first, second = plain(a), plain(b)
    return first == second or (
        bool(first and second) and (first in second or second in first) and min(len(first), len(second)) >= 5
    )
