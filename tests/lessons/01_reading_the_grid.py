from tests.lessons.looking import lead, leader, rank, share, value

# the model
assert round(sum(one.numel() for one in model.parameters()) / 1e6) in (134, 135)  # its name says 135
says("SmolLM2, with 135 million parameters")
says("a list of {} numbers", model.cfg.d_model)
says("{} blocks follow, one after another", model.cfg.n_layers)
says("the same list of {} numbers", model.cfg.d_model)
says("for each of the {:,} tokens that the model has", model.cfg.d_vocab)
says("after block 14 of the {}", model.cfg.n_layers)
says("The grid has {} rows, and the model has {} blocks", len(william.rows), model.cfg.n_layers)

# William
says("{} leads there, with {:.0%}.", leader(william, "L14").strip(), lead(william, "L14"))
assert {" Christopher", " Samuel"} < {leader(william, "L14", place=place) for place in range(1, 5)}
says("At L20 the leading token has {:.0%}", lead(william, "L20"))
says("Shakespeare is on place {}", rank(william, " Shakespeare", "L20"))
says(
    "{} leads with {:.0%}, then{} with {:.0%}",
    leader(william, "L22").strip(),
    lead(william, "L22"),
    leader(william, "L22", place=1),
    lead(william, "L22", place=1),
)
says("Shakespeare is on place {} now", rank(william, " Shakespeare", "L22"))
says("At L23{} leads with {:.0%}", leader(william, "L23"), lead(william, "L23"))
assert leader(william, "L24") == " Juliet" and share(william, " Juliet", "L23") > 0.8 * lead(william, "L23")
says("{:.0%} to {:.0%}", lead(william, "L24"), share(william, " Shakespeare", "L24"))
says(
    "At L25{} has {:.0%}, and Juliet {:.0%}",
    leader(william, "L25"),
    lead(william, "L25"),
    share(william, " Juliet", "L25"),
)
says("Shakespeare, {:.0%}", share(william, " Shakespeare", "L29"))
assert {leader(william, row, column=6) for row in william.rows} == {" a"} and list(william.decision[1:]).count(0) == 1
says("For William it is {}", william.rows[int(william.decision[-1])])

# Canada and its cities
assert share(canada, " Ottawa", "L22") < 0.01
says("gives Ottawa less than 1 %")
says("the leader is{}, with {:.0%}", leader(canada, "L23"), lead(canada, "L23"))
turns = [(leader(canada, row).strip(), lead(canada, row)) for row in ("L24", "L25", "L26")]
says(
    "{} leads at L24, with {:.0%}, {} at L25, with {:.0%}, {} at L26, with {:.0%}", *(x for turn in turns for x in turn)
)
says("{} leads at L24, {} at L25, {} at L26", *(name for name, _ in turns))
later = [lead(canada, row) for row in ("L27", "L28", "L29")]
says("{:.0%} at L27, {:.0%} at L28, and {:.0%} in the end", *later)
assert all(leader(canada, row) == " Ottawa" for row in ("L25", "L27", "L28", "L29")) and later == sorted(later)[::-1]
says("says the right word with {:.0%}", share(canada, " Ottawa", "L29"))
open_answers, few = (value(grid, "entropy", "L29") for grid in (canada, william))
says("is {:.1f} bits: as open as a choice among {:.0f} words", open_answers, 2**open_answers)
says("For Shakespeare it was {:.1f} bits", few)
says("The entropy says so: {:.1f} bits against {:.1f}.", open_answers, few)
says(
    "Ottawa ends with {:.0%}, Shakespeare with {:.0%}",
    share(canada, " Ottawa", "L29"),
    share(william, " Shakespeare", "L29"),
)
came = [rank(canada, " Ottawa", row) for row in ("L21", "L22", "L23")]
says("rank {:,} at L21, rank {:,} at L22 and rank {} at L23", *came)
says("goes from {:,} to {:,} between two rows", *came[:2])
says("Rank {:,} doesn't.", came[1])
assert share(canada, " Ottawa", "L22") < 0.005
says("Rank 1 leads.")

# the opposite of hot
assert [leader(hot, "L22", place=place) for place in range(3)] == [" warm", " cold", " hot"]
assert [leader(hot, row) for row in ("L23", "L24", "L25")] == [" warm", " warm", " cold"]
says("warm is ahead with {:.0%}, and cold has {:.0%}", lead(hot, "L24"), share(hot, " cold", "L24"))
says("at L25 cold jumps to {:.0%}", share(hot, " cold", "L25"))
steps = hot.values("probability", target=" cold")[:, -1]
assert hot.rows[1 + int((steps[1:] - steps[:-1]).argmax())] == "L25"

# another lens
raw = lw.logit_lens(lw.run(model, "The author of Romeo and Juliet is William"))
says(
    "At L24 the raw lens reads{}, with {:.0%}, where the tuned lens reads{}",
    leader(raw, "L24"),
    lead(raw, "L24"),
    leader(william, "L24"),
)
says("himself, with {:.0%}", lead(raw, "L24"))
says("the other{}", leader(william, "L24"))

# quiz and hints
says("= 1 ± 0")
says("A row has an entropy of 0.1 bits.")
says("0 bits: one token has everything.")
says("its probability stays near 0.")
says("in the last row it is {:.0f}.", value(canada, "KL to the output", "L29"))
says("which is 0; so L23 is row {}", canada.rows.index("L23"))
assert min(canada.rows.index("L24"), 24) == 24
says("10 or less")
