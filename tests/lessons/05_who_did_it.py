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
difference = lw.logit_lens(mary, targets=[" Mary"], against=" John").quantities[
    "logit difference of ' Mary' from ' John'"
]
assert (difference.values[:24, -1] < 0).all() and (difference.values[24:, -1] > 0).all()

lowered = lw.promotes(model, written).candidates.ids[0, 10:, 0]
assert model.to_single_token(" John") == lowered[0]

predicted, found = experiment["predicted"].mean(), experiment["measured"].mean()
assert 2 < found < predicted and (experiment["predicted"] - experiment["measured"]).abs().max() > 1
assert change.drop("L23H3").idxmax() == "L24H4" and change["L24H4"] > 0.8
assert each.loc["L23H0"].mean() > 0.9 and abs(measured) < 0.1
