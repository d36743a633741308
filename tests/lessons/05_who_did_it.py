assert turns(grid) == [("L23", -1)]
assert (whole > 0).all()
says("by {:.1f} to {:.1f} logits, {:.1f} on average", whole.min(), whole.max(), whole.mean())
says("= {} ± 0 prompts — All of them, by {:.1f} logits or more", int((whole > 0).sum()), whole.min())
parts = lw.attribute(mary, " Mary", against=" John").to_dataframe().set_index("layer")["contribution"]
assert parts.idxmax() == "L23.attn"
mean, spread, votes = each.mean(axis=1), each.std(axis=1, ddof=0), (each > 0).sum(axis=1)
says("{} heads, and a handful have any color", sum("H" in row for row in each.index))
says("head {} of block {}: on average it alone brings {:.1f} of {:.1f} logits", 3, 23, mean["L23H3"], whole.mean())
only_heads = mean[mean.index.str.contains("H")].sort_values()
assert list(only_heads.index[-3:]) == ["L23H0", "L29H1", "L23H3"] and only_heads.index[0] == "L29H0"
assert votes["L23H3"] == votes["L29H1"] == 12 and votes["L29H0"] == 0
assert spread["L29.mlp"] > 5 * abs(mean["L29.mlp"]) and round(spread["L29.mlp"]) == 2
assert each.loc["L29.mlp"].iloc[6] > 0 > each.loc["L29.mlp"].iloc[7]
says("gives ` Sarah` {:.0f} logits more than ` David`", each.loc["L29.mlp"].iloc[6])
assert round(-each.loc["L29.mlp"].iloc[7]) == 3

source = dict(zip(looks.rows, looks.values("contribution")))
tokens = [looks.text(token) for token in looks.columns]
assert [tokens[source[head].argmax()] for head in ("L23H3", "L23H0", "L29H1")] == [" John", " Mary", " to"]
assert source["L23H3"].argmax() == 9  # the second John
says("All of its {:.1f} logits come from", source["L23H3"].sum())
says("`L23H3` brings ` Mary` {:.1f} logits ahead", source["L23H3"].sum())
says("hardly says ` Mary` at all: {:.1f}.", sides[" Mary"]["L23H3"])
says("It says not ` John`: {}.", f"{sides[' John']['L23H3']:.1f}".replace("-", "−"))
lowered = lw.promotes(model, written).candidates.ids[0, 10:, 0]
assert model.to_single_token(" John") == lowered[0]
jump = lw.explain(mary, " Mary", "L29", against=" the").to_dataframe().set_index("layer")["contribution"]
says("{:.1f} of {:.1f} logits. In which name", jump["L29.mlp"], jump.sum())

costs = {head: cost(head) for head in ("L23H3", "L23H0")}
minus = f"{costs['L23H0']:.2f}".replace("-", "−")
says("`L23H3`: {:.2f} predicted, {:.2f} measured", mean["L23H3"], costs["L23H3"])
says("`L23H0`: {:.2f} predicted, {} measured", mean["L23H0"], minus)
says("votes for it, with {:.2f} logits on average", mean["L23H0"])
assert abs(costs["L23H0"] + 0.05) < 0.1  # the question asks for -0.05, give or take 0.2
says("the answer would be {:.2f}. It isn't", mean["L23H0"])
says("Attribution gives `L23H0` {:.2f} logits", mean["L23H0"])
says("`L24H4` gives back {:.2f}", change["L24H4"])
assert change.drop("L23H0").idxmax() == "L24H4"
says("Two heads cost {:.2f} and {} logits alone, and {:.2f} together", costs["L23H3"], minus, cost("L23H3", "L23H0"))
