"""Verifiers: what speaks against the fields of an invoice.

Each is a pure function from (fields, reading) to objections. What passes all of `VERIFIERS` may be booked without a
person (below the approval limit), so a doubt is an objection.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Set
from decimal import Decimal
from functools import wraps
from typing import Final, TypeAlias

from skerry.core.answers import Objection, Verifier
from skerry_workflows.invoice import bounds, grounding, ibans, vat_ids
from skerry_workflows.invoice.currencies import ISO_4217
from skerry_workflows.invoice.grounding import Place, places
from skerry_workflows.invoice.model import InvoiceFields, Reading
from skerry_workflows.invoice.rules.header import TITLE_LINES_MAX, not_an_invoice, says_invoice
from skerry_workflows.invoice.rules.page import lines_of

__all__ = [
    "VERIFIERS", "Place", "complete", "currency_known", "dates_in_order", "grounded", "ibans_valid", "is_invoice",
    "lines_add_up", "page_agrees", "places", "read_surely", "standard_kept", "totals_add_up", "vat_ids_valid",
    "verify", "within_bounds",
]  # fmt: skip

HEADLINE: Final = ("number", "issue_date", "currency", "seller_name", "net_total", "tax_total", "gross_total")

_CENT: Final = Decimal("0.01")
# Rounding of each line to cents, at worst in the same direction.
_ROUNDING_PER_LINE: Final = Decimal("0.005")
_DUE_AFTER_DAYS_MAX: Final = 3 * 366
_YEAR_MIN: Final = 1990
# What OCR has read is right only if it is certain; Tesseract's own figure, of a word that two readings agree on.
_SURE: Final = 70
_READ_SURELY: Final = frozenset({*HEADLINE, "seller_vat_id", "iban", "payable", "prepaid", "due_date"})
_SUM: Final = frozenset({"net_total", "tax_total", "gross_total"})
_LOOKALIKE: Final = re.compile(r"[OoQIlSZB|](?=\d)|(?<=\d)[OoQIlSZB|]")
_NOT_GROUNDED_TOLD_MAX: Final = 20
_BREACHES_TOLD_MAX: Final = 20

_Check: TypeAlias = Callable[[InvoiceFields, Reading], Iterable[Objection]]


def within_bounds(fields: InvoiceFields, reading: Reading) -> Iterable[Objection]:
    """There is no more of anything than can be checked while the engine waits."""
    beyond = bounds.beyond(fields, reading)
    if beyond:
        yield _objection("bounds", f"this is too much to be checked by a program: {beyond}")


def _bounded(check: _Check) -> _Check:
    """A verifier that leaves what is beyond the bounds to `within_bounds`."""

    @wraps(check)
    def bounded(fields: InvoiceFields, reading: Reading) -> Iterable[Objection]:
        return () if bounds.beyond(fields, reading) else check(fields, reading)

    return bounded


@_bounded
def grounded(fields: InvoiceFields, reading: Reading) -> Iterable[Objection]:
    """Every value stands in the source, or follows from values that do."""
    found, all_of_them = grounding.look_up(fields, reading)
    follows = grounding.derived(fields, reading)
    missing = [(p, value) for p, value in grounding.scalars(fields) if p not in found and p not in follows]
    if missing and not all_of_them:
        yield _objection("grounded", "there is too much in this document to look for every value of it")
    for count, (path, value) in enumerate(missing):
        if count == _NOT_GROUNDED_TOLD_MAX:
            yield _objection("grounded", f"and {len(missing) - count} more values are nowhere in the document")
            return
        yield _objection("grounded", f"{_spoken(path)} {value} is nowhere in the document", path.partition("[")[0])


@_bounded
def read_surely(fields: InvoiceFields, reading: Reading) -> Iterable[Objection]:
    """What OCR has read and money depends on was read twice alike, and has no letter that looks like a digit.

    Or the rest of the page leaves it no choice: one amount that is hard to read, where it makes net + tax = gross with
    two that are not; a sign of a currency, where the same sign was read surely elsewhere.
    """
    if not reading.words:
        return
    found, _ = grounding.look_up(fields, reading)
    paid_by = {path: place for path, place in found.items() if path.partition("[")[0] in _READ_SURELY}
    doubtful = {path for path, place in paid_by.items() if not _sure(place.start, place.end, reading)}
    doubtful -= _left_by_the_sum(fields, doubtful, found.keys())
    for path, place in paid_by.items():
        name = path.partition("[")[0]
        if path in doubtful and not (path == "currency" and _sure_elsewhere(place, reading)):
            yield _objection("ocr", f"the {_spoken(path)} {place.text!r} is hard to read on the picture", name)
        elif name == "number" and _LOOKALIKE.search(str(fields.number)):
            yield _objection("ocr", f"a letter in the number {fields.number} may be a digit on the picture", name)


def _sure(start: int, end: int, reading: Reading) -> bool:
    """Whether every word that has a part in these characters is sure."""
    return all(w.confidence >= _SURE for w in reading.words if w.start < end and start < w.end)


def _left_by_the_sum(fields: InvoiceFields, doubtful: set[str], found: Set[str]) -> set[str]:
    """The one amount of net, tax and gross that is doubtful, where the sum is exact; one digit misread would break it.

    What is left to pay is then as sure as the gross total that it is.
    """
    net, tax, gross = fields.net_total, fields.tax_total, fields.gross_total
    one = doubtful.intersection(_SUM)
    if net is None or tax is None or gross is None or net + tax != gross or len(one) > 1 or not found >= _SUM:
        return set()
    return one | ({"payable"} if fields.payable == gross else set())


def _sure_elsewhere(place: Place, reading: Reading) -> bool:
    """Whether what stands there was read surely in some other place, by itself or at a number."""
    sign = rf"(?<![^\W\d_]){re.escape(place.text)}(?![^\W\d_])"
    return any(_sure(*other.span(), reading) for other in re.finditer(sign, reading.text))


def complete(fields: InvoiceFields, reading: Reading) -> Iterable[Objection]:
    """Nothing is missing without which an invoice cannot be booked."""
    del reading
    for name in HEADLINE:
        if getattr(fields, name) in (None, ""):
            yield _objection("complete", f"the {_spoken(name)} was not found", name)


@_bounded
def is_invoice(fields: InvoiceFields, reading: Reading) -> Iterable[Objection]:
    """The paper is an invoice by its own title, and asks for money rather than giving it."""
    lines = [] if reading.exact_source else lines_of(reading.text, TITLE_LINES_MAX)
    title = not_an_invoice(lines)
    if reading.words and not says_invoice(lines):
        yield _objection("kind", "nothing on this picture says that it is an invoice", "doc_type")
    if title:
        yield _objection("kind", f"its title is {title!r}: that is no invoice", "doc_type")
    if fields.gross_total is not None and fields.gross_total < 0:
        yield _objection(
            "kind", f"the total of {fields.gross_total} is below zero: is it a credit note?", "gross_total"
        )


@_bounded
def totals_add_up(fields: InvoiceFields, reading: Reading) -> Iterable[Objection]:
    """Net + tax = gross, gross - prepaid + rounding = payable, lines - allowances + charges = net, each to the cent."""
    del reading
    f = fields
    net, tax, gross = f.net_total, f.tax_total, f.gross_total
    if net is not None and tax is not None and gross is not None and abs(net + tax - gross) > _CENT:
        yield _objection(
            "totals", f"net {net} and tax {tax} make {net + tax}, not {gross}", "net_total", "tax_total", "gross_total"
        )
    if gross is not None and f.payable is not None:
        expected = gross - (f.prepaid or 0) + (f.rounding or 0)
        if abs(expected - f.payable) > _CENT:
            yield _objection("totals", f"{expected} should be left to pay, not {f.payable}", "payable", "prepaid")
    if f.line_total is not None and net is not None:
        expected = f.line_total - (f.allowance_total or 0) + (f.charge_total or 0)
        if abs(expected - net) > _CENT:
            yield _objection("totals", f"the lines come to {expected}, not to net {net}", "line_total", "net_total")


@_bounded
def lines_add_up(fields: InvoiceFields, reading: Reading) -> Iterable[Objection]:
    """Lines sum to their total, quantity x price to a line that is far off, and the lines of tax to the tax total."""
    yield from _line_sum(fields, exact=bool(reading.exact_source))
    yield from _tax_sums(fields)


def _line_sum(fields: InvoiceFields, *, exact: bool) -> Iterator[Objection]:
    amounts = [line.net_amount for line in fields.lines if line.net_amount is not None]
    if not amounts or len(amounts) < len(fields.lines):
        return
    total = sum(amounts, Decimal(0))
    wanted: list[Decimal | None] = [fields.net_total if fields.line_total is None else fields.line_total]
    if not exact:
        # Shops print prices with tax, and their lines then sum to the gross total.
        wanted.append(fields.gross_total)
    known = [w for w in wanted if w is not None]
    tolerance = _CENT + _ROUNDING_PER_LINE * len(amounts)
    if known and all(abs(total - w) > tolerance for w in known):
        yield _objection("lines", f"the lines sum to {total}, not to {known[0]}", "lines", "line_total", "net_total")


def _tax_sums(fields: InvoiceFields) -> Iterator[Objection]:
    amounts = [t.amount for t in fields.tax_breakdown if t.amount is not None]
    bases = [t.basis for t in fields.tax_breakdown if t.basis is not None]
    if amounts and fields.tax_total is not None and abs(sum(amounts, Decimal(0)) - fields.tax_total) > _CENT:
        yield _objection(
            "lines", f"the lines of tax sum to {sum(amounts)}, not to {fields.tax_total}", "tax_breakdown", "tax_total"
        )
    if bases and fields.net_total is not None and abs(sum(bases, Decimal(0)) - fields.net_total) > _CENT:
        yield _objection(
            "lines", f"the taxed amounts sum to {sum(bases)}, not to {fields.net_total}", "tax_breakdown", "net_total"
        )
    for t in fields.tax_breakdown:
        if t.rate is not None and t.basis is not None and t.amount is not None:
            expected = t.basis * t.rate / 100
            # Some sum the tax of the lines, each rounded, so a few cents are in order.
            if abs(expected - t.amount) > _CENT + _ROUNDING_PER_LINE * max(1, len(fields.lines)):
                yield _objection("lines", f"{t.rate} % of {t.basis} is {expected:.2f}, not {t.amount}", "tax_breakdown")


@_bounded
def dates_in_order(fields: InvoiceFields, reading: Reading) -> Iterable[Objection]:
    """Due not before issued, nor years later; no date from before there were such invoices."""
    del reading
    issued, due = fields.issue_date, fields.due_date
    if issued and due and due < issued:
        yield _objection("dates", f"due on {due}, before it was issued on {issued}", "due_date", "issue_date")
    if issued and due and due - issued > dt.timedelta(days=_DUE_AFTER_DAYS_MAX):
        yield _objection("dates", f"due on {due}, years after it was issued on {issued}", "due_date", "issue_date")
    if issued and issued.year < _YEAR_MIN:
        yield _objection("dates", f"issued on {issued}, too long ago", "issue_date")


@_bounded
def vat_ids_valid(fields: InvoiceFields, reading: Reading) -> Iterable[Objection]:
    """VAT ids have their country's form and check digits; seller and buyer are not the same."""
    del reading
    for name in ("seller_vat_id", "buyer_vat_id"):
        value = getattr(fields, name)
        problem = vat_ids.problem(value) if value else None
        if problem:
            yield _objection("vat_id", f"the {_spoken(name)} {value} is not valid: {problem}", name)
    both = [vat_ids.compact(v) for v in (fields.seller_vat_id, fields.buyer_vat_id) if v]
    if len(both) == 2 and both[0] == both[1]:
        yield _objection("vat_id", "seller and buyer have the same VAT id", "seller_vat_id", "buyer_vat_id")


@_bounded
def ibans_valid(fields: InvoiceFields, reading: Reading) -> Iterable[Objection]:
    """IBANs have their country's length and right check digits."""
    del reading
    for iban in fields.iban:
        problem = ibans.problem(iban)
        if problem:
            yield _objection("iban", f"the IBAN {iban} is not valid: {problem}", "iban")


@_bounded
def currency_known(fields: InvoiceFields, reading: Reading) -> Iterable[Objection]:
    """The currency is one of ISO 4217."""
    del reading
    if fields.currency and fields.currency not in ISO_4217:
        yield _objection("currency", f"{fields.currency} is not a currency code in use", "currency")


def standard_kept(fields: InvoiceFields, reading: Reading) -> Iterable[Objection]:
    """An e-invoice keeps the business rules of EN 16931; which it breaks, its reader has found."""
    del fields
    for breach in reading.breaches[:_BREACHES_TOLD_MAX]:
        yield _objection(breach.rule, f"rule {breach.rule} of EN 16931 is broken: {breach.words}")


@_bounded
def page_agrees(fields: InvoiceFields, reading: Reading) -> Iterable[Objection]:
    """The XML inside a PDF and its pages are the same invoice: people see one and programs book the other."""
    for name, sentence in grounding.disagreements(fields, reading).items():
        yield _objection("page", sentence, name)


VERIFIERS: Final[tuple[Verifier, ...]] = (
    within_bounds, complete, is_invoice, grounded, read_surely, totals_add_up, lines_add_up, dates_in_order,
    vat_ids_valid, ibans_valid, currency_known, standard_kept, page_agrees,
)  # fmt: skip


def verify(fields: InvoiceFields, reading: Reading) -> tuple[Objection, ...]:
    """All objections of all verifiers, in their order."""
    return tuple(objection for verifier in VERIFIERS for objection in verifier(fields, reading))


def _objection(rule: str, message: str, *names: str) -> Objection:
    return Objection(rule=rule, message=message, fields=names)


def _spoken(path: str) -> str:
    return path.replace("_", " ").replace("[", " [")
