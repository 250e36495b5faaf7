#!/usr/bin/python3
"""The session of the README, word for word: every command of it runs, and shows what it says there."""

import os
import re
import subprocess

import lab

SECTION = "## Asking a running appliance"


def blocks():
    """The indented blocks of the section, each a list of lines."""
    with open(os.path.join(lab.SOURCE, "README.md"), encoding="utf-8") as file:
        section = file.read().split(SECTION)[1].split("\n## ")[0]
    return [[line[4:] for line in block.splitlines() if line.strip()]
            for block in re.findall(r"((?:^    .*\n|^\n(?=    ))+)", section, re.MULTILINE)]


def folder_like_the_project(net):
    """What the session names, in a folder where it may leave files."""
    folder = net.path("project")
    os.mkdir(folder)
    os.symlink(os.path.abspath(lab.BUILD), os.path.join(folder, "build"))
    os.symlink(os.path.join(lab.SOURCE, "config"), os.path.join(folder, "config"))
    return folder


def run(command, folder, environment):
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, text=True, timeout=60, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lab.check(done.returncode == 0, f"{command}: status {done.returncode}:\n{done.stdout}")
    return done.stdout


def test_session(net):
    session, way = blocks()
    folder = folder_like_the_project(net)
    # Other appliances of this machine are not ours to talk to.
    environment = dict(os.environ, SPX_SOCKET=net.path("control"))
    shown = {}
    for command in session:
        words = command.split("#")[0].strip()
        if words.endswith("&"):
            program = net.start(None, ["bash", "-c", f"exec {words[:-1]} --control {net.path('control')}"], cwd=folder)
            program.wait_for("control socket", 30)
        else:
            shown[words] = run(command, folder, environment)
    program.wait()

    def of(begin):
        return next(text for words, text in shown.items() if words.startswith("build/app/spxctl " + begin))
    lab.check(re.search(r"^in +replay +up +[1-9]", of("show ports"), re.MULTILINE), of("show ports"))
    lab.check(re.search(r"^lookup +[1-9]", of("show stages"), re.MULTILINE), of("show stages"))
    lab.check(re.search(r"^rule_drop +[1-9]\d* +lookup", of("show drops"), re.MULTILINE), of("show drops"))
    lab.check("action web: forward to out" in of("trace 1 tcp"), of("trace 1 tcp"))
    lab.check(sum(map(int, re.findall(r"^(\d+) packets?:", of("trace 100"), re.MULTILINE))) == 100, of("trace 100"))
    lab.check(re.search(r"^capture 1: [1-9]\d* packets", of("capture stop")), of("capture stop"))
    dropped = of("trace 1 dst net")
    lab.equal([line.split()[0] for line in dropped.splitlines()[1:]], [line.split()[0] for line in way[1:]], "lines")
    for line in way[3:]:  # what does not depend on the packet
        lab.check(line.split(None, 3)[3] in dropped or "rule 32, action scan: drop" in dropped, f"{line} in {dropped}")
    with open(os.path.join(folder, "drops.pcapng"), "rb") as file:
        lab.check(b"drop lookup rule_drop: a rule said drop" in file.read(), "comments in the capture")


lab.main(test_session, needs_network=False)
