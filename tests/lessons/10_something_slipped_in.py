said = [
    lw.logit_lens(run, targets=[word]).values("probability", target=word)[-1, -1]
    for run, word in ((plain, " negative"), (attacked, " positive"))
]
assert [round(float(share), 2) for share in said] == [0.72, 0.79]
assert len({len(model.tokenizer(text)["input_ids"]) for text in (attack, weather)}) == 1
assert obeyed["attack"] == 1 and obeyed["weather"] < obeyed["plain"] < 0.5
first, second = ({group.name: group for group in one.groups} for one in (found, found_wide))
assert first["attack"].auroc > 0.995 and first["also plain"].auroc < 0.6
assert abs(first["weather"].auroc - 0.87) < 0.02 and 0.4 < first["weather"].flagged < 0.6
assert abs(first["weather"].low - 0.76) < 0.03 and abs(first["weather"].high - 0.94) < 0.03
assert sum("number of tokens alone" in note for note in found.notes) == 2
assert second["attack"].auroc > 0.995 and abs(second["weather"].auroc - 0.62) < 0.03 and second["weather"].flagged == 0
assert abs(second["look-alike"].auroc - 0.85) < 0.03
assert min(ahead.values()) > 0.995 and flagged["look-alike"] == 1 and abs(flagged["weather"] - 0.83) < 0.05
