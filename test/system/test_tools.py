#!/usr/bin/python3
"""The project's own tools: a checker that never fails checks nothing."""

import os
import subprocess
import tempfile
import time

import lab

TOOLS = os.path.join(lab.SOURCE, "tools")


def run_tool(tool, *arguments, fakes=None):
    """(exit status, output). `fakes` are commands found before the real ones: {name: shell script}."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (fakes or {}).items():
            write_files(folder, {name: f"#!/bin/sh\n{text}\n"})
            os.chmod(os.path.join(folder, name), 0o755)
        done = subprocess.run([os.path.join(TOOLS, tool), *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False, timeout=60,
                              env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"})
        return done.returncode, done.stdout


def write_files(root, files):
    for path, text in files.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)


# ---- include_rule.py

ROOMS = ("base", "net", "flow", "rules", "vpu", "code", "capsule", "state", "meta")


def include_rule(path, include):
    """The verdict on a tree with the rooms' public headers, one internal header, and one include more."""
    with tempfile.TemporaryDirectory() as root:
        write_files(root, {f"lib/{room}/{room}.h": "#include <stdint.h>\n" for room in ROOMS})
        write_files(root, {"lib/net/inner.h": "", "drivers/port.h": "", "app/sphex/setup.h": ""})
        write_files(root, {path: f'#include "{include}"\n'})
        status, output = run_tool("include_rule.py", root)
        lab.equal(status != 0, path in output, f"exit status and complaint about {path}")
        return status


def test_include_rule_passes_what_is_allowed():
    for path, include in (
        ("lib/net/parse.c", "lib/base/base.h"),
        ("lib/net/parse.c", "lib/net/inner.h"),
        ("lib/rules/acl.c", "lib/net/net.h"),
        ("lib/code/code.c", "lib/vpu/vpu.h"),
        ("lib/capsule/capsule.c", "lib/code/code.h"),
        ("lib/state/state.c", "lib/flow/flow.h"),
        ("lib/meta/meta.c", "lib/capsule/capsule.h"),
        ("drivers/replay/replay.c", "lib/meta/meta.h"),
        ("drivers/replay/replay.c", "drivers/port.h"),
        ("app/sphex/main.c", "drivers/port.h"),
        ("test/unit/net_parse.c", "lib/net/inner.h"),
        ("perf/micro/net.c", "app/sphex/setup.h"),
    ):
        lab.equal(include_rule(path, include), 0, f"{path} includes {include}")


def test_include_rule_fails_what_is_not():
    for path, include in (
        ("lib/base/log.c", "lib/net/net.h"),  # upward
        ("lib/rules/acl.c", "lib/flow/flow.h"),  # side by side
        ("lib/state/state.c", "lib/vpu/vpu.h"),
        ("lib/vpu/interp.c", "lib/code/code.h"),  # against the arrow
        ("lib/meta/meta.c", "drivers/port.h"),
        ("lib/net/parse.c", "app/sphex/setup.h"),
        ("drivers/replay/replay.c", "app/sphex/setup.h"),
        ("lib/rules/acl.c", "lib/net/inner.h"),  # not the public header
        ("app/sphex/main.c", "lib/net/inner.h"),
        ("lib/net/parse.c", "inner.h"),  # not from the root
        ("test/unit/net.c", "lib/net/gone.h"),
        ("lib/novel/novel.c", "lib/base/base.h"),  # a room without a place
    ):
        lab.equal(include_rule(path, include), 1, f"{path} includes {include}")


def test_include_rule_fails_an_empty_tree():
    with tempfile.TemporaryDirectory() as root:
        lab.equal(run_tool("include_rule.py", root)[0], 1, "exit status")


# ---- summary.py

CRITERION = """<testsuite name="sphex.sphex:unit / c">
<testcase name="1 - s::ok  (0.00s)"/>
<testcase name="2 - s::bad  (0.00s)"><failure/></testcase>
<testcase name="3 - s::absent"><skipped/><system-out>no ../shared/data</system-out></testcase>
<system-out>a control byte: \x01</system-out></testsuite>"""
CUT_SHORT = '<testsuite name="sphex.sphex:unit / d"><testcase name="1 - one"/></testsuite>'
ALONE = """<testsuite name="sphex">
<testcase name="sphex:unit / e"/>
<testcase name="sphex:unit / f"><skipped/><system-out>1..0 # SKIP needs root</system-out></testcase>
<testcase name="sphex:unit / g"/>
<testcase name="sphex:unit / h"><skipped/></testcase></testsuite>"""


def summary(xml, results):
    """Exit status and output of summary.py on a made-up build directory."""
    with tempfile.TemporaryDirectory() as build:
        lines = "".join(f'{{"name": "sphex:unit / {name}", "result": "{result}", "returncode": {status}, '
                        f'"stderr": "{stderr}"}}\n' for name, (result, status, stderr) in results.items())
        write_files(build, {"meson-logs/testlog.junit.xml": f"<testsuites>{xml}</testsuites>",
                            "meson-logs/testlog.json": lines})
        status, output = run_tool("summary.py", build)
        return status, output.splitlines()


def test_summary_counts_cases():
    status, lines = summary(CRITERION, {"c": ("ERROR", 1, "")})
    lab.equal(lines[-1], "1 passed, 1 failed, 1 skipped", "last line")
    lab.equal(status, 1, "exit status")
    lab.check(any(line.startswith("skipped: ") and line.endswith("c: s::absent: no ../shared/data")
                  for line in lines), f"the skipped case and its reason: {lines}")
    lab.check(any(line.startswith("failed: ") and line.endswith("c: s::bad") for line in lines), f"{lines}")


def test_summary_sees_how_programs_end():
    # d died after its first case; e is fine; f skips itself; g hung, but has no failure element; h printed nothing.
    results = {"d": ("ERROR", -11, ""), "e": ("OK", 0, ""), "f": ("SKIP", 0, ""), "g": ("TIMEOUT", -15, ""),
               "h": ("SKIP", 0, "")}
    status, lines = summary(CUT_SHORT + ALONE, results)
    lab.equal(lines[-1], "2 passed, 3 failed, 1 skipped", "last line")
    lab.equal(status, 1, "exit status")
    lab.check(any(line.endswith("f: needs root") for line in lines), f"the reason of f: {lines}")


def test_summary_sees_leaks():
    leak = "ERROR: LeakSanitizer: detected memory leaks"
    lab.equal(summary(CUT_SHORT, {"d": ("OK", 0, "")}), (0, ["1 passed, 0 failed, 0 skipped"]), "without")
    status, lines = summary(CUT_SHORT, {"d": ("OK", 0, leak)})
    lab.equal((status, lines[-1]), (1, "1 passed, 1 failed, 0 skipped"), "with a leak")


def test_summary_fails_without_results():
    with tempfile.TemporaryDirectory() as build:
        status, output = run_tool("summary.py", build)
    lab.equal((status, output.splitlines()[-1]), (1, "0 passed, 1 failed, 0 skipped"), "an empty directory")


# ---- deps.sh

def test_deps_is_quick_when_all_is_there():
    begin = time.monotonic()
    status, output = run_tool("deps.sh", fakes={"apt-get": "exit 1"})
    seconds = time.monotonic() - begin
    if status != 0:
        raise lab.Skip("packages of deps.sh are missing here")
    lab.equal(output, "", "output")
    lab.check(seconds < 2, f"it took {seconds:.1f} s")


def test_deps_names_what_is_missing():
    """As an ordinary user without sudo, where dpkg knows of nothing."""
    status, output = run_tool("deps.sh", fakes={"dpkg-query": "exit 1", "id": "echo 1000", "sudo": "exit 1",
                                                "apt-get": "echo called"})
    lab.equal(status, 1, "exit status")
    lab.check("apt-get install" in output and " libdpdk-dev " in output, output)
    lab.check("called" not in output, "it called apt-get")


def test_deps_updates_the_lists_when_an_install_fails():
    """apt-get knows the packages only after an update."""
    with tempfile.TemporaryDirectory() as state:
        apt = f"""case "$*" in
          *update*) touch {state}/updated; echo update >>{state}/calls ;;
          *install*) echo install >>{state}/calls; test -e {state}/updated ;;
        esac"""
        status, output = run_tool("deps.sh", fakes={"dpkg-query": "exit 1", "id": "echo 0", "apt-get": apt})
        with open(os.path.join(state, "calls"), encoding="utf-8") as file:
            calls = file.read().split()
    lab.equal((status, calls), (0, ["install", "update", "install"]), "exit status and calls of apt-get")
    lab.equal(len(output.splitlines()), 1, "lines of output")


lab.main(*(test for name, test in list(globals().items()) if name.startswith("test_")), needs_lab=False)
