"""Pictures in the docs are drawn by the product, from the code as it is."""

from __future__ import annotations

from pathlib import Path

from skerry import graph
from skerry_workflows.invoice.workflow import invoice

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"


def test_the_invoice_workflow_is_as_it_is_drawn() -> None:
    drawn = (PICTURES / "invoice.svg").read_text(encoding="utf-8")
    assert drawn.strip() == graph.svg(invoice).strip(), (
        "draw it again: skerry graph invoice --svg docs/pictures/invoice.svg"
    )
