"""The business rules of EN 16931-1 over UBL and CII: what an invoice that claims to follow the standard must keep.

Written after the standard's own words (CEN/TC 434, EN 16931-1:2017, clause 6.4, and the tolerances of its published
validation artefacts). Each rule is one row of a table: its id, its words, and a pure condition on the invoice's terms.
"""

from __future__ import annotations

from typing import Final

from skerry_workflows.invoice.en16931 import from_cii, from_ubl
from skerry_workflows.invoice.en16931.amounts_of import SUMS
from skerry_workflows.invoice.en16931.categories import CATEGORIES
from skerry_workflows.invoice.en16931.codes import CODES
from skerry_workflows.invoice.en16931.document import ADJUSTMENTS, BREAKDOWN, LINES, MANDATORY, REFERENCES
from skerry_workflows.invoice.en16931.table import Rule
from skerry_workflows.invoice.en16931.terms import Terms
from skerry_workflows.invoice.xml_tree import Node

RULES: Final[tuple[Rule, ...]] = (
    *MANDATORY, *LINES, *ADJUSTMENTS, *BREAKDOWN, *REFERENCES, *SUMS, *CATEGORIES, *CODES,
)  # fmt: skip
_LESSER_PROFILES: Final = ("minimum", "basicwl", "basic-wl")
"""Of Factur-X and ZUGFeRD: accounting aids that leave out what the standard asks for."""


def terms_of(root: Node) -> Terms | None:
    """The terms of an invoice in a syntax of the standard; None for another (ZUGFeRD 1 is older than it)."""
    if root.tag in ("Invoice", "CreditNote"):
        return from_ubl.terms(root)
    return from_cii.terms(root) if root.tag == "CrossIndustryInvoice" else None


def broken(root: Node) -> tuple[Rule, ...]:
    """The rules that an invoice breaks, in the order of the table; none are asked of what claims less."""
    terms = terms_of(root)
    if terms is None or any(name in terms.specification.lower() for name in _LESSER_PROFILES):
        return ()
    return tuple(rule for rule in RULES if not rule.kept(terms))
