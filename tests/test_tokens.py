"""Ids are identity; texts are for eyes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lenswidget.grids.marks import cell_text, visible
from lenswidget.model.tokens import TokenTexts

MARKS = Path(__file__).parent / "golden" / "marks.json"


@pytest.mark.parametrize(("text", "seen"), json.loads(MARKS.read_text()))
def test_what_leaves_no_ink_gets_a_mark(text: str, seen: str) -> None:
    """The browser's twin is tested on the same table."""
    assert visible(text) == seen


def test_a_cell_drops_the_space_that_most_words_have() -> None:
    assert [cell_text(t) for t in (" Paris", " ", "  ", "Paris", "\n")] == ["Paris", "␣", "␣", "Paris", "⏎"]


def test_part_of_a_character_is_shown_as_its_bytes(smollm: Any) -> None:
    """128 of the 256 single bytes decode to the same replacement character; none of them may be confused."""
    texts = TokenTexts(smollm.tokenizer)
    ids = smollm.tokenizer("👩🏽‍🚀", add_special_tokens=False)["input_ids"]
    parts = [texts[i] for i in ids]
    assert all("\ufffd" not in part for part in parts)
    raw = b"".join(
        bytes(int(p, 16) for p in part.strip("<>").split("><")) if part.startswith("<0x") else part.encode()
        for part in parts
    )
    assert raw.decode() == "👩🏽‍🚀"


def test_texts_of_a_prompt_join_to_the_prompt(smollm: Any) -> None:
    prompt = "  Two spaces,\n\ta tab — and “quotes”."
    texts = TokenTexts(smollm.tokenizer)
    assert "".join(texts[i] for i in texts.ids(prompt)) == prompt


def test_a_sentencepiece_space_is_kept() -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {"<unk>": 0, "a": 1, "▁a": 2, "▁Paris": 3, "Paris": 4, "<0xE2>": 5, "<0x0A>": 6}
    inner = Tokenizer(models.BPE(vocab=vocabulary, merges=[], byte_fallback=True, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    inner.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    texts = TokenTexts(PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="<unk>"))
    assert [texts[i] for i in (3, 4, 5, 6)] == [" Paris", "Paris", "<0xE2>", "\n"]


def test_a_padding_row_of_the_unembedding_has_a_name_of_its_own(smollm: Any) -> None:
    assert TokenTexts(smollm.tokenizer)[10**6] == "<padding 1000000>"
