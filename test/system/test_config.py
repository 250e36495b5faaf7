#!/usr/bin/python3
"""The program and its configuration: every mistake is one message with place and remedy, and exit status 2."""

import glob
import json
import os
import subprocess

import lab


def sphex(*arguments, cwd=None):
    """Runs the appliance; returns its exit status, what it printed, and its complaint."""
    done = subprocess.run([lab.SPHEX, *arguments], cwd=cwd, capture_output=True, text=True, timeout=20, check=False)
    return done.returncode, done.stdout, done.stderr


def test_every_mistake_in_a_configuration(net):
    """The table of the unit tests, through the program."""
    with open(os.path.join(lab.SOURCE, "test/unit/setup_mistakes.json"), encoding="utf-8") as file:
        table = json.load(file)
    path = net.path("c.json")
    for entry in table["mistakes"]:
        document = {k: v for k, v in (table["base"] | entry.get("with", {})).items() if v is not None}
        with open(path, "w", encoding="utf-8") as file:
            file.write(entry["text"] if "text" in entry else json.dumps(document))
        status, printed, complaint = sphex("--config", path, "--check")
        lab.equal((status, printed), (2, ""), f"status and output for {entry}")
        place = path + entry["path"] if entry["path"].startswith(":") else f"{path}: {entry['path']}: "
        lab.check(complaint.startswith("sphex: " + place), f"{complaint!r} begins with {place!r}")
        lab.equal(complaint.count("\n"), 1, f"lines of {complaint!r}")
    lab.check(len(table["mistakes"]) >= 20, "there are many kinds of mistakes")


def test_what_this_machine_lacks(net):
    path = net.path("c.json")
    for section, place in (({"memory": {"megabytes": 1048576}}, "$.memory.megabytes"), ({"workers": {"count": 1, "cpus": [1023]}}, "$.workers.cpus[0]"),
                           ({"slowpath": {"cpu": 1023}}, "$.slowpath.cpu")):
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"ports": [{"name": "in", "driver": "replay", "trace": "t.pcap"}]} | section, file)
        status, _, complaint = sphex("--config", path, "--check")
        lab.equal(status, 2, f"status: {complaint}")
        lab.check(complaint.startswith(f"sphex: {path}: {place}: is 10"), complaint)


def test_a_cpu_that_is_kept_from_the_process(net):
    """As isolcpus does it: the CPU is there, and the message says how to get it."""
    cpus = sorted(os.sched_getaffinity(0))
    path = net.path("c.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"ports": [{"name": "in", "driver": "replay", "trace": "t.pcap"}], "workers": {"cpus": [cpus[-1]]}}, file)
    try:
        os.sched_setaffinity(0, cpus[:-1] or cpus)
        status, _, complaint = sphex("--config", path, "--check")
    finally:
        os.sched_setaffinity(0, cpus)
    lab.equal(status, 2 if len(cpus) > 1 else 0, f"status: {complaint}")
    lab.check(len(cpus) == 1 or "taskset -c" in complaint, complaint)


def test_a_trace_is_never_written_over(net):
    trace = net.path("t.pcapng")
    subprocess.run([os.path.join(lab.BUILD, "app", "spxgen"), "--packets", "1000", "--flows", "10", trace], check=True,
                   capture_output=True)
    before = os.path.getsize(trace)
    status, _, complaint = sphex("--trace", trace, "--out", os.path.join(net.folder, ".", "t.pcapng"))
    lab.equal((status, os.path.getsize(trace)), (1, before), f"status and size of the trace: {complaint}")
    lab.check("is the file of port in too" in complaint, complaint)


def test_report_into_what_is_no_file(net):
    trace, link = net.path("t.pcap"), net.path("link")
    subprocess.run([os.path.join(lab.BUILD, "app", "spxgen"), "--packets", "1000", "--flows", "10", trace], check=True,
                   capture_output=True)
    os.symlink(net.path("real.json"), link)
    lab.equal(sphex("--trace", trace, "--report", link)[0], 0, "status")
    lab.check(os.path.islink(link), "a link stays a link")
    lab.equal(sphex("--trace", trace, "--report", "/dev/null")[0], 0, "status")
    status, _, complaint = sphex("--trace", trace, "--report", "/nonexistent/r.json")
    lab.equal(status, 1, "status without the folder")
    lab.check("cannot write the report /nonexistent/r.json" in complaint, complaint)


def test_examples_are_right(net):
    """On a machine with fewer CPUs than an example is for, all but the CPUs is right."""
    cpus = os.sched_getaffinity(0)
    for path in glob.glob(os.path.join(lab.SOURCE, "config/examples/*.json")):
        if path.endswith("demo-rules.json"):
            continue
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        asked = document.get("workers", {}).get("cpus", []) + [document.get("slowpath", {}).get("cpu", min(cpus))]
        if path.endswith("bare-metal.json") and not cpus.issuperset(asked):
            status, _, complaint = sphex("--config", path, "--check")
            lab.check(status == 2 and "a CPU that this process may use expected" in complaint, f"{path}: {complaint}")
            document["workers"]["cpus"] = [min(cpus)] * len(document["workers"]["cpus"])
            del document["slowpath"]["cpu"]
            path = net.path("c.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(document, file)
        status, printed, complaint = sphex("--config", path, "--check")
        lab.equal(status, 0, f"status of {path}: {complaint}")
        lab.check("the configuration is right" in printed, f"{path}: {printed}")


def test_mistakes_on_the_command_line(_net):
    for arguments, words in ((["--trace"], "--trace"), (["--passes", "x", "--trace", "t"], "--passes"),
                             (["--trace", "t", "--burst", "65"], "--burst"), (["--nonsense"], "--nonsense"),
                             ([], "--trace"), (["--config", "/nonexistent.json"], "/nonexistent.json")):
        status, _, complaint = sphex(*arguments)
        lab.equal(status, 2, f"status of {arguments}")
        lab.check(words in complaint, f"{complaint!r} names {words}")


def test_what_only_the_start_can_see(net):
    """Mistakes that show when a port is opened: status 1, with port, cause and remedy."""
    good = {"ports": [{"name": "in", "driver": "ethdev", "device": "net_null0"}],
            "actions": {"go": {"verdict": "forward", "port": "in"}}, "rules": {"default": "go"}}
    small = {"memory": {"hugepages": "off", "megabytes": 64, "mbufs": 4096}}
    for change, words in (
            ({"ports": [{"name": "in", "driver": "ethdev", "device": "net_nonsense0"}]}, "port in: cannot attach device"),
            ({"ports": [{"name": "in", "driver": "ethdev", "device": "0000:ff:1f.7"}]}, "lspci -D"),
            ({"ports": [{"name": "in", "driver": "ethdev", "device": "net_af_packet0,iface=nosuch0"}]}, "no interface nosuch0; ip link"),
            ({"ports": [{"name": "in", "driver": "xdp", "interface": "nosuch0"}]}, "no interface nosuch0"),
            ({"memory": {"hugepages": "off", "megabytes": 64, "mbufs": 1000000}}, "raise memory.megabytes or lower memory.mbufs"),
            (small | {"routes": ["10.0.0.0/8 blackhole"]}, "IPv4 route tables"),
            (small | {"routes": ["10.0.0.0/8 blackhole"]}, "raise memory.megabytes"),
            (small | {"slowpath": {"inject_ring": 1048576, "flow_ring": 16}, "workers": {"count": 9}, "cache": {"mode": "none"}},
             "ring inject_"),
            (small | {"cache": {"entries": 4000000}}, "cache.entries"),
            ({"memory": {"hugepages": "on", "megabytes": os.sysconf("SC_PHYS_PAGES") * 3 // 1024}}, "vm/nr_hugepages")):
        path = net.path("c.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(good | change, file)
        status, _, complaint = sphex("--config", path, "--seconds", "1")
        lab.equal(status, 1, f"status of {change}: {complaint}")
        lab.check(words in complaint, f"{complaint!r} says {words!r}")


lab.main(test_every_mistake_in_a_configuration, test_what_this_machine_lacks, test_a_cpu_that_is_kept_from_the_process,
         test_a_trace_is_never_written_over, test_report_into_what_is_no_file, test_examples_are_right,
         test_mistakes_on_the_command_line, test_what_only_the_start_can_see, needs_network=False)
