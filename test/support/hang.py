"""Makes a directory that never answers whoever opens it, as one on a file server that hangs.

hang.py DIRECTORY: a direct mount of autofs whose daemon says nothing. Prints "hanging" and stays.
"""

import ctypes, os, sys, time

directory = sys.argv[1].encode()
os.setpgrp()
_, daemon = os.pipe()
options = "fd=%d,pgrp=%d,minproto=5,maxproto=5,direct" % (daemon, os.getpgrp())
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(b"hang", directory, b"autofs", 0, options.encode()) != 0:
    sys.exit("mount of autofs: " + os.strerror(ctypes.get_errno()))
print("hanging", flush=True)
time.sleep(300)
