"""What a prompt may be, and naming a token as it is shown: ids are identity, and text goes in as it comes out."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaTokenizer

import lenswidget as lw
from lenswidget.model.backends import backend_of
from lenswidget.model.tokens import TokenTexts, texts_of
from tests import architectures

TEMPLATE = "{% for x in messages %}<s>{{ x['content'] }}{% endfor %}{% if add_generation_prompt %}!{% endif %}"
HELLO = [{"role": "user", "content": "hi"}]


@pytest.fixture
def model(tmp_path: Path) -> Any:
    architectures.save("LlamaForCausalLM", tmp_path)
    model = architectures.boot(tmp_path)
    model.tokenizer.chat_template = TEMPLATE
    return model


def test_a_prompt_is_whatever_holds_its_ids(model: Any) -> None:
    tokenizer = model.tokenizer
    ids = tokenizer("hi")["input_ids"]
    for prompt in (
        ids,
        tuple(ids),
        torch.tensor(ids),
        torch.tensor([ids]),
        tokenizer("hi"),
        tokenizer("hi", return_tensors="pt"),
    ):
        assert lw.run(model, prompt).tokens.tolist() == ids


def test_a_chat_goes_through_its_tokenizers_template_and_ends_where_the_model_answers(model: Any) -> None:
    tokenizer = model.tokenizer
    theirs = tokenizer.apply_chat_template(HELLO, add_generation_prompt=True)["input_ids"]
    assert lw.run(model, HELLO).tokens.tolist() == theirs and lw.run(model, HELLO).texts[theirs[-1]] == "!"
    assert lw.run(model, tokenizer.apply_chat_template(HELLO)).tokens.tolist() == theirs[:-1]
    tokenizer.chat_template = None
    with pytest.raises(ValueError, match="has no chat template for a list of messages; give the prompt as one text"):
        lw.run(model, HELLO)


def test_a_second_beginning_is_said(model: Any) -> None:
    rendered = model.tokenizer.apply_chat_template(HELLO, tokenize=False)
    twice = lw.run(model, rendered)
    assert twice.tokens[:2].tolist() == [1, 1]
    assert any("begins with two of '<s>'" in note for note in twice.notes)
    assert not any("begins with two" in note for note in lw.run(model, HELLO).notes)


def test_what_is_no_prompt_is_a_sentence(model: Any, tmp_path: Path) -> None:
    """In a process of its own, where no types are checked as they are in the tests."""
    code = f"""
import torch, lenswidget as lw
model = lw.load({str(tmp_path)!r}, device="cpu")
for prompt in (["a", "b"], None, {{"content": "hi"}}, torch.tensor([65j]), torch.tensor([True]), [1.5], object()):
    try:
        lw.run(model, prompt)
    except TypeError as reason:
        print(reason)
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "One prompt is one text; got a list of 2. Use lw.runs(model, texts) for several, or join them.",
        "A prompt is a text, its token ids, or a list of messages; got NoneType.",
        "A dictionary of a prompt has 'input_ids', as tokenizer(text) gives; got ['content'].",
        *(
            f"Token ids must be whole numbers; got torch.{kind}. Pass a text, or ids of an integer dtype."
            for kind in ("complex64", "bool", "float32")
        ),
        "A prompt is a text, its token ids, or a list of messages; got object.",
    ]


def sentencepiece(folder: Path) -> Any:
    """A tokenizer that puts a space before a text by itself."""
    pieces = [
        "<unk>",
        "<s>",
        "</s>",
        *(f"<0x{i:02X}>" for i in range(256)),
        *"▁aisrP",
        "ar",
        "is",
        "▁P",
        "▁Par",
        "▁Paris",
        "Par",
        "Paris",
    ]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    merges = [("▁", "P"), ("a", "r"), ("i", "s"), ("▁P", "ar"), ("▁Par", "is"), ("P", "ar"), ("Par", "is")]
    for file in folder.glob("tokenizer*"):
        file.unlink()
    LlamaTokenizer(vocab=vocabulary, merges=merges).save_pretrained(folder)
    return vocabulary


def test_naming_a_token_is_the_inverse_of_showing_it(tmp_path: Path, smollm: Any) -> None:
    architectures.save("LlamaForCausalLM", tmp_path)
    vocabulary = sentencepiece(tmp_path)
    run = lw.run(architectures.boot(tmp_path), "Paris is")
    for piece, shown in [("Paris", "Paris"), ("▁Paris", " Paris"), ("ar", "ar"), ("<0x0A>", "\n"), ("▁P", " P")]:
        assert run.texts[vocabulary[piece]] == shown
        assert lw.logit_lens(run, targets=[shown]).targets[0].ids == (vocabulary[piece],)
    texts = texts_of(backend_of(smollm))
    for token in [*range(0, 49152, 997), 216, 198, 0, 1, 2, 28]:
        (named,) = texts.ids(texts[token]) if texts[token] else (token,)
        assert texts[named] == texts[token], token


def test_ids_with_gaps_are_tokens_and_those_between_are_padding(model: Any) -> None:
    tokenizer = model.tokenizer

    class Gaps:
        """As tokenizers are whose ids were not given in a row."""

        def __getattr__(self, name: str) -> Any:
            return getattr(tokenizer, name)

        def __call__(self, *arguments: Any, **options: Any) -> Any:
            return tokenizer(*arguments, **options)

        def __len__(self) -> int:
            return 200

    texts = TokenTexts(Gaps())
    assert texts[230] == tokenizer.decode([230]) or texts[230].startswith("<0x")
    assert texts[258] != "<padding 258>" and texts[259] == "<padding 259>" == f"<padding {len(tokenizer)}>"


def test_a_run_is_pickled_and_copied(model: Any) -> None:
    run = lw.run(model, "hi there")
    again = pickle.loads(pickle.dumps(run))
    assert lw.logit_lens(again) == lw.logit_lens(run.detach()) and again.activations is None
    assert lw.attribute(copy.copy(run), 77) == lw.attribute(run, 77)


def test_padding_that_the_attention_mask_leaves_out_is_no_part_of_the_prompt(model: Any) -> None:
    tokenizer = architectures.tokenizer()
    for side in ("left", "right"):
        tokenizer.padding_side = side
        padded = tokenizer("abc", padding="max_length", max_length=8)
        assert len(padded["input_ids"]) == 8
        for given in (padded, tokenizer("abc", padding="max_length", max_length=8, return_tensors="pt")):
            assert lw.run(model, given).tokens.tolist() == tokenizer("abc")["input_ids"]
    with pytest.raises(ValueError, match="attention mask of this prompt leaves out tokens between others"):
        lw.run(model, {"input_ids": [5, 6, 7], "attention_mask": [1, 0, 1]})
    with pytest.raises(ValueError, match="has no tokens"):
        lw.run(model, {"input_ids": [5, 6], "attention_mask": [0, 0]})
    with pytest.raises(ValueError, match=r"shape \(2, 8\)\. Use lw\.runs"):
        lw.run(model, tokenizer(["abc", "d"], padding="max_length", max_length=8, return_tensors="pt"))


@pytest.mark.parametrize(
    ("prompt", "says"),
    [
        ("\ud83d", r"half of a character, '\\ud83d'"),
        ([2**70], "got list of int"),
    ],
    ids=["surrogate", "too large"],
)
def test_what_torch_or_a_tokenizer_would_stumble_over_is_a_sentence(model: Any, prompt: Any, says: str) -> None:
    with pytest.raises((ValueError, TypeError), match=says):
        lw.run(model, prompt)
