"""A patchscope says what a hook written by hand makes the model say, a pass a cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import lenswidget as lw
from lenswidget.interventions import edited_text, model_map
from lenswidget.lenses.lens import moved
from lenswidget.model.backends import backend_of, past
from tests import architectures
from tests.test_hugging_face import saved

SOURCE = [1, 40, 70, 33, 120]
TARGET = [1, 99, 41, 7, 41, 12, 64]


def hooked(module: torch.nn.Module, position: int, state: Tensor, calls: Any) -> Tensor:
    """The logits at the end of a prompt in which a state was put before a block."""

    def before(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        row = (args[0] if args else kwargs["hidden_states"]).clone()
        row[0, position] = state
        return ((row, *args[1:]), kwargs) if args else (args, {**kwargs, "hidden_states": row})

    handle = module.register_forward_pre_hook(before, with_kwargs=True)
    try:
        with torch.no_grad():
            return calls().logits[0, -1]
    finally:
        handle.remove()


def blocks_of(model: Any) -> Any:
    return next(m for name, m in model.named_modules() if isinstance(m, torch.nn.ModuleList) and len(m) == 3)


def apart(ours: Tensor, theirs: Tensor) -> float:
    return float((ours.float() - theirs.float()).abs().max() / theirs.float().abs().max())


def says(run: lw.Run, rows: Tensor) -> Tensor:
    return run.readout.logits(rows[None])[0]


@pytest.mark.parametrize(
    "architecture",
    [
        "LlamaForCausalLM",
        "GPT2LMHeadModel",
        "Gemma2ForCausalLM",
        "GPTNeoXForCausalLM",
        "BloomForCausalLM",
        "OPTForCausalLM",
    ],
)
@pytest.mark.parametrize(("position", "into"), [(-1, None), (3, None), (-1, 1)])
def test_every_cell_is_a_pass_with_a_hook(architecture: str, position: int, into: int | None, tmp_path: Path) -> None:
    model = saved(architecture, tmp_path)
    run = lw.run(model, SOURCE)
    rule = None if into is None else lambda row: into
    stream = moved(run, lw.Patchscope(TARGET, position=position, row=rule))
    blocks = blocks_of(model)
    for row in range(3):
        for column in range(len(SOURCE)):
            theirs = hooked(
                blocks[row if into is None else into],
                position,
                run.residual[row, column],
                lambda: model(input_ids=torch.tensor([TARGET])),
            )
            assert apart(says(run, stream[row, column]), theirs) < 1e-4, (row, column)
    assert torch.equal(stream[3], run.residual[3].float())


@pytest.mark.parametrize(
    "architecture", ["LlamaForCausalLM", "GPT2LMHeadModel", "MambaForCausalLM", "GemmaForCausalLM"]
)
def test_bridges_are_read_alike(architecture: str, tmp_path: Path) -> None:
    architectures.save(architecture, tmp_path)
    model = architectures.boot(tmp_path)
    run = lw.run(model, SOURCE)
    stream = moved(run, lw.Patchscope(TARGET))
    for row in range(3):
        state = run.residual[row, 3]

        def put(x: Tensor, hook: Any, state: Tensor = state) -> Tensor:
            x = x.clone()
            x[0, -1] = state
            return x

        logits = model.run_with_hooks(torch.tensor([TARGET]), fwd_hooks=[(f"blocks.{row}.hook_resid_pre", put)])[0, -1]
        assert apart(says(run, stream[row, 3]), logits) < 1e-4, row


def test_into_the_last_row_it_is_the_logit_lens(tmp_path: Path) -> None:
    run = lw.run(saved("LlamaForCausalLM", tmp_path), SOURCE)
    for rule in ("L2", 2, lambda row: 3):
        stream = moved(run, lw.Patchscope(TARGET, row=rule))
        torch.testing.assert_close(stream, run.residual.float(), atol=1e-6, rtol=0)


def test_the_target_s_own_state_changes_nothing(tmp_path: Path) -> None:
    run = lw.run(saved("LlamaForCausalLM", tmp_path), TARGET)
    stream = moved(run, lw.Patchscope(TARGET))
    torch.testing.assert_close(stream[:, -1], run.residual[-1, -1].expand(4, -1), atol=1e-5, rtol=0)


def test_a_grid_says_what_it_is(tmp_path: Path) -> None:
    model = saved("GPT2LMHeadModel", tmp_path)
    grid = lw.read(lw.run(model, SOURCE), lw.Patchscope("<b>$x$", position=1, row="L0"), targets=[7], against=9)
    assert grid.kind == "Patchscope" and grid.excluded == (0,)
    assert grid.provenance["target prompt"] == "'<b>$x$'"
    assert (grid.provenance["target position"], grid.provenance["target row"]) == ("1", "into L0")
    assert grid.notes[0] == "put into '<b>$x$' at position 1, into L0"
    assert any("brings along where it stood" in note for note in grid.notes)
    assert grid.explain is None and grid.jumps is None
    assert """lw.Patchscope('<b>$x$', position=1, row='L0')""" in grid.provenance["call"]
    assert eval(lw.Patchscope().code, {"lw": lw}).prompt == lw.Patchscope().prompt
    assert grid.check is not None and grid.check.holds
    (tmp_path / "llama").mkdir()
    rotary = saved("LlamaForCausalLM", tmp_path / "llama")
    assert not any("brings along" in n for n in lw.read(lw.run(rotary, SOURCE), lw.Patchscope(TARGET)).notes)

    def later(row: int) -> int:
        return min(row + 1, 3)

    assert lw.read(lw.run(rotary, SOURCE), lw.Patchscope(TARGET, row=later)).provenance["target row"] == "rows by later"


def test_states_are_read_under_edits_and_the_prompt_without(tmp_path: Path) -> None:
    model = saved("LlamaForCausalLM", tmp_path)
    run = lw.run(model, SOURCE, edits=[lw.Edit("L0", to=0.5, position=2)])
    lens = lw.Patchscope(TARGET)
    theirs = hooked(model.model.layers[1], -1, torch.full((32,), 0.5), lambda: model(input_ids=torch.tensor([TARGET])))
    assert apart(says(run, moved(run, lens)[1, 2]), theirs) < 1e-4
    assert "the target prompt ran without the edits" in lw.read(run, lens).notes


def test_the_target_prompt_runs_under_the_hooks_of_the_run(tmp_path: Path) -> None:
    model = saved("LlamaForCausalLM", tmp_path)
    plain = moved(lw.run(model, SOURCE), lw.Patchscope(TARGET))
    handle = model.model.layers[1].mlp.register_forward_hook(lambda m, a, out: out * 2)
    run = lw.run(model, SOURCE)
    theirs = hooked(model.model.layers[1], -1, run.residual[1, 2], lambda: model(input_ids=torch.tensor([TARGET])))
    handle.remove()
    stream = moved(run, lw.Patchscope(TARGET))
    assert apart(says(run, stream[1, 2]), theirs) < 1e-4
    assert torch.equal(moved(lw.run(model, SOURCE), lw.Patchscope(TARGET)), plain)
    # what is kept of the prompt goes with the weights
    with torch.no_grad():
        model.model.layers[2].mlp.down_proj.weight.mul_(2)
    again = lw.run(model, SOURCE)
    theirs = hooked(model.model.layers[1], -1, again.residual[1, 2], lambda: model(input_ids=torch.tensor([TARGET])))
    assert apart(says(again, moved(again, lw.Patchscope(TARGET))[1, 2]), theirs) < 1e-4


def test_half_precision_is_read(tmp_path: Path) -> None:
    model = saved("LlamaForCausalLM", tmp_path).bfloat16()
    run = lw.run(model, SOURCE)
    stream = moved(run, lw.Patchscope(TARGET))
    theirs = hooked(model.model.layers[1], -1, run.residual[1, 2], lambda: model(input_ids=torch.tensor([TARGET])))
    assert stream.dtype == torch.float32 and apart(says(run, stream[1, 2]), theirs) < 0.05


@pytest.mark.parametrize(
    ("lens", "says_why"),
    [
        ({"position": 7}, "Position 7 is not in this prompt, which has positions 0 to 6"),
        ({"row": "L9"}, "There is no row 'L9'"),
        ({"row": 9}, "There is no row 'L9', which 9 names"),
        ({"row": lambda row: row + 2}, r"The row rule gave 4 for row 2, L1; expected the index of a row, 0 .* to 3"),
        ({"row": lambda row: "L1"}, r"The row rule gave 'L1' for row 0, embed"),
        ({"prompt": []}, "no tokens"),
        ({"prompt": [999]}, "Token id 999 is outside the vocabulary"),
    ],
)
def test_what_is_not_there_is_told(lens: dict[str, Any], says_why: str, tmp_path: Path) -> None:
    run = lw.run(saved("LlamaForCausalLM", tmp_path), SOURCE)
    with pytest.raises(ValueError, match=says_why):
        lw.read(run, lw.Patchscope(**{"prompt": TARGET, **lens}))


def test_a_run_without_its_model_or_a_row_alone_is_told(tmp_path: Path) -> None:
    run = lw.run(saved("LlamaForCausalLM", tmp_path), SOURCE)
    with pytest.raises(ValueError, match="this run was detached from"):
        lw.read(run.detach(), lw.Patchscope(TARGET))
    with pytest.raises(ValueError, match="reads a run, whose model goes on"):
        lw.Patchscope(TARGET).move(run.residual[0], 0)
    with pytest.raises(ValueError, match="no bars sum to its jumps"):
        lw.explain(run, 7, "L1", lens=lw.Patchscope(TARGET))


def test_fidelity_measures_one(tmp_path: Path) -> None:
    """As any lens, where no row is tried alone."""
    model = saved("LlamaForCausalLM", tmp_path)
    measured = lw.fidelity(model, [lw.Patchscope(TARGET)], tokens=64, directions=0)
    assert measured.kl[-1, 0] == 0 and measured.kl[0, 0] > 0


def test_it_reads_earlier_than_the_logit_lens(smollm: Any) -> None:
    """The figure of a pass with TransformerLens's own hooks: " Paris" in L23, where the logit lens has nothing."""
    prompt = "The Eiffel Tower is located in the city of"
    run = lw.run(smollm, prompt)
    grid = lw.read(run, lw.Patchscope(), targets=[" Paris"])
    _, cache = smollm.run_with_cache(prompt)
    target = "cat -> cat\n1135 -> 1135\nhello -> hello\n?"

    def put(x: Tensor, hook: Any) -> Tensor:
        x[:, -1] = cache[hook.name][:, -1]
        return x

    logits = smollm.run_with_hooks(target, fwd_hooks=[("blocks.24.hook_resid_pre", put)])[0, -1]
    theirs = float(logits.softmax(-1)[smollm.to_single_token(" Paris")])
    assert theirs == pytest.approx(0.88, abs=0.01)
    assert grid["L23"].values("probability", target=" Paris")[0, -1] == pytest.approx(theirs, abs=1e-4)
    assert lw.logit_lens(run, targets=[" Paris"])["L23"].values("probability", target=" Paris")[0, -1] < 1e-5


@pytest.mark.parametrize(
    "architecture", ["LlamaForCausalLM", "GPT2LMHeadModel", "Gemma2ForCausalLM", "BloomForCausalLM", "MambaForCausalLM"]
)
def test_descriptions_are_what_a_hook_makes_the_model_write(architecture: str, tmp_path: Path) -> None:
    """Token by token without a cache, the state put in at every pass."""
    model = saved(architecture, tmp_path)
    run = lw.run(model, SOURCE)
    for position in (-1, 2):
        grid = lw.Patchscope(TARGET, position=position).describe(run, position=3, max_new_tokens=5, k=3)
        assert grid.candidates is not None and grid.candidates.ids.shape == (3, 5, 3)
        assert grid.rows == ("embed", "L0", "L1")
        for row in range(3):
            ids = list(TARGET)
            at = position % len(TARGET)
            for step in range(5):
                tokens = torch.tensor([ids])
                logits = hooked(blocks_of(model)[row], at, run.residual[row, 3], lambda: model(input_ids=tokens))  # noqa: B023
                ours = grid.candidates.ids[row, step]
                if int(logits.argmax()) == 2:  # it ends
                    assert (grid.candidates.ids[row, step:] == -1).all()
                    break
                assert int(ours[0]) == int(logits.argmax()), (row, step)
                bits = logits.log_softmax(-1)[ours.tolist()] / torch.tensor(2.0).log()
                torch.testing.assert_close(
                    torch.tensor(grid.candidates.log_probability[row, step]), bits, atol=1e-3, rtol=1e-3
                )
                ids.append(int(ours[0]))


def test_a_cache_is_tried_first_and_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    architectures.save("LlamaForCausalLM", tmp_path)
    for model in (architectures.boot(tmp_path), saved("LlamaForCausalLM", tmp_path)):
        run = lw.run(model, SOURCE)
        assert edited_text.cache_grows(backend_of(model))
        cached = lw.Patchscope(TARGET).describe(run, max_new_tokens=6)
        monkeypatch.setattr(edited_text, "cache_grows", lambda backend: False)
        plain = lw.Patchscope(TARGET).describe(run, max_new_tokens=6)
        monkeypatch.undo()
        assert cached.candidates is not None and plain.candidates is not None
        assert (cached.candidates.ids[..., 0] == plain.candidates.ids[..., 0]).all()
        # one that lies is found out at the end, and what it wrote is not believed
        monkeypatch.setattr(past.KeysAndValues, "growing", lambda self, length, batch: self.upto(length))
        monkeypatch.setattr(edited_text, "cache_grows", lambda backend: True)
        lied = lw.Patchscope(TARGET).describe(run, max_new_tokens=6)
        monkeypatch.undo()
        assert lied.candidates is not None
        assert (lied.candidates.ids[..., 0] == plain.candidates.ids[..., 0]).all()


def test_a_text_that_ends_has_no_more_tokens(tmp_path: Path) -> None:
    model = saved("LlamaForCausalLM", tmp_path)
    with torch.no_grad():
        model.lm_head.weight[2] = 100 * model.lm_head.weight[7]  # </s> wins where 7 would, or loses
    run = lw.run(model, SOURCE)
    grid = lw.Patchscope(TARGET).describe(run, max_new_tokens=6)
    assert grid.candidates is not None
    ids = grid.candidates.ids[..., 0]
    assert (ids == -1).any() and not (ids == 2).any()
    assert ((ids == -1) == np.isnan(grid.values("probability"))).all()


@pytest.mark.parametrize(
    ("asked", "says_why"),
    [
        ({"position": 9}, "Position 9 is not in this prompt"),
        ({"max_new_tokens": 0}, "max_new_tokens is 1 to 256; got 0"),
        ({"max_new_tokens": 60}, "7 tokens and 60 more are beyond the 64 that"),
        ({"k": 0}, "k is the number of candidates"),
    ],
)
def test_what_can_not_be_described_is_told(asked: dict[str, Any], says_why: str, tmp_path: Path) -> None:
    run = lw.run(saved("GPT2LMHeadModel", tmp_path), SOURCE)
    with pytest.raises(ValueError, match=says_why):
        lw.Patchscope(TARGET).describe(run, **asked)


def other_width(folder: Path) -> Any:
    folder.mkdir()
    return saved("LlamaForCausalLM", folder, hidden_size=40, num_hidden_layers=5, head_dim=10)


@pytest.fixture(scope="module")
def across(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, lw.ModelMap]:
    """Two models of one tokenizer, and a map from one to the other."""
    folder = tmp_path_factory.mktemp("across")
    one = saved("GPT2LMHeadModel", folder)
    other = other_width(folder / "other")
    return one, other, lw.ModelMap.fit(one, other, tokens=1500, held_out=256, window=32)


def test_a_map_is_a_ridge_regression(across: tuple[Any, Any, lw.ModelMap]) -> None:
    """Written out in float64, on the same tokens."""
    one, other, fitted = across
    assert fitted.rows == (0, 2, 3) and fitted.weight.shape == (3, 40, 32)
    torch.manual_seed(0)
    windows = torch.randint(3, 250, (60, 32))
    with torch.no_grad():
        x = one(input_ids=windows, output_hidden_states=True).hidden_states[1][:, 1:].flatten(0, 1).double()
        y = other(input_ids=windows, output_hidden_states=True).hidden_states[2][:, 1:].flatten(0, 1).double()
    sums = model_map._Sums((x[None].float(), y[None].float()))
    for half in (slice(0, 700), slice(700, None)):
        sums.add((x[None, half].float(), y[None, half].float()))
    weight, bias = sums.solve(1e-4)
    centered, aim = x - x.mean(0), y - y.mean(0)
    own = centered.T @ centered / len(x)
    own = own + 1e-4 * own.diagonal().mean() * torch.eye(32, dtype=torch.float64)
    theirs = torch.linalg.solve(own, centered.T @ aim / len(x)).T
    torch.testing.assert_close(weight[0].double(), theirs, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(bias[0].double(), y.mean(0) - theirs @ x.mean(0), atol=1e-3, rtol=1e-3)
    assert all(0 < error < 1.5 for error in fitted.error)


def test_a_map_of_a_model_to_itself_is_itself(tmp_path: Path) -> None:
    model = saved("LlamaForCausalLM", tmp_path)
    fitted = lw.ModelMap.fit(model, model, tokens=1500, held_out=256, window=32, ridge=1e-9)
    assert max(fitted.error) < 1e-4 and fitted.rows == (0, 1, 2)
    run = lw.run(model, SOURCE)
    ours = lw.read(run, lw.Patchscope(TARGET, model=model, map=fitted)).values("probability")
    np.testing.assert_allclose(ours[:, 1:], lw.read(run, lw.Patchscope(TARGET)).values("probability")[:, 1:], atol=1e-2)


def test_another_model_reads_through_a_map(across: tuple[Any, Any, lw.ModelMap]) -> None:
    one, other, fitted = across
    run = lw.run(one, SOURCE)
    lens = lw.Patchscope(TARGET, model=other, map=fitted)
    grid = lw.read(run, lens, k=3, targets=[7])
    assert grid.rows == ("embed", "L0", "L1", "L2") and grid.model == f"{fitted.target} reading {run.model}"
    assert any("not explained on held-out text" in note for note in grid.notes)
    assert grid.candidates is not None
    for row in range(3):
        state = fitted.weight[row] @ run.residual[row, 3] + fitted.bias[row]
        logits = hooked(
            blocks_of_five(other)[fitted.rows[row]], -1, state, lambda: other(input_ids=torch.tensor([TARGET]))
        )
        bits = logits.log_softmax(-1)[7] / torch.tensor(2.0).log()
        assert grid.values("log-probability", target=7)[row, 3] == pytest.approx(float(bits), abs=1e-2)
    with torch.no_grad():
        own = other(input_ids=torch.tensor([SOURCE])).logits[0]
    assert grid.candidates.ids[3, :, 0].tolist() == own.argmax(-1).tolist()
    text = lens.describe(run, max_new_tokens=2)
    assert text.shape == (3, 2)
    with pytest.raises(ValueError, match="can't be compared with"):
        moved(run, lens)


def blocks_of_five(model: Any) -> Any:
    return next(m for m in model.modules() if isinstance(m, torch.nn.ModuleList) and len(m) == 5)


def test_a_map_knows_its_models(across: tuple[Any, Any, lw.ModelMap], tmp_path: Path) -> None:
    one, other, fitted = across
    run = lw.run(one, SOURCE)
    for lens, says_why in [
        (lw.Patchscope(TARGET, model=other), "got model= without map="),
        (lw.Patchscope(TARGET, map=fitted), "got map= without model="),
        (lw.Patchscope(TARGET, model=other, map=fitted, row="L1"), "A map says into which row"),
        (lw.Patchscope(TARGET, model=one, map=fitted), "of width 40; .* is another"),
    ]:
        with pytest.raises(ValueError, match=says_why):
            lw.read(run, lens)
    (tmp_path / "llama").mkdir()
    llama = saved("LlamaForCausalLM", tmp_path / "llama")
    with pytest.raises(ValueError, match="has other weights"):
        lw.read(lw.run(llama, SOURCE), lw.Patchscope(TARGET, model=other, map=fitted))
    with pytest.raises(ValueError, match="The row rule gave 9 for row 0"):
        lw.ModelMap.fit(one, other, row=lambda row: 9)
    with pytest.raises(ValueError, match="at least as many tokens"):
        lw.ModelMap.fit(one, other, ["ab" * 5] * 3, window=8, held_out=8)
