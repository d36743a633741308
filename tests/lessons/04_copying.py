from tests.lessons.looking import leader, share

# the answer arrives
says("At L20, moon has {:.0%}", share(moon, " moon", "L20"))
path = [share(moon, " moon", row) for row in ("L21", "L22", "L23", "L29")]
says("{:.0%} at L21, {:.0%} at L22, {:.0%} at L23. And then a little less: {:.0%} in the last row.", *path)
assert max(share(moon, " moon", row) for row in moon.rows) == path[2]
assert [row for row in moon.rows if leader(moon, row) == " moon"] == list(moon.rows[moon.rows.index("L21") :])
says("it is {:.0%} sure", path[3])
says("moon has {:.0%} in the end", path[3])
says("moon had {:.0%} at L22, and led", path[1])
ends = rounds.values("probability of the target")[-1]
says("{:.0%}, {:.0%}, {:.0%}. One number", *ends)
says("= {:.0f} ± 1 %", 100 * ends[0])
assert rounds.values("probability of the target")[:, 1].max() > ends[1] > ends[0]
for one in shorter:
    says("{} …", one)

# who reads it
votes_of = {head: looks.values("contribution")[looks.rows.index(head)] for head in ("L23H7", "L23H1", "L23H2", "L24H4")}
assert looks.text(looks.columns[10]) == " moon" and all(abs(one).argmax() == 10 for one in votes_of.values())
says(
    "L23H7 votes {:+.1f} for it, L23H1 {:+.1f}, L23H2 {:+.1f}.",
    *(votes_of[head][10] for head in ("L23H7", "L23H1", "L23H2")),
)
says("votes −{:.1f}.", -votes_of["L24H4"][10])
given = dict(zip(votes.rows, votes.values("contribution")[:, 0].astype(float)))
of_heads = sorted((part for part in given if "H" in part and part.startswith("L23")), key=given.get)
assert set(of_heads[-3:]) == set(copiers)
together = sum(given[head] for head in copiers)
says("with {:.1f} logits together", together)
says("Three heads with {:.1f} logits of votes", together)
says("to take {:.1f} logits of votes away", together)
assert min(given, key=given.get) == "L24H4" and max(given, key=given.get) == "L29.mlp"

# taken out
said, vote = table["moon"], table["vote of L24H4"]
says("Without the three, moon has {:.0%}: more than with them", said["without the three"])
says("About {:.0%}: a little more than before", said["without the three"])
says("From {:.0%} to {:.0%}.", said["as it is"], said["without the three"])
says(
    "L24H4 votes −{:.2f} as things are, and −{:.2f} when the three are gone",
    -vote["as it is"],
    -vote["without the three"],
)
says("Its vote went from −{:.2f} to −{:.2f}.", -vote["as it is"], -vote["without the three"])
says("moon rises from {:.0%} to {:.0%}", said["as it is"], said["without L24H4"])
says("From {:.0%} to {:.0%}.", said["as it is"], said["without L24H4"])
says("One of them moved it by {:.0f} points", 100 * (said["without L24H4"] - said["as it is"]))
assert (said - said["as it is"]).abs().idxmax() == "without L24H4"
assert said["as it is"] * 0.75 < said["without L23H7"] < said["as it is"]
changed = lw.attribute(lw.run(model, prompt, edits=[lw.Edit(head, to=0) for head in copiers]), " moon").values(
    "contribution"
)
rose = float(changed.sum()) - sum(given.values())
assert 0 < rose < 0.2
says("by less than 0.2 logits")

# what misleads
says("L29.mlp has {:+.1f} for moon", given["L29.mlp"])
says("has a vote of {:+.1f} for moon", given["L29.mlp"])
both = lw.attribute(copying, " moon", against=" cat")
apart = float(both.values("contribution")[both.rows.index("L29.mlp"), 0])
says('against=" cat", and it has {:+.1f}', apart)
says("Against cat it is {:.1f}.", apart)
raw = lw.logit_lens(copying, targets=[" moon"])
assert max(share(raw, " moon", row) for row in raw.rows[:-1]) < 0.005
assert leader(tea, "L29") == " both" and leader(moon, "L29") == " moon"
says("Its numbers sum to 1.")
says("A pattern always sums to 1.")
says("A head's vote is 0.")
