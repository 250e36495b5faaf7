#!/usr/bin/python3
"""summary.py BUILD...: counts the test cases of the last `meson test` in each build directory.

Lists what failed and what was skipped, with the reason. The last line is "N passed, N failed, N skipped"; the
exit status is 1 when anything failed.

Meson leaves two files. testlog.junit.xml has every test case of a program, but says nothing of a program that
was killed, timed out, or died after its last case; testlog.json has one result for each program. A program
that ended badly without a failed case counts as one failed case more, and so does one with a sanitizer's report;
one that reported no case counts as failed.
"""

import json
import re
import sys
import xml.etree.ElementTree as xml

# Bytes that XML 1.0 forbids; a test that prints them must not cost us the summary.
FORBIDDEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Criterion puts the time into the name: "12 suite::test (0.01s)".
DECORATION = re.compile(r"^\d+\s+(- )?|\s*\(\d+\.\d+s\)$")
PLAN_SKIP = re.compile(r"^1\.\.0\s*#\s*skip\S*\s*(.*)$", re.IGNORECASE | re.MULTILINE)
# Criterion has counted a test as passed when, at the end of its process, the leak check speaks.
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|: runtime error: ")


def read_cases(path):
    """{program: [(case, "passed" | "failed" | "skipped", reason)]} of a testlog.junit.xml. A program that is one
    case itself (it printed no TAP cases) has the case ""."""
    with open(path, encoding="utf-8", errors="replace") as file:
        root = xml.fromstring(FORBIDDEN.sub("?", file.read()))
    programs = {}
    for suite in root.iter("testsuite"):
        _project, dot, suite_program = suite.get("name").partition(".")
        for case in suite.iter("testcase"):
            program = suite_program if dot else case.get("name")
            name = DECORATION.sub("", case.get("name")) if dot else ""
            output = (case.findtext("system-out") or "").strip()
            if case.find("skipped") is not None:
                said = PLAN_SKIP.search(output)
                outcome = (name, "skipped", said.group(1) if said else output)
            elif case.find("failure") is not None or case.find("error") is not None:
                outcome = (name, "failed", "")
            else:
                outcome = (name, "passed", "")
            programs.setdefault(program, []).append(outcome)
    return programs


def read_results(path):
    """{program: its line of a testlog.json}"""
    with open(path, encoding="utf-8", errors="replace") as file:
        return {test["name"]: test for test in map(json.loads, file)}


def judge(test, cases):
    """The cases of one program, corrected by how the program itself ended."""
    result, status = test["result"], test["returncode"]
    alone = len(cases) == 1 and cases[0][0] == ""
    if result == "SKIP" and status == 0 and alone and cases[0][2] == "":
        return [("", "failed", "reported no test case")]  # a TAP program that printed nothing
    wrong = None
    if SANITIZER.search(test.get("stderr", "")):
        wrong = "a sanitizer reported an error"
    if result not in ("OK", "SKIP", "EXPECTEDFAIL"):
        wrong = f"the program itself ended with {result.lower()}, status {status}"
    if wrong is None or any(outcome == "failed" for _, outcome, _ in cases):
        return cases
    if alone:
        cases = []  # meson may well have called a killed program passed
    return cases + [("", "failed", wrong)]


def summarize(build):
    """(counts, lines to print) of one build directory."""
    try:
        cases = read_cases(f"{build}/meson-logs/testlog.junit.xml")
        results = read_results(f"{build}/meson-logs/testlog.json")
    except (OSError, ValueError, KeyError, xml.ParseError) as error:
        results = {"meson test": {"result": "ERROR", "returncode": 0}}
        cases = {"meson test": [("", "failed", f"left no readable result: {error}")]}

    counts = {"passed": 0, "failed": 0, "skipped": 0}
    lines = []
    for program, test in results.items():
        for name, outcome, reason in judge(test, cases.get(program, [])):
            counts[outcome] += 1
            if outcome != "passed":
                parts = [build, program.rpartition(" / ")[2], name, reason]
                lines.append(f"{outcome}: " + ": ".join(part for part in parts if part))
    return counts, lines


def main():
    total = {"passed": 0, "failed": 0, "skipped": 0}
    for build in sys.argv[1:]:
        counts, lines = summarize(build)
        print("\n".join(lines), end="\n" if lines else "")
        for outcome, number in counts.items():
            total[outcome] += number
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**total))
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
