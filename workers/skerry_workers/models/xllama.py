"""Models in GGUF files by xllamacpp: llama.cpp's own server, embedded. All slots are read and written in one batch.

The threads of a large model work on one batch together. A small one they would spend their time waiting for each other,
at hundreds of places for each token: there each thread has a server of its own, and a share of the slots.

A server wants to listen somewhere: on a socket in a folder that only we can open, never on a port. Of several
questions with the same beginning a slot that has it in its cache reads only the rest.

A message for each token lets an answer be stopped at once, and costs a tenth of what a small model takes for it: two
threads wake each other up. So what is over within a second anyway is told in one piece.

A small model has grammars in llama.cpp's own notation, GBNF. There the likeliest token is tried before all others are
looked at, which takes less time than llguidance. And llama.cpp keeps what llguidance needs of a vocabulary in one
place for the whole process, unguarded: two servers that ask for it at once die of it. A large model has llguidance's
grammars, which are never slow. With one that it does not take, llama.cpp *fails open*: it writes whatever it likes.
An answer that does not begin like one is asked again with GBNF.
"""

from __future__ import annotations

import codecs
import logging
import math
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, cast

import msgspec

from skerry_workers.models import constraint, gbnf, ggufs, held
from skerry_workers.models.confidence import Token
from skerry_workers.models.messages import messages
from skerry_workers.models.port import (
    Answer,
    Capabilities,
    ModelBroken,
    ModelError,
    ModelSpec,
    ModelUnavailable,
    Question,
    Stopped,
    Usage,
)

_READ_AT_ONCE = 512
"""Tokens of a text that are read before anybody is asked whether the answer is still wanted."""
_SMALL_BYTES_MAX = 64 << 20
"""A small model has a server for each thread; of a larger one every thread computes a part."""

_WHOLE_S_MAX = 1.0
"""What may take longer than this, on a machine that does nothing else, can be stopped on the way."""
_PACE_TOKENS_MIN, _WHOLE_TOKENS_MAX = 16, 1024
"""Fewer tokens tell no pace, and none tells that of more: each takes a little longer than the one before."""

_log = logging.getLogger("skerry.model")


class _Server(Protocol):
    """The part of `xllamacpp.Server` that is used. It gives up the interpreter while it works.

    Asked in bytes it tells in bytes; it would read and write dicts with Python's own json, which is many times slower.
    """

    def handle_chat_completions(self, asked: bytes, told: Callable[[bytes], bool], /) -> object: ...

    def handle_completions(self, asked: bytes, told: Callable[[bytes], bool], /) -> object: ...


class Servers:
    """The servers of one model, each with the number of questions that it has."""

    def __init__(self, servers: Sequence[_Server]) -> None:
        self._servers = list(servers)
        self._busy = [0] * len(servers)
        self._turn = threading.Lock()

    @contextmanager
    def one(self) -> Generator[_Server | None, None, None]:
        """The one that has the least to do; None once they are closed.

        Of equals the first, so that questions that come one by one find there what the one before has left.
        """
        with self._turn:
            at = min(range(len(self._servers)), key=self._busy.__getitem__, default=-1)
            server = self._servers[at] if at >= 0 else None
            if server is not None:
                self._busy[at] += 1
        try:
            yield server
        finally:
            if server is not None:
                with self._turn:
                    self._busy[at] -= 1

    def close(self) -> None:
        """Lets go of them."""
        with self._turn:
            self._servers.clear()


class XllamaBackend:
    """A loaded model."""

    def __init__(self, spec: ModelSpec, model: ggufs.Gguf, servers: Servers, folder: Path, context: int) -> None:
        self.capabilities = Capabilities(
            slots=max(1, spec.slots), schema=True, quoted=True, confidence=True, prefix=True
        )
        self.digest = model.digest()
        self._name = spec.name
        self._small = is_small(model)
        self._markers = model.markers
        self._options = ggufs.options(spec)
        self._servers = servers
        self._folder = folder
        self._pace = Pace(context)

    def answer(self, question: Question, stop: threading.Event) -> Answer:
        """See `Backend`. A grammar that llama.cpp does not take costs a second try with another notation."""
        by = self._options.quotes_by
        if not self._small:
            try:
                return self._ask(question, llguidance(question, by), stop)
            except held.NotHeld as error:
                _log.warning("%s: %s; it is asked again, with GBNF", self._name, error)
        return self._ask(question, gbnf.grammar(question.schema, question.text, by=by).text, stop)

    def close(self) -> None:
        """See `Backend`. A server ends with the last question under way."""
        self._servers.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _ask(self, question: Question, grammar: str, stop: threading.Event) -> Answer:
        if stop.is_set():
            raise Stopped("taken back before it was asked")
        heard = _Heard(question, stop)
        in_pieces = self._pace.longest_s(question) > _WHOLE_S_MAX
        asked = {
            "messages": messages(question, markers=self._markers, show_schema=self._options.show_schema),
            "chat_template_kwargs": {"enable_thinking": False},
            **self._options.request,
            "grammar": grammar,
            "max_tokens": question.tokens_max,
            "temperature": question.temperature,
            "seed": question.seed,
            "cache_prompt": True,
            "logprobs": True,
            "top_logprobs": 1,
            "stream": in_pieces,
            **(_WITH_PIECES if in_pieces else {}),
        }
        with self._servers.one() as server:
            if server is None:
                raise ModelUnavailable(f"{self._name} is closed")
            server.handle_chat_completions(msgspec.json.encode(asked), heard)
        self._pace.learn(heard.usage)
        return heard.answer()


_WITH_PIECES = {"stream_options": {"include_usage": True}, "return_progress": True}


class Pace:
    """How long a model takes for a token at its best, as far as its answers tell."""

    def __init__(self, context: int) -> None:
        self._context = context
        self._reading_s = self._writing_s = math.inf

    def longest_s(self, question: Question) -> float:
        """How long an answer may take: a text has no more tokens than characters."""
        characters = len(question.system) + len(question.text) + sum(map(len, question.objections))
        read, written = min(max(1, characters), self._context), min(question.tokens_max, self._context)
        if written > _WHOLE_TOKENS_MAX:
            return math.inf
        return read * self._reading_s + written * self._writing_s

    def learn(self, usage: Usage) -> None:
        """From an answer."""
        read = usage.tokens_in - usage.tokens_cached
        if read >= _PACE_TOKENS_MIN:
            self._reading_s = min(self._reading_s, usage.reading_s / read)
        if usage.tokens_out >= _PACE_TOKENS_MIN:
            self._writing_s = min(self._writing_s, usage.writing_s / usage.tokens_out)


class _Probability(msgspec.Struct):
    logprob: float
    bytes: list[int] = []


class _Probabilities(msgspec.Struct):
    content: list[_Probability] | None = None


class _Text(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Text | None = None
    message: _Text | None = None
    finish_reason: str | None = None
    logprobs: _Probabilities | None = None


class _Timings(msgspec.Struct):
    cache_n: int = 0
    prompt_n: int = 0
    prompt_ms: float = 0.0
    predicted_n: int = 0
    predicted_ms: float = 0.0


class _Refusal(msgspec.Struct):
    message: str = ""
    code: int = 0
    type: str = ""


class _Said(msgspec.Struct):
    """One message of the server: of a token (`delta`), of the end, or of all in one (`message`)."""

    choices: list[_Choice] = []
    error: _Refusal | None = None
    timings: _Timings | None = None


_decoder = msgspec.json.Decoder(_Said)


class _Heard:
    """What the server has said to one question, message by message; it calls us, and we say whether that is enough."""

    def __init__(self, question: Question, stop: threading.Event) -> None:
        self._question = question
        self._stop = stop
        self._began = time.monotonic()
        self._text = ""
        self._tokens: list[Token] = []
        self._finish = ""
        self.usage = Usage()
        self._error: ModelError | None = None

    def __call__(self, message: bytes) -> bool:
        try:
            said = _decoder.decode(message)
        except msgspec.MsgspecError as error:
            self._error = ModelError(f"llama.cpp said something else than it used to: {error}")
            return True
        if said.error is not None:
            self._error = _refused(said.error)
        for choice in said.choices:
            self._hear(choice)
        if said.timings is not None:
            self.usage = self._used(said.timings)
        return self._stop.is_set() or self._error is not None

    def _hear(self, choice: _Choice) -> None:
        self._finish = choice.finish_reason or self._finish
        said = choice.message or choice.delta
        text = (said and said.content) or ""
        if not text:
            return
        if not self._text and not _may_begin(self._question.schema, text):
            self._error = held.NotHeld(text)
            return
        self._text += text
        probabilities = (choice.logprobs.content if choice.logprobs else None) or []
        if choice.message is not None:
            self._tokens = _tokens(probabilities)
        else:  # a character of several tokens comes with the last of them, and with its probability alone
            self._tokens.append(Token(text, min((each.logprob for each in probabilities), default=0.0)))

    def _used(self, timings: _Timings) -> Usage:
        reading_s, writing_s = timings.prompt_ms / 1000, timings.predicted_ms / 1000
        return Usage(
            tokens_in=timings.cache_n + timings.prompt_n,
            tokens_out=timings.predicted_n,
            tokens_cached=timings.cache_n,
            waiting_s=max(0.0, time.monotonic() - self._began - reading_s - writing_s),
            reading_s=reading_s,
            writing_s=writing_s,
        )

    def answer(self) -> Answer:
        """What has come out of it. Raises `ModelError`."""
        if self._error is not None:
            raise self._error
        if self._stop.is_set():
            raise Stopped("taken back while it was being answered")
        if self._finish not in ("stop", "length"):
            raise ModelUnavailable(f"the answer broke off after {len(self._tokens)} tokens")
        return held.answer(self._question, self._text, self._tokens, self.usage, ended=self._finish == "stop")


def _tokens(probabilities: Sequence[_Probability]) -> list[Token]:
    """Of a whole answer; of a character of several tokens, the last has the text."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    return [Token(decoder.decode(bytes(each.bytes)), each.logprob) for each in probabilities]


def load(spec: ModelSpec) -> XllamaBackend:
    """Loads the .gguf file at the spec's `path`. Raises `ModelBroken`."""
    path = Path(spec.path)
    ggufs.options(spec)
    model = ggufs.examine(path)
    context = ggufs.context(spec, model)
    library = ggufs.module("xllamacpp", "xllama")
    folder = Path(tempfile.mkdtemp(prefix="skerry-"))
    count, slots, threads = division(spec, model)
    try:
        servers = [
            _started(library, _parameters(library, model, context, folder / f"{n}.sock", slots, threads))
            for n in range(count)
        ]
    except RuntimeError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise ModelBroken(
            f"{path}: llama.cpp cannot load it: {error}", hint="its architecture may need a newer xllamacpp"
        ) from None
    return XllamaBackend(spec, model, Servers(servers), folder, context)


def is_small(model: ggufs.Gguf) -> bool:
    """Whether one thread is enough for it."""
    return model.bytes < _SMALL_BYTES_MAX


def llguidance(question: Question, by: constraint.Granularity = "words") -> str:
    """The grammar of an answer as llama.cpp hands it on to llguidance."""
    return f"%llguidance {{}}\n{constraint.grammar(question.schema, question.text, by=by).lark}"


def division(spec: ModelSpec, model: ggufs.Gguf) -> tuple[int, int, int]:
    """How many servers a model has, and the slots and threads of each."""
    slots, threads = max(1, spec.slots), ggufs.threads(spec)
    servers = min(slots, threads) if is_small(model) else 1
    return servers, -(-slots // servers), threads // servers


def _started(library: Any, parameters: Any) -> _Server:
    server = cast(_Server, library.Server(parameters))
    # One token, and its loop runs: a server that is let go before that never ends, and holds the interpreter.
    server.handle_completions(b'{"prompt":"a","max_tokens":1,"temperature":0}', lambda _: False)
    return server


def _parameters(library: Any, model: ggufs.Gguf, context: int, socket: Path, slots: int, threads: int) -> Any:
    parameters = library.CommonParams()
    parameters.model.path = str(model.parts[0])
    parameters.n_parallel = slots
    parameters.n_ctx = context * slots  # it is divided among them
    parameters.n_batch = parameters.n_ubatch = _READ_AT_ONCE
    for processor in (parameters.cpuparams, parameters.cpuparams_batch):
        processor.n_threads = threads
    parameters.cache_ram_mib = 0  # by default gigabytes, for what slots have read before
    parameters.cache_idle_slots = False
    parameters.fit_params = False
    parameters.ctx_shift = False
    parameters.verbosity = -1
    parameters.ui = parameters.endpoint_slots = parameters.endpoint_props = parameters.endpoint_metrics = False
    parameters.n_threads_http = 1
    parameters.hostnames = [str(socket)]
    # An answer is the text as it is: no tool calls and no thoughts are looked for in it.
    parameters.force_pure_content_parser = True
    return parameters


def _refused(error: _Refusal) -> ModelError:
    if error.code in (429, 503):
        return ModelUnavailable(error.message)
    hint = "raise `context`, or show the model less" if error.type == "exceed_context_size_error" else ""
    return ModelError(f"llama.cpp refused the question: {error.message}", hint=hint)


def _may_begin(schema: constraint.Schema, text: str) -> bool:
    """Whether an answer may begin like that. Of schemas of objects, which is what is asked for, we can tell."""
    return constraint.resolved(schema, schema).get("type") != "object" or text.startswith("{")
