#!/usr/bin/python3
"""The frame itself: links carry real packets with finished checksums, and a lab leaves nothing behind."""

import os
import subprocess
import sys

import lab


def two_hosts(net):
    net.namespace("a")
    net.namespace("b")
    net.veth("a", "va", "b", "vb")
    net.address("a", "va", "10.9.0.1/24")
    net.address("b", "vb", "10.9.0.2/24")


# One UDP datagram to the listener, which prints it and ends.
LISTEN = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.9.0.2", 7000))
print("listening", flush=True)
print(s.recv(100).decode(), flush=True)
"""
SEND = 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"hello", ("10.9.0.2", 7000))'


def test_link_carries_packets_with_finished_checksums(net):
    two_hosts(net)
    dump = net.start("b", ["tcpdump", "-i", "vb", "-nvv", "-l", "-c", "1", "udp"])
    dump.wait_for("listening on")
    listener = net.start("b", [sys.executable, "-c", LISTEN])
    listener.wait_for("^listening")
    net.run("a", [sys.executable, "-c", SEND])
    lab.check("hello" in listener.wait(), "the datagram arrives")
    lab.check("udp sum ok" in dump.wait(), f"its checksum is right:\n{dump.output()}")
    lab.check(net.link("b", "vb")["stats64"]["rx"]["packets"] > 0, "the interface counted it")


def test_program_that_ends_badly_fails_the_test(net):
    program = net.start(None, ["sh", "-c", "echo no; exit 3"])
    try:
        program.wait_for("^ready", 5)
    except AssertionError as error:
        lab.check("status 3" in str(error), str(error))
    else:
        raise AssertionError("wait_for saw what is not there")
    program.wait(status=3)


def test_program_that_hangs_is_ended(net):
    program = net.start(None, ["sleep", "60"])
    try:
        program.wait(seconds=0.2)
    except AssertionError as error:
        lab.check("did not end" in str(error), str(error))
    else:
        raise AssertionError("wait returned")
    lab.check(not program.running(), "it is still there")


def test_close_leaves_nothing(net):
    two_hosts(net)
    sleeper = net.start("a", ["sleep", "60"])
    spaces, folder = list(net.spaces.values()), net.folder
    net.close()
    lab.check(not sleeper.running(), "the program is still there")
    lab.check(not os.path.exists(folder), "the folder is still there")
    left = lab.command(["ip", "netns", "list"])
    for space in spaces:
        lab.check(space not in left, f"namespace {space} is still there")


# A script that is ended in the middle of its test, as meson does at a time limit.
HANGS = """
import sys, time
sys.path.insert(0, sys.argv[1])
import lab
def test_hangs(net):
    net.namespace("x")
    net.start("x", ["sleep", "61"])
    print("#", net.spaces["x"], net.folder, net.programs[0].process.pid, flush=True)
    time.sleep(60)
lab.main(test_hangs)
"""


def test_signal_takes_the_lab_down(net):
    script = net.start(None, [sys.executable, "-c", HANGS, os.path.dirname(os.path.abspath(__file__))])
    space, folder, pid = script.wait_for(r"^# (\S+) (\S+) (\d+)").groups()
    script.stop(status=None)
    lab.check(space not in lab.command(["ip", "netns", "list"]), f"namespace {space} is still there")
    lab.check(not os.path.exists(folder), "the folder is still there")
    lab.check(subprocess.run(["kill", "-0", pid], check=False, stderr=subprocess.DEVNULL).returncode != 0,
              "the program is still there")


lab.main(test_link_carries_packets_with_finished_checksums, test_program_that_ends_badly_fails_the_test,
         test_program_that_hangs_is_ended, test_close_leaves_nothing, test_signal_takes_the_lab_down)
