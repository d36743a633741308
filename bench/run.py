"""Every measurement, one after another: `make bench`."""

import subprocess
import sys

for module in ("bench.payload", "bench.readout", "bench.attribution", "bench.browser"):
    subprocess.run([sys.executable, "-m", module], check=True)
