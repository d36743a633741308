"""What stands in a page: whether texts that somebody else chose have become anything but text."""

from __future__ import annotations

from playwright.sync_api import Frame, Page

LISTEN = """
window.attacks = [];
for (const name of ["alert", "confirm", "prompt", "print", "open"]) window[name] = () => attacks.push(name);
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
    attacks.push(`${violatedDirective} ${blockedURI}`));
"""
"""For `add_init_script`: notes what runs, and what a page's policy had to stop."""

# in shadow roots, too; numbers have a narrow space
LOOK = r"""() => {
    const [made, unseen] = [new Set(), new Set()];
    const odd = /[\p{C}\p{Zl}\p{Zp}]|(?![ \u202f])\p{Zs}/u;
    const look = (text) => odd.test(text) && unseen.add(JSON.stringify(text.slice(0, 80)));
    const walk = (node) => {
        if (node.nodeType === Node.TEXT_NODE) look(node.data);
        for (const { name, value } of node.attributes ?? []) {
            made.add(`${node.localName} ${name}`);
            if (name === "title" || name === "label" || name.startsWith("aria-")) look(value);
        }
        if (node.localName) made.add(node.localName);
        if (node.localName === "style") return;
        for (const child of node.childNodes) walk(child);
    };
    const roots = [document, ...[...document.querySelectorAll("[data-lens-settings], div")].map((e) => e.shadowRoot)];
    for (const root of roots.filter(Boolean)) for (const view of root.querySelectorAll(".lenswidget")) walk(view);
    return { made: [...made].sort(), unseen: [...unseen], attacks: window.attacks ?? [] };
}"""


def made_in(page: Page | Frame) -> set[str]:
    """The elements of all views in a page, and their attributes. Nothing ran, and every text can be seen and moves no other."""
    found = page.evaluate(LOOK)
    assert (found["attacks"], found["unseen"]) == ([], [])
    return set(found["made"])
