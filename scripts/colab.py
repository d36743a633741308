"""Whether lenswidget can be installed in Colab and replace nothing of what it needs and finds there.

    python scripts/colab.py    # uv must be there

A package that a session has imported and that is replaced needs a restart, and what was made for the one before may fail with
the new one. pip keeps what is installed wherever that is allowed, so it is enough that it is: the resolver is asked for a Linux
machine with Colab's Python to take just those versions. Where it can't, it says what stands in the way, and this fails.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHON = "3.13"
# as it was in August 2026
INSTALLED = {
    "anywidget": "0.9.21",
    "ipywidgets": "7.7.1",
    "numpy": "2.1.3",
    "pandas": "2.2.2",
    "torch": "2.11.0",
    "traitlets": "5.7.1",
    "transformers": "5.15.0",
}


def main() -> int:
    kept = "\n".join(f"{name}=={version}" for name, version in INSTALLED.items())
    command = ["uv", "pip", "compile", str(ROOT / "pyproject.toml"), "--constraints", "-", "--quiet"]
    command += ["--python-version", PYTHON, "--python-platform", "linux", "--no-annotate", "--no-header"]
    done = subprocess.run(command, input=kept, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        print("lenswidget can't be installed beside what Colab has", file=sys.stderr)
        return 1
    after = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", done.stdout, re.MULTILINE))
    assert all(after[name] == version for name, version in INSTALLED.items())
    print(f"Kept: {', '.join(f'{name} {version}' for name, version in INSTALLED.items())}.")
    beside = ("huggingface-hub", "transformer-lens")
    print(f"With {', '.join(f'{name} {after[name]}' for name in beside)}; {len(after)} packages in all.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
