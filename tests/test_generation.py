"""Text that a network writes: greedy with and without a cache, ends, draws. Hugging Face alone is the oracle."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import lenswidget as lw
from lenswidget.lenses.fitting.text import prefix_of, written_by
from lenswidget.model.backends import backend_of
from lenswidget.model.generation import cache_agrees, ends_of, generate
from tests import architectures

STARTS = torch.tensor([[1, 40, 70, 33, 120], [1, 50, 60, 99, 200]])
SMALL = [
    "LlamaForCausalLM",
    "GPT2LMHeadModel",
    "Gemma2ForCausalLM",
    "GPTNeoXForCausalLM",
    "Qwen2ForCausalLM",
    "MambaForCausalLM",
]


def greedy(oracle: Any, ids: Tensor, tokens: int) -> list[list[int]]:
    """Five lines: the likeliest token, each time from the beginning."""
    start = ids.shape[1]
    with torch.inference_mode():
        for _ in range(tokens):
            ids = torch.cat([ids, oracle(ids, use_cache=False).logits[:, -1].argmax(-1, keepdim=True)], 1)
    return [one[start:] for one in ids.tolist()]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, Any]]:
    """Of each small model TransformerLens's network, and Hugging Face's."""
    made = {}
    for name in SMALL:
        folder = tmp_path_factory.mktemp(name)
        architectures.save(name, folder)
        made[name] = (architectures.boot(folder).original_model, architectures.oracle(name, folder))
    return made


@pytest.mark.parametrize("use_cache", [False, True], ids=["without", "with cache"])
@pytest.mark.parametrize("name", SMALL)
def test_greedy_text_is_what_hugging_face_alone_says(models: Any, name: str, use_cache: bool) -> None:
    network, oracle = models[name]
    written = generate(network, STARTS, max_new_tokens=12, ends=(), temperature=0, use_cache=use_cache)
    assert written == greedy(oracle, STARTS, 12)


def test_the_libraries_themselves_write_one_text_with_and_without_a_cache(smollm: Any, models: Any) -> None:
    """Where this fails, a dependency has moved: our own text is still right, but what users write with theirs isn't."""
    for name, (network, _) in models.items():
        with_, without = (
            network.generate(STARTS, max_new_tokens=8, do_sample=False, use_cache=cache, pad_token_id=0).tolist()
            for cache in (True, False)
        )
        assert with_ == without, name
    said = [
        smollm.generate(
            "The capital of France is", max_new_tokens=6, do_sample=False, verbose=False, use_past_kv_cache=cache
        )
        for cache in (True, False)
    ]
    assert said[0] == said[1] == "The capital of France is Paris.\n\nThe answer"
    # and the cache of all but Mamba, which takes its state otherwise, is one that we can use, or text would be slow
    assert [name for name, (network, _) in models.items() if not cache_agrees(network, STARTS)] in (
        [],
        ["MambaForCausalLM"],
    )


def test_a_cache_that_gets_lost_is_noticed_before_and_after(models: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where one library renames what the other looks for: each new token sees only itself."""
    network, oracle = models["LlamaForCausalLM"]
    forward = network.forward
    monkeypatch.setattr(network, "forward", lambda *a, past_key_values=None, **named: forward(*a, **_alone(named)))
    assert not cache_agrees(network, STARTS)
    assert generate(network, STARTS, max_new_tokens=9, ends=(), temperature=0, use_cache=True) == greedy(
        oracle, STARTS, 9
    )


def _alone(named: dict[str, Any]) -> dict[str, Any]:
    return {**named, "attention_mask": torch.ones_like(named["input_ids"])}


def test_a_cache_that_fails_is_one_that_does_not_agree(models: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    network, _ = models["LlamaForCausalLM"]
    forward = network.forward

    def failing(*arguments: Any, past_key_values: Any = None, **named: Any) -> Any:
        if past_key_values is not None:
            raise TypeError("unexpected keyword")
        return forward(*arguments, **named)

    monkeypatch.setattr(network, "forward", failing)
    assert not cache_agrees(network, STARTS)
    with pytest.raises(ValueError, match="at least four tokens; got 3"):
        cache_agrees(network, STARTS[:, :3])


def test_nothing_follows_the_first_end_and_each_text_ends_by_itself(models: Any) -> None:
    network, oracle = models["LlamaForCausalLM"]
    long = greedy(oracle, STARTS, 12)
    ends = {long[0][3], long[1][7]}
    expected = [text[: min(i for i, token in enumerate(text) if token in ends)] for text in long]
    for use_cache in (False, True):
        assert generate(network, STARTS, max_new_tokens=12, ends=ends, temperature=0, use_cache=use_cache) == expected
    assert generate(network, STARTS, max_new_tokens=0, ends=ends, temperature=0) == [[], []]


def test_every_end_that_anybody_knows_is_one(tmp_path: Path) -> None:
    """As in Qwen's and gpt-oss's instruct models, whose generation configs know more ends than their tokenizers."""
    architectures.save("Qwen2ForCausalLM", tmp_path)
    config = json.loads((tmp_path / "generation_config.json").read_text())
    (tmp_path / "generation_config.json").write_text(json.dumps({**config, "eos_token_id": [5, 6]}))
    model = architectures.boot(tmp_path)
    assert ends_of(model.original_model, model.tokenizer) == {0, 2, 5, 6}  # the padding and </s> of the tokenizer
    assert ends_of(model.original_model) == {2, 5, 6}


def test_text_that_a_model_writes_itself_holds_no_end_and_no_padding(tmp_path: Path) -> None:
    architectures.save("Qwen2ForCausalLM", tmp_path)
    config = json.loads((tmp_path / "generation_config.json").read_text())
    ends = list(range(100, 130))  # so many that every text meets one
    (tmp_path / "generation_config.json").write_text(json.dumps({**config, "eos_token_id": ends}))
    texts = list(islice(written_by(backend_of(architectures.boot(tmp_path)), 32, seed=0), 48))
    assert all(texts) and min(map(len, texts)) < 32
    assert not {0, 2, *ends} & {token for text in texts for token in text[1:]}


def test_text_that_a_model_writes_begins_with_tokens_that_there_are(tmp_path: Path) -> None:
    """Ids may have gaps, and go beyond the vocabulary: `len(tokenizer)` is no range of them."""
    architectures.save("LlamaForCausalLM", tmp_path)
    model = architectures.oracle("LlamaForCausalLM", tmp_path)
    gaps = copy.deepcopy(architectures.tokenizer())
    known = {text: i if i < 100 else i + 20 for text, i in gaps.get_vocab().items() if i != 50}
    known |= {"<beyond>": architectures.VOCABULARY}
    gaps.get_vocab = lambda: known
    backend = backend_of(model, tokenizer=gaps)
    first = {ids[0] for ids in islice(written_by(backend, 4, seed=0), 1024)}
    assert first <= set(known.values()) - {0, 1, 2, architectures.VOCABULARY}
    assert max(first) >= len(gaps) and 50 not in first and not first & set(range(100, 120))


def test_a_model_without_a_tokenizer_writes_ids_to_be_fitted_on(tmp_path: Path) -> None:
    architectures.save("LlamaForCausalLM", tmp_path)
    for file in tmp_path.glob("tokenizer*"):
        file.unlink()
    model = architectures.oracle("LlamaForCausalLM", tmp_path)
    assert prefix_of(backend_of(model)) == []
    lens = lw.LinearLens.fit(model, tokens=400, held_out=64, window=16)
    assert lens.card.tokens >= 400 and all(0 <= kl < 100 for kl in lens.card.kl)
    assert lw.fidelity(model, lens, tokens=40).check.holds
    for ask in (lambda: lw.LinearLens.fit(model, ["a text"]), lambda: lw.fidelity(model, lens, ["a text"])):
        with pytest.raises(ValueError, match=r"came without a tokenizer.*tokenizer=tokenizer"):
            ask()


@pytest.fixture
def coin() -> Iterator[Any]:
    """A network that says three tokens with known probabilities, whatever came before."""

    class Coin(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.logits = torch.nn.Parameter(torch.tensor([0.5, 0.3, 0.2]).log())

        def forward(self, input_ids: Tensor, attention_mask: Tensor, use_cache: bool) -> Any:
            return type("Output", (dict,), {"logits": self.logits.expand(*input_ids.shape, 3)})()

    yield Coin()


def shares(coin: Any, **settings: Any) -> list[float]:
    written = generate(coin, torch.zeros(4000, 1, dtype=torch.int64), max_new_tokens=5, ends=(), **settings)
    return torch.tensor(written).flatten().bincount(minlength=3).div(20_000).tolist()


def test_draws_have_the_models_probabilities(coin: Any) -> None:
    assert shares(coin) == pytest.approx([0.5, 0.3, 0.2], abs=0.02)
    squares = torch.tensor([0.5, 0.3, 0.2]) ** 2
    assert shares(coin, temperature=0.5) == pytest.approx((squares / squares.sum()).tolist(), abs=0.02)
    assert shares(coin, top_p=0.6) == pytest.approx([0.625, 0.375, 0], abs=0.02)
    assert shares(coin, top_p=0.1) == [1, 0, 0] == shares(coin, temperature=0)


def test_one_seed_is_one_text_and_the_global_random_state_stays(coin: Any) -> None:
    start = torch.zeros(8, 1, dtype=torch.int64)
    before = torch.get_rng_state()
    one, same, other = (generate(coin, start, max_new_tokens=30, ends=(), seed=seed) for seed in (7, 7, 8))
    assert one == same != other
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("wrong", [{"temperature": -1.0}, {"top_p": 0.0}, {"top_p": 1.5}, {"max_new_tokens": -1}])
def test_settings_that_make_no_sense_are_named(coin: Any, wrong: dict[str, Any]) -> None:
    settings = {"max_new_tokens": 3, "ends": (), **wrong}
    with pytest.raises(ValueError, match=f"got .*{next(iter(wrong))}={next(iter(wrong.values()))}"):
        generate(coin, torch.zeros(1, 1, dtype=torch.int64), **settings)


def test_the_embedded_model_goes_on_as_it_did(smollm: Any) -> None:
    ids = smollm.to_tokens("The capital of France is")
    network = smollm.original_model
    ends = ends_of(network, smollm.tokenizer)
    for use_cache in (False, True):
        (written,) = generate(network, ids, max_new_tokens=6, ends=ends, temperature=0, use_cache=use_cache)
        assert smollm.tokenizer.decode(written) == " Paris.\n\nThe answer"
    assert isinstance(lw.run(smollm, ids), lw.Run)  # no hook of ours is left that would be in the way
