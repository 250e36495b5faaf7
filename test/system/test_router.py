#!/usr/bin/python3
"""The appliance as a router between hosts that know nothing of it: client - sphex - server, in namespaces."""

import hashlib
import json
import os
import re

import lab

SPXCTL = os.path.join(lab.BUILD, "app", "spxctl")
CLIENT, SERVER = "10.1.0.2", "10.2.0.2"
CLIENT6, SERVER6 = "2001:db8:1::2", "2001:db8:2::2"
DEVICES = {"af_packet": "net_af_packet{n},iface={name},framecnt=2048"}


def hosts(net, mtu=1500):
    """client and server, each with an address, and a default route to the box between them."""
    for space in ("client", "box", "server"):
        net.namespace(space)
    net.veth("client", "c0", "box", "left")
    net.veth("box", "right", "server", "s0", mtu)
    for space, name, address, address6, router in (("client", "c0", CLIENT, CLIENT6, "1"),
                                                   ("server", "s0", SERVER, SERVER6, "2")):
        net.address(space, name, address + "/24", address6 + "/64")
        net.run(space, ["ip", "route", "add", "default", "via", f"10.{router}.0.1"])
        net.run(space, ["ip", "-6", "route", "add", "default", "via", f"2001:db8:{router}::1"])


def router(net, **more):
    """The appliance in the box, with an address of each family on either side."""
    ports = [{"name": name, "driver": "ethdev", "device": DEVICES["af_packet"].format(n=n, name=name),
              "addresses": [f"10.{n + 1}.0.1/24", f"2001:db8:{n + 1}::1/64"]} for n, name in enumerate(("left", "right"))]
    config = {"memory": {"hugepages": "off", "megabytes": 768}, "workers": {"count": 1, "idle": "sleep"}, "ports": ports,
              "actions": {"route": {"verdict": "route"}}, "rules": {"default": "route"}, **more}
    with open(net.path("config.json"), "w", encoding="utf-8") as file:
        json.dump(config, file)
    return net.sphex("box", ["--config", net.path("config.json"), "--quiet", "--control", net.path("control"),
                             "--report", net.path("report.json")], "control socket")


def ctl(net, *words, status=0):
    return net.run(None, [SPXCTL, "--socket", net.path("control"), *words], status=status)


def report(net, program):
    program.stop()
    with open(net.path("report.json"), encoding="utf-8") as file:
        document = json.load(file)
    lab.balanced(document)
    return document


def test_ping(net):
    hosts(net)
    program = router(net)
    for target in ("10.1.0.1", SERVER, "10.2.0.1"):
        net.run("client", ["ping", "-c", "5", "-i", "0.05", "-W", "2", target])
    for target in ("2001:db8:1::1", SERVER6, "2001:db8:2::1"):
        net.run("client", ["ping", "-6", "-c", "5", "-i", "0.05", "-W", "2", target])
    document = report(net, program)
    lab.equal({reason: n for reason, n in document["drops"].items() if reason not in ("multicast", "other_host")}, {},
              "dropped packets")


def test_traceroute(net):
    hosts(net)
    program = router(net)
    out = net.run("client", ["traceroute", "-n", "-q", "1", "-w", "2", SERVER])
    lab.equal(re.findall(r"^ *\d+  (\S+)", out, re.MULTILINE), ["10.1.0.1", SERVER], out)
    out = net.run("client", ["traceroute", "-6", "-n", "-q", "1", "-w", "2", SERVER6])
    lab.equal(re.findall(r"^ *\d+  (\S+)", out, re.MULTILINE), ["2001:db8:1::1", SERVER6], out)
    document = report(net, program)
    lab.check(document["slowpath"]["drops"]["ttl_expired"] >= 2, f"{document['slowpath']}")


def transfer(net, sender, receiver, address, megabytes):
    """Sends a file over TCP and compares what arrives."""
    path = net.path("file")
    with open(path, "wb") as file:
        block = os.urandom(1 << 20)
        for i in range(megabytes):
            file.write(block[i:] + block[:i])
    server = net.start(receiver, ["bash", "-c", f"nc -l -N {address} 5001 > {net.path('got')}"])
    lab.wait_until(lambda: "5001" in net.run(receiver, ["ss", "-ltn"]), 5, "listener")
    net.run(sender, ["bash", "-c", f"nc -N {address} 5001 < {path}"], seconds=100)
    server.wait(30)

    def digest(name):
        with open(name, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else \
                hashlib.sha256(file.read()).hexdigest()
    lab.equal(digest(net.path("got")), digest(path), "SHA-256 of what arrived")


def test_tcp(net):
    hosts(net)
    program = router(net)
    transfer(net, "client", "server", SERVER, 200)
    transfer(net, "server", "client", CLIENT6, 200)
    report(net, program)


def test_path_mtu(net):
    """The way to the server is narrower: the sender is told, and TCP goes on."""
    hosts(net, mtu=1400)
    program = router(net)
    net.run("client", ["ping", "-c", "1", "-W", "2", "-M", "do", "-s", "1300", SERVER])
    out = net.run("client", ["ping", "-c", "2", "-i", "0.2", "-W", "2", "-M", "do", "-s", "1472", SERVER], status=None)
    lab.check("mtu = 1400" in out or "mtu=1400" in out, out)
    transfer(net, "client", "server", SERVER, 20)
    transfer(net, "client", "server", SERVER6, 20)
    document = report(net, program)
    lab.check(document["slowpath"]["drops"]["too_big"] >= 1, f"{document['slowpath']}")


def test_a_neighbour_that_does_not_answer(net):
    hosts(net)
    program = router(net)
    out = net.run("client", ["ping", "-c", "8", "-i", "0.5", "-W", "1", "10.2.0.77"], seconds=30, status=1)
    lab.check("Destination Host Unreachable" in out, out)
    out = net.run("client", ["ping", "-c", "1", "-W", "1", "192.0.2.1"], status=1)
    lab.check("Destination Net Unreachable" in out, out)
    document = report(net, program)
    drops = document["slowpath"]["drops"]
    lab.check(drops["neighbour_failed"] >= 1 and drops["no_route"] == 1, f"{drops}")


lab.main(test_ping, test_traceroute, test_tcp, test_path_mtu, test_a_neighbour_that_does_not_answer)
