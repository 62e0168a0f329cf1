"""The floor of `benchmarks.models`: a model asked straight through its library, in a process of its own.

It gets the same prompts and the same grammars as Skerry's models, with as many threads and as urgent as they are. The
same call to llama.cpp asks for the probabilities of tokens, too, unless it shall be `bare`; to ONNX Runtime GenAI it is
always bare, as that tells none by itself. Nothing is done with an answer: no confidences, no places, nobody to tell. It
reads JSON lines with the numbers of invoices and answers each with the seconds that they took.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import msgspec

from benchmarks.invoices import TOKENS_MAX, WORDS, Quotes, invoice
from skerry_workers.models import constraint, gbnf, ggufs
from skerry_workers.models import xllama as skerry
from skerry_workers.models.child import NICENESS
from skerry_workers.models.messages import messages
from skerry_workers.models.port import ModelSpec, Question

Ask = Callable[[Question, str, bool], str]
"""The answer to a question under a grammar; bare or not."""


class Timed(Protocol):
    """The seconds that some invoices take."""

    def __call__(self, numbers: Sequence[int], *, bare: bool = False) -> Awaitable[float]:
        """One after the other."""
        ...


class _Numbers(msgspec.Struct):
    numbers: list[int]
    bare: bool


def xllama(spec: ModelSpec) -> Ask:
    """llama.cpp's server, without a stream."""
    library: Any = import_module("xllamacpp")
    model = ggufs.examine(Path(spec.path))
    parameters = library.CommonParams()
    parameters.model.path = spec.path
    parameters.n_parallel, parameters.n_ctx = 1, ggufs.context(spec, model)
    for processor in (parameters.cpuparams, parameters.cpuparams_batch):
        processor.n_threads = spec.threads
    parameters.cache_ram_mib, parameters.verbosity = 0, -1
    server = library.Server(parameters)

    def ask(question: Question, grammar: str, bare: bool) -> str:
        said: list[bytes] = []

        def hear(message: bytes) -> bool:
            said.append(message)
            return False

        asked = {"messages": messages(question), "grammar": grammar, "temperature": 0}
        asked |= {"max_tokens": TOKENS_MAX} if bare else {"max_tokens": TOKENS_MAX, "logprobs": True, "top_logprobs": 1}
        server.handle_chat_completions(msgspec.json.encode(asked), hear)
        return str(msgspec.json.decode(said[-1])["choices"][0]["message"]["content"])

    return ask


def onnx(spec: ModelSpec) -> Ask:
    """onnxruntime-genai's own loop, with its own grammar."""
    library: Any = import_module("onnxruntime_genai")
    settings = library.Config(spec.path)
    session = {"intra_op_num_threads": spec.threads, "session.intra_op.allow_spinning": "0"}
    settings.overlay(json.dumps({"model": {"decoder": {"session_options": session}}}))
    model = library.Model(settings)
    tokenizer = library.Tokenizer(model)

    def ask(question: Question, grammar: str, _: bool) -> str:
        prompt = tokenizer.encode(
            tokenizer.apply_chat_template(json.dumps(messages(question)), add_generation_prompt=True)
        )
        parameters = library.GeneratorParams(model)
        parameters.set_search_options(max_length=len(prompt) + TOKENS_MAX, do_sample=False)
        parameters.set_guidance("lark_grammar", grammar, True)
        generator = library.Generator(model, parameters)
        generator.append_tokens(prompt)
        while not generator.is_done():
            generator.generate_next_token()
        return str(tokenizer.decode(generator.get_sequence(0)[len(prompt) :]))

    return ask


def _grammar(spec: ModelSpec, question: Question) -> str:
    """As Skerry would have it."""
    if spec.backend != "xllama":
        return constraint.grammar(question.schema, question.text).lark
    if skerry.is_small(ggufs.examine(Path(spec.path))):
        return gbnf.grammar(question.schema, question.text).text
    return skerry.llguidance(question)


def serve(spec: ModelSpec) -> None:
    """Answers until nobody asks any more. What was answered first is said once, so that somebody can look at it."""
    os.nice(NICENESS)
    ask = {"xllama": xllama, "onnx": onnx}[spec.backend](spec)
    schema = msgspec.json.schema(Quotes)
    print("{}", flush=True)
    for line in sys.stdin:
        asked = msgspec.json.decode(line, type=_Numbers)
        questions = [Question(system=WORDS, text=invoice(number), schema=schema) for number in asked.numbers]
        grammars = [_grammar(spec, question) for question in questions]
        began = time.perf_counter()
        answers = [ask(question, grammar, asked.bare) for question, grammar in zip(questions, grammars, strict=True)]
        print(json.dumps({"seconds": time.perf_counter() - began, "answers": answers}), flush=True)


@contextlib.asynccontextmanager
async def asked(spec: ModelSpec) -> AsyncIterator[Timed]:
    """Such a process; the seconds that it takes for some invoices."""
    command = [sys.executable, "-m", "benchmarks.model_plain", msgspec.json.encode(spec).decode()]
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}  # as the processes of our models have it
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL, env=environment, limit=1 << 20
    )
    assert process.stdin is not None and process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    async def timed(numbers: Sequence[int], *, bare: bool = False) -> float:
        stdin.write(msgspec.json.encode(_Numbers(list(numbers), bare)) + b"\n")
        said = json.loads(await stdout.readline())
        for answer in said["answers"]:
            msgspec.json.decode(answer, type=Quotes)
        return float(said["seconds"])

    try:
        await stdout.readline()
        yield timed
    finally:
        stdin.close()
        process.kill()
        await process.wait()


if __name__ == "__main__":
    serve(msgspec.json.decode(sys.argv[1], type=ModelSpec))
