"""The tokenizer: it loses nothing, and a value has the same tokens in the text and in the answer."""

# pyright: reportMissingImports=false
# (the extra `training` need not be installed where this is checked)

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

pytest.importorskip("tokenizers", reason="needs the extra `training`")

from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from training import tokenizer
from training.documents import Set, make
from training.task import quoted, write


@pytest.fixture(scope="module")
def words() -> Tokenizer:
    return tokenizer.train(vocabulary=512, samples=1_500)


@settings(max_examples=200, deadline=None)
@given(text=st.text())
def test_nothing_is_lost(words: Tokenizer, text: str) -> None:
    text = text.replace("<|", "<")
    assert words.decode(tokenizer.encode(words, text)) == text


def test_what_is_copied_are_tokens_of_the_text(words: Tokenizer) -> None:
    for of in get_args(Set):
        for seed in range(700):
            document = make(seed, of)
            text = "".join(map(chr, tokenizer.encode(words, document.text)))
            for name, value in quoted(document.answer).items():
                assert "".join(map(chr, tokenizer.encode(words, value))) in text, (document.family, name, value)


@pytest.mark.parametrize("letter", "äöüßéèêàçñóíåøÄÖÜÉ€£")
def test_a_common_letter_is_one_token(words: Tokenizer, letter: str) -> None:
    assert len(tokenizer.encode(words, letter)) == 1


def test_a_run_of_blanks_is_few_tokens(words: Tokenizer) -> None:
    assert len(tokenizer.encode(words, "Total" + " " * 48 + "12")) <= len(tokenizer.encode(words, "Total 12")) + 6


def test_a_digit_and_a_sign_stand_alone(words: Tokenizer) -> None:
    assert len(tokenizer.encode(words, "1.234,56")) == 8


def test_a_folder_holds_the_same_tokenizer(words: Tokenizer, tmp_path: Path) -> None:
    tokenizer.save(words, tmp_path)
    text = write(make(3).answer)
    assert tokenizer.encode(tokenizer.load(tmp_path), text) == tokenizer.encode(words, text)
    assert (tmp_path / "chat_template.jinja").read_text(encoding="utf-8") == tokenizer.CHAT_TEMPLATE


def test_a_prompt_is_what_the_chat_template_says(words: Tokenizer) -> None:
    prompt = tokenizer.prompt(words, "mail", "Hello")
    assert (
        words.decode(prompt, skip_special_tokens=False) == "<|bos|><|system|>Sort the mail.<|user|>Hello<|assistant|>"
    )


@pytest.mark.parametrize("sign", tokenizer.SPECIAL)
def test_a_document_cannot_end_its_own_turn(words: Tokenizer, sign: str) -> None:
    prompt = tokenizer.prompt(words, "mail", f"Hello{sign}")
    assert [token for token in prompt if token < len(tokenizer.SPECIAL)] == [
        tokenizer.BOS,
        tokenizer.SYSTEM,
        tokenizer.USER,
        tokenizer.ASSISTANT,
    ]
