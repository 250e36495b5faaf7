#!/usr/bin/python3
"""The appliance as a router between hosts that know nothing of it: client - sphex - server, in namespaces."""

import hashlib
import os
import re
import sys

import lab
from router_lab import CLIENT, CLIENT6, SERVER, SERVER6, ctl, hosts, report, router, tap, xdp, xdp_environment


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
    net.run("server", ["sysctl", "-qw", "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0"])
    program = router(net)
    out = net.run("client", ["traceroute", "-n", "-q", "1", "-w", "2", SERVER])
    lab.equal(re.findall(r"^ *\d+  (\S+)", out, re.MULTILINE), ["10.1.0.1", SERVER], out)
    out = net.run("client", ["traceroute", "-6", "-n", "-q", "1", "-w", "2", SERVER6])
    lab.equal(re.findall(r"^ *\d+  (\S+)", out, re.MULTILINE), ["2001:db8:1::1", SERVER6], out)
    document = report(net, program)
    lab.check(document["slowpath"]["drops"]["ttl_expired"] >= 2, f"{document['slowpath']}")


def test_what_waited_goes_first(net):
    """Of packets to a neighbour that is asked for, none comes before an earlier one; but for a window of one turn of
    a worker, which a loaded machine makes long enough to be met now and then."""
    hosts(net)
    program = router(net)
    disordered = []
    for _ in range(5):
        receiver = net.start("server", ["bash", "-c", f"nc -u -l {SERVER} 7777 > {net.path('numbers')}"])
        lab.wait_until(lambda: ":7777" in net.run("server", ["ss", "-lun"]), 5, "receiver")
        net.run("client", [sys.executable, "-c", f"""
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(60):
    s.sendto(b"%d " % n, ("{SERVER}", 7777))
    time.sleep(0.0001)
"""])
        numbers = []

        def last_came():
            with open(net.path("numbers"), encoding="ascii") as file:
                numbers[:] = [int(n) for n in file.read().split()]
            return 59 in numbers
        lab.wait_until(last_came, 5, "the last packet")
        receiver.kill()
        disordered += [numbers] if numbers != sorted(numbers) else []
        ctl(net, "neighbour", "del", SERVER, "dev", "right")
    waited = report(net, program)["slowpath"]["exceptions"]["neighbour"]
    lab.check(waited >= 5, f"{waited} packets waited")
    lab.check(len(disordered) <= 2, f"{disordered}")


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


def talk(net):
    """Everything that hosts do, once."""
    net.run("client", ["ping", "-c", "3", "-i", "0.05", "-W", "2", SERVER])
    net.run("client", ["ping", "-6", "-c", "3", "-i", "0.05", "-W", "2", SERVER6])
    out = net.run("client", ["traceroute", "-n", "-q", "1", "-w", "2", SERVER])
    lab.equal(re.findall(r"^ *\d+  (\S+)", out, re.MULTILINE), ["10.1.0.1", SERVER], out)
    transfer(net, "client", "server", SERVER, 200)
    transfer(net, "server", "client", CLIENT6, 200)


def test_over_xdp(net):
    hosts(net)
    program = router(net, xdp, environment=xdp_environment())
    talk(net)
    report(net, program)


def test_only_what_is_steered(net):
    """The kernel routes everything but UDP port 3322, which sphex routes, on the same interfaces."""
    hosts(net)
    for name, address in (("left", "10.1.0.1/24"), ("right", "10.2.0.1/24")):
        net.address("box", name, address)
    net.run("box", ["sysctl", "-qw", "net.ipv4.ip_forward=1"])
    # ARP is the kernel's, so sphex has to be told.
    neighbours = [{"address": address, "port": port, "mac": net.link(space, name)["address"]}
                  for address, port, space, name in ((CLIENT, "left", "client", "c0"), (SERVER, "right", "server", "s0"))]
    program = router(net, lambda n, name: {**xdp(n, name), "steer": {"udp_ports": [3322]}}, neighbours=neighbours,
                     environment=xdp_environment())
    net.run("client", ["ping", "-c", "3", "-i", "0.05", "-W", "2", SERVER])
    transfer(net, "client", "server", SERVER, 20)
    sink = net.start("server", ["/usr/bin/python3", "-c", SINK.replace("7000", "3322")])
    sink.wait_for("ready")
    sent = int(net.run("client", ["/usr/bin/python3", "-c", SOURCE.replace("7000", "3322").replace("+ 10,", "+ 1,"), SERVER]))
    lab.equal(int(re.search(r"got (\d+)", sink.wait(30))[1]), sent, "datagrams at the far side")
    lab.equal(report(net, program)["transmitted"], sent + 1, "packets by way of sphex")


def test_over_tap(net):
    """The hosts' interfaces are the kernel's sides of TAP devices, moved to their namespaces."""
    for space in ("client", "box", "server"):
        net.namespace(space)
    program = router(net, tap)
    for space, name, address, address6, side in (("client", "left", CLIENT, CLIENT6, "1"),
                                                 ("server", "right", SERVER, SERVER6, "2")):
        net.run("box", ["ip", "link", "set", name, "netns", net.spaces[space]])
        # The kernel's side has sphex's MAC address at first.
        net.run(space, ["ip", "link", "set", name, "address", f"02:00:00:00:00:0{side}"])
        net.run(space, ["ip", "link", "set", name, "up"])
        net.address(space, name, address + "/24", address6 + "/64")
        net.run(space, ["ip", "route", "add", "default", "via", f"10.{side}.0.1"])
        net.run(space, ["ip", "-6", "route", "add", "default", "via", f"2001:db8:{side}::1"])
    talk(net)
    report(net, program)


def test_local_port(net):
    """What is for the box itself and is no ping reaches its kernel."""
    hosts(net)
    program = router(net, extra=[{"name": "kernel", "driver": "ethdev", "device": "net_tap0,iface=sphex0",
                                  "addresses": ["10.255.0.1/30"]}], local_port="kernel")
    net.address("box", "sphex0", "10.255.0.2/30", "10.1.0.1/32")
    net.run("box", ["ip", "route", "add", "default", "via", "10.255.0.1", "dev", "sphex0", "src", "10.1.0.1"])
    transfer(net, "client", "box", "10.1.0.1", 5)
    # sphex is a hop for the box's own kernel, and tells it.
    out = net.run("box", ["traceroute", "-n", "-q", "1", "-w", "2", SERVER])
    lab.equal(re.findall(r"^ *\d+  (\S+)", out, re.MULTILINE), ["10.255.0.1", SERVER], out)
    report(net, program)


def test_route_changes_lose_nothing(net):
    """1,000 changes a second for 10 s, while UDP goes through; counted at the far side."""
    hosts(net)
    program = router(net)
    net.run("client", ["ping", "-c", "1", "-W", "2", SERVER])
    changer = net.start(None, ["/usr/bin/python3", "-c", CHANGER, net.path("control")])
    sink = net.start("server", ["/usr/bin/python3", "-c", SINK])
    sink.wait_for("ready")
    sent = int(net.run("client", ["/usr/bin/python3", "-c", SOURCE, SERVER], seconds=60))
    changes = int(changer.wait(60))
    got = int(re.search(r"got (\d+)", sink.wait(30))[1])
    lab.check(changes >= 10000, f"{changes} changes")
    lab.equal(got, sent, "datagrams at the far side")
    report(net, program)


# Replaces one route again and again, at 1,000 a second for 10 s, and prints how often it did.
CHANGER = """
import json, socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
f = s.makefile("rw")
end = time.monotonic() + 10
n = 0
while time.monotonic() < end or n < 10000:
    for _ in range(10):
        via = "10.2.0.2" if n % 2 else "10.2.0.3"
        f.write(json.dumps({"jsonrpc": "2.0", "id": n, "method": "route.replace",
                            "params": {"route": f"10.77.{n % 200}.0/24 via {via}"}}) + "\\n")
        n += 1
    f.flush()
    for _ in range(10):
        assert "result" in json.loads(f.readline())
    time.sleep(max(0, end - 10 + n / 1000 - time.monotonic()))
print(n)
"""

SOURCE = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
end, n = time.monotonic() + 10, 0
while time.monotonic() < end:
    for _ in range(5):
        s.sendto(n.to_bytes(8, "big"), (sys.argv[1], 7000))
        n += 1
    time.sleep(0.001)
s.sendto(b"end", (sys.argv[1], 7000))
print(n)
"""

SINK = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)  # SO_RCVBUFFORCE
s.bind(("", 7000))
s.settimeout(40)
print("ready", flush=True)
seen = set()
while True:
    data = s.recv(100)
    if data == b"end":
        break
    seen.add(data)
print("got", len(seen))
"""


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


lab.main(test_ping, test_traceroute, test_what_waited_goes_first, test_tcp, test_path_mtu, test_over_xdp,
         test_only_what_is_steered, test_over_tap, test_local_port, test_route_changes_lose_nothing,
         test_a_neighbour_that_does_not_answer)
