"""What makes an invoice that invoice: who issued it, its number, its date. Written otherwise, it is still the same."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

import msgspec

from skerry_workflows.invoice import vat_ids
from skerry_workflows.invoice.model import InvoiceFields

# With punctuation already made blanks: "S.p.A." is "s p a".
_LEGAL_FORMS = re.compile(
    r"(?<!\w)(?:gmbh|mbh|ag|kg|ohg|ug|e ?k|gbr|co|ltd|limited|llp|plc|inc|llc|corp|corporation|company|sarl|s a r l"
    r"|sasu?|s a s|eurl|s ?a|s ?l|s ?l ?u|s ?r ?l|s ?p ?a|b ?v|n ?v|bvba|vof|lda|sp z ?o ?o|s r o|a s|aps|ab|as|oyj?"
    r"|kft|se)(?!\w)"
)


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Normalised: `seller_vat` is "" where none is known, `seller_name` has no legal form, `number` no punctuation."""

    seller_vat: str
    seller_name: str
    number: str
    issue_date: dt.date

    def same_seller(self, other: Identity) -> bool:
        """By VAT id where both have one, else by name."""
        if self.seller_vat and other.seller_vat:
            return self.seller_vat == other.seller_vat
        return bool(self.seller_name) and self.seller_name == other.seller_name


def identity_of(fields: InvoiceFields) -> Identity | None:
    """The identity of an invoice, or None where seller, number or date is missing."""
    number = normal_number(fields.number or "")
    if not number or fields.issue_date is None or not (fields.seller_vat_id or fields.seller_name):
        return None
    return Identity(
        seller_vat=normal_vat_id(fields.seller_vat_id),
        seller_name=normal_name(fields.seller_name),
        number=number,
        issue_date=fields.issue_date,
    )


def normal_vat_id(vat_id: str | None) -> str:
    """Compact and upper case; "" for none."""
    return vat_ids.compact(vat_id) if vat_id else ""


def normal_number(number: str) -> str:
    """Letters and digits only, lower case; "INV-001" and "inv 001" are one number, "INV-1" is another."""
    return "".join(c for c in unicodedata.normalize("NFKC", number).casefold() if c.isalnum())


def normal_name(name: str | None) -> str:
    """Letters and digits without accents, case and legal form ("Acme S.à r.l." is "acme"), unless nothing is left."""
    decomposed = unicodedata.normalize("NFKD", (name or "").casefold())
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    words = re.sub(r"[\W_]+", " ", plain).strip()
    return _LEGAL_FORMS.sub("", words).replace(" ", "") or words.replace(" ", "")
