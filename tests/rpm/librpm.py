# SPDX-License-Identifier: GPL-2.0-or-later
#
# librpm.py [together] HOW NAME...: transactions in one process, as dnf and
# PackageKit run them.  HOW: i, u (NAME is a file) or e (a package).  together: all
# are prepared before the first is run, and the last one is run first.
import os
import sys

import rpm


def callback(what, amount, total, key, data):
    if what == rpm.RPMCALLBACK_INST_OPEN_FILE:
        callback.fd = os.open(key, os.O_RDONLY)
        return callback.fd
    if what == rpm.RPMCALLBACK_INST_CLOSE_FILE:
        os.close(callback.fd)


def prepare(how, name):
    ts = rpm.ts()
    ts.setVSFlags(-1)
    if how == "e":
        ts.addErase(name)
        return ts
    with open(name) as package:
        ts.addInstall(ts.hdrFromFdno(package), name, how)
    return ts


def main(arguments):
    together = arguments[:1] == ["together"]
    words = arguments[together:]
    wanted = list(zip(words[::2], words[1::2]))
    if together:
        wanted = [prepare(*w) for w in wanted][::-1]
    for w in wanted:
        ts = w if together else prepare(*w)
        problems = ts.run(callback, None)
        if problems:
            sys.exit(f"{w}: {problems}")


main(sys.argv[1:])
