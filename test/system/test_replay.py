#!/usr/bin/python3
"""The main job: traces go in, every packet is parsed, acted on and accounted for."""

import glob
import gzip
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import time

import lab

AUCKLAND = "traces/backbone/wits/auckland-uplink-20000125.pcap"


def pcap(path, frames, snap=None, times=None, magic=0xA1B2C3D4, link=1):
    """Writes a pcap file: frames are bytes; snap cuts what is kept, not the length."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", magic, 2, 4, 0, 0, 65535, link))
        for i, frame in enumerate(frames):
            kept = frame[:snap]
            second, fraction = divmod(times[i], 1) if times else (i, 0)
            file.write(struct.pack("<IIII", int(second), int(fraction * 1e6), len(kept), len(frame)) + kept)


def udp(dport=80, size=60, host=1, ttl=64):
    """An Ethernet frame with IPv4 and UDP, checksum of the IPv4 header right."""
    total = size - 14
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, total, 0, 0, ttl, 17, 0, bytes([10, 0, 0, host]), bytes([10, 0, 1, 1]))
    checksum = sum(struct.unpack(">10H", header))
    checksum = ~((checksum & 0xFFFF) + (checksum >> 16)) & 0xFFFF
    header = header[:10] + struct.pack(">H", checksum) + header[12:]
    return (bytes.fromhex("020000000001020000000002" "0800") + header
            + struct.pack(">HHHH", 4096, dport, total - 20, 0) + bytes(size - 42))


def test_real_trace_as_ordinary_user(net):
    prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    report, _ = net.replay(["--trace", net.copy(lab.data(AUCKLAND)), "--passes", "1"], prefix=prefix)
    lab.equal(report["received"], 31249, "packets of the trace")
    lab.equal(report["transmitted"], 31249, "packets forwarded")
    lab.equal([s["name"] for s in report["stages"]],
              ["receive", "parse", "lookup", "route", "rewrite", "enqueue", "transmit", "punt"], "stages")
    lab.equal(sorted(report["cache"]), ["approximate", "ended", "exact", "guard", "mode"], "keys of the cache")


def all_files(*folders):
    found = []
    for folder in folders:
        found += [f for f in glob.glob(lab.data(folder) + "/**", recursive=True) if os.path.isfile(f)]
    return sorted(found)


def test_every_trace_and_every_hostile_file(net):
    """No crash, hang or sanitizer report; what cannot be read is an error with file, offset and reason."""
    files = all_files("traces", "badinput")
    reports, _ = net.replay(["--trace"] + files + ["--passes", "1", "--quiet", "--hugepages", "off"], status=1, seconds=400)
    lab.equal([r["file"] for r in reports], files, "one report for each file, in order")
    for report in reports:
        if "error" in report:
            lab.check(report["file"] in report["error"] and re.search(r"(offset|byte) \d+", report["error"]),
                      f"the error names file and offset: {report['error']}")
    lab.check(sum("error" not in r for r in reports) > 500, "most files are readable")
    lab.check(sum("received" in r and "error" in r for r in reports) >= 5, "damaged files are replayed up to the damage")


def test_passes_multiply(net):
    report, _ = net.replay(["--trace", lab.data(AUCKLAND), "--passes", "3", "--workers", "2"])
    lab.equal(report["received"], 3 * 31249, "packets of three passes, dealt to two workers")


def test_seconds_end_the_run(net):
    begun = time.monotonic()
    report, _ = net.replay(["--trace", lab.data(AUCKLAND), "--seconds", "1"])
    lab.check(0.99 <= report["seconds"] <= 1.3, f"seconds: {report['seconds']}")
    lab.check(time.monotonic() - begun < 20, "the program ends soon after")


def test_damage_after_some_packets(net):
    good = net.path("good.pcap")
    pcap(good, [udp()] * 10)
    with open(good, "rb") as file:
        cut = file.read()[:-20]
    bad = net.path("bad.pcap")
    with open(bad, "wb") as file:
        file.write(cut)
    report, output = net.replay(["--trace", bad], status=1)
    lab.equal(report["received"], 9, "the packets before the damage")
    lab.check(bad in report["error"] and bad in output, f"the error names the file: {output}")
    reports, _ = net.replay(["--trace", bad, good, "/nonexistent"], status=1)
    lab.equal([r.get("received") for r in reports], [9, 10, None], "the other files go on")
    lab.equal(sorted(reports[2]), ["error", "file"], "a file that cannot be read")


def test_gzip_and_empty_trace(net):
    plain, packed, empty = net.path("a.pcap"), net.path("a.pcap.gz"), net.path("empty.pcap")
    pcap(plain, [udp(host=i) for i in range(100)])
    pcap(empty, [])
    with open(plain, "rb") as source, gzip.open(packed, "wb") as file:
        shutil.copyfileobj(source, file)
    reports, _ = net.replay(["--trace", packed, empty, "--seconds", "1"])
    lab.check(reports[0]["received"] >= 100 and reports[0]["received"] % 100 < 100, "gzip is read")
    lab.equal(reports[1]["received"], 0, "an empty trace has no packets")


def test_frames_are_delivered_as_recorded(net):
    """Through a capture port: the same bytes in the same order; what was cut is zeros up to the original length."""
    source, out = net.path("in.pcap"), net.path("out.pcapng")
    frames = [udp(dport=1000 + i, size=60 + i, host=i % 250) for i in range(500)]
    pcap(source, frames, snap=54)
    report, _ = net.replay(["--trace", source, "--out", out])
    lab.equal(report["transmitted"], 500, "packets captured")
    dump = net.path("dump.pcap")
    net.run(None, ["tcpdump", "-r", out, "-w", dump])
    with open(dump, "rb") as file:
        records = file.read()[24:]
    for frame in frames:
        _, _, kept, length = struct.unpack("<IIII", records[:16])
        lab.equal((kept, length), (len(frame), len(frame)), "length of the frame")
        lab.equal(records[16:16 + kept], frame[:54] + bytes(len(frame) - 54), "bytes of the frame")
        records = records[16 + kept:]
    lab.equal(records, b"", "nothing behind the last packet")


def test_frame_longer_than_the_port_takes(net):
    source = net.path("long.pcap")
    pcap(source, [udp(size=2048), udp(size=2049), udp(size=9000)], snap=100)
    report, _ = net.replay(["--trace", source])
    lab.equal(report["drops"], {"oversize": 2}, "drops")
    lab.equal(report["received"], 3, "all three are received")


def test_raw_ip_gets_an_ethernet_header(net):
    source, out = net.path("raw.pcap"), net.path("out.pcapng")
    pcap(source, [udp()[14:]] * 5, link=101)
    report, _ = net.replay(["--trace", source, "--out", out])
    lab.equal(report["transmitted"], 5, "packets")
    lab.equal(net.run(None, ["tcpdump", "-nr", out]).count("10.0.0.1.4096 > 10.0.1.1.80"), 5, "packets that tcpdump reads")


def test_speed_follows_the_trace(net):
    source = net.path("timed.pcap")
    pcap(source, [udp()] * 101, times=[0.01 * i for i in range(101)])
    for speed, expected in ((1.0, 1.0), (2.0, 0.5)):
        report, _ = net.replay(["--trace", source, "--speed", str(speed)])
        lab.equal(report["received"], 101, "packets")
        lab.check(expected <= report["seconds"] + 0.001 and report["seconds"] < expected + 0.3,
                  f"at speed {speed} the trace takes {report['seconds']} s, expected {expected}")


def test_signals_stop_cleanly(net):
    source = net.path("a.pcap")
    pcap(source, [udp(host=i) for i in range(200)])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        report = net.path("r.json")
        program = net.sphex(None, ["--trace", source, "--passes", "0", "--report", report], ready="received")
        program.process.send_signal(number)
        program.wait(10)
        with open(report, encoding="utf-8") as file:
            document = json.load(file)
        lab.balanced(document)
        lab.equal(document["slowpath"]["queued"] + document["in_flight"], 0, "packets left in rings")
    lab.equal(glob.glob("/dev/hugepages/sphex*"), [], "hugepage files left behind")


def test_a_reader_who_stops_reading_stops_nothing(net):
    """Standard output is a full pipe: the run ends in time all the same, and a signal ends the wait for the reader."""
    source = net.path("a.pcap")
    pcap(source, [udp()] * 100)
    read, write = os.pipe()
    os.set_blocking(write, False)
    try:
        while True:
            os.write(write, bytes(4096))
    except BlockingIOError:
        os.set_blocking(write, True)
    program = subprocess.Popen([lab.SPHEX, "--trace", source, "--seconds", "2"], stdout=write, stderr=subprocess.DEVNULL)
    time.sleep(4)
    program.send_signal(signal.SIGTERM)
    lab.equal(program.wait(10), -signal.SIGTERM, "ended by the signal, while it waited to print the report")
    os.close(read)
    os.close(write)


def test_two_instances_share_a_core(net):
    source = net.path("a.pcap")
    pcap(source, [udp()] * 20, times=[0.05 * i for i in range(20)])
    arguments = ["--trace", source, "--speed", "1", "--idle", "sleep", "--quiet"]
    programs = [net.start(None, ["taskset", "-c", "0", lab.SPHEX] + arguments) for _ in range(2)]
    for program in programs:
        lab.check(re.search(r"transmitted +20$", program.wait(20), re.MULTILINE), f"all are sent: {program.output()}")


def test_rules_from_the_command_line(net):
    source, rules = net.path("a.pcap"), net.path("rules")
    pcap(source, [udp(dport=d) for d in (80, 81, 82, 83)] * 10)
    with open(rules, "w", encoding="ascii") as file:
        file.write("@0.0.0.0/0 10.0.1.0/24 0 : 65535 80 : 81 0x11/0xFF\n")
    report, _ = net.replay(["--trace", source, "--rules", rules])
    lab.equal(report["drops"], {"no_rule": 20}, "what matches no rule is dropped")
    with open(rules, "a", encoding="ascii") as file:
        file.write("@1.2.3.4/33 10.0.1.0/24 0 : 65535 80 : 81 0x11/0xFF\n")
    program = net.sphex(None, ["--trace", source, "--rules", rules])
    output = program.wait(10, status=2)
    lab.check(f"{rules}:2:" in output, f"the mistake has file and line: {output}")


def test_capture_at_top_speed_loses_nothing(net):
    """The replay waits for mbufs while the disk is behind: an empty pool is no loss."""
    for workers in ("1", "2"):
        report, _ = net.replay(["--trace", lab.data(AUCKLAND), "--passes", "5", "--out", net.path("out.pcapng"),
                                "--workers", workers])
        lab.equal((report["transmitted"], report["drops"]), (5 * 31249, {}), "packets captured")


lab.main(test_real_trace_as_ordinary_user, test_every_trace_and_every_hostile_file, test_passes_multiply,
         test_seconds_end_the_run, test_damage_after_some_packets, test_gzip_and_empty_trace,
         test_frames_are_delivered_as_recorded, test_frame_longer_than_the_port_takes,
         test_raw_ip_gets_an_ethernet_header, test_speed_follows_the_trace, test_signals_stop_cleanly,
         test_a_reader_who_stops_reading_stops_nothing, test_two_instances_share_a_core, test_rules_from_the_command_line,
         test_capture_at_top_speed_loses_nothing, needs_network=False)
