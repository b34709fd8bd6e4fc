"""Runs one command on what comes in, as if it were that command, and notes its time and memory in a file.

`meter.py NOTE COMMAND...`: a process of its own for each command, so that no other child is counted.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    began = time.monotonic()
    done = subprocess.run(sys.argv[2:], stdin=sys.stdin, check=False)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    taken = {"seconds": time.monotonic() - began, "peak": peak, "code": done.returncode}
    Path(sys.argv[1]).write_text(json.dumps(taken))
    if done.returncode < 0:
        signal.signal(-done.returncode, signal.SIG_DFL)
        os.kill(os.getpid(), -done.returncode)
    sys.exit(done.returncode)
