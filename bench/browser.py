"""What a reader waits for in Chromium: a grid of 128 rows × 4,096 columns, four linked grids of 32 × 128, and two of
80 × 400 in every layout. Time to the first paint, hovering, scrolling, switching.

The yardstick in the same page is an empty frame: what the browser itself takes from one animation frame to the next.
Beside each time stands what the page's own thread computed in it, which a busy machine stretches less.
"""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

import lenswidget as lw
from lenswidget.grids.comparison import compare
from lenswidget.grids.grid import Grid
from lenswidget.view.wire import encode
from tests.grids import make_grid
from tests.notebook.hosts import browser

PAGE = """<!doctype html><meta charset="utf-8"><style>body {{ margin: 0 }} {style}</style><div id="here"></div>
<script>{script}</script>"""
FRAMES = """n => new Promise(done => {
    const times = [];
    let last;
    const frame = now => {
        if (last) times.push(now - last);
        last = now;
        if (times.length < n) requestAnimationFrame(frame);
        else done(times);
    };
    requestAnimationFrame(frame);
})"""
# A browser hands over pointer moves at the start of a frame, so that is where a hover begins. It ends after the paint
# of the frame in which the card says something else.
HOVER = """async ({ box, n, linked }) => {
    const target = document.querySelector("[role=application]");
    // what each card says; done when all of them say something else
    const said = () => Array.from({ length: linked }, (_, i) => document.querySelectorAll(".lw-card")[i]?.textContent);
    const frame = () => new Promise(requestAnimationFrame);
    const painted = () => new Promise(done => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = done;
        port2.postMessage(0);
    });
    const times = [];
    for (let i = 0; i < n; i++) {
        const clientX = box.x + 30 + (i * 97) % (box.width - 60), clientY = box.y + 20 + (i * 61) % (box.height - 60);
        const before = said();
        await frame();
        const start = performance.now();
        target.dispatchEvent(new PointerEvent("pointermove", { clientX, clientY, bubbles: true }));
        await painted();
        while (said().some((now, i) => now === before[i])) {
            await frame();
            await painted();
        }
        times.push(performance.now() - start);
    }
    return times;
}"""
# A fling moves some hundred pixels a frame, a scrollbar that is dragged whole screens.
SCROLL = """([ n, step ]) => new Promise(done => {
    const target = document.querySelector("[role=application]"), times = [];
    let last;
    const frame = now => {
        if (last) times.push(now - last);
        last = now;
        target.scrollLeft = (target.scrollLeft + step) % (target.scrollWidth - target.clientWidth);
        if (times.length < n) requestAnimationFrame(frame);
        else done(times);
    };
    requestAnimationFrame(frame);
})"""
# The window of a long prompt, dragged over all of it and back; each step is seen in the map and in the text.
DRAG = """n => new Promise(done => {
    const strip = document.querySelector(".lw-brush"), box = strip.getBoundingClientRect(), times = [];
    strip.setPointerCapture = () => {};
    strip.hasPointerCapture = () => true;
    const move = (type, share) => strip.dispatchEvent(new PointerEvent(type, {
        pointerId: 1, clientX: box.x + share * box.width, clientY: box.y + 20, bubbles: true,
    }));
    let last, i = 0;
    move("pointerdown", 0.5);
    const frame = now => {
        if (last) times.push(now - last);
        last = now;
        move("pointermove", Math.abs(1 - (2 * i++ / n) % 2));
        if (times.length < n) requestAnimationFrame(frame);
        else done(times);
    };
    requestAnimationFrame(frame);
})"""
# A switch is done after the paint of the frame in which a canvas of the new picture is the size of its place.
SWITCH = """async ([ label, n ]) => {
    const frame = () => new Promise(requestAnimationFrame);
    const painted = () => new Promise(done => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = done;
        port2.postMessage(0);
    });
    const times = [];
    for (let i = 0; i < n; i++) {
        await frame();
        const start = performance.now();
        if (label === "color") {
            const menu = document.querySelector("select");
            menu.selectedIndex = (menu.selectedIndex + 1) % menu.options.length;
            menu.dispatchEvent(new Event("change", { bubbles: true }));
        } else {
            const group = document.querySelector(`[aria-label="${label}"]`), choices = [...group.querySelectorAll("input")];
            choices[(choices.findIndex(one => one.checked) + 1) % choices.length].click();
        }
        await frame();
        await painted();
        // words and lines of prompts have no canvas
        const isThere = () => document.querySelector(".lw-words, .lw-answers")
            || document.querySelector(".lw-heatmap canvas")?.width;
        while (!isThere()) await frame();
        times.push(performance.now() - start);
    }
    return times;
}"""
MOUNT = """async ([text, state]) => {
    const message = Uint8Array.from(atob(text), c => c.charCodeAt(0));
    const el = document.getElementById("here"), start = performance.now();
    globalThis.remove?.();
    globalThis.remove = mount(el, message, state);
    while (!el.querySelector("[data-state=ready]")) await new Promise(requestAnimationFrame);
    return performance.now() - start;
}"""


def main() -> None:
    static = Path(lw.__file__).parent / "static"
    script = (static / "widget.js").read_text() + "\nglobalThis.mount = lenswidget.mount;"
    with browser() as chromium, tempfile.TemporaryDirectory() as folder:
        page = chromium.new_page(viewport={"width": 1440, "height": 900})
        path = Path(folder) / "page.html"
        path.write_text(PAGE.format(style=(static / "widget.css").read_text(), script=script))
        page.goto(path.as_uri())
        page.wait_for_function("!!globalThis.mount")
        print("an empty frame")
        tell("from one to the next", page, FRAMES, 120, 120)
        show(page, [make_grid(128, 4096, k=5, vocabulary=40)])
        report(page, linked=1)
        tell("a frame of a dragged brush", page, DRAG, 180, 180)
        show(page, [make_grid(31, 600, k=5, vocabulary=40)])
        tell("a frame of a dragged brush", page, DRAG, 180, 180)
        show(page, [make_grid(32, 128, k=5, vocabulary=40, seed=seed, title=f"prompt {seed}") for seed in range(4)])
        report(page, linked=4)
        show(page, [make_grid(80, 400, k=5, vocabulary=40, seed=seed) for seed in range(2)], view="one")
        for label, what in (("color", "color"), ("Grid", "tab"), ("Layout", "layout")):
            tell(f"{what} to painted", page, SWITCH, [label, 30], 30)


def show(page: Page, grids: list[Grid], **state: str) -> None:
    message = encode(grids, compare(*grids, align="position") if len(grids) > 1 else None)
    rows, columns = grids[0].shape
    print(f"{len(grids)} × {rows} rows × {columns} columns, message of {len(message) / 2**20:.1f} MB")
    first = page.evaluate(MOUNT, [base64.b64encode(message).decode(), state])
    print(f"  {'data there to first paint':26} {first:7.0f} ms")


def report(page: Page, linked: int) -> None:
    box = page.locator("[role=application]").first.bounding_box()
    tell("hover to painted cards", page, HOVER, {"box": box, "n": 200, "linked": linked}, 200)
    tell("a frame of a fling", page, SCROLL, [180, 120], 180)
    tell("a frame of a dragged bar", page, SCROLL, [180, 900], 180)


def tell(what: str, page: Page, script: str, argument: Any, n: int) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Performance.setTimeDomain", {"timeDomain": "threadTicks"})
    session.send("Performance.enable")

    def busy() -> float:
        figures = session.send("Performance.getMetrics")["metrics"]
        return float(next(figure["value"] for figure in figures if figure["name"] == "TaskDuration"))

    before = busy()
    times = page.evaluate(script, argument)
    own = 1000 * (busy() - before) / n
    session.detach()
    rate = 1000 * len(times) / sum(times)
    print(f"  {what:26} {middle(times):7.1f} ms, p95 {late(times):.1f}, {rate:.0f} a second; {own:.1f} ms computed")


def middle(times: list[float]) -> float:
    return sorted(times)[len(times) // 2]


def late(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.95)]


if __name__ == "__main__":
    main()
