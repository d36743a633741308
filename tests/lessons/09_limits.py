for name in ("probability of ' Paris'", "probability of ' Madrid'"):
    apart = abs(difference.quantities[name].values)
    assert (apart[:, :-2] == 0).all() and apart[-1, -1] > 0.1 and apart[:20, -1].max() < 0.01

divergence = lenses.differences[0].quantities["Jensen–Shannon"].values
assert divergence[-1].max() < 1e-6 and divergence[:-1, 1:].mean() > 0.1

below = paris.rows.index("L26")
same = [
    (whole == other).all(1)
    for whole, other in (
        (g.values, lacking.quantities[n].values)
        for n, g in paris.quantities.items()
        if n in ("probability", "entropy", "rank of ' Paris'")
    )
]
assert all(rows[:below].all() and not rows[below:].all() for rows in same)

grid = lw.read(tokyo, tuned, targets=[" Japan"])
lost = lw.diagnose(grid, target=" Japan")
said = model.generate(
    "Tokyo is the capital of", max_new_tokens=7, do_sample=False, use_past_kv_cache=False, verbose=False
)
assert said.endswith(" the city of narakyo.")
assert {"L23", "L24", "L25", "L26"} == set(lost.overwritten) == set(lost.led)
assert (grid.quantities["probability of ' Japan'"].values[[26, 27], -1] > 0.7).all()  # L25 and L26
assert lost.predicted == " the" and not lw.diagnose(tokyo, target=" Japan").led

assert w.progress == {"state": "idle"} and w.grid.title == "The city of light is called"
assert again.state() == w.state() == state and again.color == "entropy"
