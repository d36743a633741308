from math import ceil

from tests.lessons.looking import lead, leader, share

# gold, and its symbol
says("The model will say Au, with {:.0%}", share(gold, " Au", "L29"))
says("At L22, seven rows below the answer, gold has {:.0%}", share(gold, " gold", "L22"))
assert len(gold.rows) - 1 - gold.rows.index("L22") == 7
said = [leader(gold, row) for row in ("L23", "L24", "L25", "L26", "L27", "L28", "L29")]
assert said == [" gold"] * 5 + [" Au"] * 2 and leader(gold, "L22") not in said
says(
    "From {:.0%} to {:.0%} in one step, there for five rows, and gone in two",
    share(gold, " gold", "L22"),
    share(gold, " gold", "L23"),
)
says(
    "At L23 gold leads with {:.0%}, and it leads in five rows, up to L27, with {:.0%} at L25",
    share(gold, " gold", "L23"),
    share(gold, " gold", "L25"),
)
assert max(share(gold, " Au", row) for row in gold.rows[:-3]) < 0.01 and gold.rows[-4] == "L26"
says("Up to L26 Au never has 1 %, and at L27 it has {:.0%}", share(gold, " Au", "L27"))
says(
    "Au takes the lead, with {:.0%} at L28, and in the last row it has {:.0%}",
    share(gold, " Au", "L28"),
    share(gold, " Au", "L29"),
)
says("does not explain the {:.0%}", share(gold, " gold", "L23"))
says("= {} ± 0 — At L28", gold.rows.index("L28") - 1)
says("says gold, {:.0%}.", share(gold, " gold", "L24"))
says("At L24 the tuned lens says gold, with {:.0%}.", share(gold, " gold", "L24"))

# seven elements
names = list(elements)
column = {name: [leader(metals, row, names.index(name)) for row in metals.rows] for name in names}
at = metals.rows.index
nearest = [{leader(metals, "L20", place, behind) for behind in range(3)} for place in range(len(names))]
assert all(" sodium" in first for first in nearest) and not any(" metal" in first for first in nearest)
says("At L20 nothing has {} %.", ceil(100 * max(lead(metals, "L20", place) for place in range(len(names)))))
says("it even leads, with {:.0%} at L21", lead(metals, "L21", names.index("potassium")))
assert column["potassium"][at("L20") :] == [" sodium"] * 3 + [" potassium"] * 4 + [" K"] * 3
assert all(column[name][at("L23")] == f" {name}" and column[name][-1] == elements[name] for name in names)
long = {name: column[name].count(f" {name}") for name in names}
assert min(long[name] for name in names if name != "lead") == 3 and long["lead"] == 1
after = {name: column[name][at("L23") + long[name]] for name in names}
assert [name for name in names if after[name] != elements[name]] == ["lead"]
says("it leads in one row only, with {:.0%}", lead(metals, "L23", names.index("lead")))
behind = [leader(metals, "L24", names.index("lead"), place) for place in range(5)]
assert column["lead"][at("L25")] == " Pb" and " lead" not in behind
assert share(lw.read(lw.run(model, "The chemical symbol for lead is"), tuned, targets=[" lead"]), " lead", "L24") < 0.01
says("the name has less than 1 %")
assert metals.rows[int(metals.decision[names.index("silver")])] == "L26"
assert metals.decision[names.index("silver")] < metals.decision[names.index("gold")]

# an echo?
highest = float(price.values("probability", target=" gold")[:, -1].max())
says("Under {} %", ceil(100 * highest))
says("stays under {} %", ceil(100 * highest))
says("At L22 gold has {:.0%}.", share(rings, " gold", "L22"))
lent = {row: share(rings, " gold", row) for row in rings.rows}
assert [row for row in rings.rows if leader(rings, row) == " gold"] == ["L25", "L26", "L27", "L28"]
assert leader(rings, "L24") == " silver"
says("At L24 silver leads, with {:.0%}", lead(rings, "L24"))
says("gold leads, from L25 to L28, with up to {:.0%}", max(lent.values()))
says("the last row says{}, with {:.0%}", leader(rings, "L29"), lead(rings, "L29"))
assert max(share(rings, " Au", row) for row in rings.rows) < 0.005

# who wrote it
given = dict(zip(parts.rows, parts.values("contribution")[:, 0].astype(float)))
whole, (first, second) = sum(given.values()), sorted(given, key=given.get)[:-3:-1]
assert (first, second) == ("L28.mlp", "L29.mlp")
says("Au is ahead of gold by {:.1f} logits. Which part", whole)
says("Au is ahead of gold by {:.1f} logits, and two MLPs together write {:.1f}.", whole, given[first] + given[second])
says("all of them together make {:.1f}.", whole)
says(
    "{} with {:+.1f} and {} with {:+.1f}, in sum {:.1f} of {:.1f}",
    first,
    given[first],
    second,
    given[second],
    given[first] + given[second],
    whole,
)
says("After block 23 the sum stands at −{:.1f}", -sums["L23.mlp"])
says("the sum of shares for Au over gold is −{:.1f}.", -sums["L23.mlp"])
says(
    "Up to block 27 that is taken back, to −{:.1f}. The last two MLPs bring it to {:+.1f}.",
    -sums["L27.mlp"],
    sums["L29.mlp"],
)

# what the raw lens says
raw = lw.logit_lens(gold_run, targets=[" gold", " Au"])
assert '"' in leader(raw, "L24")
says("It would say a quotation mark, with {:.0%}", lead(raw, "L24"))
assert share(raw, " gold", "L24") < 0.01
says("gold has less than 1 %")
says("gold never has more than {:.0%}", max(share(raw, " gold", row) for row in raw.rows))
assert not any(leader(raw, row) == " gold" for row in raw.rows)
assert "tuned lens" in str(lesson.check("stopped-there", round(share(gold, " gold", "L24"), 2), raw))
