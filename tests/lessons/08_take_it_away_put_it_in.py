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
