"""The workflow's parts over a folder of cases, for a scorer. Reads no expected answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from skerry.errors import DataError
from skerry_workflows.email.model import Address, Message
from skerry_workflows.evaluation import Failure, Predicted, Progress, Task


class Case(msgspec.Struct, frozen=True):
    """A case of the manifest: its `input` is a path below the folder."""

    id: str
    task: str
    input: str


class _Manifest(msgspec.Struct, frozen=True):
    cases: list[Case]


def cases(folder: Path, task: str) -> list[Case]:
    """The cases of a task. Raises `DataError` when there is no manifest, or it has another shape."""
    path = folder / "manifest.json"
    hint = "give the folder that holds manifest.json with a list of cases, each with an id, a task and an input"
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=_Manifest)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror})", hint=hint) from None
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise DataError(f"{path} is not a manifest of cases: {error}", hint=hint) from None
    return [case for case in manifest.cases if case.task == task]


def predict(items: list[tuple[str, Callable[[], Any]]], progress: Progress | None) -> Predicted:
    """What each function answers, by id; one that fails is reported, never fatal."""
    answers: dict[str, Any] = {}
    failures: list[Failure] = []
    for done, (id, answer) in enumerate(items, start=1):
        try:
            answers[id] = answer()
        except Exception as error:  # whatever one case does, the others are still wanted
            failures.append(Failure(id=id, reason=str(error) or type(error).__name__))
        if progress:
            progress(done, len(items))
    return answers, failures


def over_messages(task: str, answer: Callable[[Message], Any]) -> Task:
    """The task that asks `answer` about each message of a kind of case."""

    def run(folder: Path, progress: Progress | None) -> Predicted:
        from skerry_workflows.email.mime import parse

        def one(case: Case) -> Callable[[], Any]:
            return lambda: answer(parse((folder / case.input).read_bytes()))

        return predict([(case.id, one(case)) for case in cases(folder, task)], progress)

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


TASKS: Mapping[str, Task] = {"mime": over_messages("mime", fields)}
