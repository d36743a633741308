recovered, rows = sweep.values("recovered"), sweep.rows.index
assert sweep.check.holds and (recovered[:, 0] == 0).all()
names, last = recovered[: rows("L22") + 1, 2], recovered[rows("L23") :, 9]
says("each of those cells alone brings back {:.0f} % or more", 100 * names.min())
assert (last > 0.8).all() and abs(recovered[rows("L23") :, 2]).max() < 0.05
carried = attention.values("recovered")
assert divmod(int(carried.argmax()), carried.shape[1]) == (attention.rows.index("L23.attn"), carried.shape[1] - 1)
says("at the last token, brings back {:.2f}", carried.max())
says("= {:.2f} ± 0.02", carried.max())
of_heads = heads.values("recovered")
says("`L23H4` {:.2f} and `L23H5` {:.2f}.", of_heads[23, 4], of_heads[23, 5])
assert of_heads[29, 0] < -0.25
probability = lw.logit_lens(edited, targets=[" Paris"]).values("probability", target=" Paris")
says("the answer is ` Paris`, with {:.0f} %", 100 * probability[-1, -1])

parts = [lw.attribute(run, " Mary", against=" John", unit="head") for run in (john, without)]
before, after_all = (dict(zip(grid.rows, grid.values("contribution")[:, 0])) for grid in parts)
two = before["L23H2"] + before["L23H7"]
says("add {:.2f} and {:.2f} logits. If both are taken out, the difference of {:.2f} should fall by {:.2f}",
     before["L23H2"], before["L23H7"], total["before"], two)  # fmt: skip
says("it would be {:.2f}. It isn't", two)
cost = total["before"] - total["after"]
says("= {:.2f}", cost)
says("By {:.2f}! Attribution was not wrong", cost)
says("Two heads add {:.2f} logits, and taking both out costs {:.2f}", two, cost)
back = {name: after_all[name] - before[name] for name in ("L24H4", "L29H0", "L28.mlp", "L23H3", "L29H1")}
assert min(back.values()) > 0.2
says("let go of {:.2f} and {:.2f}", back["L24H4"], back["L29H0"])
found = shares.values("recovered")
says("`L23H3` brings back most, {:.2f}, as attribution said. But `L20H0` brings back {:.2f} and `L17H4` {:.2f}",
     found[23, 3], found[20, 0], found[17, 4])  # fmt: skip
says("Attribution gave `L20H0` {:.2f} of {:.2f}", before["L20H0"], total["before"])
assert abs(before["L17H4"]) < 0.01
read = dict(zip(scope.rows, scope.values("probability", target=" Paris")[:, -1]))
says("At `L23` the patchscope says ` Paris` with {:.0f} %", 100 * read["L23"])
assert all(read[f"L{layer}"] < 0.05 for layer in range(23))
raw = lw.logit_lens(paris, targets=[" Paris"])
assert next(row for row, rank in zip(raw.rows, raw.values("rank", target=" Paris")[:, -1]) if rank == 1) == "L27"
written = blame.writes(model, "I ate at the new restaurant. The food was", doses=[0, 1], max_new_tokens=1)
assert [written.text(i) for i in written.candidates.ids[:, 0, 0]] == [" amazing", " terrible"]
mlps = lw.patch(rome, paris, " Paris", against=" Rome", unit="mlp").values("recovered")
assert round(float(mlps[4, 2]), 1) == 0.4  # four tenths
says("Take it out of the run of the tower at `iffel`, position {}", 2)
says("Recovered is {}. What happened", 1)
