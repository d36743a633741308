raw, fitted, trained, derived = measured.kl.T
assert trained[:-2].mean() < fitted[:-2].mean() < derived[:-2].mean() < raw[:-2].mean()
assert (fitted[:-1] < raw[:-1]).all()
assert (raw[:25] > 1.5 * measured.blind).all()
assert (fitted[24:] < measured.blind).all()

lenses = lw.LogitLens(), linear, jacobian
ranks = [lw.read(tower, lens, targets=[" Paris"]).quantities["rank of ' Paris'"].values[:, -1] for lens in lenses]
assert ranks[1][22] < ranks[0][22]
leads = [tower.labels[int((rank == 1).argmax())] for rank in ranks]
assert (leads[0], leads[2]) == ("L27", "L23")

answers = {}
for row in (6, 28):
    direction = towards + linear.weight[row].T @ towards
    answers[row] = [float(change[london] - change[paris]) for change in moved_by(row, direction)]
assert min(lens for lens, _ in answers.values()) > 2
assert abs(answers[6][1]) < answers[6][0] / 4 and answers[28][1] > answers[28][0] / 2
