from tests.lessons.looking import leader, share

# two stories
raw, fitted = both.grids
assert [grid.rows[int(grid.decision[-1])] for grid in both.grids] == ["L27", "L23"]
says("from L23, with {:.0%}", share(fitted, " Paris", "L23"))
assert leader(raw, "L23") == ","

# four lenses
bits = {(lens, layer): far for lens, layer, far in table[["lens", "layer", "KL to the output"]].itertuples(index=False)}
says("This blind guess is {:.1f} bits from the output", measured.blind)
says("The blind guess is {:.1f} bits off.", measured.blind)
says("About {:.0f} bits: far worse than not looking", bits["Logit lens", "L12"])
says("The raw lens at L12 is about {:.0f} bits from the output.", bits["Logit lens", "L12"])
says("The tuned lens, at the same row, is {:.0f} bits away.", bits["Tuned lens", "L12"])
far = [bits[lens, "L23"] for lens in ("Logit lens", "Jacobian lens", "Tuned lens")]
says(
    "At L23 the raw lens is {:.1f} bits from the output, the Jacobian lens {:.1f}, the tuned lens {:.1f}",
    *far,
)
says("{:.1f} bits at L23 is a mean", far[2])
assert far[2] < bits["Linear lens", "L23"] < far[1] < far[0]
nearer = {
    lens: [layer for (one, layer), each in bits.items() if one == lens and each < measured.blind] for lens, _ in bits
}
assert nearer["Logit lens"] == ["L27", "L28", "L29"] and nearer["Tuned lens"] == list(raw.rows[2:])
says("0 bits: the row says exactly")
says("= 0 ± 0 bits")
says("At the last row the distance is {:.0f}.", bits["Logit lens", "L29"])

# pushed
says("the lens now reads London with {:.0%}", share(pushed, " London", "L17"))
from_the_push = list(pushed.rows[pushed.rows.index("L17") :])
assert [leader(pushed, row) for row in from_the_push] == [" London"] * 6 + [" Paris"] * 7
assert from_the_push[5] == "L22" and share(pushed, " London", "L29") < 0.01
says("comes block 23, and Paris leads with {:.0%}", share(pushed, " Paris", "L23"))
says("London has less than 1 %")
at = causes.loc
says("reads London with {:.0%}, and the model gives it {:.0%} in the end", *at["L23"])
says("At L27 the two are {:.0%} and {:.0%}", *at["L27"])
ends = {row: lw.read(push(row), tuned) for row in ("L23", "L27")}
assert [leader(ends["L23"], "L29", place=place) for place in (0, 1)] == [" Paris", " London"]
assert leader(ends["L27"], "L29") == " London"
assert list(causes.index[causes["lens, at this row"] > 0.5]) == ["L5", "L17", "L23", "L27"]
assert (
    at["L5"].iloc[1] < 0.01 and at["L11"].iloc[1] < 0.01 and at["L17"].iloc[1] < at["L23"].iloc[1] < at["L27"].iloc[1]
)
said = london_after(0.6)
says("London has {:.0%}, and leads", said)
assert leader(lw.read(push("L17", 0.6), tuned), "L29") == " London"
assert london_after(0.4) < 0.5 < london_after(0.8)
says("gives London more than 50 %")
broken = lw.read(push("L17", 1.5), tuned, targets=[" London", " Paris"])
assert max(share(broken, city, "L29") for city in (" London", " Paris")) < 0.01
