"""The email workflow: read, judge, ask where it is not sure, hand over what others do, draft an answer.

Rules first, then models, then a person. Nothing is lost for being uncertain, nothing is sent unless the policy of the
settings says so, and no link is ever opened.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from skerry import (
    Blob,
    Decision,
    Done,
    Limits,
    Objection,
    Prompt,
    State,
    Step,
    StepFailed,
    Workflow,
    read_blob,
    task,
    task_context,
    write_blob,
)
from skerry.core.wire import Size
from skerry.errors import Conflict, DataError, Denied, NotFound, Refused, TerminalError, TimedOut
from skerry_workflows.awaited import Awaited, Question
from skerry_workflows.email import learning
from skerry_workflows.email.categories import DEFAULTS, Category
from skerry_workflows.email.categories import load as load_categories
from skerry_workflows.email.correspondence import Correspondence, Thread
from skerry_workflows.email.drafts import Draft, DraftAbout, compose, fitting, grounded, message_of, sensible, shown
from skerry_workflows.email.drafts import load as load_snippets
from skerry_workflows.email.learning import Lessons
from skerry_workflows.email.model import Address
from skerry_workflows.email.settings import Policy, Settings
from skerry_workflows.email.settings import load as load_settings
from skerry_workflows.email.sources import EML, IMAP, MAILDIR, MBOX
from skerry_workflows.email.triage import Judgement, Mail, invoices_in, judge

__all__ = ["EML", "IMAP", "MAILDIR", "MBOX", "correction", "email"]

T = TypeVar("T")

NAME: Final = "email"
"""In whose name answers are handed to the runs that wait for them."""

_MODELS: Final[tuple[Size, ...]] = ("small", "medium", "large", "cloud")
_OPENING = Limits(memory_mb=1024, cpu_s=20, wall_s=30)
"""What opening one untrusted message may cost."""
_CALENDAR_METHODS = frozenset(("REQUEST", "REPLY", "CANCEL", "COUNTER", "DECLINECOUNTER", "ADD", "REFRESH", "PUBLISH"))

# --- results ----------------------------------------------------------------------------------------------------------


class Filed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a message was, and what became of it. `category` is empty where none fits; `draft` says where one lies.

    `handed_over` are the events that were published for it; `answered`: an answer was sent; `continues` is the run that
    had asked by mail, and has this as its answer.
    """

    category: str = ""
    owner: str = ""
    priority: str = "normal"
    unwanted: bool = False
    phishing: bool = False
    asks: bool = False
    by: dt.datetime | None = None
    thread: str = ""
    handed_over: tuple[str, ...] = ()
    draft: str = ""
    answered: bool = False
    continues: str = ""
    notes: tuple[str, ...] = ()


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """Opening the message cost more than one may: a person looks at it where it lies."""

    reason: str


# --- tasks ------------------------------------------------------------------------------------------------------------


class Office(msgspec.Struct, frozen=True, kw_only=True):
    """What the code of the workflow has to know of the settings."""

    owner: Address
    zone: str
    policy: Policy


@task(name="email.office")
def office() -> Office:
    """The settings of mail.toml. Raises `TerminalError`."""
    settings, _ = _settings()
    owner = Address(name=settings.name, address=settings.owner)
    return Office(owner=owner, zone=settings.zone, policy=settings.policy)


@task(name="email.read", size="rules", limits=_OPENING)
def read_mail(document: Blob, received: dt.datetime, zone: str) -> Mail:
    """Opens an untrusted message, in a process of its own."""
    from skerry_workflows.email.triage import read  # the engine loads this module and must not load the parsers

    return read(read_blob(document), received, zone)


@task(name="email.attachment", size="rules", limits=_OPENING)
def take_out(document: Blob, place: str, name: str, media_type: str) -> Blob:
    """An attachment as a document of its own."""
    from skerry_workflows.email.mime import part_bytes

    return write_blob(part_bytes(read_blob(document), place), name=name, media_type=media_type)


@task(name="email.judge")
def judge_mail(mail: Mail) -> Judgement:
    """What the message is, by the rules and by what the user has taught, and which question of ours it answers."""
    with Lessons(_file()) as lessons:
        judged = judge(mail, _categories(), lessons.texts("spam"), lessons.texts("category"))
    if not mail.references or not mail.sender:
        return judged
    # A stolen mailbox answers, too: what it wants then shows in links and files.
    if judged.verdict != "ham" and not (mail.phishing or mail.deceits or "program" in {s.name for s in mail.signs}):
        with Correspondence(_file()) as correspondence:
            if correspondence.answers_ours(mail):
                judged = msgspec.structs.replace(judged, verdict="ham")
    with Awaited(_data()) as awaited:
        question = awaited.waiting(mail.references, mail.sender[0].address)
    return msgspec.structs.replace(judged, awaited=question)


@task(name="email.deliver")
async def deliver(mail: Mail, question: Question) -> str:
    """Hands an answer to the run that waits for it; says why it could not, and nothing when it could."""
    from skerry import config
    from skerry.client import Client

    here = config.load(environ=task_context().settings)
    try:
        async with Client.connect(data=here.data, nats=here.nats.target(), by=NAME) as client:
            await client.signal(question.run, {"text": mail.new}, signal=question.signal, id=mail.key)
    except (Conflict, Denied, NotFound) as error:
        return f"{question.run} did not take this answer: {error.message}"
    return ""


@task(name="email.remember")
def remember(mail: Mail) -> Thread:
    """Which conversation it belongs to, and what was said there before."""
    with Correspondence(_file()) as correspondence:
        return correspondence.remember(mail)


@task(name="email.learn")
def learn(mail: Mail, category: str, unwanted: bool | None) -> None:
    """Keeps what somebody has said of a message. An empty category, and None, say nothing."""
    with Lessons(_file()) as lessons:
        if unwanted is not None:
            lessons.learn("spam", mail.key, "spam" if unwanted else "ham", mail.said)
        if category:
            lessons.learn("category", mail.key, category, mail.said)


@task(name="email.category")
def category_of(name: str) -> Category:
    """What the settings say of a category."""
    return next((each for each in _categories() if each.name == name), Category(name=name))


@task(name="email.draft_about")
def draft_about(mail: Mail, category: str, thread: Thread) -> DraftAbout:
    """All that an answer may be made of."""
    settings, folder = _settings()
    snippets = _told(lambda: load_snippets(folder / settings.snippets))
    sender = mail.sender[0] if mail.sender else Address()
    return DraftAbout(
        subject=mail.subject,
        text=mail.new,
        sender=sender.name or sender.address,
        owner=settings.name,
        language=mail.language,
        earlier=thread.earlier,
        snippets=fitting(mail, category, snippets),
    )


@task(name="email.put_draft")
def put_draft(mail: Mail, text: str, at: dt.datetime) -> str:
    """Puts an answer where drafts are, once for the step; says where. Raises what `outgoing.put` does."""
    from skerry_workflows.email import outgoing

    settings, folder = _settings()
    message = message_of(mail, text, Address(name=settings.name, address=settings.owner), task_context().key, at)
    return outgoing.put(message, settings.drafts, folder)


@task(name="email.send")
def send_answer(mail: Mail, text: str, at: dt.datetime, automatic: bool) -> None:
    """Sends an answer, once for the step. Raises what `mailer.send` does.

    SMTP cannot be asked whether it has had a message: what was handed over is marked beside the lessons, and a crash in
    just that moment sends the same Message-ID again, which mail servers and programs take for the same message.
    """
    from skerry_workflows.mailer import send

    settings, folder = _settings()
    key = task_context().key
    with Correspondence(_file()) as correspondence:
        if correspondence.was_sent(key):
            return
        owner = Address(name=settings.name, address=settings.owner)
        message = message_of(mail, text, owner, key, at, automatic=automatic)
        send(message, settings.smtp, folder)
        correspondence.remember_own(mail, str(message["Message-ID"]).strip("<>"), settings.owner, text)
        correspondence.mark_sent(key)


def _data() -> Path:
    return Path(task_context().settings.get("SKERRY_DATA", "."))


def _file() -> Path:
    return _data() / learning.FILE


def _settings() -> tuple[Settings, Path]:
    return load_settings(task_context().settings)


def _categories() -> tuple[Category, ...]:
    settings, folder = _settings()
    path = folder / settings.categories
    return _told(lambda: load_categories(path)) if path.exists() else DEFAULTS


def _told(read: Callable[[], T]) -> T:
    """A file of the user's that is wrong stays wrong: it is no use to try again before it was mended."""
    try:
        return read()
    except DataError as error:
        raise TerminalError(error.message, hint=f"{error.hint}; then retry the run") from None


# --- questions --------------------------------------------------------------------------------------------------------


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What a message is: one of the categories (empty: none of them), and whether it is unwanted."""

    category: str
    unwanted: bool = False


class ChoiceAbout(msgspec.Struct, frozen=True, kw_only=True):
    """What a choice is about."""

    sender: str
    subject: str
    text: str
    categories: tuple[str, ...]
    likely: tuple[str, ...]
    why: tuple[str, ...]


def choice_shown(about: ChoiceAbout) -> str:
    """What a model sees."""
    return (
        f"Categories: {', '.join(about.categories)}\n\nFrom: {about.sender}\nSubject: {about.subject}\n"
        f"{about.text[:4000]}"
    )


def known_category(choice: Choice, about: ChoiceAbout) -> Iterable[Objection]:
    """The category is one that there is."""
    if choice.category and choice.category not in about.categories:
        known = ", ".join(about.categories)
        yield Objection(
            rule="known", message=f"there is no category {choice.category!r} ({known})", fields=("category",)
        )


def which(about: ChoiceAbout) -> str:
    """What a person is asked: of which categories it may be, and why it may be unwanted."""
    mail = f"{about.subject or 'No subject'} (from {about.sender or 'nobody'})"
    asked = f"{mail}: which category is it: {', '.join((*about.likely, 'another one, or none'))}?"
    return f"{asked} And is it wanted: {'; '.join(about.why[:3])}?" if about.why else asked


CHOOSE = Prompt(
    name="email.choose",
    text="Which category does this message belong to (empty: none of them), and is it unwanted (spam or fraud)?",
    show=choice_shown,
)
DRAFT = Prompt(
    name="email.draft",
    text=(
        "Write a short, polite answer to the message, in its language. Say only what stands in the messages or in what "
        "may be said; promise nothing else, and name no number, date or link that is not there."
    ),
    rules=compose,
    show=shown,
)

# --- states -----------------------------------------------------------------------------------------------------------


class Received(State):
    """A message has come: open it, in a sandbox."""

    document: Blob

    async def run(self, step: Step) -> Judge | Done[Unread]:
        """Reads it."""
        about = await step.call(office)
        try:
            mail = await step.call(read_mail, self.document, step.now(), about.zone)
        except StepFailed as error:
            return Done(Unread(reason=str(error)))
        return Judge(document=self.document, mail=mail, office=about)


class Judge(State):
    """What is it? Rules and lessons say so, or that they are not sure."""

    document: Blob
    mail: Mail
    office: Office

    async def run(self, step: Step) -> Unsure | Route | Done[Filed]:
        """Judges. What answers a question that a run has mailed goes to that run."""
        judged = await step.call(judge_mail, self.mail)
        if judged.awaited is not None:
            refused = await step.call(deliver, self.mail, judged.awaited)
            thread = await step.call(remember, self.mail)
            if not refused:
                return Done(Filed(thread=thread.id, continues=judged.awaited.run, notes=_warnings(self.mail)))
        wanted = judged.verdict == "ham" and judged.sure
        if wanted or judged.verdict == "spam" or self.mail.bounced:
            unwanted = judged.verdict == "spam" and not self.mail.bounced
            category = "" if unwanted else judged.category
            return Route(
                document=self.document, mail=self.mail, office=self.office, category=category, unwanted=unwanted
            )
        return Unsure(document=self.document, mail=self.mail, office=self.office, judged=judged)


class Unsure(State):
    """A model is asked, then a person, and only what a person says teaches. Nobody answers: it stays with good mail."""

    document: Blob
    mail: Mail
    office: Office
    judged: Judgement

    async def run(self, step: Step) -> Route:
        """Asks."""
        mail = self.mail
        sender = mail.sender[0] if mail.sender else Address()
        likely = (*filter(None, (self.judged.category,)), *self.judged.others)
        about = ChoiceAbout(
            sender=f"{sender.name} {sender.address}".strip(),
            subject=mail.subject,
            text=mail.new,
            categories=self.judged.known,
            likely=likely,
            why=tuple(sign.said for sign in mail.signs) if self.judged.verdict == "unsure" else (),
        )
        review = timedelta(days=self.office.policy.review_days)
        try:
            prompt = msgspec.structs.replace(CHOOSE, question=which(about))
            choice = await step.ask(Choice, prompt, about=about, sizes=_MODELS, verify=(known_category,), review=review)
        except (Refused, TimedOut):
            choice = Choice(category=self.judged.category if self.judged.sure else "")
        else:
            if step.by_person():
                await step.call(learn, mail, choice.category, choice.unwanted)
        return Route(
            document=self.document,
            mail=mail,
            office=self.office,
            category="" if choice.unwanted else choice.category,
            unwanted=choice.unwanted,
        )


class Route(State):
    """Meetings go to scheduling, invoices to invoices, each once; then an answer, where one is wanted."""

    document: Blob
    mail: Mail
    office: Office
    category: str
    unwanted: bool

    async def run(self, step: Step) -> Answer | Done[Filed]:
        """Hands over."""
        mail = self.mail
        if self.unwanted:
            return Done(Filed(priority="low", unwanted=True, phishing=mail.phishing, notes=_against(mail)))
        thread = await step.call(remember, mail)
        kind = await step.call(category_of, self.category) if self.category else Category(name="")
        handed: list[str] = []
        meeting = bool(_CALENDAR_METHODS & set(mail.methods)) or (mail.meeting and not mail.bulk)
        if meeting and await _hand_over(step, "meeting.requested", MeetingMail(self.document)):
            handed.append("meeting.requested")
        for each in invoices_in(mail, self.category, self.office.policy.hand_over):
            document = await step.call(take_out, self.document, each.place, each.name, each.media_type)
            if await _hand_over(step, "invoice.received", InvoiceDocument(document)):
                handed.append("invoice.received")
        priority = "high" if kind.priority > 0 and mail.priority == "normal" else mail.priority
        filed = Filed(
            category=self.category,
            owner=kind.owner,
            priority=priority,
            phishing=mail.phishing,
            asks=mail.asks,
            by=mail.by,
            thread=thread.id,
            handed_over=tuple(handed),
            notes=_warnings(mail),
        )
        answer = mail.asks and kind.draft and not (mail.bulk or mail.bounced or meeting or mail.phishing)
        if answer and self.office.policy.draft != "never" and self.office.owner.address:
            return Answer(mail=mail, office=self.office, thread=thread, filed=filed)
        return Done(filed)


class Answer(State):
    """An answer, of the user's snippets or by a model that is held to them; it becomes a draft, or is sent."""

    mail: Mail
    office: Office
    thread: Thread
    filed: Filed

    async def run(self, step: Step) -> Approve | Done[Filed]:
        """Drafts."""
        about = await step.call(draft_about, self.mail, self.filed.category, self.thread)
        policy = self.office.policy
        draft = compose(about)
        if not draft.text and policy.draft == "models":
            review = timedelta(days=policy.review_days)
            try:
                draft = await step.ask(
                    Draft, DRAFT, about=about, sizes=_MODELS, verify=(sensible, grounded), review=review
                )
            except (Refused, TimedOut):
                return Done(self.filed)
        if not draft.text:
            return Done(self.filed)
        if policy.send == "auto" and not self.mail.deceits:
            await step.call(send_answer, self.mail, draft.text, step.now(), True)
            return Done(msgspec.structs.replace(self.filed, answered=True))
        if policy.send == "ask":
            return Approve(mail=self.mail, office=self.office, filed=self.filed, text=draft.text)
        place = await step.call(put_draft, self.mail, draft.text, step.now())
        return Done(msgspec.structs.replace(self.filed, draft=place))


class Approve(State):
    """A person decides whether the answer is sent; without a decision it stays a draft."""

    mail: Mail
    office: Office
    filed: Filed
    text: str

    async def run(self, step: Step) -> Done[Filed]:
        """Waits for the decision."""
        receiver = (self.mail.reply_to or self.mail.sender)[:1]
        who = receiver[0].address if receiver else "nobody"
        question = f"Send this answer to {who} ({self.mail.subject[:100]})?\n\n{self.text}"
        try:
            decision = await step.wait(
                Decision, timeout=timedelta(days=self.office.policy.review_days), question=question
            )
        except TimedOut:
            place = await step.call(put_draft, self.mail, self.text, step.now())
            return Done(msgspec.structs.replace(self.filed, draft=place))
        if not decision.approved:
            return Done(self.filed)
        await step.call(send_answer, self.mail, self.text, step.now(), False)
        return Done(msgspec.structs.replace(self.filed, answered=True))


class MeetingMail(msgspec.Struct, frozen=True):
    """The data of `meeting.requested`: the message itself."""

    mail: Blob


class InvoiceDocument(msgspec.Struct, frozen=True):
    """The data of `invoice.received`: an attachment."""

    document: Blob


async def _hand_over(step: Step, event: str, data: MeetingMail | InvoiceDocument) -> bool:
    """Publishes what another workflow does; False where that cannot take it."""
    try:
        await step.emit(event, data)
    except StepFailed:
        return False
    return True


def _warnings(mail: Mail) -> tuple[str, ...]:
    """What a reader should know before they believe the message."""
    return (*mail.deceits, *mail.flaws)[:10]


def _against(mail: Mail) -> tuple[str, ...]:
    """Why it is kept away, what weighs most first: for who wonders where a message is."""
    signs = (sign.said for sign in mail.signs if sign.weight > 0)
    return tuple(dict.fromkeys((*_warnings(mail), *signs)))[:10]


email = Workflow("email", version=1, start=Received, on="mail.received", result=Filed | Unread)


# --- corrections ------------------------------------------------------------------------------------------------------


class Learned(msgspec.Struct, frozen=True):
    """The identity of the message from which was learned."""

    key: str


class Corrected(State):
    """Somebody says what a message is, or that it is (not) unwanted, after all."""

    document: Blob
    category: str = ""
    unwanted: bool | None = None

    async def run(self, step: Step) -> Done[Learned]:
        """Remembers it; the last word about a message counts."""
        about = await step.call(office)
        mail = await step.call(read_mail, self.document, step.now(), about.zone)
        await step.call(learn, mail, self.category, self.unwanted)
        return Done(Learned(key=mail.key))


correction = Workflow("email_correction", version=1, start=Corrected, on="mail.corrected", result=Learned)
