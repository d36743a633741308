"""LensWidget: Grids in the notebook, alive. They go to the browser; selection, pins and settings go both ways."""

from __future__ import annotations

import base64
import copy
from collections.abc import Iterable, Mapping
from typing import Any

import traitlets

from lenswidget.grids.alignment import one_tokenizer
from lenswidget.grids.comparison import Comparison, compare
from lenswidget.grids.grid import Grid
from lenswidget.grids.new_columns import NewColumns, kept_column
from lenswidget.grids.parts import NO_TOKEN
from lenswidget.view.experiments import problem_of, run_edits
from lenswidget.view.latest import Latest, Report
from lenswidget.view.live_widget import Compute, LiveWidget, Shown, what_went_wrong
from lenswidget.view.picture.draw import first_seen, preview_png
from lenswidget.view.showing import asker, keep, may_be_two, named
from lenswidget.view.wire import encode, encode_columns, joined_pieces

LINKS = ["hover", "selection", "pins", "color", "scroll", "stride"]
CHOICES = (
    "edits", "color", "pins", "selected", "trajectory", "stride", "height", "view", "shown", "links", "rows_compared",
    "filter", "jump", "order",
)  # fmt: skip
"""The settings that make up a state."""
PIECES = 64
"""Pieces after which all is sent again: each takes some room that only its own columns' words fill."""


class LensWidget(LiveWidget):
    """A heatmap of a Grid, or several side by side, with card, trajectory chart and menus.

    It takes a Grid, a Comparison, or a list of Grids, which it compares.

    Every trait below may be set and observed from Python, linked with `ipywidgets.jslink`, and is set by the reader's
    clicks and keys; `state()` has the choices among them. Hovering stays in the browser.

    Raises TypeError for a keyword that is no trait, `traitlets.TraitError` for a value that this Grid can't show.
    """

    _is_in_pieces = _owes_whole = False

    grids = traitlets.Bytes(
        read_only=True, help="What is shown, as `lenswidget.view.wire` writes it; assign `w.grid` to show another."
    ).tag(sync=True)
    selected = traitlets.List(
        traitlets.Int(),
        minlen=2,
        maxlen=2,
        allow_none=True,
        default_value=None,
        help="The selected cell, `[row, column]` as indices into the Grid (into the slots of a Comparison), or None.",
    ).tag(sync=True)
    pins = traitlets.List(
        traitlets.List(traitlets.Int()),
        help="Pinned tokens: a list of groups of token ids. The probabilities of a group add. Texts may be assigned too.",
    ).tag(sync=True)
    color = traitlets.Unicode(
        help='The name of the quantity that colors the cells; "" for the Grid\'s first, which for a lens is probability × belief.'
    ).tag(sync=True)
    trajectory = traitlets.Enum(
        ["probability", "log", "rank"],
        default_value="probability",
        help="What the chart over the layers shows: probability, the same on a logarithmic scale, or rank.",
    ).tag(sync=True)
    stride = traitlets.Int(
        0, min=0, help="Every how many rows one is drawn, the last always; 0 for as many as fit."
    ).tag(sync=True)
    height = traitlets.Int(0, min=0, help="Height of the heatmap in pixels; 0 for what its rows need.").tag(sync=True)
    jump = traitlets.List(
        traitlets.Int(),
        minlen=3,
        maxlen=4,
        allow_none=True,
        default_value=None,
        help="The step of a trajectory that is open, `[column, token id, row]`: what moved the token from row - 1 to row; "
        "with -1 for the token, what the head or neuron in that row of an attribution promotes. Or None. Of a Comparison, "
        "the column is a slot, the row the Grid's own, and `[column, token id, row, grid]` says which Grid, if not the "
        "first.",
    ).tag(sync=True)
    order = traitlets.Enum(
        ["by size", "in order", "waterfall"],
        default_value="by size",
        help="Of bars: the largest first, as the network has them, or so that each begins where the one before it ended.",
    ).tag(sync=True)
    explains = traitlets.Bool(
        read_only=True,
        help="Whether there is a model to ask about any jump; without one, the jumps that the Grid carries can be opened.",
    ).tag(sync=True)
    explained = traitlets.Dict(
        read_only=True,
        help='The model\'s answer to `jump`: `{"jump": …}` with the bars, a Grid as `lenswidget.view.wire` writes it, under '
        '"grid", or with the sentence that says why there are none under "error". Empty before the first answer.',
    ).tag(sync=True)
    view = traitlets.Enum(
        ["", "one", "side by side", "difference", "overview", "mean"],
        default_value="",
        help='How several Grids are laid out; "" for what suits their number.',
    ).tag(sync=True)
    shown = traitlets.Int(
        0,
        min=0,
        help="The index of the Grid in front, where one is shown, and of the one that the first is subtracted from.",
    ).tag(sync=True)
    links = traitlets.List(traitlets.Enum(LINKS), default_value=LINKS, help="What Grids side by side do together.").tag(
        sync=True
    )
    rows_compared = traitlets.List(
        traitlets.Int(min=0),
        maxlen=2,
        help="Two rows to tell apart, as indices from the embedding, which is 0; or none.",
    ).tag(sync=True)
    filter = traitlets.Enum(
        ["", "look here"],
        default_value="",
        help='"look here" keeps only the rows in which something is decided.',
    ).tag(sync=True)
    edits = traitlets.List(
        traitlets.Dict(),
        help="Edits of one of the Grids, whose run is made again under them and shown beside the others: a list of "
        '`{"grid": 1, "site": "L12", "position": 2, "to": [0, 2], "on": True}`, which puts what Grid 0 has at its position 2 '
        'into Grid 1; `"to": []` takes the site out.',
    ).tag(sync=True)

    def __init__(
        self,
        what: Shown,
        /,
        *,
        state: Mapping[str, Any] | None = None,
        compute: Compute | None = None,
        prompt: str = "",
        **settings: Any,
    ) -> None:
        unknown = [name for name in settings if name not in self.class_trait_names()]
        if unknown:
            raise TypeError(
                f"LensWidget has no setting {unknown[0]!r}; it has {', '.join(CHOICES)}, and the layout of any ipywidget."
            )
        self._own = _showable(what)
        self._hold(self._own)
        if "pins" in settings:
            settings["pins"] = self._pins(settings["pins"])
        self._pieces: list[bytes] = []
        self._experiments = Latest(self._edit, done=self._edited, failed=self._failed, progress=self._running)
        super().__init__(compute, prompt, **settings)
        with self.hold_sync():
            self._restore({name: value for name, value in (state or {}).items() if name not in settings})
            self.set_trait("explains", self._explains())
            self._send_whole()
        self.observe(self._ask_edits, "edits")
        if self.edits:
            self._ask_edits()

    @property
    def grid(self) -> Grid:
        """The Grid in front. Assign a Grid, a Comparison or a list of Grids to show it in place; what it lacks is let go."""
        return self._grids[min(self.shown, len(self._grids) - 1)]

    @grid.setter
    def grid(self, shown: Shown) -> None:
        self._own = _showable(shown)
        with self.hold_sync():
            self.set_trait("edits", [])  # they were made in what is let go
            self._experiments.ask([])
            self._show(self._own)

    def _show(self, shown: Grid | Comparison) -> None:
        """Show Grids in place, with what was chosen as far as they have it."""
        self._hold(shown)
        with self.hold_sync():
            for name in ("color", "selected", "rows_compared", "shown", "jump"):
                if self._problem(name, getattr(self, name)):
                    self.set_trait(name, self.traits()[name].default(self))
            self.set_trait("explained", {})
            self.set_trait("explains", self._explains())
            self._send_whole()
        self._answer()  # a jump that is still open is another one now

    @property
    def comparison(self) -> Comparison | None:
        """What is shown, where it is several Grids."""
        return self._comparison

    def state(self) -> dict[str, Any]:
        """Every choice that a reader has made, as plain data; `LensWidget(shown, state=…)` makes them again."""
        return {name: copy.deepcopy(getattr(self, name)) for name in CHOICES}

    def _restore(self, state: Mapping[str, Any]) -> None:
        for name, value in state.items():
            if name not in CHOICES:
                raise ValueError(
                    f"state has {name!r}, which is no choice of a LensWidget; it has {', '.join(CHOICES)}."
                )
            try:
                setattr(self, name, value)
            except (traitlets.TraitError, TypeError, ValueError) as reason:
                raise ValueError(f"state[{name!r}] can't be shown here: {reason}") from reason

    def _hold(self, what: Grid | Comparison) -> None:
        self._comparison = what if isinstance(what, Comparison) else None
        self._grids = _grids_of(what)
        self._shape = what.shape

    def _send_whole(self) -> None:
        self._pieces = [encode(self._grids, self._comparison)]
        self.set_trait("grids", self._pieces[0])

    def _send_columns(self, new: NewColumns) -> None:
        """Send what is new of a Grid; what was sent before stays in the browser."""
        self._pieces.append(encode_columns(new.grid, new.start, new.stop, new.replaced))
        self._is_in_pieces = True
        try:
            self.set_trait("grids", joined_pieces(self._pieces))
        finally:
            self._is_in_pieces = False
        self._owes_whole = True
        self.send({"piece": len(self._pieces) - 1, "of": len(self._pieces[0])}, [self._pieces[-1]])

    def _should_send_property(self, key: str, value: Any) -> bool:
        """The pieces of a message are there already, each of them sent by itself."""
        return not (key == "grids" and self._is_in_pieces) and bool(super()._should_send_property(key, value))

    def _tell_whole(self, *, always: bool = False) -> None:
        if self._owes_whole or always:
            self._owes_whole = False
            self.send_state("grids")

    def _bring(self, shown: Shown | NewColumns) -> None:
        if not isinstance(shown, NewColumns):
            self.grid = shown
            return
        before = self._own
        if shown.before is None or shown.before is not before or len(self._pieces) > PIECES:
            self.grid = shown.grid
            return
        self._own = shown.grid
        self._hold(shown.grid)
        with self.hold_sync():
            for name, place in (("selected", 1), ("jump", 0)):
                chosen = getattr(self, name)
                if chosen is not None:
                    column = kept_column(before, shown.grid, chosen[place])
                    moved = None if column is None else [*chosen[:place], column, *chosen[place + 1 :]]
                    self.set_trait(name, None if moved is None or self._problem(name, moved) else moved)
            self.set_trait("explained", {})
            self._send_columns(shown)
        self._answer()

    def _explains(self) -> bool:
        return any(grid.explain for grid in self._grids)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, self._pins(value) if name == "pins" else value)

    def _pins(self, pins: Iterable[Any]) -> list[list[int]]:
        """Groups of ids from texts, ids and lists of them."""
        if isinstance(pins, str):
            pins = [pins]
        groups = [[pin] if isinstance(pin, (str, int)) else list(pin) for pin in pins]
        return [[self._id(token) for token in group] for group in groups]

    def _id(self, token: Any) -> int:
        if not isinstance(token, str):
            return int(token)
        texts = {
            i: text for grid in self._grids if one_tokenizer(self._grids[0], grid) for i, text in grid.texts.items()
        }
        ids = [i for i, text in texts.items() if text == token]
        if len(ids) == 1:
            return ids[0]
        if not ids:
            raise traitlets.TraitError(
                f"No candidate of this Grid reads {token!r}, so it can't be pinned by its text; follow it when the Grid is "
                f"made, lw.logit_lens(run, targets=[{token!r}])."
            )
        raise traitlets.TraitError(f"{token!r} is the text of {len(ids)} tokens, {ids}; pin one by its id.")

    def _ask_edits(self, _: Any = None) -> None:
        self.failure = None
        self._experiments.ask(copy.deepcopy(self.edits))

    def _edit(self, edits: list[dict[str, Any]], report: Report) -> Grid | Comparison | None:
        """What is to be shown under edits; None where it is shown already."""
        if not any(edit["on"] for edit in edits) and self._grids == _grids_of(self._own):
            return None
        return run_edits(edits, self._own, report)

    def _edited(self, shown: Grid | Comparison | None, _: bool) -> None:
        with self.hold_sync():
            if shown is not None:
                self._show(shown)
            if self.progress["state"] != "idle":
                self.set_trait("progress", {"state": "idle"})

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the prompt or the edit in flight, if there is one; False if that takes longer than `timeout` seconds."""
        return super().wait(timeout) and self._experiments.wait(timeout)

    def close(self) -> None:
        """Close the widget everywhere, and let go of a prompt in flight."""
        if experiments := getattr(self, "_experiments", None):
            experiments.stop()
        super().close()

    @traitlets.validate("color", "selected", "rows_compared", "shown", "jump", "edits")
    def _valid(self, proposal: Any) -> Any:
        problem = self._problem(proposal.trait.name, proposal.value)
        if problem:
            raise traitlets.TraitError(problem)
        return proposal.value

    def _problem(self, name: str, value: Any) -> str | None:
        """Why a choice can't be shown, in a sentence."""
        if name == "edits":
            return problem_of(value, _grids_of(self._own))
        rows, columns = self._shape
        what = "Grid" if self._comparison is None else "Comparison"
        if name == "color" and value:
            differences = self._comparison.differences if self._comparison else ()
            known = dict.fromkeys(q for grid in (*self._grids, *differences) if grid for q in grid.quantities)
            if value not in known:
                return f"This {what} has no quantity {value!r} to color by; it has {', '.join(known)}."
        if name == "selected" and value is not None and not (0 <= value[0] < rows and 0 <= value[1] < columns):
            return (
                f"Cell {list(value)} is outside this {what}, which has rows 0 to {rows - 1} and columns 0 to {columns - 1}; "
                "select [row, column]."
            )
        if name == "rows_compared" and value:
            if len(value) != 2 or value[0] == value[1]:
                return f"rows_compared takes two rows, or none; got {list(value)}."
            if max(value) >= rows:
                return f"Row {max(value)} is outside this {what}, which has rows 0 to {rows - 1}."
        # what is edited is shown beside them once it has been run
        coming = len(_grids_of(self._own)) + any(edit["on"] for edit in self.edits)
        if name == "shown" and value >= max(len(self._grids), coming):
            return f"There is no Grid {value} to show; this {what} has {len(self._grids)}, counted from 0."
        if name == "jump" and value is not None:
            column, token, row, which = [*value, 0][:4]
            if not 0 <= which < len(self._grids):
                return (
                    f"There is no Grid {which} to open a jump of; this {what} has {len(self._grids)}, counted from 0."
                )
            rows = len(self._grids[which].rows)
            if not (0 <= column < columns and (token != NO_TOKEN) <= row < rows):
                return (
                    f"There is no jump {list(value)} in this {what}, which has columns 0 to {columns - 1} and rows 1 to "
                    f"{rows - 1} that have a row below; open [column, token id, row]."
                )
        return None

    @traitlets.observe("jump")
    def _answer(self, _: Any = None) -> None:
        if self.jump is None or not self._explains():
            return
        column, token, row, which = [*self.jump, 0][:4]
        explain = self._grids[which].explain
        if self._comparison is not None:
            column = int(self._comparison.columns[column, which])
        try:
            if explain is None or column < 0:
                lacks = "has no such token" if explain else "came without its model; make it again from a run"
                raise ValueError(f"This Grid {lacks}.")
            answer: dict[str, Any] = {"grid": encode([explain(column, token, row)])}
        except Exception as reason:  # whatever it is, the reader asked in the widget and is told there
            answer = {"error": what_went_wrong(reason, "explaining this jump")}
        self.set_trait("explained", {"jump": list(self.jump), **answer})

    def __repr__(self) -> str:
        return f"LensWidget showing a {self._comparison or self.grid!r}"

    def _ipython_display_(self) -> None:
        """In Jupyter, the picture and the widget are two outputs, of which the stylesheet hides the first.

        A notebook that is opened again without its kernel says of a widget that its model was not found, and shows
        nothing else of the same output, whatever it has; the picture stays.
        """
        if not (asker().is_output and may_be_two()):
            raise NotImplementedError  # IPython asks for the mimebundle instead
        from IPython.display import display

        data, metadata = self._repr_mimebundle_()
        still = data.pop("image/png", None)
        if still:
            display({"image/png": still}, metadata={"image/png": metadata.pop("image/png")}, raw=True)
        display(data, metadata=metadata, raw=True)

    def _repr_mimebundle_(self, **arguments: Any) -> Any:
        bundle = super()._repr_mimebundle_(**arguments)
        if bundle is None:
            return None
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        data["text/plain"] = repr(self._comparison or self.grid)
        if 0 in self._shape:
            return data, metadata  # the widget says that there is nothing to show, and there is no picture of it
        picture, width, height = preview_png(*first_seen(self._comparison or self.grid))
        data["image/png"] = base64.b64encode(picture).decode("ascii")
        return data, {**metadata, "image/png": {"width": width, "height": height}}


class Showing:
    """A Grid or a Comparison at the end of a cell: a widget of it is made once it is known who shows it."""

    def __init__(self, shown: Grid | Comparison) -> None:
        self._shown = shown

    def _ipython_display_(self) -> None:
        by = asker()
        if not (by.is_output and may_be_two()):
            raise NotImplementedError  # IPython asks for the mimebundle instead
        keep(LensWidget(self._shown), by)._ipython_display_()

    def _repr_mimebundle_(self, **arguments: Any) -> Any:
        by = asker()
        widget = named(by)
        if widget is None:
            widget = keep(LensWidget(self._shown), by)
        else:
            widget.grid = self._shown
        return widget._repr_mimebundle_(**arguments)


def _grids_of(shown: Grid | Comparison) -> tuple[Grid, ...]:
    return (shown,) if isinstance(shown, Grid) else shown.grids


def _showable(shown: Any) -> Grid | Comparison:
    if isinstance(shown, (list, tuple)) and shown:
        shown = shown[0] if len(shown) == 1 else compare(*shown)
    if not isinstance(shown, (Grid, Comparison)):
        got = "an empty list" if shown in ([], ()) else type(shown).__name__
        raise TypeError(
            f"LensWidget shows a Grid, a Comparison or a list of Grids and got {got}; make one with lw.logit_lens(run)."
        )
    return shown
