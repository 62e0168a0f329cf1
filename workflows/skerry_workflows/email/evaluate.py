"""The workflow's parts over a folder of cases, for a scorer. Reads no expected answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from skerry_workflows.email.model import Address, Message
from skerry_workflows.evaluation import Predicted, Progress, Task, each_case, read_json, read_rows

_HINT = "give the folder that holds the cases of email: see its README"


class Case(msgspec.Struct, frozen=True):
    """A case of the manifest: its `input` is a path below the folder."""

    id: str
    task: str
    input: str


class _Manifest(msgspec.Struct, frozen=True):
    cases: list[Case]


def cases(folder: Path, task: str) -> list[Case]:
    """The cases of a task. Raises `DataError` when there is no manifest, or it has another shape."""
    hint = "give the folder that holds manifest.json with a list of cases, each with an id, a task and an input"
    manifest = read_json(folder / "manifest.json", _Manifest, hint)
    return [case for case in manifest.cases if case.task == task]


def over_messages(task: str, answer: Callable[[Message], Any]) -> Task:
    """The task that asks `answer` about each message of a kind of case."""

    def run(folder: Path, progress: Progress | None) -> Predicted:
        from skerry_workflows.email.mime import parse

        def one(case: Case) -> Callable[[], Any]:
            return lambda: answer(parse((folder / case.input).read_bytes()))

        return each_case([(case.id, one(case)) for case in cases(folder, task)], progress)

    return run


def fields(message: Message) -> dict[str, Any]:
    """A message in the scorer's shape."""

    def people(found: tuple[Address, ...]) -> list[dict[str, str]]:
        return [{"name": each.name, "address": each.address} for each in found]

    return {
        "subject": message.subject,
        "from": people(message.sender),
        "to": people(message.to),
        "cc": people(message.cc),
        "reply_to": people(message.reply_to),
        "date": message.date.isoformat() if message.date else None,
        "message_id": message.message_id,
        "text": message.text,
        "attachments": [{"name": each.name or None} for each in message.attachments],
        "bounced": message.bounced,
    }


# --- threads and replies ----------------------------------------------------------------------------------------------


class _Mailbox(msgspec.Struct, frozen=True):
    id: str
    algorithm: str
    input: str


class _Input(msgspec.Struct, frozen=True):
    input: str


class _Real(msgspec.Struct, frozen=True):
    messages: list[_Input]


class _Threads(msgspec.Struct, frozen=True):
    imaptest: list[_Mailbox]
    real: _Real


def _threads(folder: Path, progress: Progress | None) -> Predicted:
    told = read_json(folder / "threads" / "threads.json", _Threads, _HINT)

    def mailbox(box: _Mailbox) -> Callable[[], Any]:
        return lambda: thread_answer((folder / box.input).read_bytes(), box.algorithm)

    def real() -> dict[str, str]:
        from skerry_workflows.email.mime import parse
        from skerry_workflows.email.threads import conversations, entry_of

        paths = [each.input for each in told.real.messages]
        entries = [entry_of(n, parse((folder / path).read_bytes())) for n, path in enumerate(paths, start=1)]
        return {
            paths[entry.number - 1]: f"thread {index}"
            for index, group in enumerate(conversations(entries))
            for entry in group
        }

    return each_case([*((box.id, mailbox(box)) for box in told.imaptest), ("real", real)], progress)


def thread_answer(mbox: bytes, algorithm: str) -> str:
    """What an IMAP server would answer to THREAD over a mailbox file."""
    from skerry_workflows.email import threads
    from skerry_workflows.email.mbox import read
    from skerry_workflows.email.mime import parse

    stored = enumerate(read(mbox), start=1)
    entries = [threads.entry_of(number, parse(each.data), each.arrived) for number, each in stored]
    if algorithm == "ORDEREDSUBJECT":
        return threads.answer(threads.by_ordered_subject(entries))
    return threads.answer(threads.by_references(entries))


class _Reply(msgspec.Struct, frozen=True):
    id: str
    format: str
    input: str = ""
    text: str = ""


def _replies(folder: Path, progress: Progress | None) -> Predicted:
    rows = read_json(folder / "replies" / "replies.json", list[_Reply], _HINT)

    def one(row: _Reply) -> Callable[[], str]:
        return lambda: new_text(row.format, (folder / row.input).read_bytes() if row.input else row.text.encode())

    return each_case([(row.id, one(row)) for row in rows], progress)


def new_text(format: str, data: bytes) -> str:
    """The new text of a reply that is a whole message (`eml`), a page of HTML, or plain text."""
    from skerry_workflows.email.charsets import decode
    from skerry_workflows.email.html import render
    from skerry_workflows.email.mime import parse
    from skerry_workflows.email.quotes import split

    if format == "eml":
        return split(parse(data).text).written
    text = decode(data)
    return split(render(text).text if format == "html" else text).written


# --- spam and categories ----------------------------------------------------------------------------------------------


def spam_label(message: Message) -> str:
    """The likelier of the two, also where the workflow would ask."""
    from skerry_workflows.email.spam import score

    return "spam" if score(message).probability > 0.5 else "ham"


class _Row(msgspec.Struct, frozen=True):
    id: str
    text: str


def intents(name: str, nothing: str = "") -> Task:
    """The task that puts short messages into categories of which only the names are known.

    `nothing` is the label for a message that belongs nowhere.
    """

    def run(folder: Path, progress: Progress | None) -> Predicted:
        from skerry_workflows.email.categories import Category, Classifier

        labels = read_json(folder / "intents" / "labels.json", dict[str, list[str]], _HINT)
        classifier = Classifier([Category(name=label) for label in labels[name] if label != nothing])

        def one(row: _Row) -> Callable[[], str]:
            return lambda: (classifier.guess(row.text).category or nothing) if nothing else classifier.best(row.text)

        rows = read_rows(folder / "intents" / f"{name}_test.jsonl", _Row, _HINT)
        return each_case([(row.id, one(row)) for row in rows], progress)

    return run


TASKS: Mapping[str, Task] = {
    "mime": over_messages("mime", fields),
    "threads": _threads,
    "replies": _replies,
    "spam": over_messages("spam", spam_label),
    "banking77": intents("banking77"),
    "clinc150": intents("clinc150", "oos"),
}
