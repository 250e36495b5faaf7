#!/usr/bin/python3
"""The flow caches in the whole program: every mode gives the answers of the rules, and what caches counted adds up."""

import json
import os
import struct
import subprocess

import lab

AUCKLAND = "traces/backbone/wits/auckland-uplink-20000125.pcap"
RULES = os.path.join(lab.SOURCE, "config/examples/demo-rules.json")
MODES = ("none", "exact", "layered", "approximate")


def spxgen(net, packets, flows):
    """A seeded trace of web, games, a scan, a flood and malformed packets; IPv4, IPv6 and ARP."""
    trace = net.path("generated.pcap")
    net.run(None, [os.path.join(lab.BUILD, "app", "spxgen"), "--packets", str(packets), "--flows", str(flows), trace])
    return trace


def lookups(cache):
    """Packets looked up, and those answered without the rules."""
    if cache["mode"] != "approximate":
        return cache["exact"]["hits"] + cache["exact"]["misses"], cache["exact"]["hits"]
    f = cache["approximate"]
    hits = f["hits"] + f["repeats"]
    return hits + f["misses"] + f["several"] + f["syn"], hits


def ended(cache, what):
    return sum(end[what] for end in cache["ended"].values())


def check_cache(cache):
    """What holds of every report, whatever the mode."""
    exact, filters = cache["exact"], cache["approximate"]
    packets, hits = lookups(cache)
    lab.equal(exact["inserts"], ended(cache, "flows"), f"flows that entered, and ended, in {cache}")
    lab.equal(exact["evictions"] + exact["expired"] + exact["resident"], exact["inserts"], f"where flows are in {cache}")
    families = (exact["ipv4"], exact["ipv6"])
    for key in ("entries", "resident", "bytes"):
        lab.equal(sum(family[key] for family in families), exact[key], f"{key} of both families in {cache}")
    for part in families:
        lab.check(part["resident"] <= part["entries"], f"flows fit in {cache}")
        per_flow = part["bytes"] / part["resident"] if part["resident"] else 0
        lab.check(abs(part["bytes_per_flow"] - per_flow) <= 1e-6 * per_flow, f"bytes per flow in {cache}")
    least, most = sorted(family["bytes_per_flow"] for family in families)
    lab.check((least or most) * 0.999 <= exact["bytes_per_flow"] <= most * 1.001, f"a mean of both families in {cache}")
    lab.check(cache["mode"] == "layered" or exact["refused"] == cache["guard"]["flows"],
              f"but for the guard only layered refuses flows: {cache}")
    lab.check(0 <= exact["hit_ratio"] <= 1 and exact["resident"] <= exact["entries"], f"ratios in {cache}")
    if cache["mode"] == "exact" and cache["guard"]["flows"] == 0:
        lab.equal(packets, ended(cache, "packets"), f"packets of all flows in {cache}")
    if cache["mode"] == "none":
        lab.equal((packets, exact["bytes"], filters["bytes"]), (0, 0, 0), "what no cache does and takes")
    if cache["mode"] in ("none", "exact"):
        lab.equal(filters["bytes"], 0, "memory of filters that are not there")
    if cache["mode"] == "approximate":
        lab.equal((exact["bytes"], exact["inserts"]), (0, 0), "an exact cache that is not there")
    return packets, hits


def test_every_mode_answers_as_the_rules_do(net):
    trace = spxgen(net, 100000, 5000)
    results = {}
    for mode in MODES:
        for workers in ("1", "2"):
            report, output = net.replay(["--trace", trace, "--rules", RULES, "--passes", "2", "--cache", mode,
                                         "--workers", workers])
            lab.equal(report["cache"]["mode"], mode, "mode")
            packets, hits = check_cache(report["cache"])
            lab.equal(packets > 0, mode != "none", "packets are looked up")
            lab.equal(f"flow cache, {mode}" in output, mode != "none", f"the text report says it: {output}")
            for family in ("ipv4", "ipv6"):  # the trace has both
                lab.equal(report["cache"]["exact"][family]["resident"] > 0, mode in ("exact", "layered"), family)
            lab.equal("IPv6 flows resident" in output, mode in ("exact", "layered"), "the text report's families")
            lab.check(packets <= report["stages"][2]["packets"] and hits <= packets, f"packets looked up: {packets}")
            results[mode, workers] = report["drops"], report["actions"], report["punted"]
    for mode in ("exact", "layered"):
        for workers in ("1", "2"):
            lab.equal(results[mode, workers], results["none", "1"], f"drops and actions in mode {mode}")
    wanted, got = results["none", "1"][1], results["approximate", "1"][1]
    for action, counted in wanted.items():  # p is 0.001, of 200000 packets
        lab.check(abs(got[action]["packets"] - counted["packets"]) <= 1000, f"{action}: {got[action]}, rules: {counted}")


def test_hit_ratio_of_a_real_trace(net):
    """0.914 for 1024 entries is what an LRU model gives that knows nothing of sets (within 0.02)."""
    report, _ = net.replay(["--trace", lab.data(AUCKLAND), "--passes", "1", "--cache", "exact:entries=1024,ways=16"])
    packets, _ = check_cache(report["cache"])
    lab.equal(packets, 31249, "packets looked up")
    lab.check(abs(report["cache"]["exact"]["hit_ratio"] - 0.914) <= 0.02, f"hit ratio: {report['cache']['exact']}")


def test_runs_repeat(net):
    """With a hash_seed, filters and sets are the same in each run."""
    config = net.path("c.json")
    with open(config, "w", encoding="utf-8") as file:
        json.dump({"hash_seed": 7, "cache": {"entries": 256, "flood_guard": 0},
                   "ports": [{"name": "in", "driver": "replay", "trace": spxgen(net, 20000, 2000)}]}, file)
    for mode in ("layered", "approximate:p=0.1,flows=300"):
        caches = []
        for _ in range(2):
            report, _ = net.replay(["--config", config, "--cache", mode])
            check_cache(report["cache"])
            caches.append(report["cache"])
        for cache in caches:  # when the slow path has looked is another matter
            cache["ended"] = ended(cache, "packets")
        lab.equal(caches[0], caches[1], f"what the caches of two runs did, {mode}")


def udp_trace(path, times):
    """One packet of the same flow at each time (seconds)."""
    frame = bytes.fromhex("020000000001020000000002" "0800" "4500002e000000004011" "0000" "0a000001" "0a000101"
                          "1000" "0050" "001a" "0000") + bytes(18)
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for time in times:
            file.write(struct.pack("<IIII", int(time), int(time % 1 * 1e6), len(frame), len(frame)) + frame)


def test_idle_flows_end(net):
    """The flow's second packet comes after its end."""
    trace = net.path("idle.pcap")
    udp_trace(trace, [0, 0.1, 1.5])
    for idle in ("spin", "sleep"):
        report, _ = net.replay(["--trace", trace, "--speed", "1", "--idle", idle, "--cache", "exact:idle_seconds=0.5"])
        cache = report["cache"]
        check_cache(cache)
        lab.equal((cache["exact"]["expired"], cache["exact"]["resident"]), (1, 1), f"flows in {cache}")
        lab.equal(cache["ended"]["expired"], {"flows": 1, "packets": 2, "bytes": 120}, "the flow that ended")
    report, _ = net.replay(["--trace", trace, "--speed", "1", "--cache", "exact:idle_seconds=0"])
    lab.equal((report["cache"]["exact"]["expired"], report["cache"]["exact"]["hits"]), (0, 2), "flows that never end")


def test_full_ring_of_ended_flows(net):
    """Every record is added up or counted as lost; none is missing."""
    config = net.path("c.json")
    with open(config, "w", encoding="utf-8") as file:
        json.dump({"slowpath": {"flow_ring": 16}, "cache": {"mode": "exact", "entries": 16, "flood_guard": 0},
                   "ports": [{"name": "in", "driver": "replay", "trace": spxgen(net, 100000, 20000), "passes": 5}]}, file)
    report, output = net.replay(["--config", config])
    check_cache(report["cache"])
    lab.check(report["cache"]["ended"]["lost"]["flows"] > 0, f"some are lost: {report['cache']['ended']}")
    lab.check("flows lost" in output, f"the text report says so: {output}")


def test_flood_guard(net):
    """A replay at top speed of more flows than places is a flood to a guard of 1000 a second; without one it is not."""
    trace = spxgen(net, 50000, 5000)
    report, output = net.replay(["--trace", trace, "--seconds", "1", "--cache", "exact:entries=256,flood_guard=1000"])
    cache = report["cache"]
    check_cache(cache)
    lab.check(cache["guard"]["on"] >= 1 and cache["guard"]["flows"] > 1000, f"flows are held off: {cache['guard']}")
    lab.check(cache["exact"]["inserts"] < 3000, f"flows that entered: {cache['exact']}")
    lab.check("worker 0: more than 1000 new flows a second want the places of others" in output and "flows held off" in output, output)
    report, output = net.replay(["--trace", trace, "--seconds", "1", "--cache", "exact:entries=256"])
    lab.equal(report["cache"]["guard"], {"on": 0, "off": 0, "flows": 0}, "no guard")
    lab.check("new flows a second" not in output, output)


def test_too_little_memory(net):
    config = net.path("c.json")
    with open(config, "w", encoding="utf-8") as file:
        json.dump({"memory": {"hugepages": "off", "megabytes": 64, "mbufs": 2048}, "cache": {"entries": 67108864},
                   "ports": [{"name": "in", "driver": "ethdev", "device": "net_null0"}]}, file)
    output = net.sphex(None, ["--config", config, "--seconds", "1"]).wait(20, status=1)
    lab.check("raise memory.megabytes or lower cache.entries" in output, f"the remedy: {output}")


def test_hostile_options(_net):
    """One line that names the option, printable, and exit status 2."""
    for text in ("", ":", "exact:", "exact:=", "exact:,", "exact:entries", "exact:entries=", "exact:entries=0",
                 "exact:entries=-1", "exact:entries=1e99", "exact:entries=16,entries=16", "exact:ways=17",
                 "exact:mode=none", "layered:p=nan", "layered:p=inf", "layered:p=0.6", "layered:p=-0", "exct", "EXACT",
                 "exact:\x1b[31m=1", "exact:\u00e9=1", "exact :ways=4", "exact:ways=4 ", "x" * 5000,
                 "exact:" + "x" * 5000 + "=1", "exact:ways=" + "9" * 5000, "exact:" + "ways=1," * 5000,
                 "exact:entries=18446744073709551616", "exact:entries=0x10", "exact:{}={}", "exact:%s%n=%s%n"):
        done = subprocess.run([lab.SPHEX, "--trace", "none.pcap", "--cache", text], capture_output=True, timeout=20,
                              check=False)
        complaint = done.stderr.decode("ascii")
        lab.equal((done.returncode, done.stdout), (2, b""), f"status and output for {text!r}")
        lab.check(complaint.startswith("sphex: --cache: ") and complaint.endswith("(try --help)\n"), f"{text!r}: {complaint!r}")
        lab.check(complaint[:-1].isprintable(), f"{text!r}: one printable line: {complaint!r}")


lab.main(test_every_mode_answers_as_the_rules_do, test_hit_ratio_of_a_real_trace, test_runs_repeat, test_idle_flows_end,
         test_full_ring_of_ended_flows, test_flood_guard, test_too_little_memory, test_hostile_options, needs_network=False)
