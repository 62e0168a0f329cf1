"""The invoice workflow: read, extract, verify, look for duplicates, have large ones approved, post once.

Rules and models only propose. What is booked has passed every verifier or a person took it, and every question to a
person says why it is asked.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec

from skerry import (
    Blob,
    Decision,
    Done,
    Limits,
    Prompt,
    State,
    Step,
    StepFailed,
    Workflow,
    read_blob,
    task,
    task_context,
)
from skerry.core.wire import SIZES
from skerry.errors import Refused, TerminalError, TimedOut
from skerry_workflows.invoice.duplicates import compare
from skerry_workflows.invoice.ledger import Distinct, Duplicate, Ledger, Posting, entry_of, fields_of, unpostable
from skerry_workflows.invoice.model import InvoiceFields, Reading
from skerry_workflows.invoice.quotes import InvoiceQuotes, read_quotes, shown
from skerry_workflows.invoice.seconding import seconded
from skerry_workflows.invoice.verify import (
    VERIFIERS,
    complete,
    currency_known,
    dates_in_order,
    ibans_valid,
    lines_add_up,
    totals_add_up,
    vat_ids_valid,
    within_bounds,
)

APPROVAL_LIMIT = Decimal(10_000)
"""From this gross total on a person approves, unless the setting `invoice.approval_limit` says otherwise."""
REVIEW = timedelta(days=30)
"""How long a person may take for an answer."""

_OPENING = Limits(memory_mb=1024, cpu_s=20, wall_s=30)
"""What opening one untrusted file may cost."""
_RECOGNISING = Limits(memory_mb=2048, cpu_s=240, wall_s=300)
"""What OCR of one may cost: some seconds a page."""

# --- results ----------------------------------------------------------------------------------------------------------


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """The invoice is in the ledger, as posting number `posting`."""

    posting: int
    number: str
    seller: str
    gross_total: Decimal
    currency: str


class AlreadyPosted(msgspec.Struct, frozen=True, kw_only=True):
    """The same invoice was posted before, as posting number `posting`: nothing was done."""

    posting: int
    number: str
    seller: str


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """A person said no, or nobody said anything in time."""

    reason: str


# --- tasks ------------------------------------------------------------------------------------------------------------


@task(name="invoice.read", size="rules", limits=_OPENING)
def read_document(document: Blob) -> Reading:
    """Opens an untrusted file, in a process of its own. Raises `Unreadable`, which says what a person can do."""
    from skerry_workflows.invoice.read import read  # the engine loads this module and must not load the parsers

    return read(read_blob(document), document.name)


@task(name="invoice.read_picture", size="rules", limits=_RECOGNISING, timeout=timedelta(minutes=10))
def recognise_document(document: Blob) -> Reading:
    """As `read_document`, for a picture or a scan: by OCR, where Tesseract is installed."""
    from skerry_workflows.invoice.read import read_picture

    return read_picture(read_blob(document), document.name)


def extract_by_rules(reading: Reading) -> InvoiceFields:
    """The exact fields of an e-invoice, or what the rules find in the text."""
    if reading.fields is not None:
        return reading.fields
    from skerry_workflows.invoice.rules import extract

    return extract(reading)


EXTRACT = Prompt(
    name="invoice.extract",
    text="Read the fields of this invoice. Take every value from the document; leave out what is not there.",
    rules=extract_by_rules,
    show=shown,
    quotes=InvoiceQuotes,
    read=read_quotes,
    limits=_OPENING,
)


class Known(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the ledger has with this number: `verdict` as in `duplicates.compare`, for the posting that fits best."""

    verdict: str = "different"
    posting: int = 0
    told: str = ""


@task(name="invoice.find_duplicate")
def find_duplicate(fields: InvoiceFields) -> Known:
    """Compares an invoice with those in the ledger that have its number."""
    found = Known()
    with _ledger() as ledger:
        for posting in ledger.with_number(fields.number or ""):
            verdict = compare(fields_of(posting.entry), fields)
            if verdict == "same":
                return Known(verdict=verdict, posting=posting.id)
            if verdict == "review":
                found = Known(verdict=verdict, posting=posting.id, told=_told(posting))
    return found


@task(name="invoice.approval_limit")
def approval_limit() -> Decimal:
    """From which gross total on a person approves. Raises `TerminalError` where the setting is no amount."""
    text = task_context().settings.get("SKERRY_INVOICE_APPROVAL_LIMIT", "")
    try:
        limit = Decimal(text) if text else APPROVAL_LIMIT
    except InvalidOperation:
        limit = Decimal("NaN")
    if not limit.is_finite() or limit < 0:
        raise TerminalError(
            f"the approval limit {text!r} is not an amount",
            hint="write SKERRY_INVOICE_APPROVAL_LIMIT (invoice.approval_limit) like 10000, restart, and retry the run",
        )
    return limit


@task(name="invoice.post")
def post(fields: InvoiceFields, source: str, distinct: Distinct | None = None) -> Posting | Duplicate:
    """Posts to the ledger. The step's key makes a repeated attempt harmless; the invoice's identity a second run."""
    with _ledger() as ledger:
        return ledger.post(entry_of(fields, source), task_context().key, distinct=distinct, any_date=True)


def _ledger() -> Ledger:
    settings = task_context().settings
    return Ledger(Path(settings.get("SKERRY_INVOICE_LEDGER") or Path(settings.get("SKERRY_DATA", ".")) / "ledger.db"))


def _told(posting: Posting) -> str:
    """What a posting says, where it differs from another with its number."""
    entry = posting.entry
    return f"{entry.doc_type.replace('_', ' ')} of {entry.gross_total} {entry.currency} dated {entry.issue_date}"


# --- states -----------------------------------------------------------------------------------------------------------


class Received(State):
    """A document has come: open it, read its fields, smallest size first."""

    document: Blob

    async def run(self, step: Step) -> Check | Unread | Done[Rejected]:
        """Reads and verifies; at last a person does."""
        try:
            reading = await step.call(read_document, self.document)
            if reading.is_picture:
                reading = await step.call(recognise_document, self.document)
        except StepFailed as error:
            return Unread(document=self.document, reason=str(error))
        try:
            fields = await step.ask(
                InvoiceFields,
                EXTRACT,
                about=reading,
                verify=VERIFIERS,
                verify_models=(seconded,),
                # What stands in an e-invoice no model knows better.
                sizes=SIZES if reading.fields is None else ("rules",),
                review=REVIEW,
            )
        except (Refused, TimedOut) as error:
            return Done(Rejected(reason=str(error)))
        return Check(document=self.document, fields=fields)


class Unread(State):
    """The fields cannot be had from the file by a program: a person types them in, or rejects it."""

    document: Blob
    reason: str

    async def run(self, step: Step) -> Check | Done[Rejected]:
        """Asks a person."""
        typed_in = Prompt(name="invoice.type_in", text=f"{self.document.name or 'A document'}: {self.reason}")
        nothing = Reading(name=self.document.name, media_type=self.document.media_type, kind="text", text="")
        try:
            fields = await step.ask(
                InvoiceFields,
                typed_in,
                about=nothing,
                sizes=(),
                verify=(
                    within_bounds,
                    complete,
                    totals_add_up,
                    lines_add_up,
                    dates_in_order,
                    vat_ids_valid,
                    ibans_valid,
                    currency_known,
                ),
                review=REVIEW,
            )
        except (Refused, TimedOut) as error:
            return Done(Rejected(reason=str(error)))
        return Check(document=self.document, fields=fields)


class Check(State):
    """The fields hold. Is the invoice new, and does somebody have to approve it?"""

    document: Blob
    fields: InvoiceFields

    async def run(self, step: Step) -> Approve | Post | Unread | Done[AlreadyPosted]:
        """Looks into the ledger and at the limit."""
        if cannot := unpostable(self.fields):
            # Whoever overruled that something is missing cannot have wanted a run that fails at the ledger.
            return Unread(document=self.document, reason=cannot)
        known = await step.call(find_duplicate, self.fields)
        if known.verdict == "same":
            return Done(_already(known.posting, self.fields))
        if known.verdict == "review":
            why = _conflict(known.posting, known.told)
            return Approve(document=self.document, fields=self.fields, why=why, conflict=known.posting)
        limit = await step.call(approval_limit)
        if (self.fields.gross_total or Decimal(0)) >= limit:
            why = f"{limit:,} {self.fields.currency} and more need an approval"
            return Approve(document=self.document, fields=self.fields, why=why)
        return Post(document=self.document, fields=self.fields)


class Approve(State):
    """A person decides: about a large sum, or whether this is another invoice than posting `conflict` is."""

    document: Blob
    fields: InvoiceFields
    why: str
    conflict: int = 0

    async def run(self, step: Step) -> Post | Done[Rejected]:
        """Waits for the decision."""
        f = self.fields
        question = f"Post invoice {f.number} of {f.seller_name}, {f.gross_total} {f.currency}? {self.why}."
        try:
            decision = await step.wait(Decision, timeout=REVIEW, question=question)
        except TimedOut:
            return Done(Rejected(reason=f"nobody decided within {REVIEW.days} days"))
        if not decision.approved:
            return Done(Rejected(reason=decision.reason or f"{decision.by or 'a person'} said no"))
        if not self.conflict:
            return Post(document=self.document, fields=f)
        who = Distinct(by=decision.by or "a person", why=decision.reason or f"approved though {self.why}")
        return Post(document=self.document, fields=f, distinct=who)


class Post(State):
    """Into the ledger, once; beside another one with its identity only on a person's word."""

    document: Blob
    fields: InvoiceFields
    distinct: Distinct | None = None

    async def run(self, step: Step) -> Approve | Done[Posted] | Done[AlreadyPosted]:
        """Posts. What the ledger has may have been posted since `Check` looked."""
        source = self.document.name or self.document.sha256
        posted = await step.call(post, self.fields, source, self.distinct)
        if isinstance(posted, Duplicate):
            first = posted.first
            if compare(fields_of(first.entry), self.fields) == "same":
                return Done(_already(first.id, self.fields))
            why = _conflict(first.id, _told(first))
            return Approve(document=self.document, fields=self.fields, why=why, conflict=first.id)
        entry = posted.entry
        return Done(
            Posted(
                posting=posted.id,
                number=entry.number,
                seller=entry.seller_name,
                gross_total=entry.gross_total,
                currency=entry.currency,
            )
        )


def _conflict(posting: int, told: str) -> str:
    return f"its number was posted before (posting {posting}), but as {told}"


def _already(posting: int, fields: InvoiceFields) -> AlreadyPosted:
    return AlreadyPosted(posting=posting, number=fields.number or "", seller=fields.seller_name or "")


invoice = Workflow(
    "invoice", version=1, start=Received, on="invoice.received", result=Posted | AlreadyPosted | Rejected
)
