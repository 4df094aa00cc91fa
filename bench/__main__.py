"""`python -m bench`: the quick form of each benchmark, one after the other."""

import subprocess
import sys

BENCHMARKS = ("bench.pickup", "bench.engine", "bench.delivery", "bench.copy")

for benchmark in BENCHMARKS:
    print(f"\n{benchmark}", flush=True)
    subprocess.run([sys.executable, "-m", benchmark], check=True)  # noqa: S603  # a name from above
