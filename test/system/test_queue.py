#!/usr/bin/python3
"""Shaped ports: the rate that arrives, at any time of the run; what is refused, and what is left at the end."""

import json
import random
import struct

import lab

RATE = 10000  # kbit/s


def pcap(path, sizes, gap=0.0):
    """A trace of UDP frames of these sizes, 0.0 or more seconds apart."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for i, size in enumerate(sizes):
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, size - 14, i & 0xFFFF, 0, 64, 17, 0,
                             bytes([10, 0, i >> 8 & 0xFF, i & 0xFF]), bytes([10, 0, 1, 1]))
            frame = (bytes.fromhex("0200000000010200000000020800") + ip
                     + struct.pack(">HHHH", 4096, 80, size - 34, 0) + bytes(size - 42))
            second, fraction = divmod(i * gap, 1)
            file.write(struct.pack("<IIII", int(second), int(fraction * 1e6), size, size) + frame)


def mixed(n):
    chance = random.Random(4)
    return [chance.choice((60, 60, 60, 576, 1514, 60 + chance.randrange(1454))) for _ in range(n)]


def shape(net, queue, trace, out=None, **more):
    """Runs a replay through a shaped port, of a capture or a null device, with two workers; report and output."""
    port = {"driver": "capture", "file": out} if out else {"driver": "ethdev", "device": "net_null0,no-rx=1"}
    config = {
        "memory": {"hugepages": "off", "megabytes": 256}, "control": {"socket": "none"},
        "workers": {"count": 2, "idle": "sleep"}, "rules": {"default": "go"},
        "ports": [{"driver": "replay", "name": "in", "trace": trace, **more.pop("replay", {})},
                  {"name": "out", "queue": queue, **port}],
        "actions": {"go": {"verdict": "forward", "port": "out"}}, **more}
    with open(net.path("queue.json"), "w", encoding="utf-8") as file:
        json.dump(config, file)
    return net.replay(["--config", net.path("queue.json")])


def sent(net, capture):
    """Pairs of time in seconds and length of the packets in a capture."""
    dump = net.path("dump.pcap")
    net.run(None, ["tcpdump", "--nano", "-r", capture, "-w", dump])
    with open(dump, "rb") as file:
        data = file.read()
    packets, at = [], 24
    while at < len(data):
        second, nano, kept, length = struct.unpack_from("<IIII", data, at)
        packets.append((second + nano * 1e-9, length))
        at += 16 + kept
    return packets


def rate_of(packets):
    """kbit/s from the first packet to the last."""
    return 8 * sum(length for _, length in packets[1:]) / (packets[-1][0] - packets[0][0]) / 1000


def check_rate(rate, kbps, percent=1.0):
    lab.check(abs(rate / kbps - 1) < percent / 100, f"{rate:.1f} kbit/s, {kbps} expected")


def undisturbed(attempt, kbps, attempts=5):
    """Calls attempt, which returns rates, until a machine busy with other things has not kept the workers from their
    CPUs for longer than a queue makes good."""
    for left in reversed(range(attempts)):
        rates = attempt()
        if left == 0 or all(abs(rate / kbps - 1) < 0.01 for rate in rates):
            break
    for rate in rates:
        check_rate(rate, kbps)


def check_bursts(packets, kbps, most):
    """In no interval more than the rate and `most` bytes: a bucket that leaks at the rate finds the worst."""
    level, before, worst = 0.0, packets[0][0], 0.0
    for time, length in packets:
        level = max(0.0, level - (time - before) * kbps * 125) + length
        before = time
        worst = max(worst, level)
    lab.check(worst <= most, f"a burst of {worst:.0f} bytes, {most} at most expected")


def port_queue(report):
    return next(port["queue"] for port in report["ports"] if port["name"] == "out")


def from_top_speed(net, trace, out):
    """Five seconds; the rates of all of it and of its second half."""
    report, _ = shape(net, {"rate_kbps": RATE, "limit_packets": 1000, "limit_bytes": 100000}, trace, out,
                      replay={"passes": 0}, seconds=5)
    packets, queue = sent(net, out), port_queue(report)
    # An idle queue's burst, and what a worker that lost its CPU makes good (100 ms).
    check_bursts(packets, RATE, 1514 + 1250 + 100 * 1250)
    lab.check(queue["most_packets"] <= 1000 and 98000 < queue["most_bytes"] <= 100000, f"bounded depth: {queue}")
    lab.equal((queue["packets"], queue["bytes"]), (0, 0), "what waits at the end")
    lab.equal(queue["sent_packets"], report["transmitted"], "packets sent")
    lab.equal(queue["sent_bytes"], sum(length for _, length in packets), "bytes sent")
    lab.equal(queue["dropped_packets"], report["drops"]["queue_full"], "packets refused")
    lab.check(set(report["drops"]) <= {"queue_full", "handover_full"} and report["drops"]["queue_full"] > 1000,
              f"drops: {report['drops']}")
    lab.equal((queue["rate_kbps"], queue["limit_packets"], queue["limit_bytes"]), (RATE, 1000, 100000), "options")
    return rate_of(packets), rate_of(packets[len(packets) // 2:])


def test_delivers_its_rate_from_top_speed(net):
    trace, out = net.path("in.pcap"), net.path("out.pcapng")
    pcap(trace, mixed(5000))
    undisturbed(lambda: from_top_speed(net, trace, out), RATE)


def test_null_device_with_more_queues_than_owners(net):
    """A device with a transmit queue for each worker: shaped, it has one owner too."""
    trace = net.path("in.pcap")
    pcap(trace, mixed(5000))
    undisturbed(lambda: to_null_device(net, trace), 20 * RATE)


def to_null_device(net, trace):
    report, output = shape(net, {"rate_kbps": 20 * RATE, "limit_packets": 4000}, trace, replay={"passes": 0}, seconds=3)
    queue = port_queue(report)
    # The drain sends what waits at the end: about as much as ever did.
    rate = (queue["sent_bytes"] - queue["most_bytes"]) * 8 / report["seconds"] / 1000
    lab.check("queue: 200000 kbit/s" in output, f"the report for people: {output}")
    return [rate]


def test_sleeping_workers_keep_the_rate(net):
    """One burst of 500 packets, then nothing to do but to send: in order, none lost, at the rate, soon at an end."""
    trace, out = net.path("in.pcap"), net.path("out.pcapng")
    pcap(trace, [1000] * 500)
    undisturbed(lambda: from_sleep(net, trace, out), 4000)


def from_sleep(net, trace, out):
    report, _ = shape(net, {"rate_kbps": 4000}, trace, out)
    packets = sent(net, out)
    lab.equal((len(packets), report["drops"]), (500, {}), "packets, drops")
    check_bursts(packets, 4000, 1000 + 100 * 500)
    lab.check(report["workers"]["polls"] < 3000000, f"workers sleep between packets: {report['workers']}")
    return [rate_of(packets)]


def test_traffic_below_the_rate_is_not_held_up(net):
    trace, out = net.path("in.pcap"), net.path("out.pcapng")
    pcap(trace, [1000] * 400, gap=0.005)
    report, _ = shape(net, {"rate_kbps": RATE}, trace, out, replay={"speed": 1.0})
    queue = port_queue(report)
    lab.equal((report["transmitted"], report["drops"]), (400, {}), "packets, drops")
    check_rate(rate_of(sent(net, out)), 1600)
    lab.check(queue["most_packets"] <= 100, f"next to none waits: {queue}")


def test_what_the_drain_cannot_send_is_stopping(net):
    trace = net.path("in.pcap")
    pcap(trace, [1000] * 500)
    report, output = shape(net, {"rate_kbps": 80}, trace)
    lab.check(5 <= report["transmitted"] <= 24, f"two seconds of 10 packets each: {report['transmitted']}")
    lab.equal(report["drops"], {"stopping": 500 - report["transmitted"]}, "drops")
    lab.check("in port queues when the drain ended" in output, f"the log says so: {output}")


def test_queues_larger_than_the_pool_are_warned_of(net):
    trace = net.path("in.pcap")
    pcap(trace, [60] * 10)
    report, output = shape(net, {"rate_kbps": 0, "limit_packets": 10000}, trace)
    lab.equal(report["transmitted"], 10, "without a rate all goes")
    lab.check("raise memory.mbufs to twice that" in output, f"the log says so: {output}")


lab.main(test_delivers_its_rate_from_top_speed, test_null_device_with_more_queues_than_owners,
         test_sleeping_workers_keep_the_rate, test_traffic_below_the_rate_is_not_held_up,
         test_what_the_drain_cannot_send_is_stopping, test_queues_larger_than_the_pool_are_warned_of,
         needs_network=False)
