"""A steering vector is what a few lines of torch make it, and a run under its edit is the model with a hook that adds it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import traitlets
from torch import Tensor

import lenswidget as lw
from tests import architectures
from tests.test_hugging_face import saved

LONG = 120.0
TOWARD, AWAY = [[1, 40, 70, 33], [1, 90, 12]], [[1, 55, 60, 61, 62], [1, 7, 9]]
PROMPT = [1, 99, 41, 7]


@pytest.fixture
def llama(tmp_path: Path) -> Any:
    return saved("LlamaForCausalLM", tmp_path)


def states(model: Any, row: int, tokens: list[int]) -> Tensor:
    with torch.no_grad():
        return model(input_ids=torch.tensor([tokens]), output_hidden_states=True).hidden_states[row][0]


def adding(module: torch.nn.Module, vector: Tensor) -> Any:
    def before(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return (args[0] + vector, *args[1:]), kwargs

    return module.register_forward_pre_hook(before, with_kwargs=True)


@pytest.mark.parametrize(
    ("position", "of"),
    [(-1, lambda h: h[-1]), (1, lambda h: h[1]), (None, lambda h: h[1:].mean(0))],
)
def test_the_difference_of_two_means(position: int | None, of: Any, llama: Any) -> None:
    v = lw.SteeringVector.from_texts(llama, TOWARD, AWAY, "L1", position=position, label="good − bad")
    up, down = ([of(states(llama, 2, t)) for t in some] for some in (TOWARD, AWAY))
    torch.testing.assert_close(v.vector, sum(up) / 2 - sum(down) / 2)
    norm = sum(float(states(llama, 2, t)[1:].norm(dim=-1).mean()) for t in TOWARD + AWAY) / 4
    assert v.norm == pytest.approx(norm, rel=1e-5) and v.row == "L1"
    assert v.share == pytest.approx(float(v.vector.norm()) / norm, rel=1e-5)
    assert repr(v) == f"Steering vector good − bad at L1: {v.share:.2g} of the stream's length there"


def test_a_run_under_it_is_a_hook_that_adds_it(llama: Any) -> None:
    v = lw.SteeringVector.from_texts(llama, TOWARD, AWAY, row=0)
    run = lw.run(llama, PROMPT, edits=[v.edit(-2)])
    handle = adding(llama.model.layers[1], -2 * v.vector)
    with torch.no_grad():
        theirs = llama(input_ids=torch.tensor([PROMPT])).logits[0]
    handle.remove()
    torch.testing.assert_close(run.readout.logits(run.residual[-1]), theirs, atol=1e-4, rtol=1e-4)
    assert any("-2 × (" in note for note in lw.logit_lens(run).notes)


def test_a_token_s_direction_raises_it_most(llama: Any) -> None:
    v = lw.SteeringVector.from_token(llama, 70, "L1", against=33)
    gain, W = llama.model.norm.weight.detach(), llama.lm_head.weight.detach()
    way = gain * (W[70] - W[33])
    torch.testing.assert_close(v.vector / v.vector.norm(), way / way.norm())
    assert v.share == pytest.approx(1.0, rel=1e-5)
    run = lw.run(llama, PROMPT, edits=[v.edit(50.0)])
    plain = lw.run(llama, PROMPT)
    after, before = (float(r.readout.logits(r.residual[-1])[-1, 70]) for r in (run, plain))
    assert after > before


def test_a_part_s_direction_is_what_it_wrote(llama: Any) -> None:
    kept: dict[str, Tensor] = {}
    layer = llama.model.layers[1]
    handles = [
        layer.self_attn.o_proj.register_forward_pre_hook(lambda _, a: kept.update(z=a[0][0, 2].clone())),
        layer.mlp.down_proj.register_forward_pre_hook(lambda _, a: kept.update(n=a[0][0, 2].clone())),
        layer.mlp.register_forward_hook(lambda _, a, out: kept.update(mlp=out[0, 2].clone())),
    ]
    with torch.no_grad():
        llama(input_ids=torch.tensor([PROMPT]))
    for handle in handles:
        handle.remove()
    run = lw.run(llama, PROMPT)
    W_O, W_out = layer.self_attn.o_proj.weight.detach(), layer.mlp.down_proj.weight.detach()
    width = W_O.shape[1] // 4
    head = slice(2 * width, 3 * width)
    for label, wrote in [
        ("L1H2", W_O[:, head] @ kept["z"][head]),
        ("L1N5", W_out[:, 5] * kept["n"][5]),
        ("L1.mlp", kept["mlp"]),
    ]:
        v = lw.SteeringVector.from_part(run, label, position=2)
        torch.testing.assert_close(v.vector, wrote, atol=1e-5, rtol=1e-4)
        assert v.row == "L1"
    assert lw.SteeringVector.from_part(run, "L1.mlp", row="embed").row == "embed"


@pytest.mark.parametrize("architecture", ["Gemma2ForCausalLM", "GraniteForCausalLM", "GPT2LMHeadModel"])
def test_heads_sum_to_their_attention(architecture: str, tmp_path: Path) -> None:
    """Behind a norm of the block's own, where a block scales what it adds, and with a bias."""
    run = lw.run(saved(architecture, tmp_path), PROMPT)
    whole = lw.SteeringVector.from_part(run, "L1.attn").vector
    heads = sum(lw.SteeringVector.from_part(run, f"L1H{h}").vector for h in range(4))
    rest = whole - heads  # the bias, the same whatever the prompt
    if architecture == "GPT2LMHeadModel":
        other = lw.run(run.require_activations().backend.model, [1, 7, 9])
        theirs = lw.SteeringVector.from_part(other, "L1.attn").vector
        rest = rest - (theirs - sum(lw.SteeringVector.from_part(other, f"L1H{h}").vector for h in range(4)))
    assert float(rest.abs().max()) < 1e-4 * float(whole.abs().max())


@pytest.mark.parametrize("architecture", ["LlamaForCausalLM", "GPT2LMHeadModel", "MambaForCausalLM"])
def test_what_it_writes_is_what_a_hook_makes_it_write(architecture: str, tmp_path: Path) -> None:
    model = saved(architecture, tmp_path)
    v = lw.SteeringVector.from_texts(model, TOWARD, AWAY, "L0")
    grid = v.writes(model, PROMPT, doses=[-4, 0, 4], max_new_tokens=5)
    assert grid.rows == ("-4", "0", "+4") and grid.candidates is not None
    blocks = next(m for m in model.modules() if isinstance(m, torch.nn.ModuleList) and len(m) == 3)
    for row, dose in enumerate((-4, 0, 4)):
        handle = adding(blocks[1], dose * v.vector)
        ids = list(PROMPT)
        for step in range(5):
            with torch.no_grad():
                token = int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax())
            if token == 2:
                assert (grid.candidates.ids[row, step:, 0] == -1).all()
                break
            assert int(grid.candidates.ids[row, step, 0]) == token, (dose, step)
            ids.append(token)
        handle.remove()


def test_at_one_position_it_stays_there(llama: Any) -> None:
    v = lw.SteeringVector.from_texts(llama, TOWARD, AWAY, "L0")
    grid = v.writes(llama, PROMPT, doses=[6], position=-1, max_new_tokens=3)
    assert grid.candidates is not None
    written = [int(i) for i in grid.candidates.ids[0, :, 0] if i >= 0]
    for step in range(len(written)):
        run = lw.run(llama, PROMPT + written[:step], edits=[v.edit(6, position=len(PROMPT) - 1)])
        assert int(run.readout.logits(run.residual[-1])[-1].argmax()) == written[step]


def test_half_precision_steers(llama: Any) -> None:
    model = llama.bfloat16()
    v = lw.SteeringVector.from_texts(model, TOWARD, AWAY, "L1")
    assert v.vector.dtype == torch.float32
    assert not torch.equal(lw.run(model, PROMPT, edits=[v.edit(1)]).residual, lw.run(model, PROMPT).residual)
    with pytest.raises(ValueError, match=r"beyond what torch.float16 holds"):
        lw.run(llama.half(), PROMPT, edits=[v.edit(1e6)])


@pytest.mark.parametrize(
    ("toward", "away", "row", "kind", "says_why"),
    [
        ([], AWAY, "L1", ValueError, r"toward= has no texts.*away= as well as toward=.*from_token"),
        (TOWARD, [], "L1", ValueError, "away= has no texts"),
        ("good", AWAY, "L1", TypeError, r"toward= takes a list of texts; got one text, 'good'"),
        (TOWARD, TOWARD, "L1", ValueError, "Both sets of texts have the same mean, so there is no direction"),
        (TOWARD, AWAY, "L7", ValueError, "There is no row 'L7'"),
        (TOWARD, AWAY, "L1H2", ValueError, "There is no row 'L1H2'"),
    ],
)
def test_what_makes_no_direction_is_told(
    toward: Any, away: Any, row: Any, kind: type[Exception], says_why: str, llama: Any
) -> None:
    with pytest.raises(kind, match=says_why):
        lw.SteeringVector.from_texts(llama, toward, away, row)


def test_what_can_not_be_steered_is_told(llama: Any) -> None:
    v = lw.SteeringVector.from_texts(llama, TOWARD, AWAY, "L1")
    for dose in (float("nan"), float("inf"), True):
        with pytest.raises(ValueError, match="A dose is a finite number"):
            v.edit(dose)
    with pytest.raises(ValueError, match="Position 9 is not in this prompt"):
        lw.SteeringVector.from_texts(llama, TOWARD, AWAY, "L1", position=9)
    with pytest.raises(ValueError, match="There are no doses"):
        v.writes(llama, PROMPT, doses=[])
    with pytest.raises(ValueError, match="is a row of the stream, not a part"):
        lw.SteeringVector.from_part(lw.run(llama, PROMPT), "L1")
    with pytest.raises(ValueError, match="This run has no activations"):
        lw.SteeringVector.from_part(lw.run(llama, PROMPT).detach(), "L1H1")
    wrong: Any = torch.ones(32)
    with pytest.raises(Exception, match="SteeringVector"):
        lw.steer(llama, "ab", wrong)


def test_the_newest_dose_wins(tmp_path: Path) -> None:
    architectures.save("LlamaForCausalLM", tmp_path)
    model = architectures.boot(tmp_path)
    v = lw.SteeringVector.from_texts(model, ["abc", "abd"], ["xyz"], "L0", label="a")
    steering = lw.steer(model, "hello", v, dose=0, max_new_tokens=3)
    assert steering.comparison is not None and steering.comparison.names == ("before", "dose 0")
    before, after = steering.comparison.grids
    assert (before.values("probability") == after.values("probability")).all()
    for dose in (1.0, 2.0, 3.0, 9.0):
        steering.dose = dose
    assert steering.wait(LONG) and steering.widget.failure is None
    assert steering.comparison.names == ("before", "dose 9")
    grid = steering.comparison.grids[1]
    assert grid.notes[0].startswith(("goes on to write", "writes nothing more"))
    run = lw.run(model, grid.columns.tolist(), edits=[v.edit(9)])
    assert lw.logit_lens(run).values("probability") == pytest.approx(grid.values("probability"))
    steering.widget.prompt = "world"
    assert steering.wait(LONG)
    assert steering.comparison.names == ("before", "dose 9") and "world" in steering.comparison.grids[0].title
    with pytest.raises(traitlets.TraitError, match="A dose is a finite number"):
        steering.dose = float("nan")
    steering.close()


def test_praise_becomes_blame(smollm: Any) -> None:
    """The figures of a vector made and added with TransformerLens's own hooks."""
    good = ["The food was delicious.", "I loved every bite of this meal.", "The best pizza that I ever ate."]
    bad = ["The food was disgusting.", "I hated every bite of this meal.", "The worst pizza that I ever ate."]
    row, name, prompt = "L14", "blocks.15.hook_resid_pre", "I went to the new restaurant last night. The food was"
    v = lw.SteeringVector.from_texts(smollm, good, bad, row)

    def mean(texts: list[str]) -> Tensor:
        return sum(smollm.run_with_cache(t, names_filter=name)[1][name][0, -1] for t in texts) / len(texts)  # type: ignore[return-value]

    theirs = (mean(good) - mean(bad)).detach()
    torch.testing.assert_close(v.vector, theirs, atol=1e-3, rtol=1e-3)
    leading = []
    for dose in (0, -1):
        with torch.no_grad():
            logits = smollm.run_with_hooks(prompt, fwd_hooks=[(name, lambda x, hook: x + dose * theirs)])  # noqa: B023
        leading.append(smollm.to_single_str_token(int(logits[0, -1].argmax())))
    assert leading == [" amazing", " terrible"]
    grid = v.writes(smollm, prompt, doses=[0, -1], max_new_tokens=2)
    assert grid.candidates is not None
    assert [grid.text(i) for i in grid.candidates.ids[:, 0, 0]] == leading
