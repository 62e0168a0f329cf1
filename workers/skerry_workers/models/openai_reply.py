"""What an OpenAI-compatible endpoint says: a completion, streamed or whole, the list of its models, or an error."""

from __future__ import annotations

import email.utils
import itertools
import math
import time
from datetime import UTC
from typing import Any, NamedTuple, cast

import msgspec
from msgspec import Raw

from skerry.core.structs import NOTHING, Frozen
from skerry_workers.models.openai_http import Endpoint, Reply
from skerry_workers.models.port import ModelBroken, ModelError, ModelUnavailable

_ERROR_BYTES_MAX = 16 * 1024
_MODELS_BYTES_MAX = 4 * 1024 * 1024
_MODELS_NAMED_MAX = 12


class Token(Frozen):
    """One token of the answer, with the logarithm of its probability. `bytes` where a character has several tokens."""

    token: str = ""
    logprob: float | None = None
    bytes: list[int] | None = None


class _Logprobs(Frozen):
    content: list[Token] | None = None


class _Said(Frozen):
    content: str | None = None
    refusal: str | None = None


class _Choice(Frozen):
    index: int | None = 0
    delta: _Said | None = None
    message: _Said | None = None
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class _PromptDetails(Frozen):
    cached_tokens: int | None = None


class _Usage(Frozen):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None


class _Timings(Frozen):
    """llama-server's own."""

    cache_n: int | None = None
    prompt_ms: float | None = None
    predicted_ms: float | None = None


class _Chunk(Frozen):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    timings: _Timings | None = None
    error: Raw = NOTHING


_chunk = msgspec.json.Decoder(_Chunk, strict=False)


class Completion(NamedTuple):
    """A completion, whole. `cached` is -1 where the endpoint does not say what it had read before; times in seconds."""

    text: str = ""
    finish: str = ""
    refusal: str = ""
    tokens: tuple[Token, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0
    cached: int = -1
    first_s: float = 0.0
    whole_s: float = 0.0
    reading_s: float = -1.0


class Model(Frozen):
    """What an endpoint says of a model. Of the rest only what stays the same from one start of it to the next."""

    id: str
    owned_by: str | None = ""
    root: str | None = ""
    max_model_len: int | None = 0
    meta: Any = None


class _Models(Frozen):
    data: list[Model] | None = None


class Declined(ModelError):
    """The endpoint takes no such request (400, 422). `words` is all that it said, for finding out what it minds."""

    def __init__(self, message: str, words: str) -> None:
        super().__init__(message)
        self.words = words


class _Reading:
    """Collects the pieces of a completion."""

    def __init__(self, endpoint: Endpoint, asked_at: float) -> None:
        self._endpoint = endpoint
        self._asked_at = asked_at
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._tokens: list[Token] = []
        self._usage = _Usage()
        self._timings = _Timings()
        self._first_s = 0.0
        self.finish = ""

    def take(self, data: bytes) -> None:
        try:
            chunk = _chunk.decode(data)
        except (msgspec.DecodeError, RecursionError):
            said = self._endpoint.clean(data[:2000].decode(errors="replace"), 120)
            raise ModelUnavailable(f"{self._endpoint.address} sends what is no completion: {said!r}") from None
        if chunk.error not in (NOTHING, b"null"):
            words = self._endpoint.clean(_words(bytes(chunk.error)))
            raise ModelUnavailable(f"{self._endpoint.address} broke off with an error: {words}")
        self._usage = chunk.usage or self._usage
        self._timings = chunk.timings or self._timings
        for choice in chunk.choices or ():
            if not choice.index:
                self._take(choice)

    def _take(self, choice: _Choice) -> None:
        said = choice.delta or choice.message or _Said()
        if said.content:
            self._first_s = self._first_s or time.monotonic() - self._asked_at
            self._text.append(said.content)
        if said.refusal:
            self._refusal.append(said.refusal)
        if choice.logprobs is not None:
            self._tokens += choice.logprobs.content or ()
        self.finish = choice.finish_reason or self.finish

    def whole(self, *, streamed: bool) -> Completion:
        whole_s = time.monotonic() - self._asked_at
        usage, timings = self._usage, self._timings
        details = usage.prompt_tokens_details
        cached = details.cached_tokens if details is not None else timings.cache_n
        if timings.prompt_ms is not None:
            reading_s = max(timings.prompt_ms / 1000, 0.0)
        else:
            reading_s = self._first_s if streamed else -1.0
        return Completion(
            text="".join(self._text),
            finish=self.finish,
            refusal="".join(self._refusal),
            tokens=tuple(self._tokens),
            tokens_in=max(usage.prompt_tokens or 0, 0),
            tokens_out=max(usage.completion_tokens or len(self._tokens), 0),
            cached=-1 if cached is None else max(cached, 0),
            first_s=self._first_s if streamed else whole_s,
            whole_s=whole_s,
            reading_s=reading_s,
        )


def completion(endpoint: Endpoint, reply: Reply, asked_at: float) -> Completion:
    """The completion in a reply whose status is 200. What it is, it says by its first byte: its type often lies.

    Raises `ModelUnavailable`: it breaks off, or is none.
    """
    reading = _Reading(endpoint, asked_at)
    lines = reply.lines()
    first = next((line for line in lines if line.strip()), b"")
    if first.lstrip()[:1] == b"{":
        reading.take(b"\n".join((first, *lines)))
        if not reading.finish:
            raise ModelUnavailable(f"{endpoint.address} sends what is no completion")
        return reading.whole(streamed=False)
    if not first.startswith((b":", b"data:", b"event:", b"error:", b"id:", b"retry:")):
        kind = endpoint.clean(reply.headers.get("Content-Type", "no type"), 60)
        said = endpoint.clean(first[:2000].decode(errors="replace"), 120)
        hint = "is the url of the model right? it mostly ends in /v1"
        raise ModelUnavailable(f"{endpoint.address} sends no completion but {kind}: {said!r}", hint=hint)
    for line in itertools.chain((first,), lines):
        name, _, data = line.partition(b":")
        if name not in (b"data", b"error") or not (data := data.strip()):
            continue
        if data == b"[DONE]":
            break
        reading.take(b'{"error":%b}' % data if name == b"error" else data)
    if not reading.finish:
        raise ModelUnavailable(f"{endpoint.address}: the answer broke off in the middle")
    reply.drain()
    return reading.whole(streamed=True)


def models(endpoint: Endpoint, reply: Reply) -> tuple[Model, ...]:
    """The endpoint's models; none where it has no such list."""
    if reply.status != 200:
        return ()
    try:
        return tuple(msgspec.json.decode(reply.body(_MODELS_BYTES_MAX), type=_Models, strict=False).data or ())
    except (msgspec.DecodeError, RecursionError):
        return ()


def refusal(endpoint: Endpoint, reply: Reply, *, model: str, known: tuple[Model, ...], key_variable: str) -> ModelError:
    """What a status other than 200 means."""
    body = reply.start(_ERROR_BYTES_MAX)
    said, status, where = _words(body), reply.status, endpoint.address
    words = f"{where} answers {status}" + (f": {endpoint.clean(said)}" if said else "")
    if status in (401, 403):
        hint = (
            f"is the key in the environment variable {key_variable} right, and may it use {model!r}?"
            if key_variable
            else "name the environment variable that holds the key in key_variable"
        )
        return ModelBroken(words, hint=hint)
    if status == 404:
        return _not_there(words, model, [each.id for each in known])
    if 300 <= status < 400:
        to = endpoint.clean(reply.headers.get("Location", ""), 120)
        return ModelBroken(f"{where} answers {status}, a way to {to!r}, which is not followed", hint="mend its url")
    if status in (400, 422):
        return Declined(words, said)
    if status in (405, 410, 411, 413, 414, 415, 431):
        return ModelError(words)
    # The rest may pass: too many requests, a model that is being loaded, an engine that fell over.
    return ModelUnavailable(words, retry_after_s=_retry_after(reply))


def _not_there(words: str, model: str, names: list[str]) -> ModelError:
    if not names:
        return ModelBroken(words, hint="does the url end in /v1, and is the model there?")
    if model in names:
        return ModelBroken(words, hint="it lists the model, but has no chat completions at this url")
    more = f", and {len(names) - _MODELS_NAMED_MAX} more" if len(names) > _MODELS_NAMED_MAX else ""
    there = ", ".join(name[:80] for name in sorted(names)[:_MODELS_NAMED_MAX])
    return ModelBroken(f"{words}. There is no model {model!r}; there are: {there}{more}", hint="mend `model`")


def _retry_after(reply: Reply) -> float:
    """Seconds that the endpoint asks us to wait; 0 if it does not say."""
    if (after_ms := _number(reply.headers.get("Retry-After-Ms", ""))) is not None:
        return after_ms / 1000
    value = reply.headers.get("Retry-After", "")
    if (after := _number(value)) is not None:
        return after
    until, now = _instant(value), _instant(reply.headers.get("Date", ""))
    # By its own clock if it shows one: ours may be wrong.
    return max(until - (now if now is not None else time.time()), 0.0) if until is not None else 0.0


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else 0.0


def _instant(value: str) -> float | None:
    try:
        moment = email.utils.parsedate_to_datetime(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _words(body: bytes) -> str:
    """What an error says, in whichever of the usual shapes: the message, with the parameter and code that it names."""
    try:
        error: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return body.decode(errors="replace")
    if isinstance(error, dict):
        error = cast(dict[str, object], error).get("error", cast(object, error))
    if isinstance(error, str):
        return error
    said = cast(dict[str, object], error) if isinstance(error, dict) else {}
    message, param = said.get("message") or said.get("detail"), said.get("param")
    if not isinstance(message, str):
        return body.decode(errors="replace")
    return f"{message} ({param})" if isinstance(param, str) and param and param not in message else message
