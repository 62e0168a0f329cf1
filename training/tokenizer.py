"""The tokenizer: byte-level BPE whose merges join letters with letters, or blanks with blanks, and nothing else.

    python -m training.tokenizer [--folder .training/model]

So a word is cut the same way wherever it stands, and a value that is copied out of a document has the very tokens in
the answer that it has in the text: to copy is to repeat tokens. And it does not depend on how an engine's regular
expression cuts text into words. Runs of blanks are one token for 2, 4, 8 or 16: text out of a PDF is full of them.
"""

# pyright: reportMissingImports=false
# (the extra `training` need not be installed where this is checked)

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from training.documents import make
from training.task import Kind, messages, write

BOS, END, PAD, USER, ASSISTANT, SYSTEM = range(6)
SPECIAL = ("<|bos|>", "<|end|>", "<|pad|>", "<|user|>", "<|assistant|>", "<|system|>")

CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{% for m in messages %}"
    "{{ '<|' + m['role'] + '|>' + m['content'] + ('<|end|>' if m['role'] == 'assistant' else '') }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
CONTEXT = 2_048
VOCABULARY = 1_024

_BLANKS = 4  # merges for runs of 2, 4, 8 and 16
_BLANK = "Ġ"  # how byte-level BPE writes a blank
_LETTERS = "äöüßéèêëáàâåãíìîïóòôõøúùûçñžščłýÄÖÜÉÈÁÀÅÍÓØÚÇÑ€£¥₹ºª°·–—’‘“”„«»…•¿¡§"
_SAMPLES = 12_000


def train(*, vocabulary: int = VOCABULARY, samples: int = _SAMPLES) -> Tokenizer:
    """A tokenizer trained on documents of the training set."""
    tokenizer = Tokenizer(models.BPE())
    letters = pre_tokenizers.Split(Regex(r"\p{L}+|[^\p{L}]"), "isolated")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([letters, byte_level])
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - _BLANKS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=list(SPECIAL),
        show_progress=False,
        max_token_length=12,
    )
    tokenizer.train_from_iterator(_corpus(samples), trainer)
    return _with_blanks(tokenizer)


def _corpus(samples: int) -> Iterator[str]:
    # Each of these is two or three bytes, and must become one token: a grammar that forces the second byte of a letter
    # can stop an engine. Alone and often, its bytes are among the first merges.
    for letter in _LETTERS:
        yield " ".join(letter for _ in range(samples // 4))
    for seed in range(samples):
        document = make(f"tokenizer {seed}")
        yield document.text
        if seed % 3 == 0:
            yield write(document.answer)


def _with_blanks(tokenizer: Tokenizer) -> Tokenizer:
    """Adds the merges for runs of blanks, and the plain byte-level pre-tokenizer that every engine knows."""
    state: dict[str, Any] = json.loads(tokenizer.to_str())
    vocabulary, merges = state["model"]["vocab"], state["model"]["merges"]
    for power in range(_BLANKS):
        half = _BLANK * 2**power
        vocabulary[half * 2] = len(vocabulary)
        merges.append([half, half])
    plain = Tokenizer.from_str(json.dumps(state))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    plain.decoder = decoders.ByteLevel()
    return plain


def encode(tokenizer: Tokenizer, text: str) -> list[int]:
    """Tokens of a text."""
    return list(tokenizer.encode(text, add_special_tokens=False).ids)


def prompt(tokenizer: Tokenizer, kind: Kind, text: str) -> list[int]:
    """Tokens of the conversation up to the answer: what the chat template makes of it."""
    system, user = (encode(tokenizer, message["content"]) for message in messages(kind, text))
    return [BOS, SYSTEM, *system, USER, *user, ASSISTANT]


def save(tokenizer: Tokenizer, folder: Path) -> None:
    """Writes what a model folder in Hugging Face's layout has of a tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": SPECIAL[BOS],
        "eos_token": SPECIAL[END],
        "pad_token": SPECIAL[PAD],
        "clean_up_tokenization_spaces": False,
        "model_max_length": CONTEXT,
        "chat_template": CHAT_TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE, encoding="utf-8")


def load(folder: Path) -> Tokenizer:
    """The tokenizer of a model folder."""
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def main() -> None:
    """Trains the tokenizer and writes it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--folder", type=Path, default=Path(".training/model"))
    save(train(), parser.parse_args().folder)


if __name__ == "__main__":
    main()
