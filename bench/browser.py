"""What a reader waits for: a grid of 128 rows × 4,096 columns in Chromium. Time to the first paint, hovering, scrolling.

The yardstick in the same page is an empty frame: what the browser itself takes from one animation frame to the next.
"""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path

from playwright.sync_api import Page

import lenswidget as lw
from lenswidget.wire import encode
from tests.grids import make_grid
from tests.notebook.hosts import browser

PAGE = """<!doctype html><meta charset="utf-8"><style>body {{ margin: 0 }} {style}</style><div id="here"></div>
<script type="module">{script}</script>"""
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
HOVER = """async ({ box, n }) => {
    const target = document.querySelector("[role=application]");
    const said = () => document.querySelector(".lw-card")?.textContent;
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
        while (said() === before) {
            await frame();
            await painted();
        }
        times.push(performance.now() - start);
    }
    return times;
}"""
SCROLL = """n => new Promise(done => {
    const target = document.querySelector("[role=application]"), times = [];
    let last;
    const frame = now => {
        if (last) times.push(now - last);
        last = now;
        target.scrollLeft = (target.scrollLeft + 900) % (target.scrollWidth - target.clientWidth);
        if (times.length < n) requestAnimationFrame(frame);
        else done(times);
    };
    requestAnimationFrame(frame);
})"""


def main(rows: int = 128, columns: int = 4096) -> None:
    message = encode([make_grid(rows, columns, k=5, vocabulary=40)])
    static = Path(lw.__file__).parent / "static"
    script = (static / "widget.js").read_text() + "\nglobalThis.ready = true;"
    # the bundle exports `mount`; in an inline module it has a name of the minifier's, found in its export list
    name = script.rsplit("export", 1)[1].split(" as mount")[0].replace("{", ",").rsplit(",", 1)[1].strip()
    with browser() as chromium, tempfile.TemporaryDirectory() as folder:
        page = chromium.new_page(viewport={"width": 1440, "height": 900})
        path = Path(folder) / "page.html"
        path.write_text(
            PAGE.format(style=(static / "widget.css").read_text(), script=script + f"globalThis.mount = {name};")
        )
        page.goto(path.as_uri())
        page.wait_for_function("globalThis.ready")
        print(f"browser, {rows} rows × {columns} columns, message of {len(message) / 2**20:.1f} MB")
        first = page.evaluate(
            """async text => {
                const message = Uint8Array.from(atob(text), c => c.charCodeAt(0));
                const el = document.getElementById("here"), start = performance.now();
                mount(el, message);
                while (!el.querySelector("[data-state=ready]")) await new Promise(requestAnimationFrame);
                return performance.now() - start;
            }""",
            base64.b64encode(message).decode(),
        )
        print(f"  data there to first paint {first:8.0f} ms")
        report(page)


def report(page: Page) -> None:
    box = page.locator("[role=application]").bounding_box()
    empty = page.evaluate(FRAMES, 120)
    hover = page.evaluate(HOVER, {"box": box, "n": 200})
    scroll = page.evaluate(SCROLL, 180)
    print(f"  an empty frame            {middle(empty):8.1f} ms, p95 {late(empty):.1f}")
    print(f"  hover to painted card     {middle(hover):8.1f} ms, p95 {late(hover):.1f}")
    rate = 1000 * len(scroll) / sum(scroll)
    print(f"  a scrolling frame         {middle(scroll):8.1f} ms, p95 {late(scroll):.1f}: {rate:.0f} a second")


def middle(times: list[float]) -> float:
    return sorted(times)[len(times) // 2]


def late(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.95)]


if __name__ == "__main__":
    main()
