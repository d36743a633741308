"""What a prompt costs that is typed or written, beside the passes and readings that nobody can do without.

Times are of the processor, on one thread. "Beneath" what is typed are a cached forward pass of the new tokens and the readout of
the columns that change; beside what is written, the same generation bare, by Hugging Face's own cache.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import torch

import lenswidget as lw
from bench.timing import median, seconds
from lenswidget.model.backends import backend_of
from lenswidget.model.prompts import tokenize
from lenswidget.view.live_widget import Write

TEXT = " ".join(["The old lighthouse keeper walked down to the shore and looked at the grey sea."] * 4)
WRITTEN = 40
ROUNDS = 5


def main() -> None:
    torch.set_num_threads(1)
    model = lw.load(device="cpu")
    typed(model)
    written(model)


def typed(model: Any) -> None:
    """One word more after 60 tokens."""
    backend = backend_of(model)
    tokens = tokenize(backend, TEXT, backend.vocabulary)[:60]
    text = model.tokenizer.decode(tokens)
    words = [" and", " so", " then", " but", " or", " when"]
    widget = lw.live(model, text)
    sent: list[int] = []
    widget.send = lambda content, buffers=None: sent.append(len(buffers[0]))  # type: ignore[method-assign]

    def show(prompt: str) -> None:
        widget._ask_for(prompt)
        assert widget.wait()

    def word(i: int) -> float:
        show(text)
        return seconds(lambda: show(text + words[i]))

    times = [word(i % len(words)) for i in range(ROUNDS + 1)][1:]
    run = lw.run(model, text + words[0])
    end = run.tokens[-1:]
    past = backend.past(run.tokens[:-1], change={}, hooks={})
    assert past is not None

    def cached() -> None:
        backend.forward(end[None], keep={}, hooks={}, past=past.upto(len(run.tokens) - 1))

    rows, following = run.residual[:, -2:], run.following[-2:]
    beneath = median(cached) + median(lambda: run.readout.read(rows, following))
    whole = lw.run(model, text + words[0])
    again = median(lambda: lw.logit_lens(lw.run(model, text + words[0])))
    ours = statistics.median(times)
    print(f"a word after {len(whole.tokens) - 1} tokens: {ours * 1e3:.0f} ms from the change to the message sent")
    print(f"  beside a cached pass and the readout of two columns: {ours / beneath:.2f} ×")
    print(f"  beside running and reading it all again: {ours / again:.3f} ×")
    print(
        f"  sent: {statistics.median(sent) / 1e3:.1f} kB, where the whole message is {len(widget._pieces[0]) / 1e3:.0f} kB"
    )


def written(model: Any) -> None:
    """Forty tokens, every column read and sent."""
    prompt = "Once upon a time there was a lighthouse keeper who"
    network = model.original_model
    ids = model.to_tokens(prompt)

    def bare() -> None:
        with torch.no_grad():
            network.generate(ids, max_new_tokens=WRITTEN, min_new_tokens=WRITTEN, do_sample=False, use_cache=True)

    def plain() -> None:
        """The same by hand: what generation costs at the least."""
        with torch.no_grad():
            out = network(input_ids=ids, use_cache=True)
            for _ in range(WRITTEN - 1):
                token = out.logits[:, -1:].argmax(-1)
                out = network(input_ids=token, past_key_values=out.past_key_values, use_cache=True)

    def live(write: Callable[[Any], None]) -> float:
        widget = lw.live(model, prompt)
        widget.send = lambda content, buffers=None: None  # type: ignore[method-assign]
        return seconds(lambda: write(widget))

    def ours(widget: Any) -> None:
        widget._ask_for(Write(WRITTEN))
        assert widget.wait()

    live(ours)
    plain()
    pairs = [(seconds(plain), seconds(bare), live(ours)) for _ in range(ROUNDS)]
    by_hand, bare_time, took = (statistics.median(column) for column in zip(*pairs))
    print(f"writing {WRITTEN} tokens, every column read and sent: {took:.2f} s")
    print(
        f"  beside the same by hand, cached: {took / by_hand:.2f} ×; beside Hugging Face's generate: {took / bare_time:.2f} ×"
    )


if __name__ == "__main__":
    main()
