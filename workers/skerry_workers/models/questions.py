"""From a task to the question that a model is asked, and from its answer to the value that the step gets."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import msgspec
from msgspec import Raw

from skerry.core.answers import FieldNote
from skerry.core.asking import in_quotes, quote_names
from skerry.core.codec import encode_json
from skerry.core.tasks import Prompt
from skerry.core.thresholds import field_of
from skerry.core.wire import Task
from skerry.errors import DataError
from skerry_workers.models.catalog import Offer
from skerry_workers.models.port import Answer, ModelError, Question

_EMPTY: Mapping[type, Any] = {str: "", int: 0, float: 0.0, bool: False, list: [], tuple: (), dict: {}}
_REF = "#/$defs/"
_SLACK_S = 1.0


class CutOff(ModelError):
    """The answer was longer than the model may write."""


def question_of(task: Task, prompt: Prompt, offer: Offer, text: str, seconds: float | None) -> Question:
    """What a model is asked. `seconds` is how long anybody waits (None: for ever); the worker stops it itself then."""
    schema = _whole(task, prompt) if offer.model.whole else schema_of(task)
    words = offer.model.words.get(task.target) or task.prompt or prompt.text
    return Question(
        system=f"{words}\n\n{hints(schema)}".strip() if offer.model.hints else words,
        text=text,
        schema=schema,
        # One that knows only documents and answers would take the objections for a part of the document.
        objections=() if offer.model.whole else task.objections,
        timeout_s=0.0 if seconds is None else max(seconds, 0.0) + _SLACK_S,
        **_told(offer.spec.options),
    )


def _whole(task: Task, prompt: Prompt) -> dict[str, Any]:
    """The schema of all quotes of the prompt. Raises `ModelError` when something else is wanted as well."""
    if not in_quotes(prompt, task.fields):
        beyond = [name for name in task.fields if prompt.quotes is None or name not in quote_names(prompt)]
        raise ModelError(f"it was not made for that question: it knows nothing of {', '.join(beyond) or 'this prompt'}")
    return msgspec.json.schema(prompt.quotes)


def schema_of(task: Task) -> dict[str, Any]:
    """The schema of a task. Raises `DataError` when it is none."""
    try:
        return msgspec.json.decode(task.schema, type=dict[str, Any])
    except msgspec.MsgspecError:
        raise DataError("the task has no schema that its answer should fit") from None


def hints(schema: Mapping[str, Any]) -> str:
    """The fields of an answer with what they mean, for models that have to be told."""
    lines = [
        f"- {name}: {told}" if (told := _description(part, schema)) else f"- {name}"
        for name, part in _properties(schema).items()
    ]
    return "Answer with one JSON object. Its fields:\n" + "\n".join(lines) if lines else ""


def shown(prompt: Prompt, about: Any) -> str:
    """What the model sees of what it is asked about. Calls the prompt's own function, which may take a while."""
    if prompt.show is not None:
        made: Any = prompt.show(about)
        if not isinstance(made, str):
            raise DataError(f"`show` of prompt {prompt.name} returned {type(made).__name__}, not a text")
        return made
    if isinstance(about, str):
        return about
    text: Any = cast("dict[str, Any]", about).get("text") if isinstance(about, dict) else getattr(about, "text", None)
    return text if isinstance(text, str) else encode_json(about).decode()


def value_of(task: Task, prompt: Prompt, about: Any, answer: Answer) -> bytes:
    """The JSON of the answer: what the model said, or what the prompt's `read` makes of its quotes.

    Calls that function, which may take a while. Raises `DataError` for what does not fit, `CutOff` for half an answer.
    """
    if answer.finish == "length":
        raise CutOff("the model's answer was cut off: it is longer than it may be")
    said = _object(answer.value)
    if not in_quotes(prompt, task.fields):
        return encode_json({name: said[name] for name in task.fields if name in said} if task.fields else said)
    quotes = _quotes(prompt, said, task.fields)
    if prompt.read is None:
        value = quotes
    else:
        try:
            value = prompt.read(quotes, about)
        except Exception as error:
            raise DataError(f"what the model quoted cannot be read: {type(error).__name__}: {error}") from None
    written = encode_json(value)
    if not task.fields:
        return written
    return encode_json({name: raw for name, raw in _object(Raw(written)).items() if name in task.fields})


def notes_of(task: Task, prompt: Prompt, answer: Answer) -> dict[str, FieldNote]:
    """What is known of the fields that were asked for; a model that knows one shape only says more."""
    if not task.fields:
        return dict(answer.fields)
    told: Mapping[str, str] = quote_names(prompt) if in_quotes(prompt, task.fields) else {}
    asked = {told.get(name, name) for name in task.fields}
    return {path: note for path, note in answer.fields.items() if field_of(path) in asked}


def about_type(prompt: Prompt) -> Any:
    """What the functions of a prompt take: the annotation of the first that says so; Any, when none does."""
    places: Sequence[tuple[Callable[..., Any] | None, int]] = ((prompt.show, 0), (prompt.read, 1), (prompt.rules, 0))
    for function, place in places:
        if function is not None and (found := parameter_type(function, place)) is not Any:
            return found
    return Any


def parameter_type(function: Callable[..., Any], place: int = 0) -> Any:
    """What a function's parameter is annotated with; Any, when it is not."""
    names = [parameter.name for parameter in inspect.signature(function).parameters.values()]
    hints = typing.get_type_hints(function)
    return hints.get(names[place], Any) if len(names) > place else Any


def _told(options: Mapping[str, Any]) -> dict[str, Any]:
    """What the settings of a model say about each of its answers."""
    kinds = {"tokens_max": int, "temperature": float, "seed": int}
    return {name: kind(options[name]) for name, kind in kinds.items() if name in options}


def _object(value: Raw) -> dict[str, Raw]:
    try:
        return msgspec.json.decode(value, type=dict[str, Raw])
    except msgspec.MsgspecError as error:
        start = bytes(value)[:60].decode(errors="replace")
        raise DataError(f"the model answered no JSON object: {error} ({start!r})") from None


def _quotes(prompt: Prompt, said: Mapping[str, Raw], fields: Sequence[str]) -> Any:
    """The prompt's struct of quotes. Of fields that were not asked for it has the default, or an empty value."""
    try:
        if not fields:
            return msgspec.json.decode(encode_json(said), type=prompt.quotes)
        values: dict[str, Any] = {}
        for field in msgspec.structs.fields(prompt.quotes):
            if field.name in fields and field.encode_name in said:
                values[field.name] = msgspec.json.decode(said[field.encode_name], type=field.type)
            elif field.required:
                values[field.name] = _empty(field.type)
        return prompt.quotes(**values)
    except (msgspec.MsgspecError, TypeError, ValueError) as error:
        raise DataError(f"the model's answer does not fit {prompt.quotes.__name__}: {error}") from None


def _empty(type: Any) -> Any:
    for value in (None, *_EMPTY.values()):
        try:
            return msgspec.convert(value, type)
        except msgspec.ValidationError:
            continue
    raise DataError("it cannot be asked for single fields", hint="give every field of `quotes` a default")


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    resolved = _resolved(schema, schema)
    found = resolved.get("properties", {})
    return cast("Mapping[str, Any]", found) if isinstance(found, dict) else {}


def _resolved(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    name = str(part.get("$ref", "")).removeprefix(_REF)
    definition = schema.get("$defs", {}).get(name) if name else None
    return cast("Mapping[str, Any]", definition) if isinstance(definition, dict) else part


def _description(part: Any, schema: Mapping[str, Any]) -> str:
    if not isinstance(part, dict):
        return ""
    own = cast("Mapping[str, Any]", part)
    options = [own, *cast("Sequence[Mapping[str, Any]]", own.get("anyOf", ()))]
    told = next((str(each["description"]) for each in options if each.get("description")), "")
    choices: Sequence[object] = _resolved(own, schema).get("enum", ())
    return "; ".join(filter(None, (told, f"one of {', '.join(map(str, choices))}" if choices else "")))
