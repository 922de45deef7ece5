"""What a command line costs."""

import os
import sys

from measure import run

SPIN = f"{sys.executable} -c 'import time\nwhile time.process_time() < 0.4: pass'"


def test_figures_of_a_line():
    """The CPU of all, and of the busiest process that is no worker; what failed says so."""
    figures = run(f"{SPIN} s3kit.pipeline.worker & {SPIN}; wait; echo gone >&2; exit 3",
                  dict(os.environ))
    assert figures["status"] == 3 and figures["error"] == "gone"
    assert figures["cpu"] >= 0.8 and 0.2 <= figures["parent_cpu"] < 0.7
    assert figures["worker"] > 0 and figures["largest"] == max(figures["worker"],
                                                               figures["parent"])
