"""Every lesson runs from top to bottom, and shows what its text says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

LESSONS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
# The places and figures that a lesson's text names, checked at its end: to compute them again would cost as much again.
TRUTHS = {
    "10_something_slipped_in": """
said = [lw.logit_lens(run, targets=[word]).values("probability", target=word)[-1, -1]
        for run, word in ((plain, " negative"), (attacked, " positive"))]
assert [round(float(share), 2) for share in said] == [0.72, 0.79]
assert len({len(model.tokenizer(text)["input_ids"]) for text in (attack, weather)}) == 1
assert obeyed["attack"] == 1 and obeyed["weather"] < obeyed["plain"] < 0.5
first, second = ({group.name: group for group in one.groups} for one in (found, found_wide))
assert first["attack"].auroc > 0.995 and first["also plain"].auroc < 0.6
assert abs(first["weather"].auroc - 0.87) < 0.02 and 0.4 < first["weather"].flagged < 0.6
assert abs(first["weather"].low - 0.76) < 0.03 and abs(first["weather"].high - 0.94) < 0.03
assert sum("number of tokens alone" in note for note in found.notes) == 2
assert second["attack"].auroc > 0.995 and abs(second["weather"].auroc - 0.62) < 0.03 and second["weather"].flagged == 0
assert abs(second["look-alike"].auroc - 0.85) < 0.03
assert min(ahead.values()) > 0.995 and flagged["look-alike"] == 1 and abs(flagged["weather"] - 0.83) < 0.05
""",
    "08_take_it_away_put_it_in": """
recovered = sweep.values("recovered")
assert (recovered[:24, 2] > 0.65).all() and (recovered[24:, 9] > 0.8).all() and abs(recovered[24:, 2]).max() < 0.05
assert (recovered[:, 0] == 0).all() and sweep.check.holds
of_heads = heads.values("recovered")
assert abs(of_heads[23, [4, 5]] - [0.56, 0.28]).max() < 0.01 and of_heads[29, 0] < -0.25
probability = lw.logit_lens(edited, targets=[" Paris"]).values("probability", target=" Paris")
assert round(float(probability[-1, -1]), 2) == 0.58

parts = [lw.attribute(run, " Mary", against=" John", unit="head") for run in (john, without)]
before, after_all = (dict(zip(grid.rows, grid.values("contribution")[:, 0])) for grid in parts)
assert round(float(before["L23H2"] + before["L23H7"]), 2) in (1.84, 1.85)
assert abs(total["before"] - 4.12) < 0.01 and abs(total["before"] - total["after"] - 0.05) < 0.01
back = {name: after_all[name] - before[name] for name in ("L24H4", "L29H0", "L28.mlp", "L23H3", "L29H1")}
assert min(back.values()) > 0.2 and round(float(back["L24H4"]), 2) == 0.66 and round(float(back["L29H0"]), 2) == 0.4
assert round(float(before["L20H0"]), 2) == 0.33 and abs(before["L17H4"]) < 0.01
found = shares.values("recovered")
assert abs(found[[23, 20, 17], [3, 0, 4]] - [0.57, 0.35, 0.16]).max() < 0.01
written = blame.writes(model, "I ate at the new restaurant. The food was", doses=[0, 1], max_new_tokens=1)
assert [written.text(i) for i in written.candidates.ids[:, 0, 0]] == [" amazing", " terrible"]
scope = lw.read(paris, lw.Patchscope(), targets=[" Paris"]).values("probability", target=" Paris")[:, -1]
assert round(float(scope[24]), 2) == 0.88 and (scope[:24] < 0.05).all()
""",
    "01_reading_the_grid": """
grid = lw.logit_lens(tower, targets=[" Paris"])
rank = dict(zip(grid.rows, grid.quantities["rank of ' Paris'"].values[:, -1]))
assert [row for row, value in rank.items() if value == 1] == ["L27", "L28", "L29"]
assert rank["L22"] > 1000 and rank["L26"] == 3
assert round(float(grid.quantities["probability of ' Paris'"].values[-1, -1]), 2) == 0.70
distance = dict(zip(grid.rows, grid.quantities["KL to the output"].values[:, 1:].mean(1)))
assert distance["embed"] > 100
assert all(distance[f"L{layer}"] > 15 for layer in range(23))
assert all(distance[f"L{layer}"] < 8 for layer in range(26, 30))

grid = lw.logit_lens(australia, targets=[" Canberra", " Sydney"])
right, wrong = (grid.quantities[f"rank of ' {city}'"].values[20:, -1] for city in ("Canberra", "Sydney"))
assert (wrong < right).all() and (wrong[-1], right[-1]) == (1, 2)
""",
    "02_which_lens_to_believe": """
raw, fitted, trained, derived = measured.kl.T
assert trained[:-2].mean() < fitted[:-2].mean() < derived[:-2].mean() < raw[:-2].mean()
assert (fitted[:-1] < raw[:-1]).all()
assert (raw[:25] > 1.5 * measured.blind).all()
assert (fitted[24:] < measured.blind).all()

lenses = lw.LogitLens(), linear, jacobian
ranks = [lw.read(tower, lens, targets=[" Paris"]).quantities["rank of ' Paris'"].values[:, -1] for lens in lenses]
assert ranks[1][22] < ranks[0][22]
leads = [tower.labels[int((rank == 1).argmax())] for rank in ranks]
assert (leads[0], leads[2]) == ("L27", "L23")

answers = {}
for row in (6, 28):
    direction = towards + linear.weight[row].T @ towards
    answers[row] = [float(change[london] - change[paris]) for change in moved_by(row, direction)]
assert min(lens for lens, _ in answers.values()) > 2
assert abs(answers[6][1]) < answers[6][0] / 4 and answers[28][1] > answers[28][0] / 2
""",
    "05_who_did_it": """
parts = lw.attribute(mary, " Mary", against=" John").to_dataframe().set_index("layer")["contribution"]
assert parts.idxmax() == "L23.attn" and parts.cumsum()["L19.mlp"] < -1
assert abs(heads.quantities["contribution"].values[: heads.rows.index("L20H0")].sum()) < 0.5
assert answers["logit difference"].between(2.5, 6.5).all()
votes, mean, spread = (each > 0).sum(axis=1), each.mean(axis=1), each.std(axis=1, ddof=0)
assert votes["L23H3"] == votes["L29H1"] == 12 and votes["L29H0"] == 0
only_heads = mean[mean.index.str.contains("H")].sort_values()
assert list(only_heads.index[-3:]) == ["L23H0", "L29H1", "L23H3"] and only_heads.index[0] == "L29H0"
assert round(mean["L23H3"], 1) == 2.6 and spread["L29.mlp"] > 5 * abs(mean["L29.mlp"])
kinds = lw.attribute(runs, right, against=wrong, unit="kind")
total = dict(zip(kinds.rows, kinds.quantities["contribution"].values[:, 0]))
varies = dict(zip(kinds.rows, kinds.quantities["spread"].values[:, 0]))
assert total["attn"] > 2 * total["mlp"] > 0 and varies["mlp"] > total["mlp"]

by_order = each.loc["L29.mlp"].to_numpy().reshape(6, 2)[3:5]  # Sarah and David, Lisa and Mark
assert (by_order[:, 0] > 2.5).all() and (by_order[:, 1] < -2.5).all()

source = looks.quantities["contribution"].values
read = {head: int(source[looks.rows.index(head)].argmax()) for head in strongest[:3]}
tokens = [looks.text(i) for i in looks.columns]
assert read == {"L23H3": 9, "L23H0": 1, "L29H1": 13} and (tokens[9], tokens[1]) == (" John", " Mary")
assert sides[" John"]["L23H3"] < -2 and abs(sides[" Mary"]["L23H3"]) < 0.5 < sides[" Mary"]["L23H0"]

rank = {name: lens.quantities[f"rank of '{name}'"].values[:, -1] for name in (" Mary", " the")}
assert (rank[" the"][24:30] == 1).all() and (rank[" Mary"][29], rank[" Mary"][30]) == (20, 1)
jump = lw.explain(mary, " Mary", "L29", against=" the").to_dataframe().set_index("layer")["contribution"]
assert jump["L29.mlp"] > 0.75 * jump.sum()
difference = lw.logit_lens(mary, targets=[" Mary"], against=" John").quantities["logit difference of ' Mary' from ' John'"]
assert (difference.values[:24, -1] < 0).all() and (difference.values[24:, -1] > 0).all()

lowered = lw.promotes(model, written).candidates.ids[0, 10:, 0]
assert model.to_single_token(" John") == lowered[0]

predicted, found = experiment["predicted"].mean(), experiment["measured"].mean()
assert 2 < found < predicted and (experiment["predicted"] - experiment["measured"]).abs().max() > 1
assert change.drop("L23H3").idxmax() == "L24H4" and change["L24H4"] > 0.8
assert each.loc["L23H0"].mean() > 0.9 and abs(measured) < 0.1
""",
    "09_limits": """
for name in ("probability of ' Paris'", "probability of ' Madrid'"):
    apart = abs(difference.quantities[name].values)
    assert (apart[:, :-2] == 0).all() and apart[-1, -1] > 0.1 and apart[:20, -1].max() < 0.01

divergence = lenses.differences[0].quantities["Jensen–Shannon"].values
assert divergence[-1].max() < 1e-6 and divergence[:-1, 1:].mean() > 0.1

below = paris.rows.index("L26")
same = [(whole == other).all(1) for whole, other in ((g.values, lacking.quantities[n].values) for n, g in paris.quantities.items()
        if n in ("probability", "entropy", "rank of ' Paris'"))]
assert all(rows[:below].all() and not rows[below:].all() for rows in same)

grid = lw.read(tokyo, tuned, targets=[" Japan"])
lost = lw.diagnose(grid, target=" Japan")
said = model.generate("Tokyo is the capital of", max_new_tokens=7, do_sample=False, use_past_kv_cache=False, verbose=False)
assert said.endswith(" the city of narakyo.")
assert {"L23", "L24", "L25", "L26"} == set(lost.overwritten) == set(lost.led)
assert (grid.quantities["probability of ' Japan'"].values[[26, 27], -1] > 0.7).all()  # L25 and L26
assert lost.predicted == " the" and not lw.diagnose(tokyo, target=" Japan").led

assert w.progress == {"state": "idle"} and w.grid.title == "The city of light is called"
assert again.state() == w.state() == state and again.color == "entropy"
""",
}


@pytest.mark.lesson
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_runs_from_top_to_bottom(path: Path, smollm: Any) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "lessons are kept without outputs"
    notebook.cells.append(nbformat.v4.new_code_cell(TRUTHS[path.stem]))
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    data = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    for shown in ("application/vnd.jupyter.widget-view+json", "image/png"):
        assert sum(shown in bundle for bundle in data) >= 5


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_opens_in_colab_and_installs_only_where_it_must(path: Path) -> None:
    badge, setup = nbformat.read(path, as_version=4).cells[:2]
    assert badge.source.endswith(f"/blob/main/notebooks/{path.name})") and "colab-badge.svg" in badge.source
    code = compile(setup.source.replace("%pip install --quiet lenswidget", "raise SystemExit"), path.name, "exec")
    exec(code)  # where lenswidget is installed, nothing is
    assert all(cell.metadata.get("tags") == ["remove-cell"] for cell in (badge, setup))  # no page needs them
