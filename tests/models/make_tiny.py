"""Makes tests/models/data/tiny: a Llama with random weights that onnxruntime-genai can load, a few hundred KB.

With a grammar even random weights write valid JSON, so this is enough to test everything but sense. It needs torch,
transformers, tokenizers and onnxruntime-genai's builder, which tests need not have: run it in an environment of its
own,

    python tests/models/make_tiny.py [FOLDER]

The folder that comes out is in the repository. The Hugging Face form of the same model is left in FOLDER.hf (for a
script that makes a GGUF of it).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SPECIAL = ("<|bos|>", "<|end|>", "<|pad|>", "<|user|>", "<|assistant|>", "<|system|>")
WORDS = "invoice number total seller date amount Acme GmbH true false null quote name text the of and to in is"
VOCABULARY, CONTEXT = 512, 2048
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def tokenizer() -> Any:
    """Bytes, a few merges of letters, six specials; filled up to `VOCABULARY` with tokens that no text has."""
    library, transformers = import_module("tokenizers"), import_module("transformers")
    pre_tokenizers = library.pre_tokenizers
    made = library.Tokenizer(library.models.BPE())
    alone = pre_tokenizers.Split(library.Regex(r"\p{L}+|[^\p{L}]"), "isolated")
    in_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.pre_tokenizer = pre_tokenizers.Sequence([alone, in_bytes])
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = library.trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=alphabet, special_tokens=list(SPECIAL), show_progress=False
    )
    made.train_from_iterator([WORDS] * 4, trainer)
    made.add_tokens([f"<|unused{n}|>" for n in range(VOCABULARY - made.get_vocab_size())])
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    made.decoder = library.decoders.ByteLevel()
    bos, end, pad = SPECIAL[:3]
    whole = transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token=bos, eos_token=end, pad_token=pad, clean_up_tokenization_spaces=False
    )
    whole.chat_template = TEMPLATE
    return whole


def make(folder: Path) -> None:
    """Writes both forms."""
    torch, transformers = import_module("torch"), import_module("transformers")
    source = folder.with_name(folder.name + ".hf")
    for old in (folder, source):
        shutil.rmtree(old, ignore_errors=True)
    tokenizer().save_pretrained(source)
    torch.manual_seed(1)
    config = transformers.LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        initializer_range=0.3,  # a distribution with peaks: 0.02 makes all tokens equally likely
        tie_word_embeddings=False,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=2,
    )
    transformers.LlamaForCausalLM(config).save_pretrained(source)
    with tempfile.TemporaryDirectory() as cache:
        builder = [sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", str(source), "-o", str(folder)]
        subprocess.run([*builder, "-p", "fp32", "-e", "cpu", "-c", cache], check=True)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "data" / "tiny")
