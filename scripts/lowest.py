"""Print the lowest versions that pyproject.toml allows, as constraints for pip: `make test-lowest` runs with just these.

    python scripts/lowest.py > lowest.txt

torch is the one of constraints.txt, as its lowest is gigabytes on some machines; with `--torch`, which the public workflow
runs too, it is the lowest like all others.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
EXTRAS = ("nnsight", "pdf", "plot", "site")
"""What users may install besides."""


def lowest() -> dict[str, str]:
    """Each requirement's name and lower bound."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(one for extra in EXTRAS for one in project["optional-dependencies"][extra])]
    bounds = {}
    for requirement in map(Requirement, wanted):
        (bounds[requirement.name],) = (one.version for one in requirement.specifier if one.operator == ">=")
    return bounds


if __name__ == "__main__":
    bounds = lowest()
    if "--torch" not in sys.argv:
        (bounds["torch"],) = re.findall(r"^torch==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    print("\n".join(f"{name}=={version}" for name, version in bounds.items()))
