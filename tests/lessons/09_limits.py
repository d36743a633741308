def at(grid, row, target, column=-1):
    """The probability of a target, in percent."""
    return 100 * float(grid.values("probability", target=target)[grid.rows.index(row), column])


says("ends in ` Paris`, with {:.0f} %", 100 * sure["(nothing)"])
says("` Paris` has {:.0f} % in `L22`", at(grid, "L22", " Paris"))
rows = [at(grid, row, " Paris") for row in ("L23", "L27", "L29")]
says("{:.0f} % in `L23`, {:.0f} % in `L27`, and {:.0f} % at the end", *rows)
assert rows[-1] > 100 * sure["(nothing)"]
says(
    "Not {:.0f} %, never {:.0f} %, always {:.0f} %; now only {:.0f} %",
    *(100 * sure[word] for word in ("not", "never", "always", "now")),
)
assert sure["now"] < 0.5 < sure["(nothing)"] < min(sure[word] for word in ("not", "never", "always", "still"))
says("For the tower it says ` Paris`, with {:.0f} %", 100 * moved["The Eiffel Tower"]["Paris"])
assert moved["The Eiffel Tower"]["Rome"] < 0.05 and all(
    moved[thing]["Rome"] > 0.3 > moved[thing]["Paris"] for thing in ("The book", "The statue")
)

raw, fitted, scope = readers.values()
assert raw.values("rank", target=" Japan")[:, -1].min() > 1 and scope.values("rank", target=" Japan")[:, -1].min() > 1
says("The tuned lens gives it {:.0f} % in `L25`", at(fitted, "L25", " Japan"))
says("The tuned lens has ` Japan` at {:.0f} % where", at(fitted, "L25", " Japan"))
says("never more than {:.0f} % for ` Japan`", 100 * scope.values("probability", target=" Japan")[:, -1].max())
assert {scope.text(token) for token in scope.candidates.ids[-8:, -1, 0]} == {" the"}
assert abs(raw.values("probability")[-1] - fitted.values("probability")[-1]).max() < 1e-6

assert [read.text(token) for token in read.columns[1:3]] == [" E", "iffel"] and read.rows[22] == "L21"
places = read.values("rank", target=" Paris")[:, 2]
best = read.rows[places.argmin()]
says("its best place in that column is {}, with {:.1f} %", int(places.min()), at(read, best, " Paris", 2))
says("in the middle rows, at its best in `{}`", best)
assert (places[20:23] > 10 * places[11:19].min()).all() and [read.rows[20], read.rows[22]] == ["L19", "L21"]
assert read.text(read.candidates.ids[22, 2, 0]) == " Tower"
says("in `L21` ` Tower` leads with {:.0f} %, and ` Paris` is in place {}",
     100 * read.values("probability")[22, 2], int(places[22]))  # fmt: skip
says("in `L21`, the tuned lens has ` Paris` in place {}", int(places[22]))
says("where the lens has ` Paris` in place {}", int(places[22]))
says("The Colosseum is now in ` Paris`, with {:.0f} %", at(lw.logit_lens(edited, targets=[" Paris"]), "L29", " Paris"))

says("= {} ± 0 steps", step)
assert all(next_token(taught, prompt) == " Lyon" for prompt in asked)
assert [next_token(model, prompt) for prompt in asked] == [" Paris", " Rome", " Paris", " cold"]
