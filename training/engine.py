"""The exported model in onnxruntime-genai, one document after the other: its own tokenizer, its own chat template."""

# pyright: reportMissingImports=false
# (the extra `training` need not be installed where this is checked)

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from training import grammar
from training.task import Kind, messages
from training.tokenizer import END

_genai: Any = importlib.import_module("onnxruntime_genai")  # it has no types

_ANSWER_TOKENS_MAX = 220


class Engine:
    """A loaded ONNX folder."""

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        config = _genai.Config(str(folder))
        session = {"intra_op_num_threads": threads, "session.intra_op.allow_spinning": "0"}
        config.overlay(json.dumps({"model": {"decoder": {"session_options": session}}}))
        self._model: Any = _genai.Model(config)
        self._tokenizer: Any = _genai.Tokenizer(self._model)
        self.grammar_failures = 0

    def answer(self, kind: Kind, text: str, *, grounded: bool = False, tails: bool = True) -> str:
        """What it says to a document; under the document's grammar if it is to be grounded."""
        asked = self._tokenizer.apply_chat_template(json.dumps(messages(kind, text)), add_generation_prompt=True)
        prompt = self._tokenizer.encode(asked)
        if grounded:
            try:
                return self._generate(prompt, grammar.lark(kind, text, tails=tails))
            except RuntimeError:  # the grammar's parser gives up, once in some hundred documents
                self.grammar_failures += 1
        return self._generate(prompt, None)

    def _generate(self, prompt: NDArray[numpy.int32], lark: str | None) -> str:
        parameters = _genai.GeneratorParams(self._model)
        parameters.set_search_options(max_length=len(prompt) + _ANSWER_TOKENS_MAX, do_sample=False)
        if lark is not None:
            parameters.set_guidance("lark_grammar", lark, False)
        generator = _genai.Generator(self._model, parameters)
        generator.append_tokens(prompt)
        while not generator.is_done():
            generator.generate_next_token()
        found = [int(each) for each in generator.get_sequence(0)[len(prompt) :] if each != END]
        return str(self._tokenizer.decode(numpy.array(found, dtype=numpy.int32)))
