#!/usr/bin/python3
"""Frames by hand to a router between two hosts: tagged, for everybody, with options, at the limit of the MTU, and forged
by the million. What comes out at the far side is looked at, and what does not has its reason."""

import ipaddress
import json
import re
import socket
import struct
import time

import lab
from router_lab import (CLIENT, SERVER, SERVER6, af_packet, checksum, ctl, hosts, report, router, xdp,
                        xdp_environment)

FORGED = 100000  # senders, each ten times
SNIFF = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind((sys.argv[1], 0))
s.settimeout(20)
print("ready", flush=True)
while True:
    frame, (_, _, kind, _, _) = s.recvfrom(65535)
    if kind == socket.PACKET_OUTGOING or b"sphex test" not in frame:
        continue
    print(frame.hex(), flush=True)
    if b"the end" in frame:
        break
"""
SEND = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
for frame in sys.stdin:
    s.send(bytes.fromhex(frame))
"""


def packet(what, size=0, options=b"", flags=0, ttl=64):
    """UDP from client to server: a mark, its name, and as long as it is wanted."""
    data = b"sphex test " + what.encode()
    data += bytes(max(0, size - 28 - len(options) - len(data)))
    length = 28 + len(options) + len(data)
    header = struct.pack(">BBHHHBBH4s4s", 0x45 + len(options) // 4, 0, length, 7, flags, ttl, 17, 0, socket.inet_aton(CLIENT),
                         socket.inet_aton(SERVER)) + options
    header = header[:10] + struct.pack(">H", checksum(header)) + header[12:]
    return header + struct.pack(">HHHH", 1234, 9, 8 + len(data), 0) + data


def exchange(net, device, environment=None):
    """Sends the frames and returns those that came out, by name, and the report."""
    hosts(net)
    program = router(net, device, environment=environment)
    net.run("client", ["ping", "-c", "2", "-i", "0.1", "-W", "2", SERVER])
    us = bytes.fromhex(net.link("box", "left")["address"].replace(":", ""))
    client = bytes.fromhex(net.link("client", "c0")["address"].replace(":", ""))
    head, tag = us + client, struct.pack(">HH", 0x8100, 10)
    frames = [head + b"\x08\x00" + packet("plain"),
              head + tag + b"\x08\x00" + packet("tagged"),
              head + struct.pack(">HH", 0x88a8, 20) + tag + b"\x08\x00" + packet("twice tagged"),
              head + struct.pack(">HH", 0x8100, 5 << 13) + b"\x08\x00" + packet("priority"),
              b"\xff" * 6 + client + b"\x08\x00" + packet("for everybody"),
              b"\x01\x00\x5e\x00\x00\x05" + client + b"\x08\x00" + packet("for a group"),
              head + b"\x08\x00" + packet("record route", options=b"\x07\x07\x04" + bytes(4) + b"\x00"),
              head + b"\x08\x00" + packet("padded") + bytes(4),
              head + b"\x08\x00" + packet("exactly the MTU", 1500, flags=0x4000),
              head + b"\x08\x00" + packet("ttl 1", ttl=1),
              head + b"\x08\x00" + packet("ttl 0", ttl=0),
              head + b"\x08\x00" + packet("the end")]
    sniff = net.start("server", ["/usr/bin/python3", "-c", SNIFF, "s0"])
    sniff.wait_for("ready")
    net.run("client", ["/usr/bin/python3", "-c", SEND, "c0"], stdin="\n".join(frame.hex() for frame in frames))
    lines = sniff.wait(30).splitlines()[1:]
    time.sleep(0.2)  # for answers
    seen = [bytes.fromhex(line) for line in lines if line[:2] != "re"]
    names = [frame.split(b"sphex test ")[1].split(b"\0")[0].decode() for frame in seen]
    return dict(zip(names, seen)), report(net, program)


def look(net, device, environment=None):
    seen, document = exchange(net, device, environment)
    lab.equal(sorted(seen), sorted(["plain", "priority", "record route", "padded", "exactly the MTU", "the end"]), "what came out")
    lab.equal(seen["plain"][12:16].hex(), "08004500", "the frame that is sent on")
    lab.equal(len(seen["exactly the MTU"]), 1514, "bytes")
    drops = {reason: document["drops"][reason] for reason in ("vlan", "link_broadcast")}
    lab.equal(drops, {"vlan": 2, "link_broadcast": 2}, "drops")
    lab.equal(document["slowpath"]["drops"]["ttl_expired"], 2, "packets that came to their end")


def test_over_af_packet(net):
    look(net, af_packet)


def test_over_xdp(net):
    look(net, xdp, xdp_environment())


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


lab.main(test_over_af_packet, test_over_xdp, test_forged_neighbours, test_forged_neighbours6)
