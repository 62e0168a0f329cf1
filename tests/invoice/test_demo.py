"""The demo documents: as drawn, and of every outcome."""

from __future__ import annotations

import msgspec

from skerry_workflows.invoice.demo import documents
from skerry_workflows.invoice.duplicates import compare
from skerry_workflows.invoice.model import InvoiceFields
from skerry_workflows.invoice.read import read
from skerry_workflows.invoice.rules import extract
from skerry_workflows.invoice.seconding import seconded
from skerry_workflows.invoice.unreadable import Unreadable
from skerry_workflows.invoice.verify import verify
from tests.invoice import make_demo


def test_they_are_what_make_demo_draws() -> None:
    drawn = make_demo.documents()
    assert [path.name for path in documents()] == sorted(drawn)
    for path in documents():
        if path.suffix == ".pdf":
            # Another version of the PDF library may write other bytes for the same page.
            assert path.stat().st_size > 1000
        else:
            assert path.read_bytes() == drawn[path.name], path.name


def test_they_are_small() -> None:
    assert sum(path.stat().st_size for path in documents()) < 300_000


def test_every_outcome_is_among_them() -> None:
    clean: dict[str, InvoiceFields] = {}
    objected: dict[str, set[str]] = {}
    for path in documents():
        try:
            reading = read(path.read_bytes(), path.name)
        except Unreadable:
            objected[path.name] = {"unreadable"}
            continue
        if reading.is_picture:
            objected[path.name] = {"picture"}
            continue
        fields = reading.fields or extract(reading)
        rules = {o.rule for o in verify(fields, reading)}
        if rules:
            objected[path.name] = rules
        else:
            clean[path.name] = fields
    assert objected == {
        "08-coffee-does-not-add-up.pdf": {"totals"},
        "09-bakery-scan.pdf": {"picture"},
        "10-books.txt": {"complete"},
    }
    assert [name for name, f in clean.items() if (f.gross_total or 0) > 10_000] == ["07-kitchen-over-the-limit.pdf"]
    same = [(a, b) for a in clean for b in clean if a < b and compare(clean[a], clean[b]) != "different"]
    assert same == [("02-werkzeug.pdf", "06-werkzeug-again-ubl.xml")]


def test_one_is_for_a_model() -> None:
    """What the rules leave open of it a second look finds, so that a model's word is enough."""
    (path,) = (path for path in documents() if path.name == "10-books.txt")
    reading = read(path.read_bytes(), path.name)
    fields = extract(reading)
    assert fields.number is None
    assert [o.fields for o in verify(fields, reading)] == [("number",)]
    told = msgspec.structs.replace(fields, number="MF-20714")
    assert [*verify(told, reading), *seconded(told, reading)] == []
