#!/usr/bin/python3
"""The appliance as a router between hosts that know nothing of it: client - sphex - server, in namespaces."""

import hashlib
import ipaddress
import json
import os
import re
import struct
import sys

import lab

SPXCTL = os.path.join(lab.BUILD, "app", "spxctl")
CLIENT, SERVER = "10.1.0.2", "10.2.0.2"
CLIENT6, SERVER6 = "2001:db8:1::2", "2001:db8:2::2"
FORGED = 100000  # ARP senders, each ten times


def af_packet(n, name):
    return {"driver": "ethdev", "device": f"net_af_packet{n},iface={name},framecnt=2048"}


def xdp(_n, name):
    return {"driver": "xdp", "interface": name}


def tap(n, name):
    """The far side's own interface is the kernel's side of the TAP device."""
    return {"driver": "ethdev", "device": f"net_tap{n},iface={name}"}


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


def router(net, device=af_packet, extra=(), environment=None, **more):
    """The appliance in the box, with an address of each family on either side."""
    ports = [{"name": name, **device(n, name), "addresses": [f"10.{n + 1}.0.1/24", f"2001:db8:{n + 1}::1/64"]}
             for n, name in enumerate(("left", "right"))] + list(extra)
    config = {"memory": {"hugepages": "off", "megabytes": 768}, "workers": {"count": 1, "idle": "sleep"}, "ports": ports,
              "actions": {"route": {"verdict": "route"}}, "rules": {"default": "route"}, **more}
    with open(net.path("config.json"), "w", encoding="utf-8") as file:
        json.dump(config, file)
    program = net.start("box", [lab.SPHEX, "--config", net.path("config.json"), "--quiet", "--control",
                                net.path("control"), "--report", net.path("report.json")], env=environment)
    program.wait_for("control socket", 20)
    return program


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
    net.run("server", ["sysctl", "-qw", "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0"])
    program = router(net)
    out = net.run("client", ["traceroute", "-n", "-q", "1", "-w", "2", SERVER])
    lab.equal(re.findall(r"^ *\d+  (\S+)", out, re.MULTILINE), ["10.1.0.1", SERVER], out)
    out = net.run("client", ["traceroute", "-6", "-n", "-q", "1", "-w", "2", SERVER6])
    lab.equal(re.findall(r"^ *\d+  (\S+)", out, re.MULTILINE), ["2001:db8:1::1", SERVER6], out)
    document = report(net, program)
    lab.check(document["slowpath"]["drops"]["ttl_expired"] >= 2, f"{document['slowpath']}")


def test_what_waited_goes_first(net):
    """Of packets to a neighbour that is asked for, none comes before an earlier one."""
    hosts(net)
    program = router(net)
    receiver = net.start("server", ["bash", "-c", f"nc -u -l {SERVER} 7777 > {net.path('numbers')}"])
    lab.wait_until(lambda: ":7777" in net.run("server", ["ss", "-lun"]), 5, "receiver")
    net.run("client", [sys.executable, "-c", f"""
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(100):
    s.sendto(b"%d " % n, ("{SERVER}", 7777))
    time.sleep(0.0001)
"""])
    lab.wait_until(lambda: open(net.path("numbers"), encoding="ascii").read().split()[-1:] == ["99"], 5, "the last packet")
    receiver.stop(status=-15)
    with open(net.path("numbers"), encoding="ascii") as file:
        numbers = [int(n) for n in file.read().split()]
    waited = report(net, program)["slowpath"]["exceptions"]["neighbour"]
    lab.check(waited >= 1, f"{waited} packets waited")
    early = sum(b < a for a, b in zip(numbers, numbers[1:]))
    lab.check(early == 0, f"{numbers}")


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
    # DPDK's device leaks, and sanitizers should not speak of that.
    suppressions = os.path.join(lab.SOURCE, "test/system/xdp.lsan")
    program = router(net, xdp, environment=dict(os.environ, LSAN_OPTIONS=f"suppressions={suppressions}"))
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
    suppressions = os.path.join(lab.SOURCE, "test/system/xdp.lsan")
    program = router(net, lambda n, name: {**xdp(n, name), "steer": {"udp_ports": [3322]}}, neighbours=neighbours,
                     environment=dict(os.environ, LSAN_OPTIONS=f"suppressions={suppressions}"))
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


def write_trace(path, frames):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for frame in frames:
            file.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)


def forged_arp(_router):
    """ARP requests and replies, each of another sender."""
    for n in range(FORGED):
        sender = struct.pack(">I", 0x0a010100 + n)
        mac = b"\x02\x66" + struct.pack(">I", n)
        yield (b"\xff" * 6 + mac + b"\x08\x06" + struct.pack(">HHBBH", 1, 0x800, 6, 4, 1 + n % 2) + mac + sender +
               bytes(6) + bytes([10, 1, 0, 1]) + bytes(18))


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff


def forged_nd(router_mac):
    """Neighbour solicitations and advertisements that say to be answers, each of another sender."""
    us = ipaddress.ip_address("2001:db8:1::1").packed
    group = ipaddress.ip_address("ff02::1:ff00:1").packed
    for n in range(FORGED):
        sender = us[:8] + struct.pack(">Q", 0x10000 + n)
        mac = b"\x02\x66" + struct.pack(">I", n)
        if n % 2:
            to, to_mac, message, option = us, router_mac, struct.pack(">BBHI", 136, 0, 0, 0x60000000) + sender, b"\x02\x01"
        else:
            to, to_mac, message, option = group, b"\x33\x33\xff\x00\x00\x01", struct.pack(">BBHI", 135, 0, 0, 0) + us, b"\x01\x01"
        message += option + mac
        right = checksum(sender + to + struct.pack(">II", len(message), 58) + message)
        yield (to_mac + mac + b"\x86\xdd" + struct.pack(">IHBB", 6 << 28, len(message), 58, 255) + sender + to +
               message[:2] + struct.pack(">H", right) + message[4:])


def flood_with(net, frames, ping, server):
    """Each frame ten times, while client and server talk and go on talking; nobody forged becomes a neighbour."""
    hosts(net)
    program = router(net)
    net.run("client", [*ping, "-c", "1", "-W", "2", server])
    write_trace(net.path("forged.pcap"), frames(bytes.fromhex(net.link("box", "left")["address"].replace(":", ""))))
    flood = net.start("client", [lab.SPHEX, "--trace", net.path("forged.pcap"), "--passes", "10", "--out",
                                 "net_af_packet9,iface=c0", "--quiet", "--control", "none"])
    out = net.run("client", [*ping, "-c", "50", "-i", "0.02", "-W", "2", server], seconds=30, status=None)
    flood.wait(60)
    net.run("client", [*ping, "-c", "5", "-i", "0.05", "-W", "2", server])
    lost = int(re.search(r"(\d+)% packet loss", out)[1])
    lab.check(lost < 100, f"nothing came through: {out}")
    neighbours = json.loads(ctl(net, "--json", "show", "neighbours"))["neighbours"]
    lab.check(len(neighbours) <= 8, f"{len(neighbours)} neighbours")
    return report(net, program)


def test_forged_neighbours(net):
    """A million forged ARP messages of 100,000 senders: hosts that talk go on talking."""
    document = flood_with(net, forged_arp, ["ping"], SERVER)
    lab.check(document["slowpath"]["exceptions"]["arp"] > FORGED, f"{document['slowpath']}")


def test_forged_neighbours6(net):
    """The same by neighbour discovery."""
    document = flood_with(net, forged_nd, ["ping", "-6"], SERVER6)
    lab.check(document["slowpath"]["exceptions"]["local"] > FORGED, f"{document['slowpath']}")
    lab.check(document["transmitted"] > FORGED, "the solicitations were good ones, and answered")
    lab.check(document["slowpath"]["generated"] < 100, f"{document['slowpath']}")


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


lab.main(test_ping, test_traceroute, test_what_waited_goes_first, test_tcp, test_path_mtu, test_over_xdp, test_only_what_is_steered, test_over_tap, test_local_port,
         test_route_changes_lose_nothing, test_forged_neighbours, test_forged_neighbours6, test_a_neighbour_that_does_not_answer)
