"""Any OpenAI-compatible endpoint over HTTP: Foundry Local, Ollama, vLLM, llama-server, a cloud.

Nothing that it promises is believed: what it enforces is probed once, and every answer is cut out, decoded and compared
with the schema. The key comes from an environment variable and goes nowhere but into a header.
"""

from __future__ import annotations

import codecs
import os
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from skerry.core.answers import FieldNote
from skerry.core.structs import Frozen
from skerry_workers.models import openai_schema
from skerry_workers.models.confidence import Token, confidences, notes
from skerry_workers.models.misfit import shown
from skerry_workers.models.openai_http import Endpoint, address_of
from skerry_workers.models.openai_line import Patience
from skerry_workers.models.openai_probe import Client, Dialect, GrammarDialect, Known, Probing, SchemaDialect
from skerry_workers.models.openai_reply import Completion, Declined
from skerry_workers.models.port import (
    Answer,
    Capabilities,
    ModelBroken,
    ModelError,
    ModelSpec,
    Question,
    Stopped,
    Usage,
)

_CONNECT_S = 10.0
_AGAIN_S = 60.0
_CUT_OFF = "output limit was reached"
"""What OpenAI says, as an error, of a model that was still thinking."""


class Options(Frozen, forbid_unknown_fields=True):
    """`options` of a model of this backend; the guide to models says what each is for.

    `schema`, `grammar`, `logprobs` and `stream` say what would be probed; without `probe` the endpoint is asked nothing
    but questions. Seconds: `probe_s` for all of probing, `silence_s` between two bytes. `body` is merged into each
    request. The last three are the worker's, which puts them into its questions.
    """

    schema: SchemaDialect | None = None
    grammar: GrammarDialect | None = None
    logprobs: bool | None = None
    stream: bool | None = None
    probe: bool = True
    probe_s: float = 30.0
    silence_s: float = 600.0
    tell_schema: bool | None = None
    local: bool = True
    insecure: bool = False
    ca: str = ""
    key_header: str = ""
    body: Mapping[str, Any] = {}
    tokens_max: int = 0
    temperature: float = 0.0
    seed: int = 0


def is_local(spec: ModelSpec) -> bool:
    """Whether what is asked stays on this machine, as far as its URL, its name and `options.local` say.

    A server on this machine may hand questions on: Ollama does it with models that are called "...cloud".
    Raises `ModelBroken`: no such spec.
    """
    handed_on = spec.model.endswith((":cloud", "-cloud"))
    return address_of(spec.url).loopback and _options(spec).local and not handed_on


def load(spec: ModelSpec) -> OpenAIBackend:
    """The endpoint, probed. It may be away at the moment: that is told when something is asked.

    Raises `ModelBroken`: the spec is wrong, the key is missing or refused, or the model is not there.
    """
    options = _options(spec)
    backend = OpenAIBackend(spec, options, _endpoint(spec, options))
    try:
        backend.probe(Patience(threading.Event(), silence_s=options.silence_s))
    except ModelBroken:
        backend.close()
        raise
    except ModelError:
        pass  # whoever asks is told; by then it may be over
    return backend


def reach(spec: ModelSpec, within_s: float) -> tuple[str, ...]:
    """The names of the models at the endpoint, empty where it has no list: asks for that only, which costs nothing.

    Raises `ModelBroken`: the spec is wrong, the key is missing or refused. `ModelUnavailable`: it is not there.
    """
    options = _options(spec)
    endpoint = _endpoint(spec, options)
    try:
        client = Client(endpoint, options.body, spec.key_variable)
        return tuple(model.id for model in client.models(Patience(threading.Event(), within_s)))
    finally:
        endpoint.close()


def _endpoint(spec: ModelSpec, options: Options) -> Endpoint:
    address = address_of(spec.url)
    if not (address.tls or address.loopback or options.insecure):
        raise ModelBroken(
            f"{address} is on another machine, and http is not encrypted",
            hint="use https, or say options.insecure = true",
        )
    key = os.environ.get(spec.key_variable, "").strip() if spec.key_variable else ""
    if spec.key_variable and not key:
        raise ModelBroken(f"the environment variable {spec.key_variable} is empty", hint="it should hold the key")
    return Endpoint(address, key=key, key_header=options.key_header, ca=options.ca, connect_s=_CONNECT_S)


class OpenAIBackend:
    """See `port.Backend`. Any number of threads may ask at a time; `capabilities` grow with what is seen."""

    def __init__(self, spec: ModelSpec, options: Options, endpoint: Endpoint) -> None:
        self._spec = spec
        self._options = options
        self._endpoint = endpoint
        self._client = Client(endpoint, options.body, spec.key_variable)
        said = {name: getattr(options, name) for name in ("schema", "grammar", "logprobs", "stream")}
        fixed = {name: value for name, value in said.items() if value is not None}
        self._probing = Probing(self._client, spec.model, fixed, options.probe_s, _AGAIN_S)

    @property
    def capabilities(self) -> Capabilities:
        """What was seen so far; nothing that is only promised."""
        known = self._probing.known
        return Capabilities(
            slots=max(self._spec.slots, 1),
            schema=known.enforced,
            quoted=known.quoted,
            confidence=known.confidence,
            prefix=known.prefix,
        )

    @property
    def digest(self) -> str:
        """What the endpoint says of its model: Ollama a digest, others a name and some figures."""
        return self._probing.known.digest

    def probe(self, patience: Patience) -> None:
        """Finds out what is not known. Raises `ModelError`; what was found before it stays."""
        if self._options.probe and self._probing.due():
            self._probing.run(patience)

    def answer(self, question: Question, stop: threading.Event) -> Answer:
        """See `port.Backend`. Setting `stop` closes the connection, and so ends the work of the endpoint."""
        patience = Patience(stop, question.timeout_s, self._options.silence_s)
        self._probe_if_due(patience)
        known = self._model_known()
        try:
            dialect, said = self._client.understood(
                known.dialect, known, lambda dialect: self._told(question, known, dialect), patience
            )
        except Declined as declined:
            if _CUT_OFF in declined.words:
                return Answer(finish="length")
            raise
        self._probing.learn(dialect, said)
        return self._answered(question, dialect, said)

    def close(self) -> None:
        """Closes the connections that are idle."""
        self._endpoint.close()

    def _probe_if_due(self, patience: Patience) -> None:
        try:
            self.probe(patience)
        except (ModelBroken, Stopped):
            raise
        except ModelError:
            pass  # the question itself will tell, if it is still so

    def _model_known(self) -> Known:
        known = self._probing.known
        if not known.model and len(known.models) > 1:
            there = ", ".join(sorted(model.id[:80] for model in known.models)[:12])
            raise ModelBroken(f"{self._endpoint.address} has several models: {there}", hint="say which one in `model`")
        return known

    def _told(self, question: Question, known: Known, dialect: Dialect) -> Question:
        """The question with what the endpoint does not see to by itself put into words."""
        system = question.system
        by_grammar = dialect.grammar != "none" and known.quoted
        by_schema = known.enforced and not known.quoted and dialect.schema == known.dialect.schema
        held = by_grammar or (by_schema and openai_schema.is_object(question.schema))
        if self._options.tell_schema or (self._options.tell_schema is None and not held):
            schema = msgspec.json.encode(openai_schema.for_endpoint(question.schema)).decode()
            system += f"\n\nAnswer in JSON, and with nothing else. It fits this JSON schema:\n{schema}"
        if not by_grammar and (quoted := openai_schema.quoted_fields(question.schema)):
            names = ", ".join(quoted)
            system += f"\n\nCopy these fields from the text, character by character, and change nothing: {names}"
        return msgspec.structs.replace(question, system=system.strip())

    def _answered(self, question: Question, dialect: Dialect, said: Completion) -> Answer:
        usage = _usage(said)
        # A grammar does not count: how long, and how large, the worker sees when it makes the answer's type of it.
        schema = question.schema if dialect.grammar == "none" else openai_schema.without_limits(question.schema)
        try:
            text = self._checked(schema, said)
        except ModelError:
            if said.finish != "length":
                raise
            return Answer(value=Raw(said.text.encode(errors="replace")), usage=usage, finish="length")
        return Answer(value=Raw(text.encode()), fields=_notes(question, said, text), usage=usage)

    def _checked(self, schema: dict[str, Any], said: Completion) -> str:
        if said.refusal or said.finish == "content_filter":
            why = shown(said.refusal or said.text)
            raise ModelError(f"{self._endpoint.address} declines to answer: {why}")
        return openai_schema.answer_in(said.text, schema)


def _options(spec: ModelSpec) -> Options:
    try:
        return msgspec.convert(dict(spec.options), Options)
    except msgspec.ValidationError as error:
        raise ModelBroken(f"options of the model {spec.name!r}: {error}") from None


def _usage(said: Completion) -> Usage:
    reading_s = said.whole_s if said.reading_s < 0 else min(said.reading_s, said.whole_s)
    return Usage(
        tokens_in=said.tokens_in,
        tokens_out=said.tokens_out,
        tokens_cached=max(said.cached, 0),
        waiting_s=max(said.first_s - reading_s, 0.0),
        reading_s=reading_s,
        writing_s=max(said.whole_s - max(said.first_s, reading_s), 0.0),
    )


def _notes(question: Question, said: Completion, text: str) -> dict[str, FieldNote]:
    return notes(question.schema, question.text, text.encode(), confidences(_tokens(said, text)))


def _tokens(said: Completion, text: str) -> Iterator[Token]:
    """The tokens of the part of the answer that is JSON; none when they do not add up to what was said."""
    pieces = list(_pieces(said))
    start = "".join(piece.text for piece in pieces).find(text)
    if start < 0:
        return
    end, at = start + len(text), 0
    for piece in pieces:
        inside = piece.text[max(start - at, 0) : max(end - at, 0)]
        nothing = not piece.text and start <= at < end
        at += len(piece.text)
        if inside or nothing:
            yield Token(inside, piece.logprob)


def _pieces(said: Completion) -> Iterator[Token]:
    """Its tokens as text. One that ends within a character adds to the text with the next one."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    for token in said.tokens:
        if token.logprob is None:
            return
        data = token.token.encode(errors="replace")
        if token.bytes is not None and all(0 <= each < 256 for each in token.bytes):
            data = bytes(token.bytes)
        yield Token(decoder.decode(data), min(token.logprob, 0.0))
