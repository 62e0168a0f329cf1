"""The invoice workflow: read, extract, verify, look for duplicates, have large ones approved, post once.

Rules and models only propose. What is booked has passed every verifier or a person took it, and every question to a
person says why it is asked.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec

from skerry import (
    Blob,
    Decision,
    Done,
    Limits,
    Prompt,
    Retry,
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
from skerry_workflows.invoice.orders import Match, match
from skerry_workflows.invoice.orders import load as load_orders
from skerry_workflows.invoice.originals import Originals
from skerry_workflows.invoice.policy import Approval, needed
from skerry_workflows.invoice.policy import load as load_policy
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
    question="Is this what the invoice says?",
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


@task(name="invoice.approval_needed")
def approval_needed(fields: InvoiceFields) -> Approval:
    """Who has to approve an invoice: by the policy file, or else anybody from the limit on.

    Raises `TerminalError` where the policy, the orders or the limit are not understood.
    """
    path = task_context().settings.get("SKERRY_INVOICE_POLICY", "")
    if not path:
        limit = _approval_limit()
        if (fields.gross_total or Decimal(0)) < limit:
            return Approval(approvals=0)
        return Approval(why=f"{limit:,} {fields.currency} and more need an approval")
    policy = load_policy(Path(path))
    if not policy.orders:
        return needed(policy, fields, Match())
    orders = load_orders(Path(path).parent / policy.orders)
    with _ledger() as ledger:
        invoiced = ledger.invoiced(fields.purchase_order or "", fields.currency or "")
    return needed(policy, fields, match(fields, orders, invoiced, policy.order_tolerance_percent))


def _approval_limit() -> Decimal:
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


class Booking(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a posting says beyond the invoice: see `ledger.Entry`."""

    source: str
    cost_centre: str = ""
    approved_by: tuple[str, ...] = ()


@task(name="invoice.post")
def post(
    fields: InvoiceFields, booking: Booking, document: Blob, distinct: Distinct | None = None
) -> Posting | Duplicate:
    """Keeps the original, and posts to the ledger.

    The step's key makes a repeated attempt harmless; the invoice's identity a second run.
    """
    with _ledger() as ledger:
        entry = msgspec.structs.replace(
            entry_of(fields, booking.source),
            document=Originals(ledger.path.parent / "originals").keep(read_blob(document)),
            cost_centre=booking.cost_centre,
            approved_by=", ".join(booking.approved_by),
        )
        return ledger.post(entry, task_context().key, distinct=distinct, any_date=True)


@task(name="invoice.webhook")
def webhook() -> str:
    """Where postings are handed on to; empty for nowhere."""
    return task_context().settings.get("SKERRY_INVOICE_WEBHOOK", "")


@task(name="invoice.export", size="rules", retry=Retry(attempts=12, first_s=5, factor=3, max_s=3600))
def export(posting: Posting, url: str) -> int:
    """Hands a posting to another program, under the posting's idempotency key; returns the HTTP status."""
    from skerry_workflows.invoice.webhook import send

    token_variable = task_context().settings.get("SKERRY_INVOICE_WEBHOOK_TOKEN_ENV", "")
    return send(posting, url, os.environ.get(token_variable, "") if token_variable else "")


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
        """Looks into the ledger and at the policy."""
        if cannot := unpostable(self.fields):
            # Whoever overruled that something is missing cannot have wanted a run that fails at the ledger.
            return Unread(document=self.document, reason=cannot)
        known = await step.call(find_duplicate, self.fields)
        if known.verdict == "same":
            return Done(_already(known.posting, self.fields))
        asked = await step.call(approval_needed, self.fields)
        if known.verdict == "review":
            return Approve(
                document=self.document,
                fields=self.fields,
                why=_conflict(known.posting, known.told),
                conflict=known.posting,
                asked=msgspec.structs.replace(asked, approvals=max(1, asked.approvals)),
            )
        if asked.approvals:
            return Approve(document=self.document, fields=self.fields, why=asked.why, asked=asked)
        return Post(document=self.document, fields=self.fields, cost_centre=asked.cost_centre)


class Delegation(msgspec.Struct, frozen=True, kw_only=True):
    """A signal: whoever was asked to approve lets `to` do it as well."""

    to: str
    by: str = ""


class Reminder(msgspec.Struct, frozen=True, kw_only=True):
    """The event `invoice.reminder`: an invoice waits since so many days for one of `who` (anybody, if empty)."""

    number: str
    seller: str
    question: str
    days: int
    who: tuple[str, ...]


class Approve(State):
    """People decide: about a sum, or whether this is another invoice than posting `conflict` is.

    `said` are those who approved so far, `lent` those whom others let approve, `day` the last day of a reminder,
    counted from `since`, and `note` is why an answer did not count.
    """

    document: Blob
    fields: InvoiceFields
    why: str
    conflict: int = 0
    asked: Approval = Approval()
    said: tuple[str, ...] = ()
    lent: tuple[str, ...] = ()
    day: int = 0
    since: datetime | None = None
    note: str = ""

    async def run(self, step: Step) -> Approve | Post | Done[Rejected]:
        """Waits for a decision; reminds, lets deputies decide, and gives up, each on its day."""
        since = self.since or step.now()
        day = self.asked.reminders.next_day(self.day)
        left = max(timedelta(seconds=1), since + timedelta(days=day) - step.now())
        try:
            told = await step.wait(Decision, Delegation, timeout=left, question=self.question())
        except TimedOut:
            if day >= self.asked.reminders.give_up_after_days:
                return Done(Rejected(reason=f"nobody decided within {day} days"))
            await step.emit("invoice.reminder", self.reminder(day))
            return msgspec.structs.replace(self, since=since, day=day, note="")
        if isinstance(told, Delegation):
            note = "" if self.may(told.by) else f"{told.by or 'somebody'} cannot let others decide"
            lent = self.lent if note else (*self.lent, told.to)
            return msgspec.structs.replace(self, since=since, lent=lent, note=note)
        if note := self.objection(told):
            return msgspec.structs.replace(self, since=since, note=note)
        if not told.approved:
            return Done(Rejected(reason=told.reason or f"{told.by or 'a person'} said no"))
        said = (*self.said, told.by)
        if len(said) < self.asked.approvals:
            return msgspec.structs.replace(self, since=since, said=said, note="")
        post = Post(
            document=self.document, fields=self.fields, cost_centre=self.asked.cost_centre,
            approved_by=tuple(filter(None, said)),
        )  # fmt: skip
        if not self.conflict:
            return post
        who = Distinct(by=told.by or "a person", why=told.reason or f"approved though {self.why}")
        return msgspec.structs.replace(post, distinct=who)

    def question(self) -> str:
        """What people are asked."""
        f, asked = self.fields, self.asked
        parts = [f"Post invoice {f.number} of {f.seller_name}, {f.gross_total} {f.currency}? {self.why}"]
        if asked.approvals > 1:
            by = f" (so far by {', '.join(self.said)})" if self.said else ""
            parts.append(f"{asked.approvals} people have to approve it{by}")
        if who := sorted(asked.may_decide(self.day, self.lent)):
            parts.append(f"asked: {', '.join(who)}")
        return ". ".join(filter(None, (*parts, self.note))) + "."

    def reminder(self, day: int) -> Reminder:
        """What is published when nobody has answered."""
        who = tuple(sorted(self.asked.may_decide(day, self.lent)))
        f = self.fields
        return Reminder(
            number=f.number or "", seller=f.seller_name or "", question=self.question(), days=day, who=who
        )  # fmt: skip

    def may(self, name: str) -> bool:
        """Whether somebody may decide."""
        allowed = self.asked.may_decide(self.day, self.lent)
        return not allowed or name in allowed

    def objection(self, told: Decision) -> str:
        """Why an answer does not count; empty when it does."""
        if not self.may(told.by):
            return f"{told.by or 'who answered'} may not decide this"
        if told.approved and self.asked.approvals > 1 and not told.by:
            return "who answered did not say who they are"
        if told.approved and told.by and told.by in self.said:
            return f"{told.by} has approved already: somebody else has to"
        return ""


class Post(State):
    """Into the ledger, once; beside another one with its identity only on a person's word."""

    document: Blob
    fields: InvoiceFields
    distinct: Distinct | None = None
    cost_centre: str = ""
    approved_by: tuple[str, ...] = ()

    async def run(self, step: Step) -> Approve | Export | Done[Posted] | Done[AlreadyPosted]:
        """Posts. What the ledger has may have been posted since `Check` looked."""
        booking = Booking(
            source=self.document.name or self.document.sha256,
            cost_centre=self.cost_centre,
            approved_by=self.approved_by,
        )
        posted = await step.call(post, self.fields, booking, self.document, self.distinct)
        if isinstance(posted, Duplicate):
            first = posted.first
            if compare(fields_of(first.entry), self.fields) == "same":
                return Done(_already(first.id, self.fields))
            why = _conflict(first.id, _told(first))
            asked = Approval(cost_centre=self.cost_centre)
            return Approve(document=self.document, fields=self.fields, why=why, conflict=first.id, asked=asked)
        url = await step.call(webhook)
        return Export(posting=posted, url=url) if url else Done(_posted(posted))


class Export(State):
    """It is posted; another program gets it as well. Where that fails for good, the run is a dead letter: retry it."""

    posting: Posting
    url: str

    async def run(self, step: Step) -> Done[Posted]:
        """Hands it over."""
        await step.call(export, self.posting, self.url)
        return Done(_posted(self.posting))


def _posted(posting: Posting) -> Posted:
    entry = posting.entry
    return Posted(
        posting=posting.id,
        number=entry.number,
        seller=entry.seller_name,
        gross_total=entry.gross_total,
        currency=entry.currency,
    )


def _conflict(posting: int, told: str) -> str:
    return f"its number was posted before (posting {posting}), but as {told}"


def _already(posting: int, fields: InvoiceFields) -> AlreadyPosted:
    return AlreadyPosted(posting=posting, number=fields.number or "", seller=fields.seller_name or "")


invoice = Workflow(
    "invoice", version=1, start=Received, on="invoice.received", result=Posted | AlreadyPosted | Rejected
)
