"""The head of an invoice: type, number, dates, order number."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator

from skerry_workflows.invoice import dates
from skerry_workflows.invoice.identity import normal_number
from skerry_workflows.invoice.model import DocType
from skerry_workflows.invoice.rules import labels
from skerry_workflows.invoice.rules.find import labelled, only
from skerry_workflows.invoice.rules.page import Cell, Page

TITLE_LINES_MAX = 60
_TITLE_WORDS_MAX = 5
_TOP_LINES_MAX = 12
_LETTER_LINES_MAX = 30
_TOWN = re.compile(r"[^\W\d][^\W\d .'\-/]{1,25}(?:[ \-][^\W\d]{2,15}){0,2}, (?:(?:den|le|am|li|a) )?")
# A number has a digit, no blank inside but after a short prefix ("INV 2024-17"), and is no longer than 30 characters.
_NUMBER = re.compile(r"(?:[A-Z]{1,5} )?(?=[^\s]*\d)[A-Za-z0-9][A-Za-z0-9/._\-+]{0,28}[A-Za-z0-9]?(?![^\s,;)])")
_DATE_NEAR_CHARS_MAX = 14


def doc_type(page: Page) -> DocType:
    """By the title: the first short cell near the top that names a kind of document."""
    for line in page.lines[:TITLE_LINES_MAX]:
        for cell in line:
            if len(cell.text.split()) > _TITLE_WORDS_MAX:
                continue
            if labels.CREDIT_NOTE.match(cell.folded):
                return "credit_note"
            if labels.TITLE.match(cell.folded) and not labels.RECEIPT.match(cell.folded):
                return "invoice"
            if labels.RECEIPT.match(cell.folded):
                return "receipt"
    return "invoice"


def not_an_invoice(lines: list[list[Cell]]) -> str | None:
    """The title that says that this is another paper (a quote, a reminder): alone on its line, near the top."""
    for line in lines[:TITLE_LINES_MAX]:
        for cell in line[:1]:
            if len(line) == 1 and len(cell.text) <= 60 and labels.NEVER_TO_BE_BOOKED.match(cell.folded):
                return cell.text
            match = labels.NOT_INVOICE.match(cell.folded)
            if match and len(line) == 1 and not cell.folded[match.end() :].strip(" .!*"):
                return cell.text
    return None


def number(page: Page) -> str | None:
    """The invoice number: labelled as such, else behind the title, else under it as "# 123", else so on top."""
    for candidates in (labelled(page, labels.NUMBER, _number), _titled(page), _under_title(page), _untitled(page)):
        found = list(candidates)
        if found:
            return only(found, normal_number)
    return None


def _number(text: str) -> str | None:
    """A number at the start of `text`, with nothing but a date or words behind it."""
    alone = _number_alone(text)
    if alone:
        return alone
    # "No: 123 Page 1" is a number and something else; "No: 12 34 56" may be one number or three.
    match = _NUMBER.match(text)
    return _trimmed(match) if match and re.match(r"[\s,;|]+[^\W\d]{3,}", text[match.end() :]) else None


def _number_alone(text: str) -> str | None:
    """A number at the start of `text`, with nothing but a date behind it."""
    match = _NUMBER.match(text)
    rest = text[match.end() :] if match else ""
    date = next(dates.find(rest), None)
    between = rest[: date.start] if date else rest
    if match and (not between.strip(" ,;.)(") or (date and labels.DATED.match(between.casefold()))):
        return _trimmed(match)
    return None


def _trimmed(match: re.Match[str]) -> str | None:
    """The number without punctuation at its end; None if it is a date, or a single character."""
    found = match[0].rstrip(" ./,-_")
    is_date = next(dates.find(match[0]), None) is not None
    return None if is_date or len(normal_number(found)) < 2 else found


def _titled(page: Page) -> Iterator[str]:
    for cell in page.cells():
        match = labels.TITLE.match(cell.folded)
        rest = cell.text[match.end() :] if match else ""
        text = rest.lstrip(" :#.")
        value = _number_alone(text) if rest[:1] in " :#" else None
        # "Invoice 3 of 4" or "Rechnung 2024" are no numbers; a number behind a title has at least three characters.
        if value and len(normal_number(value)) >= 3 and not re.fullmatch(r"(?:19|20)\d\d", value):
            yield value


def _under_title(page: Page) -> Iterator[str]:
    for cell in page.cells():
        title = labels.TITLE.match(cell.folded)
        if title and not cell.folded[title.end() :].strip(" :."):
            for under in page.below(cell, 1):
                if re.match(r"(?:#|no\.?|nr\.?|n°|№) ?\S", under.folded):
                    value = _number(re.sub(r"^(?:#|[Nn][or]?[.°]?|№) ?", "", under.text))
                    if value:
                        yield value


def _untitled(page: Page) -> Iterator[str]:
    """ "# 123" alone near the top of a page whose title could not be read, as OCR leaves it of one in large letters."""
    if says_invoice(page.lines):
        return
    for line in page.lines[:_TOP_LINES_MAX]:
        for cell in line:
            if cell.text.startswith("#"):
                value = _number_alone(cell.text[1:].lstrip())
                if value:
                    yield value


def says_invoice(lines: list[list[Cell]]) -> bool:
    """Whether one of these lines says that this is an invoice or something of the kind."""
    cells = (cell for line in lines for cell in line if not labels.BUYER.match(cell.folded))  # "Bill to"
    return any(labels.TITLE.match(cell.folded) or labels.NUMBER.match(cell.folded) for cell in cells)


def issue_date(page: Page, invoice_number: str | None) -> dt.date | None:
    """The date labelled as the invoice's, or the one in the line of its number;

    without either, the one labelled "date".
    """
    parse = _date_parser(page)
    found = [*labelled(page, labels.ISSUE_DATE, parse), *_dates_behind(page, invoice_number)]
    if not found:
        # Tables of work and of payments have a column "Date" as well; beside the invoice's number it is the invoice's.
        def beside_number(cell: Cell) -> bool:
            return any(labels.NUMBER.match(c.folded) for c in page.lines[cell.line])

        found = list(labelled(page, labels.BARE_DATE, parse, beside_number)) or list(_dates_with_place(page))
    return only(found)


def _dates_with_place(page: Page) -> Iterator[dt.date]:
    """The date of a letter, behind its town: "Norwick, 14 May 2024", in a cell of its own near the top."""
    for line in page.lines[:_LETTER_LINES_MAX]:
        for cell in line:
            town = _TOWN.match(cell.text)
            for date in dates.find(cell.text[town.end() :] if town else ""):
                value = date.value(page.order)
                if town and value and date.start == 0 and town.end() + date.end == len(cell.text):
                    yield value


def due_date(page: Page) -> dt.date | None:
    """The date until which to pay, if one is printed. It is never worked out from "30 days"."""
    return only(labelled(page, labels.DUE_DATE, _date_parser(page)))


def _date_parser(page: Page) -> Callable[[str], dt.date | None]:
    def parse(text: str) -> dt.date | None:
        for date in dates.find(text):
            return date.value(page.order) if date.start <= _DATE_NEAR_CHARS_MAX else None
        return None

    return parse


def _dates_behind(page: Page, invoice_number: str | None) -> Iterator[dt.date]:
    """The dates behind the invoice's own number:

    "Invoice 17 of 3 May 2024". A credit note names other invoices as well.
    """
    for cell in page.cells():
        label = labels.NUMBER.match(cell.folded) or labels.TITLE.match(cell.folded)
        rest = cell.text[label.end() :].lstrip(" :.#") if label else ""
        number_match = _NUMBER.match(rest)
        if not number_match or normal_number(number_match[0]) != normal_number(invoice_number or ""):
            continue
        behind = rest[number_match.end() :]
        for date in dates.find(behind):
            value = date.value(page.order)
            if value and labels.DATED.match(behind[: date.start].casefold()):
                yield value
            break


def purchase_order(page: Page) -> str | None:
    """The buyer's order number, if it is labelled as the buyer's."""
    return only(labelled(page, labels.ORDER, _number))
