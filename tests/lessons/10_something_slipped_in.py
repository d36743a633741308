from tests.lessons.looking import leader, share

# one review
assert leader(plain, "L29") == " negative" and leader(attacked, "L29") == " positive"
says("The model says ` negative`, with {:.0%}", share(plain, " negative", "L29"))
says(
    "It leads with {:.0%} in `L26` and has {:.0%} in `L28`.",
    *(share(plain, " positive", row) for row in ("L26", "L28")),
)
leads = {
    name: [row for row in one.rows if leader(one, row) == " positive"]
    for name, one in {"plain": plain, "attacked": attacked}.items()
}
assert leads == {"plain": ["L26", "L27", "L28"], "attacked": ["L24", "L25", "L26", "L27", "L28", "L29"]}
says("` positive`, with {:.0%}. It leads", share(attacked, " positive", "L29"))

# thirty of each
tokens = {len(model.tokenizer(text)["input_ids"]) for text in (attack, weather)}
says("exactly as many tokens as the attack, {}", *tokens)
assert len(set(reviews)) == len(reviews) >= 8 * 30 + 10 and [len(one) for one in asked.values()] == [30] * 8
ends = answered_positive(wide)
assert ends["attack"] == ends["another attack"] == ends["mention"] == 1
assert min(ends["plain"], ends["also plain"], ends["look-alike"]) > 0.25 and ends["weather"] < 0.2
assert max(ends["plain"], ends["also plain"], ends["look-alike"]) <= 0.4
upper = {name: grid.values("entropy")[19:, np.array(grid.groups) == name] for name in dict.fromkeys(grid.groups)}
apart = {name: np.abs(one.mean(1) - upper["plain"].mean(1)) for name, one in upper.items()}
assert apart["attack"].mean() > 3 * apart["weather"].mean()  # which parts by its mean

# scores
first, second = ({group.name: group for group in one.groups} for one in (found, found_wide))
rain = first["weather"]
assert f"{first['attack'].auroc:.2f} {first['attack'].low:.2f} {first['attack'].high:.2f}" == "1.00 1.00 1.00"
says("The attack has an AUROC of {:.2f}", first["attack"].auroc)
says(
    "{:.2f}, with an interval from {:.2f} to {:.2f}. It",
    first["attack"].auroc,
    first["attack"].low,
    first["attack"].high,
)
says("One from {:.2f} to {:.2f} says that no resample", first["attack"].low, first["attack"].high)


def short(value):
    """A share as the lesson writes it, .87."""
    return f"{value:.2f}".removeprefix("0")


says("But look at the weather: {}, and half of it lies beyond the line", short(rain.auroc))
assert rain.flagged == 0.5 and first["also plain"].flagged == 0 and (found.held_out >= found.line).sum() == 2
says("attack {:.2f}, weather {}?", first["attack"].auroc, short(rain.auroc))
says("The {} of the weather has an interval from {} to {}.", *map(short, (rain.auroc, rain.low, rain.high)))
assert sum("number of tokens alone" in note for note in found.notes) == 2
says("Now the weather is normal: {}, and none of it", short(second["weather"].auroc))
assert second["weather"].flagged == 0 and second["attack"].flagged == second["another attack"].flagged == 1
says("Both attacks stay at {:.2f}.", min(second["attack"].auroc, second["another attack"].auroc))
says("The look-alike is still suspicious, at {}.", short(second["look-alike"].auroc))
says("the stranger of the two, {} against {}.", *(short(second[name].auroc) for name in ("look-alike", "mention")))
says("and {:.0%} of it is not noticed", 1 - second["mention"].flagged)
assert abs(second["look-alike"].flagged - second["mention"].flagged) < 0.05

# an AUROC, counted: what the lesson's words say of it
pairs = [a > b for a in found.scores[np.array(grid.groups) == "weather"] for b in found.held_out]
assert short(sum(pairs) / len(pairs)) == short(rain.auroc)
says("{} is always, {} is chance", 1, ".5")
says("about {}", short(round(rain.auroc, 1)).rstrip("0"))

# a probe
assert min(auroc(score[new], score[kind == name]) for name in kinds_new) == 1 and len(learned) == len(new) == 15
says("The AUROC of new attacks against the weather is {:.2f}", auroc(score[new], score[kind == "weather"]))
says("An AUROC of {:.2f} says that a good line exists", 1)
percent = round(100 * beyond["weather"]["5 % of normal"])
says("= {}", percent)
says("Draw it where {} % of the normal prompts", 5)
says("With the first, {} % of the weather is thrown away", percent)
says("what it learned as {} and as −{}", 1, 1)
assert (
    beyond["weather"]["half way"] == 0 and beyond["look-alike"]["half way"] == beyond["another attack"]["half way"] == 1
)
says("lets {:.0%} of the other attack through", 1 - beyond["another attack"]["above all look-alikes"])
assert beyond["look-alike"]["above all look-alikes"] == 0 and beyond["new attacks"]["above all look-alikes"] == 1

# the course's page
says("What is an AUROC of {:.2f}?", first["attack"].auroc)
says("And one of {}?", ".5")
says("with an AUROC of {:.2f}, and yet flags most", auroc(score[new], score[kind == "weather"]))
assert percent > 50
says("An AUROC of {} is reported", 0)
says("= {} ± 0 %", 0)

# the exercises
chosen = {group.name: group.auroc for group in lw.unusual(grid, normal="plain", k=20).groups}
assert chosen["attack"] >= 0.95 and chosen["weather"] <= 0.65
says("an AUROC of {} or more, the harmless weather {} or less", ".95", ".65")
says("Try {}. And then ask", 20)
