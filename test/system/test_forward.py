#!/usr/bin/python3
"""Packets of real hosts through the appliance: two namespaces, veth links, AF_PACKET ports."""

import json
import sys

import lab

RECEIVE = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.9.0.2", int(sys.argv[1])))
s.settimeout(1.5)
print("listening", flush=True)
n = 0
try:
    while n < 10000:
        s.recv(2000)
        n += 1
except TimeoutError:
    pass
print("got", n, flush=True)
"""
SEND = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(int(sys.argv[2])):
    s.sendto(b"x" * 100, ("10.9.0.2", int(sys.argv[1])))
    if i % 50 == 49:
        time.sleep(0.01)
"""


def bump(net, actions, rules, workers=1, more_ports=()):
    """client - sphex - server, sphex as a wire between them; returns the running appliance and its report's path."""
    for space in ("client", "sphex", "server"):
        net.namespace(space)
    net.veth("client", "c0", "sphex", "s0")
    net.veth("sphex", "s1", "server", "d0")
    net.address("client", "c0", "10.9.0.1/24")
    net.address("server", "d0", "10.9.0.2/24")
    config = {
        "memory": {"hugepages": "off", "megabytes": 256, "mbufs": 8192},
        "workers": {"count": workers, "idle": "sleep"},
        "ports": [{"name": "left", "driver": "ethdev", "device": "net_af_packet0,iface=s0"},
                  {"name": "right", "driver": "ethdev", "device": "net_af_packet1,iface=s1"}] + list(more_ports),
        "actions": {"to_left": {"verdict": "forward", "port": "left"},
                    "to_right": {"verdict": "forward", "port": "right"}} | actions,
        "rules": {"list": rules + [{"match": {"port": "left"}, "action": "to_right"},
                                   {"match": {"port": "right"}, "action": "to_left"}]},
    }
    path, report = net.path("config.json"), net.path("report.json")
    with open(path, "w", encoding="ascii") as file:
        json.dump(config, file)
    return net.sphex("sphex", ["--config", path, "--report", report], ready=r" s  received"), report


def finish(program, report):
    program.stop()
    with open(report, encoding="utf-8") as file:
        document = json.load(file)
    lab.balanced(document)
    return document


def send(net, port, n):
    """n datagrams from client to server; returns how many arrived."""
    listener = net.start("server", [sys.executable, "-c", RECEIVE, str(port)])
    listener.wait_for("listening")
    net.run("client", [sys.executable, "-c", SEND, str(port), str(n)])
    return int(listener.wait().split("got ")[1])


def test_hosts_talk_through_the_appliance(net):
    program, report = bump(net, {}, [])
    net.run("client", ["ping", "-c", "5", "-i", "0.2", "-W", "2", "10.9.0.2"])
    lab.equal(send(net, 5000, 2000), 2000, "datagrams that arrived")
    document = finish(program, report)
    lab.equal(document["drops"], {}, "drops")


def test_rules_decide_and_count(net):
    program, report = bump(
        net, {"deny": {"verdict": "drop", "count": True}, "look": {"verdict": "punt", "count": True}},
        [{"match": {"proto": "udp", "dport": 5001}, "action": "deny"},
         {"match": {"proto": "udp", "dport": "5002-5009"}, "action": "look"}])
    lab.equal(send(net, 5000, 500), 500, "datagrams that no rule stops")
    lab.equal(send(net, 5001, 300), 0, "denied datagrams")
    lab.equal(send(net, 5004, 200), 0, "punted datagrams")
    document = finish(program, report)
    lab.equal(document["drops"], {"rule_drop": 300}, "drops")
    lab.equal(document["punted"], 200, "punted")
    lab.equal(document["slowpath"]["consumed"], 200, "consumed by the slow path")
    lab.equal(document["actions"]["deny"]["packets"], 300, "packets of the action deny")


def test_mirror_and_two_workers(net):
    """Two workers share ports that have queues for both; the capture port has one and takes the other by hand-over."""
    out = net.path("mirror.pcapng")
    program, report = bump(
        net, {"watch": {"verdict": "forward", "port": "right", "mirror": "tap", "decrement_ttl": True}},
        [{"match": {"proto": "udp", "dport": 5000, "port": "left"}, "action": "watch"}],
        workers=2, more_ports=[{"name": "tap", "driver": "capture", "file": out}])
    lab.equal(send(net, 5000, 1000), 1000, "datagrams that arrived")
    document = finish(program, report)
    lab.equal(document["cloned"], 1000, "mirror copies")
    copies = net.run(None, ["tcpdump", "-nvr", out])
    lab.equal(copies.count("ttl 64"), 1000, "copies as received, before the TTL was decremented")


def test_last_hop_is_punted(net):
    program, report = bump(
        net, {"hop": {"verdict": "forward", "port": "right", "decrement_ttl": True}},
        [{"match": {"proto": "udp", "port": "left"}, "action": "hop"}])
    net.run("client", ["sysctl", "-qw", "net.ipv4.ip_default_ttl=1"])
    lab.equal(send(net, 5000, 10), 0, "datagrams with TTL 1 that arrived")
    document = finish(program, report)
    lab.equal(document["exceptions"]["ttl"], 10, "punted for their TTL")


def test_too_few_mbufs_for_receive_queues(net):
    """The second port's queue finds none left: a TAP device takes its mbufs at the start, as NICs do."""
    net.namespace("box")
    with open(net.path("few.json"), "w", encoding="utf-8") as file:
        json.dump({"memory": {"hugepages": "off", "megabytes": 256, "mbufs": 1024}, "control": {"socket": "none"},
                   "ports": [{"name": name, "driver": "ethdev", "device": f"net_tap{n},iface={name}0", "rx_descriptors": 1024}
                             for n, name in enumerate(("left", "right"))],
                   "actions": {"go": {"verdict": "forward", "port": "left"}}, "rules": {"default": "go"}}, file)
    said = net.sphex("box", ["--config", net.path("few.json"), "--seconds", "1"]).wait(status=1)
    lab.check("port right: receive queue 0" in said and "raise memory.mbufs" in said, said)


lab.main(test_hosts_talk_through_the_appliance, test_rules_decide_and_count, test_mirror_and_two_workers,
         test_last_hop_is_punted, test_too_few_mbufs_for_receive_queues)
