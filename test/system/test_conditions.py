#!/usr/bin/python3
"""What is not as it should be, made to happen to a running appliance: each state is said in the log, counted, and
survived: ports that vanish, links that go down, threads that stand still, pools, rings and tables that are full."""

import ctypes
import json
import os
import re
import signal
import time

import lab

UDP = bytes.fromhex("0200000000010200000000020800" "4500002e00000000401100000a0000010a000101" "10000035001a0000") + bytes(18)


def trace(net, packets=2000, flows=100):
    path = net.path("generated.pcap")
    net.run(None, [os.path.join(lab.BUILD, "app", "spxgen"), "--packets", str(packets), "--flows", str(flows), path])
    return path


def start(net, space, config, ready="control socket"):
    """An appliance of this configuration that is at work, its report in report.json."""
    config = {"memory": {"hugepages": "off", "megabytes": 128}, **config}
    with open(net.path("config.json"), "w", encoding="utf-8") as file:
        json.dump(config, file)
    program = net.sphex(space, ["--config", net.path("config.json"), "--quiet", "--control", net.path("control"),
                                "--report", net.path("report.json")], ready)
    # The socket is there before the workers run; an answer comes when they do.
    net.run(None, [os.path.join(lab.BUILD, "app", "spxctl"), "--socket", net.path("control"), "show", "ports"])
    return program


def report(net):
    with open(net.path("report.json"), encoding="utf-8") as file:
        document = json.load(file)
    lab.balanced(document)
    return document


def through(net, device, **more):
    """A trace without end, at ten times its own pace, from port in to port out."""
    return {"ports": [{"name": "in", "driver": "replay", "trace": trace(net), "passes": 0, "speed": 10},
                      {"name": "out", "driver": "ethdev", "device": device}],
            "actions": {"send": {"verdict": "forward", "port": "out"}}, "rules": {"default": "send"}, **more}


def test_interface_vanishes(net):
    net.namespace("box")
    net.veth("box", "out0", "box", "out1")
    program = start(net, "box", through(net, "net_af_packet0,iface=out0"))
    lab.wait_until(lambda: net.link("box", "out1")["stats64"]["rx"]["packets"] > 0, 10, "packets at the far end")
    net.run("box", ["ip", "link", "delete", "out0"])
    program.wait_for("warning: port out is down: its device is gone or has no link")
    program.wait_for(r"warning: \d+ packets dropped as port_down", 15)
    program.stop()
    lab.check(report(net)["drops"]["port_down"] > 0, "packets are dropped by name")


def test_link_goes_down_and_comes_back(net):
    net.namespace("box")
    net.veth("box", "out0", "box", "out1")
    program = start(net, "box", through(net, "net_af_packet0,iface=out0"))
    net.run("box", ["ip", "link", "set", "out1", "down"])
    program.wait_for("port out is down")
    net.run("box", ["ip", "link", "set", "out1", "up"])
    program.wait_for("info: port out is up again")
    before = net.link("box", "out1")["stats64"]["rx"]["packets"]
    lab.wait_until(lambda: net.link("box", "out1")["stats64"]["rx"]["packets"] > before, 10, "packets again")
    program.stop()
    report(net)


# ---- threads ---------------------------------------------------------------------------------------------------------

SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000


class Held:
    """A single thread of a program, stopped (a signal would stop all of them)."""

    def __init__(self, pid, name):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        self.libc.ptrace.restype = ctypes.c_long
        self.tid = next(int(tid) for tid in os.listdir(f"/proc/{pid}/task")
                        if open(f"/proc/{pid}/task/{tid}/comm", encoding="ascii").read().strip() == name)

    def __enter__(self):
        if self.libc.ptrace(SEIZE, self.tid, None, None) != 0:
            raise lab.Skip(f"this machine lets nobody stop a thread ({os.strerror(ctypes.get_errno())})")
        self.libc.ptrace(INTERRUPT, self.tid, None, None)
        os.waitpid(self.tid, WALL)
        return self

    def __exit__(self, *_):
        self.libc.ptrace(DETACH, self.tid, None, None)


def pid_of(program):
    """Of the appliance itself, which `ip netns exec` has become."""
    return program.process.pid


def test_a_worker_stands_still(net):
    config = through(net, "net_null0,no-rx=1", workers={"count": 2})
    program = start(net, None, config)
    with Held(pid_of(program), "rte-worker-1"):
        program.wait_for("warning: worker 0 stands still: no turn for ")
        time.sleep(0.5)
    program.wait_for(r"info: worker 0 goes on after \d+\.\d s")
    program.stop()
    lab.check("worker 1 stands" not in program.output(), "the other worker goes on")
    report(net)


def test_everything_stands_still(net):
    program = start(net, None, through(net, "net_null0,no-rx=1"))
    time.sleep(0.5)  # it has looked at the clock
    os.kill(pid_of(program), signal.SIGSTOP)
    time.sleep(1.5)
    os.kill(pid_of(program), signal.SIGCONT)
    program.wait_for(r"warning: the appliance stood still for 1\.\d s")
    program.stop()
    report(net)


# ---- full --------------------------------------------------------------------------------------------------------------


def test_no_mbuf_is_free(net):
    """The slow path stands still, so exceptions keep all mbufs; then everything goes on."""
    net.namespace("box")
    net.veth("box", "in0", "box", "in1")
    program = start(net, "box", {
        "memory": {"hugepages": "off", "megabytes": 128, "mbufs": 1024}, "slowpath": {"exception_ring": 4096},
        "ports": [{"name": "in", "driver": "ethdev", "device": "net_af_packet0,iface=in0", "verify_checksum": False}],
        "actions": {"look": {"verdict": "punt"}}, "rules": {"default": "look"}})
    with Held(pid_of(program), "sphex"):
        send(net, "box", "in1", 3000)
        program.wait_for("warning: no mbuf is free: all 1024 are in use")
        program.wait_for("warning: the slow path stands still")
    program.wait_for("info: mbufs are free again")
    lab.check(not re.search("worker . stands still", program.output()), "workers go on")
    program.stop()
    document = report(net)
    lab.check(document["punted"] >= 1000, f"what there were mbufs for has come through: {document['punted']}")


def send(net, space, interface, count):
    """Sends UDP frames from another process, in the namespace."""
    script = ("import socket, sys, time\n"
              "s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\n"
              "s.bind((sys.argv[1], 0))\n"
              "for i in range(int(sys.argv[2])):\n"
              "    s.send(bytes.fromhex(sys.argv[3]))\n"
              "    i % 100 or time.sleep(0.001)\n")
    net.run(space, ["/usr/bin/python3", "-c", script, interface, str(count), UDP.hex()])


def test_full_ring_to_the_slow_path(net):
    program = start(net, None, {
        "slowpath": {"exception_ring": 16},
        "ports": [{"name": "in", "driver": "replay", "trace": trace(net), "passes": 0}],
        "actions": {"look": {"verdict": "punt"}}, "rules": {"default": "look"}})
    program.wait_for(r"warning: \d+ packets dropped as punt_ring_full: the exception ring to the slow path was full")
    time.sleep(1.5)
    program.stop()
    said = len(re.findall("punt_ring_full", program.output()))
    lab.check(said <= 2, f"said at once and then every ten seconds, not {said} times")
    lab.check(report(net)["drops"]["punt_ring_full"] > 0, "and counted")


def test_full_flow_cache(net):
    program = start(net, None, through(net, "net_null0,no-rx=1", cache={"mode": "exact", "entries": 16}))
    program.wait_for("info: worker 0: more IPv4 flows than its flow cache has room for")
    program.stop()
    lab.check(report(net)["cache"]["exact"]["evictions"] > 0, "flows make room for others")


lab.main(test_interface_vanishes, test_link_goes_down_and_comes_back, test_a_worker_stands_still,
         test_everything_stands_still, test_no_mbuf_is_free, test_full_ring_to_the_slow_path, test_full_flow_cache)
