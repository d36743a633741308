"""python -m lenswidget "The capital of France is" -o paris.html: one prompt through a model, as one page.

`python -m lenswidget build notebooks/*.ipynb -o site/` makes pages of notebooks.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lenswidget.lenses.read import logit_lens
from lenswidget.model.embedded import EMBEDDED
from lenswidget.model.load import load
from lenswidget.model.run import run


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, write the page or pages. Returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    return _build(arguments[1:]) if arguments[:1] == ["build"] else _lens(arguments)


def _build(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="lenswidget build",
        description="Make a page of each notebook that needs no kernel and no network, its widgets alive, and an index.",
    )
    parser.add_argument(
        "sources", nargs="+", type=Path, help="notebooks, executed first if they have no outputs, and Markdown files"
    )
    parser.add_argument("--title", default="Lessons", help="the title of the index (Lessons)")
    parser.add_argument(
        "--link", action="append", default=[], metavar="TEXT=ADDRESS", help="a further line of the index"
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("site"), help="the folder to write into (site)")
    options = parser.parse_args(arguments)
    try:
        from lenswidget.lessons.notebook_pages import build
    except ImportError as reason:
        print(
            f"lenswidget: pages of notebooks need more packages: pip install 'lenswidget[site]' ({reason})",
            file=sys.stderr,
        )
        return 1
    try:
        links = dict(link.split("=", 1) for link in options.link)
        for page in build(options.sources, options.output, title=options.title, links=links):
            print(f"Wrote {page}")
    except (OSError, ValueError, RuntimeError) as reason:
        print(f"lenswidget: {reason}", file=sys.stderr)
        return 1
    return 0


def _lens(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="lenswidget", description="Write the logit lens of a prompt as one HTML page."
    )
    parser.add_argument("prompt", help="the text to run the model on")
    parser.add_argument("-o", "--output", type=Path, default=Path("lens.html"), help="the page to write (lens.html)")
    parser.add_argument("-m", "--model", default=EMBEDDED, help=f"a model name or folder ({EMBEDDED})")
    parser.add_argument(
        "-t", "--target", action="append", default=[], help="a token to follow through the layers; may be repeated"
    )
    options = parser.parse_args(arguments)
    try:
        grid = logit_lens(run(load(options.model), options.prompt), targets=options.target)
        print(f"{grid!r}\nWrote {grid.to_html(options.output)}")
    except (OSError, ValueError, TypeError) as reason:
        print(f"lenswidget: {reason}", file=sys.stderr)
        return 1
    return 0
