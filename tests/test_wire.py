"""What crosses to the browser: the golden message, what the eye loses, and how many bytes it takes."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from lenswidget.grids.parts import ColumnQuantity, Quantity, Trajectories
from lenswidget.view.picture.numbers import number
from lenswidget.view.wire import ONE_PERCENT, PROBABILITIES, _places, _ranks, _steps, encode
from tests.golden.write import assert_alike, expected, golden_grid, golden_pieces, header_of
from tests.grids import hostile_grid, make_grid

GOLDEN = Path(__file__).parent / "golden"


def test_the_golden_pieces_are_what_we_write_today() -> None:
    def pieces(message: bytes) -> list[bytes]:
        found, at = [], 1
        while at < len(message):
            (length,) = struct.unpack_from("<I", message, at)
            found.append(zlib.decompress(message[at + 4 : at + 4 + length]))
            at += 4 + length
        return found

    kept = (GOLDEN / "pieces.lens").read_bytes()
    assert kept[0] == 0 and pieces(golden_pieces()) == pieces(kept), "python -m tests.golden.write"
    assert all(b"gone" not in piece for piece in pieces(kept)[1:])  # a piece has its own tokens alone


def test_the_golden_message_is_what_we_write_today() -> None:
    """The browser's tests decode this very file, so the two languages can't drift apart."""
    assert zlib.decompress(encode([golden_grid()])) == zlib.decompress((GOLDEN / "grid.lens").read_bytes()), (
        "the layout changed: raise VERSION in both twins if old messages can't be read, then python -m tests.golden.write"
    )
    assert_alike(json.loads((GOLDEN / "grid.json").read_text())["expected"], expected(golden_grid()))


def test_a_trajectory_loses_only_what_the_eye_cannot_see() -> None:
    probability = np.r_[1.0, 0.0, np.logspace(-3.9, 0, 400)].reshape(2, -1)
    with np.errstate(divide="ignore"):
        bits = np.log2(probability).astype(np.float32)
    none = np.zeros(2, dtype=np.int32)
    read = PROBABILITIES[_places(Trajectories(none, none, bits, np.zeros_like(bits, dtype=np.int32)))].T
    assert read[0, 0] == 1.0 and read[0, 1] == 0.0
    off = np.abs(read - probability)
    assert off.max() <= 0.005 and off[(probability > 0.01) & (probability < 0.0995)].max() <= 0.0005
    assert (off / np.maximum(probability, 1e-9))[probability > 1e-4].max() < 1 / 6
    assert (read[probability < 4e-5] == 0).all()


def test_a_card_shows_of_what_crossed_the_percentage_of_the_exact_number() -> None:
    def shown(probability: float) -> str:  # as js/src/text/number.ts
        p = 100 * probability
        return "< 0.1" if p < 0.1 else "> 99.9" if 99.9 < p < 100 else f"{p:.{1 if p < 9.95 or 99 < p < 100 else 0}f}"

    exact = np.random.default_rng(0).uniform(0.01, 1, 2000)
    # on the edge between two percentages either is right, and single precision decides
    edge = 1e4 * exact % 5
    exact = exact[(edge > 1e-2) & (edge < 4.99)]
    none = np.zeros(len(exact), dtype=np.int32)
    bits = np.log2(exact)[:, None].astype(np.float32)
    (places,) = _places(Trajectories(none, none, bits, np.zeros_like(bits, dtype=np.int32)))
    assert [shown(p).removesuffix(".0") for p in PROBABILITIES[places]] == [shown(p).removesuffix(".0") for p in exact]


def test_candidates_are_found_again_among_equal_places() -> None:
    random = np.random.default_rng(0)
    offsets = np.array([0, 7, 19, 24])
    places = random.integers(0, 3, (5, 24)).astype(np.uint8)
    entries = np.stack(
        [[random.permutation(np.arange(*ends))[:4] for ends in ((0, 7), (7, 19), (19, 24))] for _ in range(5)]
    )
    entries[2, 1, 1:3] = -1
    for row, column in np.ndindex(5, 3):
        known = sorted(range(*offsets[column : column + 2]), key=lambda entry: (-int(places[row, entry]), entry))
        found = [known[rank] if rank >= 0 else -1 for rank in _ranks(entries, places, offsets)[row, column]]
        assert found == entries[row, column].tolist()


def test_steps_of_places_lead_back_to_them() -> None:
    assert PROBABILITIES[ONE_PERCENT] == 0.01
    places = np.random.default_rng(0).choice([0, 3, ONE_PERCENT, 200], (6, 9)).astype(np.uint8)
    steps = [iter(one.tolist()) for one in _steps(places)]
    before = np.zeros(9, dtype=int)
    for row in places:
        before = np.array(
            [(b + next(steps[0 if b == 0 else 1 if b < ONE_PERCENT else 2])) % 256 for b in before.tolist()]
        )
        assert before.tolist() == row.tolist()
    assert not any([*one] for one in steps)


def test_candidates_that_no_trajectory_knows_cross_as_tokens() -> None:
    grid = make_grid()
    assert "ranks" in header_of(encode([grid]))["grids"][0]["candidates"]
    without = header_of(encode([replace(grid, trajectories=None)]))["grids"][0]["candidates"]
    assert without.keys() == {"tokens", "logProbability"}


def test_what_is_two_to_the_power_of_another_quantity_is_not_written() -> None:
    grid = make_grid()
    probability = grid.quantities["probability"]
    logarithm = Quantity("log-probability", np.log2(probability.values), unit="bits")
    quantities = {"probability": probability, "log-probability": logarithm, "entropy": grid.quantities["entropy"]}
    written = header_of(encode([replace(grid, quantities=quantities)]))["grids"][0]["quantities"]
    assert [one["values"].get("exponent") for one in written] == [1, None, None]


def test_half_of_a_surrogate_pair_crosses_as_valid_text() -> None:
    raw = zlib.decompress(encode([hostile_grid()]))
    (length,) = struct.unpack_from("<I", raw)
    assert "\ud83d" in json.loads(raw[4 : 4 + length].decode("utf-8"))["grids"][0]["tokens"]["texts"]


def test_ranks_are_exact_and_what_is_no_rank_is_kept() -> None:
    grid = make_grid()
    name = next(n for n in grid.quantities if n.startswith("rank"))
    ranks = grid.quantities[name].values.copy()
    ranks[0, 0], ranks[1, 1] = 70_001, np.nan
    for odd, dtype in ((3.0, "i4"), (np.inf, "f4"), (0.0, "f4"), (3e10, "f4")):
        ranks[2, 2] = odd
        changed = replace(grid, quantities={name: replace(grid.quantities[name], values=ranks)})
        values = header_of(encode([changed]))["grids"][0]["quantities"][0]["values"]
        assert values["dtype"] == dtype


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize(
    "numbers",
    [
        [0.0, 65_504.0, 65_505.0, 371_832.0], [3e10, -3e10, 1.0, 0.5], [1e-9, 3e-12, 0.25, 0.0], [1e-30, 1e30, -2.5, 7.0],
        [2_147_483_648.0, 1.0, 2.0, 3.0], [2_049.0, 2_051.0, 4_099.5, 0.125], [np.nan, np.inf, -np.inf, 1e-8],
    ],
)  # fmt: skip
def test_whatever_its_range_a_quantity_crosses_with_the_digits_that_are_shown(
    numbers: list[float], scale: Literal["linear", "log"]
) -> None:
    values = np.array(numbers, dtype=np.float32).reshape(2, 2)
    grid = replace(make_grid(2, 2), quantities={"size": Quantity("size", values, scale=scale)})
    message = encode([grid])
    read = unpacked(message, header_of(message)["grids"][0]["quantities"][0]["values"])
    np.testing.assert_array_equal(np.isfinite(read), np.isfinite(values))
    np.testing.assert_allclose(read, values, rtol=2**-11)
    for one, other in zip(read.ravel().tolist(), values.ravel().tolist()):
        assert abs(other) < 1000 or number(one) == number(other)


def test_what_half_precision_can_say_takes_no_more() -> None:
    values = np.array([[1e-5, 0.1], [2048.0, 0.0]], dtype=np.float32)
    grid = replace(make_grid(2, 2), quantities={"size": Quantity("size", values)})
    assert header_of(encode([grid]))["grids"][0]["quantities"][0]["values"]["dtype"] == "f2"


def unpacked(message: bytes, reference: dict) -> np.ndarray:
    """A packed array of a message, as the browser reads it."""
    raw = zlib.decompress(message)
    (length,) = struct.unpack_from("<I", raw)
    dtype = np.dtype("<" + reference["dtype"])
    count = int(np.prod(reference["shape"]))
    planes = np.frombuffer(raw, np.uint8, count * dtype.itemsize, 4 + length + reference["offset"])
    words = np.ascontiguousarray(planes.reshape(dtype.itemsize, count).T).view(f"<u{dtype.itemsize}")
    return np.cumsum(words.reshape(reference["shape"]), axis=0, dtype=words.dtype).view(dtype)


def test_what_is_known_of_columns_travels_as_text_and_numbers() -> None:
    scores = np.array([0.5, np.nan, 0.9], dtype=np.float32)
    below = ColumnQuantity("unusual", scores, unit="bits", line=0.9, says="{} from normal prompts")
    groups = ("</script><script>alert(1)</script>", "b", "b")
    grid = replace(make_grid(columns=3), groups=groups, column_quantities=(below,))
    raw = zlib.decompress(encode([grid]))
    (length,) = struct.unpack("<I", raw[:4])
    found = json.loads(raw[4 : 4 + length])["grids"][0]["below"]
    assert found["groups"] == list(groups)
    much = "0.9 bits from normal prompts, beyond the line at 0.9"
    assert found["says"] == [[groups[0], "0.5 bits from normal prompts"], ["b"], ["b", much]]
    assert found["quantities"] == [
        {"name": "unusual", "unit": "bits", "line": 0.899999976, "values": [0.5, None, 0.899999976]}
    ]
    known = replace(below, reach="few", of_groups={"b": "AUROC 1"}, elsewhere={"normal": scores[:2]})
    raw = zlib.decompress(encode([replace(grid, column_quantities=(known,))]))
    (length,) = struct.unpack("<I", raw[:4])
    (sent,) = json.loads(raw[4 : 4 + length])["grids"][0]["below"]["quantities"]
    assert sent == found["quantities"][0] | {
        "reach": "few",
        "ofGroups": [["b", "AUROC 1"]],
        "elsewhere": [["normal", [0.5, None]]],
    }
    plain = zlib.decompress(encode([make_grid()]))
    assert b'"below"' not in plain
