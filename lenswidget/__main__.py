"""python -m lenswidget "The capital of France is" -o paris.html: one prompt through a model, as one page."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import lenswidget as lw
from lenswidget.models import EMBEDDED


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, write the page. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="lenswidget", description="Write the logit lens of a prompt as one HTML page."
    )
    parser.add_argument("prompt", help="the text to run the model on")
    parser.add_argument("-o", "--output", type=Path, default=Path("lens.html"), help="the page to write (lens.html)")
    parser.add_argument("-m", "--model", default=EMBEDDED, help=f"a model name or folder ({EMBEDDED})")
    parser.add_argument(
        "-f", "--follow", action="append", default=[], help="a token to follow through the layers; may be repeated"
    )
    options = parser.parse_args(arguments)
    try:
        grid = lw.logit_lens(lw.run(lw.load(options.model), options.prompt), follow=options.follow)
        print(f"{grid!r}\nWrote {grid.to_html(options.output)}")
    except (OSError, ValueError, TypeError) as reason:
        print(f"lenswidget: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
