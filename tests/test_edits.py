"""An edit does what a hook written by hand does, and a run carries it."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import lenswidget as lw
from lenswidget.model.backends import backend_of
from lenswidget.model.edits import written
from tests import architectures
from tests.test_hugging_face import saved

TOKENS = [1, 40, 70, 33, 120, 99]
OTHERS = [1, 40, 71, 33, 120, 98]


@pytest.fixture
def llama(tmp_path: Path) -> Any:
    return saved("LlamaForCausalLM", tmp_path)


def by_hand(model: Any, tokens: list[int], module: torch.nn.Module, act: Any, *, enters: bool = False) -> Tensor:
    """The logits with a hook of torch's own on one module."""

    def before(_: Any, args: tuple[Any, ...]) -> Any:
        return (act(args[0].clone()), *args[1:])

    def after(_: Any, args: Any, out: Any) -> Any:
        return (act(out[0].clone()), *out[1:]) if isinstance(out, tuple) else act(out.clone())

    handle = module.register_forward_pre_hook(before) if enters else module.register_forward_hook(after)
    try:
        with torch.no_grad():
            return model(input_ids=torch.tensor([tokens])).logits[0]
    finally:
        handle.remove()


def says(run: lw.Run) -> Tensor:
    return run.readout.logits(run.residual[-1])


def put(at: Any, value: Any) -> Any:
    def act(x: Tensor) -> Tensor:
        x[0][at] = value
        return x

    return act


def test_every_kind_of_site_is_what_a_hook_makes_of_it(llama: Any) -> None:
    layer = llama.model.layers[1]
    source = lw.run(llama, OTHERS)
    kept: dict[str, Tensor] = {}
    handles = [
        module.register_forward_pre_hook(lambda _, args, name=name: kept.update({name: args[0][0].clone()}))
        for name, module in (("row", layer), ("z", layer.self_attn.o_proj), ("neurons", layer.mlp.down_proj))
    ]
    handles.append(layer.mlp.register_forward_hook(lambda _, args, out: kept.update(mlp=out[0].clone())))
    with torch.no_grad():
        llama(input_ids=torch.tensor([OTHERS]))
    for handle in handles:
        handle.remove()
    width = kept["z"].shape[1] // 4
    head = slice(2 * width, 3 * width)
    for edit, module, act, enters in [
        (lw.Edit("L0", to=source, position=2), layer, put(2, kept["row"][2]), True),
        (lw.Edit("L1.mlp", to=source, position=[2, 5]), layer.mlp, put([2, 5], kept["mlp"][[2, 5]]), False),
        (lw.Edit("L1.attn", to=0, position=-1), layer.self_attn, put(5, 0.0), False),
        (lw.Edit("L1H2", to=source), layer.self_attn.o_proj, put((slice(None), head), kept["z"][:, head]), True),
        (lw.Edit("L1N7", to=0), layer.mlp.down_proj, put((slice(None), 7), 0.0), True),
        (lw.Edit(0, add=torch.ones(32), position=3), layer, put(3, lw.run(llama, TOKENS).residual[1, 3] + 1), True),
    ]:
        ours = says(lw.run(llama, TOKENS, edits=[edit]))
        theirs = by_hand(llama, TOKENS, module, act, enters=enters)
        assert float((ours - theirs).abs().max()) <= 1e-5 * float(theirs.abs().max()), edit
        assert float((theirs - says(lw.run(llama, TOKENS))).abs().max()) > 1e-3, edit


@pytest.mark.parametrize(
    "architecture", ["Gemma2ForCausalLM", "Olmo2ForCausalLM", "GPTNeoXForCausalLM", "GraniteForCausalLM"]
)
def test_a_part_is_what_it_adds_to_the_stream(architecture: str, tmp_path: Path) -> None:
    """Behind a norm of its own, in a parallel block, and where the block scales what it adds."""
    model = saved(architecture, tmp_path)
    plain = lw.run(model, TOKENS)
    for part in ("attn", "mlp"):
        vector = torch.linspace(-1, 1, 32)
        before = lw.run(model, TOKENS, edits=[lw.Edit(f"L2.{part}", to=0, position=-1)]).residual
        after = lw.run(model, TOKENS, edits=[lw.Edit(f"L2.{part}", to=vector, position=-1)]).residual
        # attention is read by the MLP of a block in sequence: of the MLP alone, all that changes is the vector
        if part == "mlp" or architecture == "GPTNeoXForCausalLM":
            torch.testing.assert_close(after[3, -1] - before[3, -1], vector, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(after[:3], plain.residual[:3], atol=0, rtol=0)


def test_the_value_of_the_run_itself_changes_nothing(llama: Any) -> None:
    run = lw.run(llama, TOKENS)
    for site in ("embed", "L0", "L2", "L1.attn", "L1.mlp", "L2H3", "L0N5"):
        again = lw.run(llama, TOKENS, edits=[lw.Edit(site, to=run)])
        assert torch.equal(again.residual, run.residual), site


def test_every_position_of_a_row_from_the_source_is_the_source(llama: Any) -> None:
    source = lw.run(llama, OTHERS)
    for row in ("embed", "L0", "L1", "L2"):
        edited = lw.run(llama, TOKENS, edits=[lw.Edit(row, to=source)])
        torch.testing.assert_close(edited.residual[-1], source.residual[-1])


def test_edits_stack_in_their_order(llama: Any) -> None:
    run = lw.run(
        llama, TOKENS, edits=[lw.Edit("L1", to=5.0, position=2), lw.Edit("L1", add=torch.ones(32), position=2)]
    )
    assert torch.equal(run.residual[2, 2], torch.full((32,), 6.0))
    other = lw.run(
        llama, TOKENS, edits=[lw.Edit("L1", add=torch.ones(32), position=2), lw.Edit("L1", to=5.0, position=2)]
    )
    assert torch.equal(other.residual[2, 2], torch.full((32,), 5.0))


def test_the_mean_of_several_runs(llama: Any) -> None:
    sources = lw.runs(llama, [TOKENS, OTHERS, [1, 9, 9, 9, 9, 9]])
    edited = lw.run(llama, TOKENS, edits=[lw.Edit("L0", to=sources, position=3)])
    torch.testing.assert_close(edited.residual[1, 3], torch.stack([one.residual[1, 3] for one in sources]).mean(0))


def test_a_source_may_be_of_another_length(llama: Any) -> None:
    source = lw.run(llama, [1, 9, 8])
    edited = lw.run(llama, TOKENS, edits=[lw.Edit("L0", to=source, position=4, source_position=1)])
    assert torch.equal(edited.residual[1, 4], source.residual[1, 1])
    ends = lw.run(llama, TOKENS, edits=[lw.Edit("L0", to=source, position=-1)])
    assert torch.equal(ends.residual[1, -1], source.residual[1, -1])


def test_lenses_attribution_and_answers_read_a_run_under_its_edits(llama: Any) -> None:
    edited = lw.run(llama, TOKENS, edits=[lw.Edit("L0", to=0, position=-1), lw.Edit("L2H1", to=0)])
    for unit in ("component", "head", "neuron", "source", "block"):
        grid = lw.attribute(edited, 7, unit=unit)
        assert grid.check is not None and grid.check.holds, unit
    parts = lw.attribute(edited, 7)
    assert "L0.edit" in parts.rows  # the row was set after its parts had written
    assert any("edit" in note for note in parts.notes)
    grid = lw.logit_lens(edited, targets=[7])
    assert grid.check is not None and grid.check.holds
    assert grid.provenance["edits"].splitlines()[1] == "L2H1 ← 0"
    assert grid.provenance["edits in code"].splitlines()[1] == "lw.Edit('L2H1', to=0)"
    assert any(note.startswith("edited: ") for note in grid.notes)
    # other positions are another pass, which runs under them, too
    assert lw.attribute(edited, 7, position=None).check.holds  # type: ignore[union-attr]


def test_an_answer_after_the_run_is_gone_is_under_its_edits(llama: Any) -> None:
    edited = lw.run(llama, TOKENS, edits=[lw.Edit("L0", to=0, position=-1)])
    before = lw.explain(edited, 7, "L1")
    grid = lw.logit_lens(edited, targets=[7])
    gone = weakref.ref(edited)
    del edited
    gc.collect()
    assert gone() is None
    assert grid.explain is not None
    after = grid.explain(len(TOKENS) - 1, 7, 2)
    torch.testing.assert_close(torch.tensor(after.values("contribution")), torch.tensor(before.values("contribution")))


def test_edits_act_under_the_hooks_of_a_user_and_leave_nothing(llama: Any) -> None:
    handle = llama.model.layers[0].register_forward_hook(
        lambda m, a, out: out * 1.5 if isinstance(out, Tensor) else (out[0] * 1.5, *out[1:])
    )
    hooked = lw.run(llama, TOKENS, edits=[lw.Edit("L1.mlp", to=0)])
    handle.remove()
    assert float((says(hooked) - says(lw.run(llama, TOKENS, edits=[lw.Edit("L1.mlp", to=0)]))).abs().max()) > 1e-3
    with torch.no_grad():
        plain = llama(input_ids=torch.tensor([TOKENS])).logits[0]
    torch.testing.assert_close(says(lw.run(llama, TOKENS)), plain)


def test_half_precision_says_what_it_can_not_hold(tmp_path: Path) -> None:
    model = saved("LlamaForCausalLM", tmp_path).half()
    run = lw.run(model, TOKENS, edits=[lw.Edit("L0", to=1000.0, position=1)])
    assert float(run.residual[1, 1, 0]) == 1000.0
    with pytest.raises(ValueError, match=r"goes to 1e\+05, beyond what torch.float16 holds"):
        lw.run(model, TOKENS, edits=[lw.Edit("L0", to=1e5)])


@pytest.mark.parametrize(
    ("edit", "says_why"),
    [
        ({"site": "L9", "to": 0}, r"no site 'L9'; sites are rows, 'embed' and 'L0' to 'L2'"),
        ({"site": "L1.mid", "to": 0}, r"no site 'L1.mid': block 1 has 'L1.attn', 'L1.mlp'"),
        ({"site": "L1H9", "to": 0}, r"'L1H0' to 'L1H3'"),
        ({"site": "L1N9999", "to": 0}, r"'L1N0' to 'L1N47'"),
        ({"site": "nonsense", "to": 0}, r"no site 'nonsense'"),
        ({"site": "L1", "to": 0, "position": 6}, r"Position 6 is not in this prompt, which has positions 0 to 5"),
        ({"site": "L1", "to": torch.ones(31)}, r"has shape \[31\]; \[32\] or \[6, 32\] was expected"),
        ({"site": "L1H1", "to": torch.ones(32)}, r"has shape \[32\]; \[8\] or \[6, 8\]"),
        ({"site": "L1", "to": float("nan")}, r"is not finite: NaN among"),
        ({"site": "L1", "add": [float("inf")] * 32}, r"is not finite: infinity among"),
    ],
)  # fmt: skip
def test_what_can_not_be_put_is_told(edit: dict[str, Any], says_why: str, llama: Any) -> None:
    with pytest.raises(ValueError, match=says_why):
        lw.run(llama, TOKENS, edits=[lw.Edit(**edit)])


def test_what_is_no_edit_is_told(llama: Any, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"got neither. To take the site out: lw.Edit\('L1', to=0\)"):
        lw.Edit("L1")
    with pytest.raises(TypeError, match="got both"):
        lw.Edit("L1", to=0, add=1)
    with pytest.raises(TypeError, match="takes a run, a list of runs, a tensor or a number; got str"):
        lw.run(llama, TOKENS, edits=[lw.Edit("L1", to="zero")])
    wrong: Any = lw.runs(llama, [TOKENS])
    with pytest.raises(TypeError, match=r"edits= takes a list of lw\.Edit and got Run"):
        written(wrong[0], backend_of(llama), torch.tensor(TOKENS))
    (tmp_path / "other").mkdir()
    other = lw.run(saved("LlamaForCausalLM", tmp_path / "other"), TOKENS)
    with pytest.raises(ValueError, match="another model object"):
        lw.run(llama, TOKENS, edits=[lw.Edit("L1", to=other)])
    with pytest.raises(ValueError, match=r"has 3 tokens and the prompt 6.*source_position="):
        lw.run(llama, TOKENS, edits=[lw.Edit("L1", to=lw.run(llama, [1, 9, 8]))])


def test_the_embedded_model_moves_a_fact(smollm: Any) -> None:
    """The figure of a pass with TransformerLens's own hooks."""
    base, source = "The Colosseum is located in the city of", "The Eiffel Tower is located in the city of"
    run = lw.run(smollm, base, edits=[lw.Edit("L12", to=lw.run(smollm, source), position=2)])
    _, cache = smollm.run_with_cache(source)

    def patched(row: Tensor, hook: Any) -> Tensor:
        row[:, 2] = cache["blocks.13.hook_resid_pre"][:, 2]
        return row

    logits = smollm.run_with_hooks(base, fwd_hooks=[("blocks.13.hook_resid_pre", patched)])[0, -1]
    torch.testing.assert_close(says(run)[-1], logits, atol=1e-3, rtol=1e-4)
    paris = smollm.to_single_token(" Paris")
    assert float(logits.softmax(-1)[paris]) == pytest.approx(0.58, abs=0.005)


def test_bridges_of_other_families_take_edits(tmp_path: Path) -> None:
    architectures.save("GPT2LMHeadModel", tmp_path)
    model = architectures.boot(tmp_path)
    run = lw.run(model, TOKENS)
    for site in ("embed", "L1", "L1.attn", "L2H1", "L0N3"):
        assert torch.equal(lw.run(model, TOKENS, edits=[lw.Edit(site, to=run)]).residual, run.residual)
        assert not torch.equal(lw.run(model, TOKENS, edits=[lw.Edit(site, to=0)]).residual, run.residual)
