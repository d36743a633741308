from tests.lessons.looking import lead, leader, share

# gold, and its symbol
says("The model will say Au, with {:.0%}", share(gold, " Au", "L29"))
says("At L22, eight rows below the answer, gold has {:.0%}", share(gold, " gold", "L22"))
assert len(gold.rows) - 1 - gold.rows.index("L22") == 7
said = [leader(gold, row) for row in ("L23", "L24", "L25", "L26", "L27", "L28", "L29")]
assert said == [" gold"] * 5 + [" Au"] * 2 and leader(gold, "L22") not in said
says(
    "From {:.0%} to {:.0%} in one step, there for five rows, and gone in two",
    share(gold, " gold", "L22"),
    share(gold, " gold", "L23"),
)
says("At L23 gold leads with {:.0%}", share(gold, " gold", "L23"))
assert max(share(gold, " Au", row) for row in gold.rows[:-2]) < 0.01
says("In all that time Au never has 1 %.")
says("Au has {:.0%} at L28, and in the last row {:.0%}", share(gold, " Au", "L28"), share(gold, " Au", "L29"))
says("does not explain the {:.0%}", share(gold, " gold", "L23"))
says("= {} ± 0 — At L28", gold.rows.index("L28") - 1)
says("says gold, {:.0%}.", share(gold, " gold", "L24"))
says("At L24 the tuned lens says gold, with {:.0%}.", share(gold, " gold", "L24"))

# seven elements
names = list(elements)
at = {name: [leader(metals, row, names.index(name)) for row in ("L22", "L23", "L29")] for name in names}
assert sum(first == " sodium" for first, _, _ in at.values()) == 5
assert [name for name in names if at[name][1] != f" {name}"] == ["lead"]
assert all(at[name][2] == elements[name] for name in names)
says("leads at L23 already, at {:.0%}", lead(metals, "L23", names.index("lead")))
assert [leader(metals, "L23", names.index("lead"), place) for place in (0, 1)] == [" Pb", " lead"]
assert at["silver"] == [" sodium", " silver", " Ag"]
assert metals.decision[names.index("silver")] < metals.decision[names.index("gold")]

# an echo?
highest = float(price.values("probability", target=" gold")[:, -1].max())
says("{:.0%} at most", highest)
assert highest < 0.03
says("stays under 3 %")
says("At L22 gold has {:.0%}.", share(rings, " gold", "L22"))
lent = {row: share(rings, " gold", row) for row in rings.rows}
assert all(leader(rings, row) == " gold" for row in ("L23", "L24", "L25", "L26", "L27", "L28"))
says("gold leads from L23 to L28, with up to {:.0%}", max(lent.values()))
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
