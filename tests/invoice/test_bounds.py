"""What strangers send costs little: verifiers run where everything else waits for them."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest

from skerry_workflows.invoice import limits
from skerry_workflows.invoice.model import InvoiceFields, Line, Reading, TaxLine
from skerry_workflows.invoice.read import read
from skerry_workflows.invoice.rules import extract
from skerry_workflows.invoice.unreadable import Unreadable
from skerry_workflows.invoice.verify import VERIFIERS, verify
from tests.invoice import hostile
from tests.invoice.demo_xml import ubl
from tests.invoice.make_demo import TOOLS
from tests.invoice.samples import FIELDS, READING, changed

WORST = hostile.FIELDS["a letter that is in every word"]
_NOTHING_S = 0.02


def cost_s(work: Callable[[], object]) -> float:
    """The processor time of one go, the best of two: others use the machine as well."""

    def once() -> float:
        began = time.process_time()
        work()
        return time.process_time() - began

    return min(once() for _ in range(2))


@pytest.mark.parametrize("name", hostile.NAMES)
def test_four_times_the_text_is_not_sixteen_times_the_work(name: str) -> None:
    """Of verifiers, on text and fields alike. Linear work would be 4 times as much, quadratic 16 times."""
    small, large = limits.TEXT_CHARS_MAX // 4, limits.TEXT_CHARS_MAX
    few, many = WORST(limits.LINE_ITEMS_MAX // 4), WORST(limits.LINE_ITEMS_MAX)
    short, long = hostile.reading_of(name, small), hostile.reading_of(name, large)
    less = max(cost_s(lambda: verify(few, short)), _NOTHING_S / 4)
    assert cost_s(lambda: verify(many, long)) < 10 * less + _NOTHING_S


@pytest.mark.parametrize("name", hostile.FIELDS)
def test_the_worst_fields_cost_the_engine_next_to_nothing(name: str) -> None:
    """Measured below 0.2 s (docs/quality.md); the bound here leaves room for a machine that is busy."""
    fields = hostile.FIELDS[name](limits.LINE_ITEMS_MAX)
    for text in ("letters in columns", "dates in words", "different numbers"):
        reading = hostile.reading_of(text, limits.TEXT_CHARS_MAX)
        assert cost_s(lambda: verify(fields, reading)) < 0.6, text  # noqa: B023 (called at once)
    hybrid = hostile.xml_reading(limits.XML_CHARS_MAX)
    assert cost_s(lambda: verify(fields, hybrid)) < 0.6


def test_rules_stay_far_under_their_limit() -> None:
    for name in hostile.NAMES:
        reading = hostile.reading_of(name, limits.TEXT_CHARS_MAX)
        began = time.process_time()
        extract(reading)
        assert time.process_time() - began < 5, name


BEYOND: dict[str, InvoiceFields] = {
    "line items": changed(lines=(Line(name="x"),) * (limits.LINE_ITEMS_MAX + 1)),
    "lines of tax": changed(tax_breakdown=(TaxLine(rate=Decimal(1)),) * (limits.TAX_LINES_MAX + 1)),
    "accounts": changed(iban=("DE1",) * (limits.IBANS_MAX + 1)),
    "a value of it has": changed(seller_name="x" * (limits.VALUE_CHARS_MAX + 1)),
    "a value of it": changed(lines=(Line(name="x" * 229_000),)),
    "seller vat id": changed(seller_vat_id="DE" + "1" * limits.IDENTIFIER_CHARS_MAX),
    "an IBAN": changed(iban=("1" * (limits.IDENTIFIER_CHARS_MAX + 1),)),
    "no amount": changed(gross_total=Decimal("1E+999999")),
    "no amount of this world": changed(net_total=Decimal("NaN")),
    "a number in it": changed(tax_total=Decimal("1E-900")),
}


@pytest.mark.parametrize("said", BEYOND)
def test_more_than_an_invoice_has_is_for_a_person(said: str) -> None:
    """And nothing else is looked at."""
    (objection,) = verify(BEYOND[said], READING)
    assert objection.rule == "bounds" and said in objection.message and len(objection.message) < 200


@pytest.mark.parametrize("kind", ["text", "xml-ubl", "pdf-hybrid"])
def test_a_reading_that_is_too_long(kind: str) -> None:
    """A reader refuses such a file; the verifiers do not rely on it."""
    text = "a" * (limits.XML_CHARS_MAX + 1)
    changes = {"kind": kind, "xml": text if kind == "pdf-hybrid" else "", "text": "a" if kind == "pdf-hybrid" else text}
    reading: Reading = msgspec.structs.replace(READING, **changes)
    assert {o.rule for o in verify(FIELDS, reading)} == {"bounds"}
    assert all(cost_s(lambda: list(v(FIELDS, reading))) < _NOTHING_S for v in VERIFIERS)  # noqa: B023


def test_readers_refuse_it() -> None:
    whole = ubl(TOOLS)
    begin, end = whole.index(b"<cac:InvoiceLine>"), whole.rindex(b"</Invoice>")
    line = b"<cac:InvoiceLine><cbc:ID>1</cbc:ID></cac:InvoiceLine>"
    with pytest.raises(Unreadable, match="line items"):
        read(whole[:begin] + line * (limits.LINE_ITEMS_MAX + 1) + whole[end:], "x.xml")
    with pytest.raises(Unreadable, match="characters"):
        read(whole.replace(b"Edelstahl", b"E" * 229_000), "x.xml")
    with pytest.raises(Unreadable, match="XML has"):
        read(whole[:end] + line * 6_000 + whole[end:], "x.xml")
    with pytest.raises(Unreadable, match="far more text"):
        read(b"Invoice 1, total 2.00\n" * 2_500, "x.txt")


def test_rules_return_no_more_than_can_be_objected_to() -> None:
    text = "Description   Amount\n" + "abc           1,00\n" * 2_000
    reading = msgspec.structs.replace(READING, text=text)
    fields = extract(reading)
    assert [o.rule for o in verify(fields, reading)] == ["bounds"] + ["complete"] * 7


def test_what_there_is_no_time_to_look_for_is_for_a_person() -> None:
    reading = hostile.reading_of("one word and its beginning", limits.TEXT_CHARS_MAX)
    fields = InvoiceFields(lines=tuple(Line(name=f"aa{'b' * n}x") for n in range(1, 300)))
    told = [o.message for o in verify(fields, reading) if o.rule == "grounded"]
    assert "too much in this document" in told[0]
    assert len(told) < 30, "told in short"
