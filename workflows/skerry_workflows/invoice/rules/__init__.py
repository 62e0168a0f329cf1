"""Text to fields by rules: no model, no document known beforehand.

General by intent: words of many languages, number and date formats, arithmetic and position. What is not beyond
doubt is left empty, because a person who is asked costs a minute and a wrong value that is booked costs an
afternoon.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from skerry_workflows.invoice.model import InvoiceFields, Line, Reading, TaxLine
from skerry_workflows.invoice.rules import accounts, header, items, money, parties, taxes, totals
from skerry_workflows.invoice.rules.page import Page, lay_out


def extract(reading: Reading) -> InvoiceFields:
    """The fields that the page text of a reading gives beyond doubt; the rest is empty."""
    page = lay_out(reading.text)
    table = items.table(page)
    tax_lines = taxes.breakdown(page, table.rows)
    candidates = totals.candidates(page, table.rows)
    found = totals.solve(candidates, tax_lines, page)
    off = sum(table.allowances, Decimal(0))
    lines = items.fitting(table.items, (found.net, found.gross, found.net + off if found.net is not None else None))
    seller_vat_id, buyer_vat_id = accounts.vat_id_pair(page)
    number = header.number(page)
    fields = InvoiceFields(
        doc_type=header.doc_type(page),
        number=number,
        issue_date=header.issue_date(page, number),
        due_date=header.due_date(page),
        currency=money.currency(page),
        seller_name=parties.seller(page),
        seller_vat_id=seller_vat_id,
        buyer_name=parties.buyer(page),
        buyer_vat_id=buyer_vat_id,
        purchase_order=header.purchase_order(page),
        iban=accounts.accounts(page),
        line_total=_line_total(lines, found.net, off),
        allowance_total=off if off and _line_total(lines, found.net, off) is not None else None,
        net_total=found.net,
        tax_total=found.tax,
        gross_total=found.gross,
        prepaid=found.prepaid,
        payable=found.payable,
        tax_breakdown=_tax_breakdown(page, (tax_lines, totals.rate_lines(candidates)), found),
        lines=lines,
    )
    return _positive(fields) if fields.doc_type == "credit_note" else fields


def _line_total(lines: tuple[Line, ...], net: Decimal | None, off: Decimal) -> Decimal | None:
    """The sum of the lines where the net total follows from it; it is rarely printed on its own."""
    total = sum((line.net_amount or Decimal(0) for line in lines), Decimal(0))
    return total if lines and net is not None and total - off == net else None


def _tax_breakdown(page: Page, ways: Iterable[tuple[TaxLine, ...]], sums: totals.Totals) -> tuple[TaxLine, ...]:
    """The first of several ways to read the lines of tax that adds up to the totals;

    if none does, the only rate that fits.
    """
    if sums.net is None or sums.tax is None:
        return ()
    for lines in ways:
        basis = sum((t.basis for t in lines if t.basis is not None), Decimal(0))
        amount = sum((t.amount for t in lines if t.amount is not None), Decimal(0))
        bases_fit = all(t.basis is None for t in lines) or abs(basis - sums.net) <= totals.ROUNDING
        if lines and bases_fit and abs(amount - sums.tax) <= totals.ROUNDING:
            return lines
    return taxes.single_rate(page, sums.net, sums.tax)


def _positive(fields: InvoiceFields) -> InvoiceFields:
    """A credit note printed with minus signs, with the positive amounts that EN 16931 gives it."""
    if fields.gross_total is None or fields.gross_total >= 0:
        return fields

    def flip(value: Decimal | None) -> Decimal | None:
        return -value if value else value

    return msgspec.structs.replace(
        fields,
        line_total=flip(fields.line_total),
        net_total=flip(fields.net_total),
        tax_total=flip(fields.tax_total),
        gross_total=flip(fields.gross_total),
        payable=flip(fields.payable),
        tax_breakdown=tuple(
            TaxLine(rate=t.rate, basis=flip(t.basis), amount=flip(t.amount)) for t in fields.tax_breakdown
        ),
        lines=tuple(msgspec.structs.replace(line, net_amount=flip(line.net_amount)) for line in fields.lines),
    )
