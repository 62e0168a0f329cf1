"""Models in GGUF files by llama-cpp-python: one question at a time.

Its own `create_chat_completion` cannot be stopped while it reads, and tells probabilities only at the price of keeping
the logits of every token. So a text is read in pieces by `Llama.eval`, and a sampler of llama.cpp with the grammar
chooses each token; the logits, which it leaves as they were, tell how likely that was.
"""

from __future__ import annotations

import codecs
import logging
import math
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from skerry_workers.models import gbnf, ggufs, held
from skerry_workers.models.confidence import Token
from skerry_workers.models.machine import detect
from skerry_workers.models.messages import messages, without_system
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

_READ_AT_ONCE = 128
"""Tokens of a text that are read before we look whether the answer is still wanted."""
_ROOM_MIN = 32
"""A text that leaves less for the answer is refused."""
_LOOK_S = 0.05
_CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{{ '<|im_start|>assistant\n' }}"
)
"""For files without a template."""

_log = logging.getLogger("skerry.model")


class LlamaBackend:
    """A loaded model."""

    def __init__(self, spec: ModelSpec, model: ggufs.Gguf, library: Any, llama: Any) -> None:
        self.capabilities = Capabilities(slots=1, schema=True, quoted=True, confidence=True, prefix=True)
        self.digest = model.digest()
        self._name = spec.name
        self._markers = model.markers
        self._options = ggufs.options(spec)
        self._library = library
        self._llama: Any = llama
        self._numpy = ggufs.module("numpy", "llama")
        self._vocabulary = library.llama_model_get_vocab(llama.model)
        self._template = _template(library, llama)
        self._forgets = library.llama_model_is_recurrent(llama.model) or library.llama_model_is_hybrid(llama.model)
        self._turn = threading.Lock()

    def answer(self, question: Question, stop: threading.Event) -> Answer:
        """See `Backend`. Another question waits until this one has its answer."""
        began = time.monotonic()
        while not self._turn.acquire(timeout=_LOOK_S):
            _check(stop)
        try:
            if self._llama is None:
                raise ModelUnavailable(f"{self._name} is closed")
            return self._answer(question, stop, time.monotonic() - began)
        except RuntimeError as error:  # llama_decode's only error; what is in the cache then, nobody knows
            if self._llama is not None:
                self._llama.reset()
            raise ModelError(f"llama.cpp failed: {error}") from None
        finally:
            self._turn.release()

    def close(self) -> None:
        """See `Backend`."""
        with self._turn:
            llama, self._llama = self._llama, None
            if llama is not None:
                llama.close()

    def _answer(self, question: Question, stop: threading.Event, waiting_s: float) -> Answer:
        began = time.monotonic()
        prompt = self._prompt(question)
        room = self._llama.n_ctx() - len(prompt)
        if room < min(question.tokens_max, _ROOM_MIN):
            raise ModelError(
                f"the text is too long for {self._name}: {len(prompt)} tokens exceeds the available context size,"
                f" {self._llama.n_ctx()} with the answer",
                hint="raise `context`, or show the model less",
            )
        with self._sampler(question) as sampler:
            cached = self._read(prompt, stop)
            read = time.monotonic()
            tokens, count, ended = self._write(sampler, min(room, question.tokens_max), stop)
        usage = Usage(
            tokens_in=len(prompt),
            tokens_out=count,
            tokens_cached=cached,
            waiting_s=waiting_s,
            reading_s=read - began,
            writing_s=time.monotonic() - read,
        )
        return held.answer(question, "".join(token.text for token in tokens), tokens, usage, ended=ended)

    def _prompt(self, question: Question) -> list[int]:
        """What is read."""
        turns = messages(question, markers=self._markers, show_schema=self._options.show_schema)
        try:
            text = self._template(messages=turns, enable_thinking=False).prompt
        except Exception as error:  # a template is a program of its author's, and fails as it likes
            _log.debug("%s: its template: %r", self._name, error)
            try:
                text = self._template(messages=without_system(turns), enable_thinking=False).prompt
            except Exception as error:
                raise ModelError(f"the chat template of {self._name} fails: {error}") from None
        tokens: list[int] = self._llama.tokenize(text.encode(), add_bos=False, special=True)
        start: int = self._llama.token_bos()
        if tokens[:1] != [start] and self._library.llama_vocab_get_add_bos(self._vocabulary):
            tokens.insert(0, start)
        return tokens

    @contextmanager
    def _sampler(self, question: Question) -> Generator[Any, None, None]:
        """A chain of llama.cpp: the grammar, then the likeliest token, or one by chance."""
        library = self._library
        grammar = gbnf.grammar(question.schema, question.text, by=self._options.quotes_by)
        if grammar.note:
            _log.info("%s: %s", self._name, grammar.note)
        chain = library.llama_sampler_chain_init(library.llama_sampler_chain_default_params())
        try:
            held = library.llama_sampler_init_grammar(self._vocabulary, grammar.text.encode(), b"root")
            if not held:
                raise ModelError("llama.cpp does not take the grammar of the answer")
            library.llama_sampler_chain_add(chain, held)
            if question.temperature > 0:
                library.llama_sampler_chain_add(chain, library.llama_sampler_init_temp(question.temperature))
                library.llama_sampler_chain_add(chain, library.llama_sampler_init_dist(question.seed & 0xFFFFFFFF))
            else:
                library.llama_sampler_chain_add(chain, library.llama_sampler_init_greedy())
            yield chain
        finally:
            library.llama_sampler_free(chain)  # and all that is in it

    def _read(self, prompt: Sequence[int], stop: threading.Event) -> int:
        """Reads what was not read for the question before; the last token always, for its logits."""
        llama = self._llama
        cached = 0
        if not self._forgets:
            for known, wanted in zip(llama.input_ids[: llama.n_tokens], prompt[:-1], strict=False):
                if known != wanted:
                    break
                cached += 1
        if cached:
            llama.n_tokens = cached  # `eval` forgets what was behind
        else:
            llama.reset()
        for start in range(cached, len(prompt), _READ_AT_ONCE):
            _check(stop)
            llama.eval(prompt[start : start + _READ_AT_ONCE])
        return cached

    def _write(self, sampler: Any, tokens_max: int, stop: threading.Event) -> tuple[list[Token], int, bool]:
        """The tokens of the answer, how many they are, and whether it came to its end."""
        library, llama = self._library, self._llama
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        tokens: list[Token] = []
        while True:
            _check(stop)
            chosen: int = library.llama_sampler_sample(sampler, llama.ctx, -1)
            if library.llama_vocab_is_eog(self._vocabulary, chosen):
                return tokens, len(tokens), True
            tokens.append(Token(decoder.decode(llama.detokenize([chosen])), self._logprob(chosen)))
            if len(tokens) >= tokens_max:
                return tokens, len(tokens), False
            llama.eval([chosen])

    def _logprob(self, token: int) -> float:
        numpy = self._numpy
        logits = numpy.ctypeslib.as_array(
            self._library.llama_get_logits_ith(self._llama.ctx, -1), shape=(self._llama.n_vocab(),)
        )
        top = float(logits.max())
        total = top + math.log(float(numpy.exp(logits - top, dtype=numpy.float64).sum()))
        return min(0.0, float(logits[token]) - total)


def load(spec: ModelSpec) -> LlamaBackend:
    """Loads the .gguf file at the spec's `path`. Raises `ModelBroken`."""
    path = Path(spec.path)
    ggufs.options(spec)
    model = ggufs.examine(path)
    context = ggufs.context(spec, model)
    library = ggufs.module("llama_cpp", "llama")
    threads = ggufs.threads(spec)
    try:
        with _without_amx(library):
            llama = library.Llama(
                str(model.parts[0]),
                n_ctx=context,
                n_batch=min(_READ_AT_ONCE, context),
                n_threads=threads,
                n_threads_batch=threads,
                verbose=False,
            )
    except (ValueError, RuntimeError, AssertionError) as error:
        raise ModelBroken(
            f"{path}: llama.cpp cannot load it: {error}", hint="its architecture may need a newer llama-cpp-python"
        ) from None
    return LlamaBackend(spec, model, library, llama)


@contextmanager
def _without_amx(library: Any) -> Generator[None, None, None]:
    """Where the processor has AMX, a library that was built for it dies of quantised weights (llama.cpp, issue 20824).

    `use_extra_bufts` keeps it from that, and is no parameter of `Llama`.
    """
    inner: Any = getattr(library, "llama_cpp", None)
    if inner is None or "amx_int8" not in detect().flags:
        yield
        return
    usual = inner.llama_model_default_params

    def changed() -> Any:
        parameters = usual()
        parameters.use_extra_bufts = False
        return parameters

    inner.llama_model_default_params = changed
    try:
        yield
    finally:
        inner.llama_model_default_params = usual


def _template(library: Any, llama: Any) -> Any:
    """The file's own template."""
    known: int
    texts = [
        "" if (known := token()) < 0 else llama.detokenize([known], special=True).decode(errors="replace")
        for token in (llama.token_eos, llama.token_bos)
    ]
    source = llama.metadata.get("tokenizer.chat_template") or _CHATML
    return library.llama_chat_format.Jinja2ChatFormatter(source, eos_token=texts[0], bos_token=texts[1])


def _check(stop: threading.Event) -> None:
    """Raises `Stopped` once the question was taken back."""
    if stop.is_set():
        raise Stopped("taken back while it was being answered")
