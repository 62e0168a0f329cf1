"""Models in onnxruntime-genai's form: a folder with genai_config.json, model.onnx and tokenizer.json.

The library is asked for no more than logits; which token comes next is decided in `writing`. One generator is kept and
rewound to where the next prompt begins to differ, so what repeats (the system's words) is read once, and a new grammar
for each document does not hinder that. A prompt is read in pieces, and tokens that the grammar forces in one go:
between two calls the interpreter is free, and the process can be told to stop.

The library does not release the interpreter while it computes, and its batches take one token of each member at a time;
measured, that costs twice the time of one answer after the other with what the grammar forces read in one go. So there
is one slot, whatever is asked for, and a lock.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

from skerry_workers.models import confidence
from skerry_workers.models.constraint import Granularity, grammar
from skerry_workers.models.digest import digest_of
from skerry_workers.models.messages import harmless, messages, without_system
from skerry_workers.models.misfit import misfit, shown
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
from skerry_workers.models.writing import GrammarFailed, Vocabulary, Writing

READ_TOKENS = 64
"""So many tokens of a prompt are read in one call."""
ANSWER_TOKENS_MIN = 32
"""A prompt that leaves less room for the answer is refused."""
_CAPACITY_STEP = 256
_LOOK_S = 0.05
_NO_MEMORY = "bad_alloc"

_log = logging.getLogger("skerry.model")


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`options` of `[models.NAME]`.

    `quotes_by`: what quotes are made of. `show_schema`: the model reads it, too. `grammar`: whether the answer is held
    by one. The others are the worker's, which puts them into each question.
    """

    quotes_by: Granularity = "words"
    show_schema: bool = False
    grammar: bool = True
    tokens_max: int = 0
    temperature: float = 0.0
    seed: int = 0


def load(spec: ModelSpec) -> OnnxBackend:
    """Loads a folder. Raises `ModelBroken`; `MemoryError` when the model does not fit."""
    folder = Path(spec.path)
    config = _config(folder)
    try:
        options = msgspec.convert(dict(spec.options), Options)
    except msgspec.ValidationError as error:
        raise ModelBroken(f"options of {spec.name}: {error}") from None
    library: Any = import_module("onnxruntime_genai")
    threads = spec.threads or max(1, (os.cpu_count() or 2) - 1)
    session = {"intra_op_num_threads": threads, "session.intra_op.allow_spinning": "0"}
    try:
        settings = library.Config(str(folder))
        settings.overlay(json.dumps({"model": {"decoder": {"session_options": session}}}))
        model = library.Model(settings)
        tokenizer = library.Tokenizer(model)
        ends = [int(each) for each in tokenizer.eos_token_ids]
        vocabulary = Vocabulary((folder / "tokenizer.json").read_text("utf-8"), config.model.vocab_size, ends)
        digest = digest_of(path for path in folder.iterdir() if path.is_file())
    except (RuntimeError, ValueError, OSError) as error:
        if _NO_MEMORY in str(error):
            raise MemoryError from error
        raise ModelBroken(
            f"{folder} cannot be loaded: {str(error)[:500]}", hint="is it complete, and made for this version?"
        ) from None
    return OnnxBackend(spec, options, config, library, model, tokenizer, vocabulary, digest)


class _Model(msgspec.Struct):
    vocab_size: int
    context_length: int


class _Config(msgspec.Struct):
    model: _Model


def _config(folder: Path) -> _Config:
    hint = "`path` is the folder that onnxruntime-genai's builder made"
    if not folder.is_dir():
        raise ModelBroken(f"there is no folder {folder}", hint=hint)
    for name in ("genai_config.json", "tokenizer.json"):
        if not (folder / name).is_file():
            raise ModelBroken(f"{folder} has no {name}", hint=hint)
    try:
        return msgspec.json.decode((folder / "genai_config.json").read_bytes(), type=_Config)
    except msgspec.MsgspecError as error:
        raise ModelBroken(f"{folder / 'genai_config.json'}: {error}", hint=hint) from None


class _Job:
    """A question under way."""

    def __init__(self, question: Question, stop: threading.Event, prompt: list[int], tokens_max: int) -> None:
        self.question = question
        self.stop = stop
        self.prompt = prompt
        self.tokens_max = tokens_max

    def check(self) -> None:
        """Raises `Stopped` once it was taken back."""
        if self.stop.is_set():
            raise Stopped("taken back while it was being answered")


class OnnxBackend:
    """A loaded folder. See the module's text."""

    def __init__(
        self,
        spec: ModelSpec,
        options: Options,
        config: _Config,
        library: Any,
        model: Any,
        tokenizer: Any,
        vocabulary: Vocabulary,
        digest: str,
    ) -> None:
        self.capabilities = Capabilities(slots=1, schema=True, quoted=True, confidence=True, prefix=True)
        self.digest = digest
        self._spec = spec
        self._options = options
        self._library = library
        self._model: Any = model
        self._tokenizer: Any = tokenizer
        self._vocabulary = vocabulary
        own = config.model.context_length
        self._context = min(spec.context or own, own)
        self._markers = _markers(Path(spec.path))
        self._kept: _Kept | None = None
        self._turn = threading.Lock()

    def answer(self, question: Question, stop: threading.Event) -> Answer:
        """See `Backend`. A grammar that fails costs another pass, without it."""
        began = time.monotonic()
        while not self._turn.acquire(timeout=_LOOK_S):
            if stop.is_set():
                raise Stopped("taken back before it began")
        try:
            waited = time.monotonic() - began
            job = self._job(question, stop)
            try:
                answer = self._written(job, guided=self._options.grammar)
            except GrammarFailed as error:
                _log.warning("%s: %s; it is asked without", self._spec.name, error)
                answer = self._written(job, guided=False)
            return msgspec.structs.replace(answer, usage=msgspec.structs.replace(answer.usage, waiting_s=waited))
        except RuntimeError as error:  # the library's only error
            self._kept = None
            if _NO_MEMORY in str(error):
                raise MemoryError from error
            raise ModelError(f"onnxruntime-genai failed: {str(error)[:500]}") from error
        finally:
            self._turn.release()

    def close(self) -> None:
        """See `Backend`."""
        with self._turn:
            self._kept = self._model = self._tokenizer = None

    def _job(self, question: Question, stop: threading.Event) -> _Job:
        if self._model is None:
            raise ModelUnavailable(f"{self._spec.name} is closed")
        prompt = self._prompt(question)
        room = self._context - len(prompt)
        if room < min(question.tokens_max, ANSWER_TOKENS_MIN):
            raise ModelError(
                f"the text is too long for {self._spec.name}: {len(prompt)} tokens, and it takes {self._context}"
                " with the answer",
                hint="a model with a longer context, or less of the text",
            )
        return _Job(question, stop, prompt, min(question.tokens_max, room))

    def _prompt(self, question: Question) -> list[int]:
        turns = messages(question, markers=self._markers, show_schema=self._options.show_schema)
        try:
            text = self._tokenizer.apply_chat_template(json.dumps(turns), add_generation_prompt=True)
        except RuntimeError:  # no template, or one without a system's role
            (turn,) = turns = without_system(turns)
            try:
                text = self._tokenizer.apply_chat_template(json.dumps(turns), add_generation_prompt=True)
            except RuntimeError:
                text = turn["content"] + "\n\n"
        tokens = [int(each) for each in self._tokenizer.encode(text)]
        if len(tokens) > 1 and tokens[0] == tokens[1] == self._tokenizer.bos_token_id:
            del tokens[0]  # one of the template, one of the tokenizer
        return tokens

    def _grammar(self, question: Question) -> str:
        made = grammar(question.schema, question.text, by=self._options.quotes_by)
        if made.note:
            _log.warning("%s: %s", self._spec.name, made.note)
        return made.lark

    def _written(self, job: _Job, *, guided: bool) -> Answer:
        began = time.monotonic()
        question, prompt = job.question, job.prompt
        lark = self._grammar(question) if guided else ""
        stream = self._tokenizer.create_stream()
        writing = Writing(question, self._vocabulary, lark, job.tokens_max, lambda token: str(stream.decode(token)))
        kept = self._keep(len(prompt) + job.tokens_max)
        cached = kept.rewind(prompt)
        rows: Any = None
        for start in range(cached, len(prompt), READ_TOKENS):
            job.check()
            rows = kept.append(prompt[start : start + READ_TOKENS])
        read = time.monotonic()
        while not writing.finish:
            job.check()
            if tokens := writing.next(rows[-1]):
                rows = kept.append(tokens)
                writing.told(tokens[1:], rows[:-1])
        value = writing.text.strip().encode()
        if not guided and writing.finish == "stop":
            _check(question.schema, value)
        usage = Usage(
            tokens_in=len(prompt),
            tokens_out=writing.count,
            tokens_cached=cached,
            reading_s=read - began,
            writing_s=time.monotonic() - read,
        )
        probable = confidence.confidences(writing.tokens)
        notes = confidence.notes(question.schema, question.text, value, probable)
        return Answer(value=Raw(value), fields=notes, usage=usage, finish=writing.finish)

    def _keep(self, capacity: int) -> _Kept:
        """The generator that is kept, or a bigger one: memory for all its tokens is taken when it is made."""
        if self._kept is None or self._kept.capacity < capacity:
            self._kept = None
            whole = min(-(-capacity // _CAPACITY_STEP) * _CAPACITY_STEP, self._context)
            self._kept = _Kept(self._library, self._model, whole)
        return self._kept


class _Kept:
    """A generator, and the tokens that it has read."""

    def __init__(self, library: Any, model: Any, capacity: int) -> None:
        self.capacity = capacity
        self._tokens: list[int] = []
        parameters = library.GeneratorParams(model)
        parameters.set_search_options(max_length=capacity, do_sample=False)
        self._generator = library.Generator(model, parameters)

    def rewind(self, prompt: Sequence[int]) -> int:
        """To where the prompt begins to differ; the last token is always read again, for its logits."""
        same = 0
        for known, wanted in zip(self._tokens, prompt[:-1], strict=False):
            if known != wanted:
                break
            same += 1
        if same < len(self._tokens):
            self._generator.rewind_to(same)
            del self._tokens[same:]
        return same

    def append(self, tokens: Sequence[int]) -> Any:
        """Reads tokens; the logits after each of them."""
        self._generator.append_tokens(list(tokens))
        self._tokens += tokens
        return self._generator.get_output("logits")[0]


def _check(schema: dict[str, Any], value: bytes) -> None:
    """What was written without a grammar need not be JSON, nor fit. Raises `ModelError`."""
    try:
        against = misfit(schema, msgspec.json.decode(value))
    except msgspec.DecodeError as error:
        raise ModelError(f"the model wrote no JSON ({error}): {shown(value.decode())}") from None
    if against:
        raise ModelError(f"the model's answer does not fit its schema: {against}: {shown(value.decode())}")


def _markers(folder: Path) -> tuple[str, ...]:
    """The texts that this model's tokenizer takes for special tokens wherever they stand."""
    whole: dict[str, Any] = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    added: Iterator[str] = (each["content"] for each in whole.get("added_tokens", ()) if each.get("special"))
    return tuple(each for each in added if harmless(each, ()).strip())
