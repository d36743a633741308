"""Every measurement, one after another: `make bench`."""

import subprocess
import sys

for module in (
    "payload",
    "first_run",
    "readout",
    "many",
    "detection",
    "nnsight",
    "attribution",
    "interventions",
    "estimates",
    "experiment",
    "patchscope",
    "fidelity",
    "exchange",
    "live",
    "long_prompt",
    "typing",
    "browser",
    "beside",
    "saved",
):
    subprocess.run([sys.executable, "-m", f"bench.{module}"], check=True)
