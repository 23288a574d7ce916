"""Looks users and groups up through glibc, in processes of their own, and counts what goes wrong.

readers.py SECONDS PROCESSES: prints one line of JSON. A process that glibc aborts is counted and replaced.
"""

import ctypes, grp, json, os, pwd, random, signal, sys, time

SECONDS, PROCESSES = float(sys.argv[1]), int(sys.argv[2])
KEPT = 100
CHUNK = 5000


class Spwd(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("password", ctypes.c_char_p)]


libc = ctypes.CDLL(None)
libc.getspnam.restype = ctypes.POINTER(Spwd)
libc.getspnam.argtypes = [ctypes.c_char_p]


def one_chunk(out, turn):
    random.seed(os.getpid())
    lookups = misses = wrong = 0
    for count in range(CHUNK):
        nth = random.randint(1, KEPT)
        name, number = "user%d" % nth, 10000 + nth
        kind = random.randint(0, 7)
        lookups += 1
        if count % 8 == 7 or count % 16 == 6:
            # Somebody who comes and goes: absent is right, another person is not.
            number = 10000 + random.randint(1000, 4300)
            try:
                found = pwd.getpwuid(number)
                wrong += (found.pw_name, found.pw_uid) != ("user%d" % (number - 10000), number)
            except KeyError:
                pass
            continue
        try:
            if kind < 3:
                found = pwd.getpwnam(name)
                wrong += (found.pw_name, found.pw_uid) != (name, number)
            elif kind < 5:
                found = pwd.getpwuid(number)
                wrong += (found.pw_name, found.pw_uid) != (name, number)
            elif kind == 5:
                found = grp.getgrnam(name)
                wrong += (found.gr_name, found.gr_gid) != (name, number)
            elif kind == 6:
                found = grp.getgrgid(number)
                wrong += (found.gr_name, found.gr_gid) != (name, number)
            else:
                found = libc.getspnam(name.encode())
                if not found:
                    raise KeyError(name)
                wrong += found.contents.name.decode() != name
        except KeyError:
            misses += 1
        if count == 0 and turn % 20 == 0:
            there = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
            lookups += KEPT
            for every in range(1, KEPT + 1):
                uid = there.get("user%d" % every)
                misses += uid is None
                wrong += uid is not None and uid != 10000 + every
    os.write(out, b"%d %d %d\n" % (lookups, misses, wrong))


def work(out):
    end = time.monotonic() + SECONDS
    turn = 0
    while time.monotonic() < end:
        turn += 1
        child = os.fork()
        if child == 0:
            one_chunk(out, turn)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            os.write(out, b"abort %d\n" % os.WTERMSIG(status))


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    incoming, out = os.pipe()
    for _ in range(PROCESSES):
        if os.fork() == 0:
            os.close(incoming)
            work(out)
            os._exit(0)
    os.close(out)
    total = {"lookups": 0, "aborts": 0, "misses": 0, "wrong": 0}
    for line in os.fdopen(incoming):
        if line.startswith("abort"):
            total["aborts"] += 1
        else:
            for key, value in zip(("lookups", "misses", "wrong"), line.split()):
                total[key] += int(value)
    print(json.dumps(total))


main()
