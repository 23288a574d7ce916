"""Runs a command to its end and prints what it cost as JSON on descriptor 3: Node cannot ask wait4(2).

Seconds of wall clock and CPU, and the peak of resident memory in KiB.
"""

import json
import os
import sys
import time

start = time.monotonic()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
cost = {
    "code": os.waitstatus_to_exitcode(status),
    "wallSeconds": time.monotonic() - start,
    "cpuSeconds": usage.ru_utime + usage.ru_stime,
    "peakKiB": usage.ru_maxrss,
}
os.write(3, json.dumps(cost).encode())
