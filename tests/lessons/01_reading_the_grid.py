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
