"""The ways in which endpoints want to be asked, and finding out which of them one understands, and means.

An endpoint that takes a schema without a complaint need not keep to it (several ignore words that they do not know), so
it is asked for something that it would never say by itself.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import msgspec

from skerry.core.structs import Frozen
from skerry_workers.models import gbnf, openai_schema
from skerry_workers.models.messages import messages, without_system
from skerry_workers.models.openai_http import Endpoint
from skerry_workers.models.openai_line import Patience
from skerry_workers.models.openai_reply import Completion, Declined, Model, completion, models, refusal
from skerry_workers.models.port import Question

SchemaDialect: TypeAlias = Literal["openai", "foundry", "llama", "none"]
GrammarDialect: TypeAlias = Literal["llama", "vllm", "none"]
SCHEMA_DIALECTS: Final[tuple[SchemaDialect, ...]] = ("openai", "foundry", "llama", "none")
_GRAMMARS: Final[Mapping[str, GrammarDialect]] = {"llamacpp": "llama", "vllm": "vllm"}
"""Who takes grammars, by what it says of its models: asking the others would be of no use."""
_PROBE_TOKENS_MAX = 48
_SIMPLER_MAX = 12


class Dialect(Frozen):
    """How an endpoint is asked. `schema`: where the schema goes; without `limits` it has no lengths and ranges.

    `grammar`: where a grammar goes (llama.cpp's, which holds quotes as well and no blanks), in place of the schema.
    The rest are words of the request that it understands; `tokens` is what it calls the limit on tokens.
    """

    schema: SchemaDialect = "openai"
    limits: bool = True
    grammar: GrammarDialect = "none"
    logprobs: bool = True
    seed: bool = True
    temperature: bool = True
    stream: bool = True
    usage: bool = True
    system: bool = True
    tokens: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"


class Known(Frozen):
    """What was found out. `enforced`: it kept to a schema that it would never have followed by itself.

    `quoted`: it keeps to grammars, and so to quotes.
    `understood`: it has answered at all. `whole`: there was an answer to every probe, so nothing new would be found.
    """

    dialect: Dialect = Dialect()
    enforced: bool = False
    quoted: bool = False
    understood: bool = False
    confidence: bool = False
    prefix: bool = False
    model: str = ""
    models: tuple[Model, ...] = ()
    digest: str = ""
    whole: bool = False


class Client(NamedTuple):
    """An endpoint and what requests to it have: `extra` are words of the user's own, `key_variable` is for hints."""

    endpoint: Endpoint
    extra: Mapping[str, Any]
    key_variable: str = ""

    def models(self, patience: Patience) -> tuple[Model, ...]:
        """Its list of models; empty where it has none."""
        with self.endpoint.ask("GET", "/models", None, patience) as reply:
            if reply.status in (401, 403):
                raise refusal(self.endpoint, reply, model="", known=(), key_variable=self.key_variable)
            return models(self.endpoint, reply)

    def complete(self, dialect: Dialect, known: Known, question: Question, patience: Patience) -> Completion:
        """The answer to a question asked in this dialect. Raises `ModelError`; `Declined` if it was not understood."""
        body = msgspec.json.encode(request(dialect, known.model, question, self.extra))
        asked_at = time.monotonic()
        with self.endpoint.ask("POST", "/chat/completions", body, patience) as reply:
            if reply.status != 200:
                raise refusal(
                    self.endpoint, reply, model=known.model, known=known.models, key_variable=self.key_variable
                )
            return completion(self.endpoint, reply, asked_at)

    def understood(
        self, dialect: Dialect, known: Known, told: Callable[[Dialect], Question], patience: Patience
    ) -> tuple[Dialect, Completion]:
        """The same, asked in simpler and simpler words while it names one that it minds; with the dialect it took.

        `told` makes the question in each dialect: what is not said in one way has to be said in another.
        """
        for _ in range(_SIMPLER_MAX):
            try:
                return dialect, self.complete(dialect, known, told(dialect), patience)
            except Declined as declined:
                easier = simpler(dialect, declined.words)
                if easier is None:
                    raise
                dialect = easier
        return dialect, self.complete(dialect, known, told(dialect), patience)


def request(dialect: Dialect, model: str, question: Question, extra: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a request. What `extra` says goes before what we would say."""
    body: dict[str, Any] = {"model": model} if model else {}
    body["messages"] = _messages(dialect, question)
    body[dialect.tokens] = question.tokens_max
    if dialect.temperature:
        body["temperature"] = question.temperature
    if dialect.seed:
        body["seed"] = question.seed
    if dialect.logprobs:
        body |= {"logprobs": True, "top_logprobs": 1}
    body["stream"] = dialect.stream
    if dialect.stream and dialect.usage:
        body["stream_options"] = {"include_usage": True}
    if dialect.grammar != "none":
        body |= _grammar(dialect.grammar, question)
    elif dialect.schema != "none" and openai_schema.is_object(question.schema):
        body["response_format"] = _response_format(dialect, question.schema)
    return {**body, **extra}


def _messages(dialect: Dialect, question: Question) -> list[dict[str, str]]:
    spoken = messages(question)
    return spoken if dialect.system else without_system(spoken)


def _grammar(dialect: GrammarDialect, question: Question) -> dict[str, Any]:
    written = gbnf.grammar(question.schema, question.text).text
    return {"grammar": written} if dialect == "llama" else {"structured_outputs": {"grammar": written}}


def _response_format(dialect: Dialect, schema: dict[str, Any]) -> dict[str, Any]:
    wanted = openai_schema.for_endpoint(schema, limits=dialect.limits)
    if dialect.schema == "openai":
        return {"type": "json_schema", "json_schema": {"name": "answer", "schema": wanted, "strict": True}}
    if dialect.schema == "foundry":
        return {"type": "json_schema", "json_schema": wanted}
    return {"type": "json_object", "schema": wanted}


# Words of an endpoint that minds something, and what to leave out then. The first that changes anything is taken.
_MINDS: tuple[tuple[str, Callable[[Dialect], dict[str, object]]], ...] = (
    (r"max_completion_tokens", lambda _: {"tokens": "max_completion_tokens"}),
    (r"stream_options|include_usage", lambda _: {"usage": False}),
    (r"log_?prob", lambda _: {"logprobs": False}),
    (r"temperature", lambda _: {"temperature": False}),
    (r"\bseed\b", lambda _: {"seed": False}),
    (r"system (role|message)|role.{0,12}system|roles must alternate", lambda _: {"system": False}),
    (r"grammar|structured_outputs", lambda _: {"grammar": "none"}),
    (r"schema|response_?format|grammar|json_object", lambda d: {"limits": False} if d.limits else _next_schema(d)),
    (r"\bstream(ing)?\b", lambda _: {"stream": False}),
)


def _next_schema(dialect: Dialect) -> dict[str, object]:
    later = SCHEMA_DIALECTS[SCHEMA_DIALECTS.index(dialect.schema) + 1 :]
    return {"schema": later[0], "limits": True} if later else {}


def simpler(dialect: Dialect, words: str) -> Dialect | None:
    """The dialect without what the endpoint minds, or nothing if it does not say what that is."""
    for pattern, change in _MINDS:
        if re.search(pattern, words, re.IGNORECASE):
            made = msgspec.structs.replace(dialect, **change(dialect))
            if made != dialect:
                return made
    return None


# ---- probing ---------------------------------------------------------------------------------------------------------

_FIELD, _VALUES = "skerry_probe", ("k7", "k8")
PROBE: Final = Question(
    system="You are friendly.",
    text="Please say hello.",
    schema={
        "type": "object",
        "properties": {_FIELD: {"type": "string", "enum": list(_VALUES)}},
        "required": [_FIELD],
        "additionalProperties": False,
    },
    tokens_max=_PROBE_TOKENS_MAX,
)
"""What nobody would answer by himself, and few tokens."""


def _probe(_: Dialect) -> Question:
    return PROBE


def probe(client: Client, model: str, fixed: Mapping[str, Any], patience: Patience) -> Iterator[Known]:
    """Finds out what the endpoint understands, and hands over what is known after each step, the last one `whole`.

    `fixed` are words of the dialect that the user has set. Raises `ModelError` when a step is not possible.
    """
    dialect = Dialect(**fixed)
    there = client.models(patience)
    if not model and len(there) == 1:
        model = there[0].id
    known = Known(dialect=dialect, model=model, models=there, digest=digest(client, model, there, patience))
    yield known
    known = _with_grammar(client, known, fixed, patience)
    if known.enforced:
        yield msgspec.structs.replace(known, whole=True)
        return
    dialect = known.dialect
    tried: set[SchemaDialect] = set()
    cut_off: Dialect | None = None
    for schema in (dialect.schema,) if "schema" in fixed else SCHEMA_DIALECTS[:-1]:
        if schema in tried:
            continue
        tried.add(schema)
        asked = msgspec.structs.replace(dialect, schema=schema, limits=True)
        try:
            dialect, said = client.understood(asked, known, _probe, patience)
        except Declined:
            continue  # it minds something and does not say what: most likely the schema
        tried.add(dialect.schema)
        known = _with(known, dialect, said)
        if known.enforced or dialect.schema == "none" or "schema" in fixed:
            yield msgspec.structs.replace(known, whole=True)
            return
        yield known
        if said.finish == "length":
            cut_off = cut_off or dialect  # it may have meant it, and had begun with other things
    if cut_off is None:
        cut_off, said = client.understood(_plain(dialect, known, fixed), known, _probe, patience)
        known = _with(known, cut_off, said)
    yield msgspec.structs.replace(known, dialect=cut_off, whole=True)


def _with_grammar(client: Client, known: Known, fixed: Mapping[str, Any], patience: Patience) -> Known:
    """What is known after asking with a grammar, if this may be an endpoint that takes one."""
    entry = next((each for each in known.models if each.id == known.model), Model(id=known.model))
    kind: GrammarDialect = fixed.get("grammar", _GRAMMARS.get(entry.owned_by or "", "none"))
    if kind == "none" or "schema" in fixed:
        return known
    dialect = msgspec.structs.replace(known.dialect, grammar=kind)
    try:
        dialect, said = client.understood(dialect, known, _probe, patience)
    except Declined:
        return msgspec.structs.replace(known, dialect=msgspec.structs.replace(known.dialect, grammar="none"))
    held = dialect.grammar != "none" and _kept(said)
    dialect = msgspec.structs.replace(dialect, grammar=dialect.grammar if held else "none")
    return msgspec.structs.replace(_with(known, dialect, said), enforced=held, quoted=held)


def _plain(dialect: Dialect, known: Known, fixed: Mapping[str, Any]) -> Dialect:
    """Without a schema; and if it has understood nothing at all, with nothing that an old endpoint could mind."""
    words: dict[str, Any] = {"schema": "none"}
    if not known.understood:
        words |= {"logprobs": False, "seed": False, "usage": False}
    return msgspec.structs.replace(dialect, **{**words, **fixed})


def _with(known: Known, dialect: Dialect, said: Completion) -> Known:
    return msgspec.structs.replace(
        known,
        dialect=dialect,
        understood=True,
        enforced=dialect.schema != "none" and _kept(said),
        confidence=known.confidence or any(token.logprob is not None for token in said.tokens),
        prefix=known.prefix or said.cached >= 0,
    )


def _kept(said: Completion) -> bool:
    """Whether it kept to the schema, as far as it got (a weak model may lose itself in blanks)."""
    text = "".join(said.text.split())
    answers = [f'{{"{_FIELD}":"{value}"}}' for value in _VALUES]
    if said.finish == "length":
        return len(text) > 2 and any(answer.startswith(text) for answer in answers)
    return text in answers


def digest(client: Client, model: str, there: tuple[Model, ...], patience: Patience) -> str:
    """What the endpoint says of its model, as a name that changes when the model does (as far as it says so)."""
    entry = next((each for each in there if each.id == model), None)
    if entry is None:
        return f"endpoint:{model}"
    if entry.owned_by == "library" and (found := _ollama_digest(client, model, patience)):
        return found
    if not (entry.root or entry.meta or entry.max_model_len):
        return f"endpoint:{model}"
    said = msgspec.json.encode(entry, order="deterministic")
    return f"endpoint:{model}#{hashlib.sha256(said).hexdigest()[:16]}"


class _Tag(Frozen):
    name: str = ""
    digest: str = ""


class _Tags(Frozen):
    models: list[_Tag] = []


def _ollama_digest(client: Client, model: str, patience: Patience) -> str:
    """Ollama knows the digests of its models, and says them elsewhere."""
    with client.endpoint.ask("GET", "//api/tags", None, patience) as reply:
        try:
            tags = msgspec.json.decode(reply.body(), type=_Tags) if reply.status == 200 else _Tags()
        except msgspec.DecodeError:
            return ""
    names = (model, f"{model}:latest")
    found = next((tag.digest for tag in tags.models if tag.name in names and tag.digest), "")
    return f"sha256:{found.removeprefix('sha256:')}" if found else ""


class Probing:
    """Knows the endpoint, or finds out when it is time to; any number of threads may ask."""

    def __init__(self, client: Client, model: str, fixed: Mapping[str, Any], limit_s: float, again_s: float) -> None:
        """`limit_s` is how long probing may take in all; `again_s`, when to try again what could not be found out."""
        self._client = client
        self._model = model
        self._fixed = fixed
        self._limit_s = limit_s
        self._again_s = again_s
        self._lock = threading.Lock()
        self._next_try = 0.0
        self.known = Known(dialect=Dialect(**fixed), model=model, digest=f"endpoint:{model}")

    def due(self) -> bool:
        """Whether something is not known, and was not tried just now."""
        return not self.known.whole and time.monotonic() >= self._next_try

    def run(self, patience: Patience) -> None:
        """Finds out what can be, unless another thread is at it. Raises `ModelError`; what was found before stays."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            for known in probe(
                self._client, self._model, self._fixed, patience.shorter(min(self._limit_s, patience.left_s / 2))
            ):
                self.known = known
        finally:
            self._next_try = time.monotonic() + self._again_s
            self._lock.release()

    def learn(self, dialect: Dialect, said: Completion) -> None:
        """What an answer showed beside. The schema's dialect stays: one schema too many says nothing of the next."""
        with self._lock:
            before = self.known.dialect
            dialect = msgspec.structs.replace(
                dialect, schema=before.schema, limits=before.limits, grammar=before.grammar
            )
            known = msgspec.structs.replace(
                self.known,
                dialect=dialect,
                confidence=self.known.confidence or any(token.logprob is not None for token in said.tokens),
                prefix=self.known.prefix or said.cached >= 0,
            )
            if known != self.known:
                self.known = known
