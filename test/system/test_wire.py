#!/usr/bin/python3
"""Hostile input on a live wire: every packet of ../shared/data/badinput, and the bytes of every file as a frame, sent
over a veth pair into an appliance that is traced, captured and asked at the same time. Run under sanitizers too."""

import json
import os
import struct

import lab

SPXCTL = os.path.join(lab.BUILD, "app", "spxctl")
FRAME = 1514  # longer ones are cut
SHORTEST = 14  # the kernel sends no shorter frame
EATEN = 16  # frames at most that the receiving kernel keeps from everybody, such as those cut inside a VLAN tag

SENDER = """
import socket, struct, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
frames = open(sys.argv[2], "rb").read()
at = n = 0
while at < len(frames):
    (length,) = struct.unpack_from("<I", frames, at)
    s.send(frames[at + 4:at + 4 + length])
    at += 4 + length
    n += 1
    n % 20 or time.sleep(0.001)
print(n)
"""


def pcap_packets(data):
    """The packets of a pcap file, as far as it can be read."""
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at = 24
    while at + 16 <= len(data):
        (captured,) = struct.unpack_from(order + "I", data, at + 8)
        packet = data[at + 16:at + 16 + captured]
        yield packet
        if len(packet) < captured:
            return
        at += 16 + captured


def pcapng_packets(data):
    """The enhanced, old and simple packets of a pcapng file, as far as it can be read."""
    order, at = "<", 0
    while at + 12 <= len(data):
        if data[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
        kind, length = struct.unpack_from(order + "II", data, at)
        if kind in (2, 6) and at + 28 <= len(data):
            (captured,) = struct.unpack_from(order + "I", data, at + 20)
            yield data[at + 28:at + 28 + captured]
        elif kind == 3:
            yield data[at + 12:at + length - 4]
        if length < 12:
            return
        at += length + 3 & ~3


def frames_of(path):
    with open(path, "rb") as file:
        data = file.read()
    if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d"):
        yield from pcap_packets(data)
    elif data[:4] == b"\x0a\x0d\x0d\x0a":
        yield from pcapng_packets(data)
    yield data


def write_frames(folder, path):
    """Writes all that can be sent, with their lengths before them; returns how many."""
    n = 0
    with open(path, "wb") as out:
        for place, _folders, names in sorted(os.walk(folder)):
            for name in sorted(names):
                for frame in frames_of(os.path.join(place, name)):
                    frame = frame[:FRAME]
                    if len(frame) >= SHORTEST:
                        out.write(struct.pack("<I", len(frame)) + frame)
                        n += 1
    return n


def test_hostile_packets(net):
    frames = write_frames(lab.data("badinput"), net.path("frames"))
    net.namespace("box")
    net.veth("box", "in0", "box", "in1")
    net.veth("box", "out0", "box", "out1")
    device = "net_af_packet{0},iface={1},framecnt=2048"
    with open(net.path("config.json"), "w", encoding="utf-8") as file:
        json.dump({
            "memory": {"hugepages": "off", "megabytes": 256, "mbufs": 4096},
            "ports": [{"name": "in", "driver": "ethdev", "device": device.format(0, "in0")},
                      {"name": "out", "driver": "ethdev", "device": device.format(1, "out0")}],
            "actions": {"send": {"verdict": "forward", "port": "out", "decrement_ttl": True},
                        "look": {"verdict": "punt"}, "deny": {"verdict": "drop"}},
            "rules": {"default": "send", "list": [{"match": {"proto": "icmp"}, "action": "look"},
                                                  {"match": {"proto": "udp", "dport": "0-1000"}, "action": "deny"}]}},
            file)
    program = net.sphex("box", ["--config", net.path("config.json"), "--quiet", "--control", net.path("control"),
                                "--report", net.path("report.json")], "control socket")
    ctl = [SPXCTL, "--socket", net.path("control")]
    net.run(None, ctl + ["capture", "start", "drops", net.path("drops.pcapng")])
    tracer = net.start(None, ctl + ["--json", "trace", "10000", "--seconds", "60"])
    net.run("box", ["/usr/bin/python3", "-c", SENDER, "in1", net.path("frames")], seconds=120)

    def received():
        ports = json.loads(net.run(None, ctl + ["--json", "show", "ports"]))["ports"]
        return ports[0]["rx_packets"] >= frames - EATEN and ports
    ports = lab.wait_until(received, 20, f"all {frames} frames")
    lab.equal(ports[0]["missed"], 0, "frames missed by the device")
    stopped = json.loads(net.run(None, ctl + ["--json", "capture", "stop"]))
    program.stop()
    trace = json.loads(tracer.wait())
    with open(net.path("report.json"), encoding="utf-8") as file:
        report = json.load(file)
    lab.balanced(report)
    drops = sum(report["drops"].values())
    lab.check(frames > 5000 and drops > 500 and report["punted"] > 10, f"{frames} frames, {drops} drops")
    lab.equal(stopped["packets"] + stopped["lost"], drops, "dropped packets in the capture")
    lab.equal(sum(group["packets"] for group in trace["groups"]), min(report["received"], 10000), "ways in the trace")


lab.main(test_hostile_packets)
