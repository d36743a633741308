from lenswidget.lessons.course.answers_that_were_lost import _ENOUGH
from tests.lessons.looking import lead, leader


def at(grid, row, target):
    """The probability of a target in the last column, in percent."""
    return 100 * float(grid.values("probability", target=target)[grid.rows.index(row), -1])


oxygen, helium = (lambda row, one=name: at(grid, row, one) for name in (" oxygen", " helium"))
leads = [row for row, rank in zip(grid.rows, grid.values("rank", target=" oxygen")[:, -1]) if rank == 1]
assert leads == ["L21", "L25", "L26", "L27", "L28"]
assert [leader(grid, row) for row in ("L22", "L23", "L24")] == [" hydrogen"] * 3
says("In `L20` the lens gives ` oxygen` {:.0f} % and ` helium` {:.0f} %.", oxygen("L20"), helium("L20"))
first, second = (100 * lead(grid, "L21", place=place) for place in (0, 1))
assert leader(grid, "L21", place=1) == " hydrogen" and first - second < 1 and round(first) == round(second)
says("level with ` hydrogen`: {:.0f} % each", first)
assert all(lead(grid, row, place=1) < lead(grid, row) / 2 for row in leads[1:])
says(
    "It stands at {:.0f} % in `L27` and at {:.0f} % in `L28`. Then, in one block, it falls to {:.0f} %",
    oxygen("L27"),
    oxygen("L28"),
    oxygen("L29"),
)
says("` helium` goes from {:.0f} % to {:.0f} %", helium("L28"), helium("L29"))
says("= {} ± 0 rows", len(leads))
share = dict(zip(votes.rows, votes.values("contribution")[:, 0]))
says("which is {:.1f}: a narrow victory", votes.values("contribution").sum())
assert max(share, key=share.get) == "L29.mlp"
says("with {:.1f} logits. So it seems", share["L29.mlp"])
says("Without {:.1f} logits for ` helium`", share["L29.mlp"])
after = lw.logit_lens(without, targets=[" oxygen", " helium"])
assert after.text(after.candidates.ids[-1, -1, 0]) == " a" and at(after, "L29", " oxygen") < 1 > at(
    after, "L29", " helium"
)

counts = [lost_answers(capitals)[0] for capitals in read.values()]
assert [(one.right, one.lost, one.never) for one in counts] == [(19, 0, 5), (19, 5, 0)] and len(prompts) == 24
lost = [one for one in answered(read[tuned.name]) if one.lost]
assert [prompts[one.prompt].split()[3] for one in lost] == ["Egypt", "Poland", "Peru", "Iran", "Iraq"]
assert all(read[tuned.name].text(read[tuned.name].candidates.ids[-1, one.prompt, 0]) == " the" for one in lost)
assert "United Arab Emirates" in goes_on(prompts[4]) and goes_on(tokyo.prompt, 7).endswith("narakyo.")
ranks = japan.values("rank", target=" Japan")[:, -1]
assert (ranks == 1).sum() == 4
says("with up to {:.0f} %, then ` the`", 100 * japan.values("probability", target=" Japan")[ranks == 1, -1].max())

love, stars, sun = (controls[subject] for subject in ("Love", "Stars", "The sun"))
says("For love, `L27` gives ` oxygen` {:.0f} %, for water {:.0f} %", at(love, "L27", " oxygen"), oxygen("L27"))
assert at(love, "L27", " oxygen") > 0.8 * oxygen("L27") and leader(love, "L27") == leader(love, "L29") == " oxygen"
assert leader(stars, "L27") == leader(sun, "L27") == " helium"
helium_leads = sun.values("rank", target=" helium")[:, -1] == 1
assert helium_leads[24:].all() and not helium_leads[23] and sun.rows[24] == "L23"
assert all(at(one, "L29", " helium") > at(one, "L28", " helium") for one in controls.values())
spoken = [parts["L29.mlp"] for parts in shares.values()]
says("with {:.1f} logits for water, {:.1f} for love, {:.1f} for stars and {:.1f} for the sun", *spoken)
# that vote decides
assert all(0 < shares[subject].sum() < shares[subject]["L29.mlp"] for subject in ("Water", "Stars"))
says("end in ` helium`, rightly, with {:.0f} %", at(stars, "L29", " helium"))
says("the model says ` oxygen`, with {:.0f} %", at(love, "L29", " oxygen"))
says("It has {:.0f} % for a flight", 100 * said["I flew to Tokyo because of"])
assert [value > 0.5 for value in said.values()] == [True, True, True, False]
(other_way,) = lost_answers(lw.trajectories(model, turned_round, tuned, target=countries))
assert other_way.right == 5

says("in `L27` with {} % or more", _ENOUGH)
joy = lw.read(lw.run(model, "Joy is made of hydrogen and"), tuned, targets=[" oxygen"])
assert at(joy, "L27", " oxygen") > oxygen("L27")  # it beats water, says the hint
says("Where a token leads, that is {}", int(min(grid.values("rank", target=" oxygen")[:, -1])))
