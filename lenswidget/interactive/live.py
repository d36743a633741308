"""live(): a widget with a model behind it, and a box to type prompts in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lenswidget.grids.grid import Grid
from lenswidget.grids.new_columns import NewColumns
from lenswidget.interactive.chat import Chat
from lenswidget.interactive.live_prompt import LivePrompt
from lenswidget.lenses.lens import as_lens
from lenswidget.lenses.logit import LogitLens
from lenswidget.model.backends import backend_of
from lenswidget.model.probe import readout_of
from lenswidget.model.targets import Targets
from lenswidget.view.widget import LensWidget


def live(
    model: object,
    prompt: str,
    *,
    lenses: Sequence[Any] | None = None,
    targets: Targets = (),
    k: int = 10,
    prompts: Sequence[str] = (),
    chat: bool = False,
    system: str | None = None,
    tokenizer: Any = None,
    **settings: Any,
) -> LensWidget:
    """A widget with a prompt box: the picture follows what is typed there, or assigned to its `prompt`.

    Only what changed is run and read: a word more costs the word, not the prompt. "Go on" lets the model write, each token a
    column, as `widget.generate(20)` does; another candidate can be taken in place of what it wrote. `prompts` are offered to
    choose from, beside those that were tried.

    With `chat`, what is typed is a question, put together with what was said before, and with a `system` prompt, by the
    tokenizer's own template, whose tokens are columns as all others; "go on" lets the model answer, and the next question
    follows. `widget.turns` has what was said, `widget.new_chat()` begins anew.

    Prompts run in a thread, a newer one in place of the one in flight. What lenswidget runs on the same model meanwhile
    waits for its turn; a call of the model itself does not, and TransformerLens's hooks know no threads: `widget.wait()`
    first. The last picture stays until there is another, and `progress` says what went wrong. An interrupt (Ctrl-C, or the
    notebook's stop button) ends the prompt in flight.

    `lenses` are read side by side, the logit lens alone by default; `targets`, `k` and further keywords are those of
    `read` and of `LensWidget`, and `tokenizer` is `lw.run`'s.

    Raises what `run` and `read` raise for the first prompt, and ValueError for a chat with a tokenizer that has no template.

        w = lw.live(model, "The capital of France is")
        w.generate(8)
    """
    if not isinstance(prompt, str):
        raise TypeError(f"A live prompt is a text, which can be typed over; got {type(prompt).__name__}.")
    if isinstance(prompts, str) or not all(isinstance(one, str) and one for one in prompts):
        raise TypeError(f"prompts is a list of texts, none of them empty; got {prompts!r}.")
    readout_of(backend_of(model, tokenizer=tokenizer))  # refuses, with the reason, what no lens can read
    chosen = [as_lens(lens) for lens in lenses] if lenses is not None else [LogitLens()]
    if not chosen:
        raise ValueError("lenses is empty; give at least one, or leave it out for the logit lens.")
    if system is not None and not chat:
        raise ValueError("A system prompt belongs to a chat; pass chat=True, or put it into the prompt.")
    asked = LivePrompt(model, chosen, targets, k, chat=Chat(system) if chat else None)
    first = next(asked(prompt, lambda *_: None))
    shown = first.grid if isinstance(first, NewColumns) else first
    widget = LensWidget(shown, compute=asked, prompt=prompt, prompts=list(prompts), **settings)
    if isinstance(shown, Grid) and int(shown.positions[0]):
        widget.again()  # the rest of a long prompt comes while its end is looked at
    return widget
