"""Evaluation over a folder of cases: a small one made here, and the real one where it is there."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from skerry.errors import DataError
from skerry_workflows.invoice.evaluate import TASKS, extract_all, predict, predict_duplicates, prediction
from skerry_workflows.invoice.model import InvoiceFields, Reading
from skerry_workflows.invoice.read import read_all
from skerry_workflows.invoice.rules import extract
from skerry_workflows.invoice.verify import HEADLINE, verify
from tests.invoice.demo_xml import ubl
from tests.invoice.make_demo import TOOLS
from tests.invoice.samples import TEXT, ocr_installed, shared_invoices


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "b.xml").write_bytes(ubl(TOOLS))
    (tmp_path / "c.png").write_bytes(b"\x89PNG" + bytes(40))
    cases = [{"id": name[0], "input": name, "kind": "any"} for name in ("a.txt", "b.xml", "c.png", "gone.pdf")]
    (tmp_path / "manifest.json").write_text(json.dumps({"set": "made up", "cases": cases}))
    pairs = [{"a": "a", "b": "b", "duplicate": False}, {"a": "a", "b": "c", "duplicate": True}, {"a": "a", "b": "a"}]
    (tmp_path / "duplicates.jsonl").write_text("".join(json.dumps(p) + "\n" for p in pairs))
    return tmp_path


def test_predictions_have_the_scorers_shape(folder: Path) -> None:
    progress: list[tuple[int, int]] = []
    predictions, failures = predict(folder, lambda done, of: progress.append((done, of)))
    assert progress == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert list(predictions) == ["a", "b"]
    assert next((f.id, f.reason.split(";")[0]) for f in failures) == (
        "c",
        "this picture is damaged, or of a kind that is not read",
    )
    assert failures[1].id == "g" and "No such file" in failures[1].reason
    a = predictions["a"]
    assert (a["doc_type"], a["issue_date"], a["gross_total"], a["iban"]) == (
        "invoice", "2024-05-17", "178.50", ["DE78999500001234567890"],
    )  # fmt: skip
    assert a["lines"][0] == {"name": "Posters, A2", "quantity": "10", "unit_price": "12.50", "net_amount": "125.00"}
    assert "prepaid" not in a and "allowance_total" not in a
    assert json.loads(json.dumps(predictions)) == predictions


def test_verdicts_on_pairs_of_what_was_read(folder: Path) -> None:
    extracted, _ = extract_all(folder)
    assert predict_duplicates(folder, extracted) == {"a|b": False, "a|a": True}


@pytest.mark.parametrize("content", [None, "{", '{"cases": 3}', '{"cases": [{"id": "x"}]}'])
def test_a_folder_without_a_manifest_of_cases(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(DataError, match=r"manifest\.json") as caught:
        predict(tmp_path)
    assert caught.value.hint


def test_a_case_that_is_gone_leaves_the_others_and_rows_that_are_gone_are_said(folder: Path) -> None:
    manifest = {"cases": [{"id": name, "input": f"{name}.xml"} for name in ("gone", "b")]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    found, failures = TASKS["validity"](folder, None)
    assert (found, [f.id for f in failures]) == ({"b": []}, ["gone"])
    for task in ("rules", "duplicates"):
        (folder / f"{task}.jsonl").unlink(missing_ok=True)
        with pytest.raises(DataError, match=rf"{task}\.jsonl cannot be read"):
            TASKS[task](folder, None)


def test_naming_the_module_loads_no_parser() -> None:
    loaded = "print([m for m in sys.modules if m in ('lxml', 'pypdf', 'sqlite3')])"
    code = f"import sys, skerry_workflows.invoice.evaluate; {loaded}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


SHARED = shared_invoices()


def scorer(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("score", folder.parent / "score.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Real(NamedTuple):
    """The real cases: their folder, what was read of each, and its fields."""

    folder: Path
    cases: list[dict[str, Any]]
    readings: dict[str, Reading]
    fields: dict[str, InvoiceFields]


@pytest.fixture(scope="module")
def real() -> Real:
    if SHARED is None:
        pytest.skip("the shared data is not there; SKERRY_TEST_DATA names its folder")
    cases = json.loads((SHARED / "manifest.json").read_text())["cases"]
    if not ocr_installed():
        cases = [case for case in cases if case["kind"] != "image"]
    readings = {case["id"]: read_all((SHARED / case["input"]).read_bytes(), case["input"]) for case in cases}
    fields = {case: reading.fields or extract(reading) for case, reading in readings.items()}
    return Real(SHARED, cases, readings, fields)


FLOORS = {"xml": 0.995, "pdf-hybrid": 0.99, "pdf-text": 0.95, "text": 0.95, "image": 0.9}


def test_scores_on_real_invoices(real: Real) -> None:
    predictions = {case: prediction(fields) for case, fields in real.fields.items()}
    score: Any = scorer(real.folder)
    for kind, floor in FLOORS.items():
        if any(case["kind"].startswith(kind) for case in real.cases):
            result, wrong = score.invoices(predictions, [kind])
            assert result["headline_macro_over_layouts"] >= floor, wrong


def test_what_is_accepted_of_real_invoices_is_right(real: Real) -> None:
    score: Any = scorer(real.folder)
    accepted = 0
    for case in real.cases:
        fields = real.fields[case["id"]]
        if verify(fields, real.readings[case["id"]]):
            continue
        accepted += 1
        predicted = prediction(fields)
        for name in HEADLINE:
            right = name not in case["scored_fields"] or score.field_ok(name, case, predicted.get(name))
            assert right, (case["id"], name)
    assert accepted >= 15


def test_duplicates_among_real_invoices(real: Real) -> None:
    verdicts = predict_duplicates(real.folder, real.fields)
    rows = [json.loads(line) for line in (real.folder / "duplicates.jsonl").read_text().splitlines()]
    judged = [row for row in rows if f"{row['a']}|{row['b']}" in verdicts]
    assert len(judged) > 30
    assert [row for row in judged if verdicts[f"{row['a']}|{row['b']}"] != row["duplicate"]] == []
