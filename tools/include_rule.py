#!/usr/bin/python3
"""include_rule.py [ROOT]: checks every #include "..." of a source tree against "Who may include whom".

    base <- net <- {flow rules route queue ess trace puzzle} <- {vpu <- code <- capsule, state} <- meta
         <- drivers <- app

A room includes what stands left of it; rooms in one brace include each other only where an arrow says so. From
outside of its room only a library's public header lib/x/x.h may be included. Everything is included by its path
from the root. test/ and perf/ may include anything that exists. Prints one line for each violation; exit status 1
when there are any.
"""

import os
import re
import sys

BRACES = [
    ["base"],
    ["net"],
    ["flow", "rules", "route", "queue", "ess", "trace", "puzzle"],
    ["vpu", "code", "capsule", "state"],
    ["meta"],
    ["drivers"],
    ["app"],
]
ARROWS = {"code": {"vpu"}, "capsule": {"vpu", "code"}}  # within a brace
FREE = ("test", "perf")  # may include anything

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')


def allowed_rooms():
    """{room: the rooms that it may include, itself too}"""
    allowed, below = {}, set()
    for brace in BRACES:
        for room in brace:
            allowed[room] = below | ARROWS.get(room, set()) | {room}
        below |= set(brace)
    return allowed


def room_of(path):
    """base for lib/base/log.c, app for app/sphex/main.c, None outside of the rooms."""
    parts = path.split("/")
    if parts[0] == "lib" and len(parts) > 2:
        return parts[1]
    return parts[0] if parts[0] in ("drivers", "app") and len(parts) > 1 else None


def sources(root):
    """Paths from the root of every C file and header of the rooms, test/ and perf/."""
    for top in ("lib", "drivers", "app") + FREE:
        for folder, _folders, files in os.walk(os.path.join(root, top)):
            for name in sorted(files):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(folder, name), root)


def complaint(root, allowed, path, include):
    """What is wrong with one include, or None."""
    if not os.path.isfile(os.path.join(root, include)):
        return "no such file; write the path from the root"
    if path.split("/")[0] in FREE:
        return None
    here, there = room_of(path), room_of(include)
    if here not in allowed:
        return f"room {here} is unknown; give it its place in ARCHITECTURE and in tools/include_rule.py"
    if there not in allowed[here]:
        return f"{here} may include only {', '.join(sorted(allowed[here]))}"
    if include.startswith("lib/") and there != here and include != f"lib/{there}/{there}.h":
        return f"from outside of {there} only lib/{there}/{there}.h may be included"
    return None


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    allowed = allowed_rooms()
    includes = violations = 0
    for path in sources(root):
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                includes += 1
                wrong = complaint(root, allowed, path, match.group(1))
                if wrong:
                    violations += 1
                    print(f'{path}:{number}: #include "{match.group(1)}": {wrong}')
    if includes == 0:
        print(f"no #include found under {root}: is it the project's root?")
        return 1
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
