def at(grid, row, target):
    """The probability of a target in the last column, in percent."""
    return 100 * float(grid.values("probability", target=target)[grid.rows.index(row), -1])


leaders = {row: grid.text(token) for row, token in zip(grid.rows, grid.candidates.ids[:, -1, 0])}
assert [leaders[row] for row in ("L23", "L24", "L25")] == [" is"] * 3 and leaders["L22"] != " is"
assert overtakes(grid) == [("L26", -1)]
says("with {:.0f} % in `L24`, where ` are` has not even one", at(grid, "L24", " is"))
assert at(grid, "L24", " are") < 1 and 0.4 < at(grid, "L29", " is") < 0.6 and leaders["L29"] == " are"
says("At the end ` are` has {:.0f} % and ` is` half a percent", at(grid, "L29", " are"))
says("At the end ` are` has {:.0f} %, and a colon nearly as much", at(grid, "L29", " are"))
assert grid.text(grid.candidates.ids[-1, -1, 1]) == ":"

by_row = {prompt: are_less_is(prompt) for prompt in prompts}
keys_one, keys_many, key_one, key_many = (by_row[prompt]["L24"] for prompt in prompts)
signed = [f"{value:+.1f}".replace("-", "−") for value in (keys_one, key_one, keys_many, key_many)]
says("{} and {} before cabinet, {} and {} before cabinets", *signed)
assert all(by_row[prompt]["L28"] > 0 for prompt in prompts[:2]) and all(
    by_row[prompt]["L28"] < 0 for prompt in prompts[2:]
)

says("`L26H0` with {:.1f} logits and `L27H8` with {:.1f}.", wrote["L26H0"], wrote["L27H8"])
says("= {:.1f} ± 0.1 logits — Of {:.1f} in all", wrote["L26H0"], votes.values("contribution").sum())
source = dict(zip(reads.rows, reads.values("contribution")))
says("Yes: {:.1f} logits of its vote", source["L26H0"][1])
assert source["L26H0"].argmax() == source["L27H8"].argmax() == 1 and abs(source["L26H0"][[0, 2, 3, 4]]).max() < 0.2
(one, two) = table.values()
says("the difference falls to {}:", f"{two['measured']:.1f}".replace("-", "−"))
says("Attribution predicts that without both heads the difference is {}; measured, it is {}.",
     f"{two['as predicted']:.1f}".replace("-", "−"), f"{two['measured']:.1f}".replace("-", "−"))  # fmt: skip
assert one["measured"] > one["as predicted"] and two["measured"] > two["as predicted"]

recovered = sweep.values("recovered")
of = sweep.rows.index
says("every row up to `L25` brings back {:.0f} % or more", 100 * recovered[: of("L25") + 1, 1].min())
says("from `L27` on the last token has {:.0f} %", 100 * recovered[of("L27"), -1])
assert 0.3 < recovered[of("L26"), 1] < 0.7 and 0.3 < recovered[of("L26"), -1] < 0.8
says("In the sweep, recovered is {:.2f} at the last token in `L27`", recovered[of("L27"), -1])
says("kept it for {} blocks", of("L25"))
mlps = lw.patch(key, keys, " are", against=" is", unit="mlp").values("recovered")
assert mlps[0, 1] > 0.99

right = (forty["are − is"] > 0) == (forty.subject == "many")
says("= {}", int(right.sum()))
assert len(forty) == 40 and (forty.subject != forty.neighbour).sum() == 20
mean = forty.groupby(["subject", "neighbour"])["are − is"].mean()
says("` is` loses {:.1f} logits of its lead", mean["one", "many"] - mean["one", "one"])
assert abs(mean["many", "many"] - mean["many", "one"]) < 0.5
says("0 is the base, {} the source", 1)  # what recovered is
