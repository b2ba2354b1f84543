#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Stands in for QEMU, by a link of its name in a directory at the front of PATH: runs the next program of
that name in PATH, and appends to $QEMU_TIMES a line of the processor time and the wall time that it
took, in seconds.
"""
import os
import shutil
import signal
import sys
import time


def real_program():
    """The next program of this one's name."""
    own = os.path.dirname(os.path.abspath(sys.argv[0]))
    path = [d for d in os.environ["PATH"].split(os.pathsep) if os.path.abspath(d) != own]
    return shutil.which(os.path.basename(sys.argv[0]), path=os.pathsep.join(path))


def main():
    """Exit as the program does."""
    program = real_program()
    if not program:
        sys.exit(f"qemu_time: no other {os.path.basename(sys.argv[0])} in PATH")
    began = time.monotonic()
    pid = os.posix_spawn(program, [program] + sys.argv[1:], os.environ)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
    _, status, usage = os.wait4(pid, 0)
    with open(os.environ["QEMU_TIMES"], "a", encoding="ascii") as file:
        print(f"{usage.ru_utime + usage.ru_stime:.3f} {time.monotonic() - began:.3f}", file=file)
    code = os.waitstatus_to_exitcode(status)
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
