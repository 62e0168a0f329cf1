"""The workflow's extraction over a folder of cases with a `manifest.json`, for a scorer.

Reads what it needs of a manifest (`cases`, each with `id` and `input`, a path below the folder) and no expected answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from skerry_workflows.evaluation import Cascade, Failure, Predicted, Progress, Task, each_case, read_json, read_rows
from skerry_workflows.invoice.model import InvoiceFields

# In the scorer's shape, in its order.
_FIELDS = (
    "doc_type", "number", "issue_date", "due_date", "currency", "seller_name", "seller_vat_id", "buyer_name",
    "buyer_vat_id", "purchase_order", "iban", "line_total", "net_total", "tax_total", "gross_total", "prepaid",
    "payable", "tax_breakdown", "lines",
)  # fmt: skip


_KINDS: Final = {"xml": "xml-", "hybrid": "pdf-hybrid", "pdf": "pdf-text", "image": "image", "text": "text"}
"""What the cases of one kind are called in a manifest, by how the kinds of a task are called."""
_HINT: Final = "give the folder of the cases, whose manifest.json lists them, each with an id and an input"


class _Case(msgspec.Struct, frozen=True):
    id: str
    input: str
    kind: str = ""


class _Manifest(msgspec.Struct, frozen=True):
    cases: list[_Case]


class _Row(msgspec.Struct, frozen=True):
    id: str
    xml: str


class _Pair(msgspec.Struct, frozen=True):
    a: str
    b: str


def predict(folder: Path, progress: Progress | None = None) -> Predicted:
    """Extract every case of `folder`; one that fails is reported, never fatal.

    Args:
        folder: has a `manifest.json` and the files it names.
        progress: called after every case with how many are done and how many there are.

    Raises:
        DataError: there is no manifest, or it has another shape.
    """
    return _predicted(extract_all(folder, progress))


def _predict_kind(kind: str, folder: Path, progress: Progress | None) -> Predicted:
    return _predicted(extract_all(folder, progress, kind))


def _predicted(found: tuple[dict[str, InvoiceFields], list[Failure]]) -> Predicted:
    extracted, failures = found
    return {case: prediction(fields) for case, fields in extracted.items()}, failures


def extract_all(
    folder: Path, progress: Progress | None = None, kind: str = ""
) -> tuple[dict[str, InvoiceFields], list[Failure]]:
    """As `predict`, with the fields themselves; of the cases whose kind begins with `kind`."""
    cases = [case for case in _manifest(folder).cases if case.kind.startswith(kind)]
    return each_case([(case.id, partial(extract_file, folder / case.input)) for case in cases], progress)


def extract_file(path: Path) -> InvoiceFields:
    """What the workflow makes of one file: its exact fields, else what the rules find.

    Raises:
        Unreadable: the file cannot be read as an invoice.
        OSError: it cannot be read at all.
    """
    # Imported here, so that naming this module (as the command line does) loads no parser.
    from skerry_workflows.invoice.read import read_all
    from skerry_workflows.invoice.rules import extract

    reading = read_all(path.read_bytes(), path.name)
    return extract(reading) if reading.fields is None else reading.fields


def prediction(fields: InvoiceFields) -> dict[str, Any]:
    """Fields in the scorer's shape: only what is there, decimals as plain strings, dates in ISO form."""
    # Through JSON, so that a caller sees what the scorer will read: lists, strings, no tuples.
    known = msgspec.json.decode(msgspec.json.encode(fields))
    present = {name: known[name] for name in _FIELDS if name in known}
    return {"doc_type": fields.doc_type, **present}


def predict_duplicates(folder: Path, extracted: Mapping[str, InvoiceFields]) -> dict[str, bool | str]:
    """A verdict on every pair of the folder's `duplicates.jsonl` whose files were both extracted."""
    from skerry_workflows.invoice.duplicates import compare

    verdicts: dict[str, bool | str] = {}
    for pair in read_rows(folder / "duplicates.jsonl", _Pair, _HINT):
        if pair.a in extracted and pair.b in extracted:
            verdict = compare(extracted[pair.a], extracted[pair.b])
            verdicts[f"{pair.a}|{pair.b}"] = "review" if verdict == "review" else verdict == "same"
    return verdicts


def _duplicates(folder: Path, progress: Progress | None) -> Predicted:
    extracted, failures = extract_all(folder, progress)
    return predict_duplicates(folder, extracted), failures


def _cases(folder: Path) -> list[tuple[str, Path]]:
    return [(case.id, folder / case.input) for case in _manifest(folder).cases]


def _answered(answer: bytes) -> dict[str, Any]:
    return prediction(msgspec.json.decode(answer, type=InvoiceFields))


def _rules(folder: Path, progress: Progress | None) -> Predicted:
    """The rules of EN 16931 that each row of the folder's `rules.jsonl` breaks."""
    rows = read_rows(folder / "rules.jsonl", _Row, _HINT)
    return each_case([(row.id, partial(_broken, row.xml.encode())) for row in rows], progress)


def _validity(folder: Path, progress: Progress | None) -> Predicted:
    """As `_rules`, for every XML file of the manifest."""
    files = [case for case in _cases(folder) if case[1].suffix == ".xml"]
    return each_case([(case, partial(_broken_file, path)) for case, path in files], progress)


def _broken_file(path: Path) -> list[str]:
    return _broken(path.read_bytes())


def _broken(data: bytes) -> list[str]:
    from skerry_workflows.invoice import en16931, xml_tree

    return [rule.id for rule in en16931.broken(xml_tree.parse(data).root)]


TASKS: Mapping[str, Task] = {
    "invoices": predict,
    **{f"invoices-{name}": partial(_predict_kind, kind) for name, kind in _KINDS.items()},
    "duplicates": _duplicates,
    "rules": _rules,
    "validity": _validity,
}
CASCADES: Mapping[str, Cascade] = {
    "invoices": Cascade("invoice.received", "invoice.extract", _cases, _answered),
}


def _manifest(folder: Path) -> _Manifest:
    return read_json(folder / "manifest.json", _Manifest, _HINT)
