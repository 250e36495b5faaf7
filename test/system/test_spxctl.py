#!/usr/bin/python3
"""spxctl over a socket with canned answers: every command, what it asks and what it prints, and appliances that
answer badly or not at all."""

import contextlib
import copy
import glob
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import time

import lab
from mock_sphex import HELLO, Error, MockSphex

SPXCTL = os.path.join(lab.BUILD, "app", "spxctl")

PORTS = {"seconds": 1.5, "ports": [
    {"name": "in", "driver": "replay", "link": "up", "rx_packets": 1000, "rx_bytes": 60000, "tx_packets": 0,
     "tx_bytes": 0, "missed": 3, "no_mbuf": 0, "errors": 0},
    {"name": "out", "driver": "ethdev", "link": "down", "rx_packets": 0, "rx_bytes": 0, "tx_packets": 900,
     "tx_bytes": 54000, "missed": 0, "no_mbuf": 0, "errors": 0}]}
STAGES = {"seconds": 1.5, "stages": [
    {"name": "receive", "packets": 1000, "sampled_packets": 100, "sampled_cycles": 4250},
    {"name": "punt", "packets": 0, "sampled_packets": 0, "sampled_cycles": 0}],
    "workers": [{"id": 0, "polls": 200, "idle_polls": 50, "received": 1000, "stalls": 1}]}
DROPS = {"seconds": 1.5, "drops": [
    {"reason": "ipv4_checksum", "stage": "parse", "text": "the IPv4 header checksum is wrong", "packets": 0},
    {"reason": "rule_drop", "stage": "lookup", "text": "a rule said drop (asked for)", "packets": 98}],
    "packets": {"received": 1000, "injected": 0, "cloned": 0, "transmitted": 900, "punted": 2},
    "exceptions": [{"reason": "ttl", "text": "TTL or hop limit would reach zero", "packets": 2}],
    "lost": {"mirror_copies": 0}}
FAMILY = {"entries": 64, "resident": 5, "bytes": 2048, "bytes_per_flow": 409.6}
CACHE = {"seconds": 1.5, "cache": {
    "mode": "layered",
    "exact": {"hits": 900, "misses": 100, "hit_ratio": 0.9, "inserts": 9, "evictions": 1, "expired": 3, "renewed": 0,
              "refused": 0, "resident": 5, "entries": 64, "bytes": 4096, "bytes_per_flow": 409.6, "ipv4": FAMILY,
              "ipv6": FAMILY},
    "approximate": {"hits": 10, "misses": 20, "several": 0, "syn": 0, "repeats": 0, "flows": 12, "clears": 1,
                    "bytes": 512, "p": 0.001},
    "guard": {"on": 1, "off": 0, "flows": 77},
    "ended": {"evicted": {"flows": 1, "packets": 2, "bytes": 120}, "expired": {"flows": 0, "packets": 0, "bytes": 0}}}}
FLOWS = {"seconds": 1.5, "flows": [
    {"family": "ipv4", "src": "10.0.0.1", "dst": "10.0.1.1", "proto": "udp", "sport": 4096, "dport": 53, "vlan": 0,
     "port": "in", "action": "web", "packets": 4, "bytes": 240, "idle_seconds": 0.5}]}
RULES = {"generation": 3, "rules": 2, "classifier": "acl", "default": {"action": "drop"}, "overlay": 1, "masked": 0,
         "compiles": 2, "list": [{"order": 16, "match": {"dst": "198.19.255.80/32", "dport": 53}, "action": "flood"}],
         "next": None}
CAPTURE = {"id": 1, "file": "drops.pcapng", "port": None, "points": ["receive", "drop"], "filter": None, "snap": 0,
           "packets": 10, "bytes": 600, "lost": 0, "ended": False}
CLIENTS = {"clients": [{"uid": 0, "pid": 99, "role": "operator", "requests": 5, "seconds": 1.2, "events": False}],
           "accepted": 6, "refused": 0, "cut_off": 0, "malformed": 4}
ROUTES = {"generation": 7, "routes": {"ipv4": 6, "ipv6": 1}, "bytes": {"ipv4": 1000, "ipv6": 0}, "next_hops": 3,
          "groups": 1, "batches": 4, "next": None, "list": [
              {"prefix": "10.0.0.0/8", "origin": "static", "route": "10.0.0.0/8 via 192.0.2.2 dev left",
               "paths": [{"kind": "gateway", "gateway": "192.0.2.2", "port": "left"}]}]}
NEIGHBOURS = {"capacity": 4096, "neighbours": [
    {"address": "192.0.2.2", "port": "left", "mac": "02:00:00:00:00:02", "state": "permanent"},
    {"address": "192.0.2.3", "port": "left", "mac": None, "state": "incomplete"}]}
QUEUE = {"port": "left", "rate_kbps": 10000, "limit_packets": 1000, "limit_bytes": 1000000, "packets": 1, "bytes": 60,
         "most_packets": 2, "most_bytes": 120, "sent_packets": 3, "sent_bytes": 180, "dropped_packets": 4,
         "dropped_bytes": 240}
STEER = {"port": "left", "steer": {"everything": True, "udp_ports": [3322, 53], "prefixes": ["10.0.0.0/8"]}}
ANSWERS = {
    "show.ports": PORTS, "show.stages": STAGES, "show.drops": DROPS, "show.cache": CACHE, "show.flows": FLOWS,
    "show.rules": RULES, "show.config": {"ports": [], "rules": {"list": []}},
    "show.version": {"version": "9.9.9", "protocol": 1, "dpdk": "DPDK 22.11.11"},
    "show.routes": ROUTES, "show.addresses": {"addresses": [{"port": "left", "address": "192.0.2.1/24"}]},
    "show.neighbours": NEIGHBOURS, "show.queues": {"queues": [QUEUE]}, "show.steer": {"ports": [STEER]},
    "show.captures": {"captures": [CAPTURE]}, "show.clients": CLIENTS,
}


def environment(net, **more):
    """One that knows nothing of this machine's user."""
    kept = {key: value for key, value in os.environ.items() if key not in ("SPX_SOCKET", "XDG_RUNTIME_DIR", "TERM")}
    return {**kept, "XDG_STATE_HOME": net.path("state"), "TZ": "UTC", **more}


def ctl(net, *words, status=0, stdin=None, seconds=20, prefix=(), **more):
    """Runs spxctl with words of the command line; returns what it wrote to standard output and to standard error."""
    argv = [*prefix, SPXCTL, *words]
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=seconds, check=False,
                          errors="replace", env=environment(net, **more))
    lab.equal(done.returncode, status, f"exit status of {words}:\n{done.stdout}{done.stderr}")
    return done.stdout, done.stderr


@contextlib.contextmanager
def running(net, *argv):
    """A program with its output in pipes, which does not outlive a failed test."""
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=environment(net)) as process:
        try:
            yield process
        finally:
            process.kill()


def mocked(test):
    """A test of (net, mock, run), where run(*words) is ctl() over the mock's socket."""
    def wrapped(net):
        with MockSphex(net.path("socket"), copy.deepcopy(ANSWERS)) as mock:
            test(net, mock, lambda *words, **options: ctl(net, "--socket", mock.path, *words, **options))
    wrapped.__name__ = test.__name__
    return wrapped


def says(text, *parts):
    for part in parts:
        lab.check(part in text, f"'{part}' expected in:\n{text}")


def row(text, first):
    """The cells of the line whose first cell it is."""
    for line in text.splitlines():
        if line.split()[:1] == [first]:
            return line.split()
    raise AssertionError(f"no line '{first}' in:\n{text}")


def refuses(run, words, *parts):
    """A mistake in the command line: status 2, nothing on standard output."""
    out, err = run(*words.split(), status=2)
    lab.equal(out, "", f"output of {words}")
    lab.check(err.startswith("spxctl: ") and err.count("\n") == 1, f"one line expected:\n{err}")
    says(err, *parts)


# ---- show

@mocked
def test_show_tables(_net, mock, run):
    out, _err = run("show", "ports")
    lab.equal(row(out, "in"), "in replay up 1000 60000 0 0 3 0 0".split(), "port in")
    lab.equal(row(out, "out"), "out ethdev down 0 0 900 54000 0 0 0".split(), "port out")
    out, _err = run("show", "stages")
    lab.equal(row(out, "receive"), ["receive", "1000", "42.5"], "stage receive")
    lab.equal(row(out, "punt"), ["punt", "0", "-"], "stage punt")
    lab.equal(row(out, "0"), ["0", "1000", "200", "25.0", "1"], "worker 0")
    out, _err = run("show", "cache")
    says(out, "layered", "hits 90.00 %, 7.81 % full", "flood guard")
    lab.equal(row(out, "evicted"), ["evicted", "1", "2", "120"], "ended flows")
    lab.check("\n  expired " not in out, "reasons that have not happened are left out")
    out, _err = run("show", "rules")
    says(out, "16  dst 198.19.255.80/32 dport 53  flood")
    out, _err = run("show", "version")
    lab.equal(row(out, "sphex")[:3], ["sphex", "9.9.9", "1"], "version")
    lab.check(row(out, "spxctl")[1], "own version")
    out, _err = run("show", "captures")
    lab.equal(row(out, "1"), "1 drops.pcapng - receive,drop - 0 10 600 0 running".split(), "capture")
    out, _err = run("show", "clients")
    lab.equal(row(out, "0"), "0 99 operator 5 1.2 no".split(), "client")
    lab.equal(row(out, "6"), "6 0 0 4".split(), "sums")
    lab.equal([method for method, _params in mock.requests],
              ["show.ports", "show.stages", "show.cache", "show.rules", "show.version", "show.captures",
               "show.clients"], "requests")


@mocked
def test_show_drops(_net, _mock, run):
    out, _err = run("show", "drops")
    says(out, "rule_drop       98  lookup  a rule said drop (asked for)\n")
    lab.equal(row(out, "received"), ["received", "1000"], "sum")
    lab.equal(row(out, "dropped"), ["dropped", "98"], "sum")
    says(out, "punted: ttl")
    lab.check("ipv4_checksum" not in out and "injected" not in out, f"zero rows in:\n{out}")
    out, _err = run("show", "drops", "--all")
    says(out, "ipv4_checksum", "injected", "mirror copies")


@mocked
def test_show_flows(_net, mock, run):
    out, _err = run("show", "flows")
    lab.equal(row(out, "udp"), "udp 10.0.0.1 4096 10.0.1.1 53 0 in web 4 240 0.5".split(), "flow")
    run("show", "flows", "7")
    lab.equal([params for _method, params in mock.requests], [{"count": 20}, {"count": 7}], "counts")
    mock.answers["show.flows"] = {"seconds": 1, "flows": []}
    says(run("show", "flows")[0], "no flows")
    refuses(run, "show flows 0", "from 1 to 1000")
    refuses(run, "show flows 7 8", '"8" is too much')
    refuses(run, "show ports 7", '"7" is too much')


@mocked
def test_show_json_is_the_result(_net, _mock, run):
    for word in ("ports", "stages", "drops", "cache", "flows", "rules", "routes", "addresses", "neighbours", "queues",
                 "steer", "config", "version", "captures", "clients"):
        lab.equal(json.loads(run("--json", "show", word)[0]), ANSWERS[f"show.{word}"], word)
    lab.equal(json.loads(run("show", "config")[0]), ANSWERS["show.config"], "config without --json")


@mocked
def test_show_rules_page_by_page(_net, mock, run):
    """All pages, and again from the first when the rules change between two."""
    def page(params):
        start = params["from"]
        return {**RULES, "rules": 30, "generation": 4 if len(mock.requests) > 2 else 3,
                "list": [{"order": o, "match": {}, "action": "a"} for o in range(start, start + 10)],
                "next": start + 10 if start < 21 else None}
    mock.answers["show.rules"] = page
    out, _err = run("show", "rules")
    lab.equal([int(line.split()[0]) for line in out.splitlines() if line.endswith("everything  a")],
              list(range(1, 31)), "orders")
    lab.equal([params["from"] for _method, params in mock.requests], [1, 11, 21, 1, 11, 21], "pages")
    lab.equal({params["count"] for _method, params in mock.requests}, {10000}, "rules asked for at once")
    mock.answers["show.rules"] = {**RULES, "next": 16}
    says(run("show", "rules", status=1)[1], "does not go on")


# ---- words and options

@mocked
def test_words(net, _mock, run):
    says(run("sh", "po")[0], "rx packets")
    refuses(run, "sto", '"stop", in full, expected')
    says(run("help", "sto")[0], "spxctl stop")
    refuses(run, "s drops", '"s" is ambiguous', '"show", "steer", "stop"')
    refuses(run, "show c", '"cache", "config", "captures", "clients"')
    refuses(run, "show prots", 'did you mean "ports"?')
    refuses(run, "shwo", 'did you mean "show"?')
    refuses(run, "show", "a word is missing")
    refuses(run, "show ports --all", "--all")
    refuses(run, "show config --total", "--total")
    refuses(run, "show ports --force", "--force", "spxctl help show")
    refuses(run, "watch --interval 0", "from 0.001 to 3600")
    refuses(run, "watch --interval 0.05", "from 0.1 to 3600")
    refuses(run, "watch --frobnicate", '"--frobnicate" is no option', "spxctl help")
    refuses(run, "trace -5", '"-5" is no option')
    refuses(run, "show ports --json=1", '"--json=1"', "takes no value")
    refuses(run, "watch --interval", "--interval has no value")
    refuses(run, "rule del 0", "from 1 to 268435455")
    refuses(run, "capture stop 0", "from 1 to 4294967295")
    refuses(run, "clear all", '"all" is too much')
    refuses(run, "stop now", '"now" is too much')
    refuses(run, "events conditions", 'did you mean "condition"?')
    out, err = ctl(net, status=2)
    lab.equal(out, "", "usage goes to standard error")
    says(err, "usage: spxctl")


def test_help(net):
    out, _err = ctl(net, "--help")
    lab.equal(ctl(net, "help")[0], out, "help")
    commands = [line.split()[0] for line in out.splitlines() if line.startswith("  ") and line[2].isalpha()]
    lab.check({"show", "watch", "clear", "rule", "trace", "capture", "events", "stop", "help"} <= set(commands), out)
    for command in set(commands):
        says(ctl(net, "help", command)[0], f"spxctl {command}")
        says(ctl(net, command, "--help")[0], f"spxctl {command}")
    says(ctl(net, "--version")[0], "spxctl ")
    says(ctl(net, "help", "shwo", status=2)[1], "did you mean")


def test_manual(net):
    """Every command, form, key and option of the help is in the manual page, which is well-formed."""
    page = os.path.join(lab.SOURCE, "doc", "man", "spxctl.1")
    if shutil.which("man") is None:
        raise lab.Skip("needs man")
    done = subprocess.run(["man", "--warnings", "-l", page], capture_output=True, text=True, check=False,
                          env={**os.environ, "MANWIDTH": "200", "LC_ALL": "C.UTF-8", "MAN_KEEP_FORMATTING": ""})
    lab.equal(done.stderr, "", "complaints about the page")
    text = re.sub(".\b", "", done.stdout)
    words = set(re.findall(r"[a-z-]+", text))
    for line in ctl(net, "help")[0].splitlines():
        command = line.split()[0] if line.startswith("  ") and line[2].isalpha() else None
        if command is None:
            continue
        usage = [form for form in ctl(net, "help", command)[0].splitlines() if form.startswith("spxctl ")]
        options = re.findall(r"--[a-z-]+", ctl(net, "help", command)[0])
        for word in set(re.findall(r"(?<![A-Z])[a-z]+", " ".join(usage))) | set(options):
            lab.check(word in words, f"the manual does not know '{word}' of {command}")


# ---- which socket

def alone(net):
    """A command prefix under which no appliance of this machine is seen."""
    if glob.glob(f"/tmp/sphex-{os.geteuid()}/*.sock"):
        raise lab.Skip("an appliance of this user runs")
    if os.geteuid() == 0:
        return ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /run && exec "$@"', "sh"]
    if os.path.exists("/run/sphex"):
        raise lab.Skip("an appliance of root runs")
    return []


def test_finds_the_socket(net):
    prefix, folder = alone(net), net.path("sphex")
    out, err = ctl(net, "show", "ports", status=1, prefix=prefix, XDG_RUNTIME_DIR=net.folder)
    lab.equal(out, "", "output")
    says(err, "no running sphex found", "--socket PATH")
    os.mkdir(folder)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:  # bound, and nobody listens
        dead.bind(os.path.join(folder, "1.sock"))
    with MockSphex(os.path.join(folder, "22.sock"), ANSWERS):
        says(ctl(net, "show", "ports", prefix=prefix, XDG_RUNTIME_DIR=net.folder)[0], "replay")
        with MockSphex(os.path.join(folder, "333.sock"), ANSWERS) as second:
            says(ctl(net, "show", "ports", status=2, prefix=prefix, XDG_RUNTIME_DIR=net.folder)[1],
                 "2 appliances", f"PID 22  {folder}/22.sock", f"PID 333  {folder}/333.sock", "--socket")
            says(ctl(net, "show", "ports", prefix=prefix, SPX_SOCKET=second.path)[0], "replay")
    says(ctl(net, "show", "ports", "--socket", folder + "/22.sock", status=1)[1], "nobody listens")
    says(ctl(net, "show", "ports", "--socket", folder, status=1)[1], "is no socket")
    says(ctl(net, "show", "ports", "--socket", net.path("gone"), status=1)[1], "No such file")
    says(ctl(net, "show", "ports", status=1, SPX_SOCKET=net.path("gone"))[1], "from SPX_SOCKET")
    says(ctl(net, "show", "ports", "--socket", "/" + 200 * "a", status=1)[1], "at most 107 bytes")


def test_trusts_only_its_own_folders(net):
    """A folder that another user made is not looked into."""
    if os.geteuid() != 0:
        raise lab.Skip("needs root")
    prefix, folder = alone(net), net.path("sphex")
    os.mkdir(folder)
    os.chown(folder, 65534, 65534)
    with MockSphex(os.path.join(folder, "22.sock"), ANSWERS):
        says(ctl(net, "show", "ports", status=1, prefix=prefix, XDG_RUNTIME_DIR=net.folder)[1], "no running sphex")


# ---- an appliance that answers badly

@mocked
def test_errors_of_the_appliance(_net, mock, run):
    mock.answers["show.ports"] = Error("not for readers", -32000)
    lab.equal(run("show", "ports", status=1), ("", "spxctl: not for readers\n"), "an error")
    mock.answers["show.ports"] = Error("a\033[31m\nb\u009b")
    lab.equal(run("show", "ports", status=1)[1], "spxctl: a?[31m?b?\n", "an error with control characters")
    mock.answers["hello"] = Error("protocol 1 is not spoken; 2 is", -32602)
    says(run("show", "ports", status=1)[1], "protocol 1 is not spoken")


def test_turned_away(net):
    """An appliance that wants no more clients says so and closes, whether or not it was asked by then."""
    line = b'{"jsonrpc": "2.0", "id": null, "error": {"code": -32002, "message": "128 clients are there"}}\n'
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(net.path("full"))
        listener.listen()
        for when in ("before", "after"):
            with running(net, SPXCTL, "--socket", net.path("full"), "show", "ports") as process:
                connection, _address = listener.accept()
                if when == "after":
                    connection.recv(100)
                connection.sendall(line)
                connection.close()
                _out, err = process.communicate(timeout=10)
            lab.equal(process.returncode, 1, "exit status")
            says(err, "128 clients are there")


@mocked
def test_garbage(_net, mock, run):
    for garbage, message in ((b"", "closed the connection"), (b"nonsense\n", "no JSON"), (b"\xff\xfe\n", "no JSON"),
                             (b"[1]\n", "no JSON-RPC"), (b"{}\n", "no answer"),
                             (b'{"jsonrpc": "2.0", "id": 99, "result": {}}\n', "no answer"),
                             (b'{"jsonrpc": "2.0", "id": 2, "result": 7}\n', "no object"),
                             (b'{"jsonrpc": "2.0", "id": 2, "error": 7}\n', "no answer"),
                             (b'{"jsonrpc": "2.0", "id": 2, "result": {"ports": 7}}\n', 'no "ports"')):
        mock.answers["show.ports"] = garbage
        out, err = run("show", "ports", status=1)
        says(err, message)
        lab.equal(out, "", f"output after {garbage}")
    mock.answers["show.ports"] = b'{"jsonrpc": "2.0", "id": 2, "result": {"ports": [7, {"name": 7}, {}]}}\n'
    lab.equal(row(run("show", "ports")[0], "-"), ["-"] * 10, "ports without anything")


@mocked
def test_control_characters_in_tables(_net, mock, run):
    mock.answers["show.ports"] = {"ports": [{**PORTS["ports"][0], "name": "in\033]0;x\007\u202e", "driver": "ä"}]}
    out, _err = run("show", "ports")
    says(out, "in?]0;x??  ä")
    lab.check("\033" not in out, "an escape")
    out, _err = run("--json", "show", "ports")
    lab.check(out.isascii() and "\033" not in out, f"JSON has {out!r}")


@mocked
def test_lines_in_pieces_and_long_ones(_net, mock, run):
    ports = {"ports": [{**PORTS["ports"][0], "name": f"p{i}"} for i in range(40000)]}
    mock.answers["show.ports"] = ports  # 7 MB
    lab.equal(len(run("show", "ports")[0].splitlines()), 40001, "rows")


@mocked
def test_a_line_without_end(_net, mock, run):
    mock.answers["show.ports"] = bytes(65 << 20)
    started = time.monotonic()
    says(run("show", "ports", status=1)[1], "more than 64 MiB")
    lab.check(time.monotonic() - started < 15, "reading 64 MiB takes too long")


@mocked
def test_notifications_before_the_answer(_net, mock, run):
    mock.answers["show.version"] = (b'{"jsonrpc": "2.0", "method": "event", "params": {"kind": "rules"}}\n'
                                    b'{"jsonrpc": "2.0", "id": 2, "result": {"version": "7"}}\n')
    lab.equal(json.loads(run("--json", "show", "version")[0]), {"version": "7"}, "result")


@mocked
def test_broken_pipe_is_quiet(net, mock, _run):
    mock.answers["show.ports"] = {"ports": PORTS["ports"] * 20000}
    done = subprocess.run(f"trap '' PIPE; {SPXCTL} --socket {mock.path} show ports | head -n 1", shell=True, text=True,
                          capture_output=True, timeout=20, check=False, env=environment(net))
    lab.equal((done.stderr, len(done.stdout.splitlines())), ("", 1), "standard error, lines")
    if os.path.exists("/dev/full"):
        done = subprocess.run(f"{SPXCTL} --socket {mock.path} show ports >/dev/full", shell=True, text=True,
                              capture_output=True, timeout=20, check=False, env=environment(net))
        lab.equal((done.returncode, "No space left" in done.stderr), (1, True), "a full device")


# ---- clear

@mocked
def test_clear(net, mock, run):
    says(run("clear")[0], "counts from")
    mode = os.stat(net.path("state/sphex")).st_mode & 0o777
    lab.equal(mode, 0o700, "mode of the state's folder")
    mock.answers["show.ports"]["ports"][0]["rx_packets"] += 7
    mock.answers["show.drops"]["drops"][0]["packets"] += 5
    out, _err = run("show", "ports")
    says(out.splitlines()[0], "since the clear of 20", "--total")
    lab.equal(row(out, "in")[3:6], ["7", "0", "0"], "since clear")
    says(run("show", "drops")[0], "ipv4_checksum        5", "since the clear")
    says(run("show", "stages")[0], "receive        0")
    says(run("show", "cache")[0], "since the clear", "packets answered            0\n", "flows resident              5\n")
    document = json.loads(run("--json", "show", "ports")[0])
    lab.equal((document["ports"][0]["rx_packets"], document["cleared"][:2]), (7, "20"), "JSON")
    out, _err = run("show", "ports", "--total")
    lab.equal(row(out, "in")[3], "1007", "--total")
    lab.check("since" not in out, out)
    says(run("clear", "--undo")[0], "from the start")
    lab.equal(row(run("show", "ports")[0], "in")[3], "1007", "after --undo")
    says(run("clear", "--undo")[0], "nothing to undo")


@mocked
def test_clear_is_for_one_instance(net, mock, run):
    run("clear")
    mock.answers["hello"] = {**HELLO, "instance": "another"}
    lab.equal(row(run("show", "ports")[0], "in")[3], "1000", "another instance")
    mock.answers["hello"] = {**HELLO, "instance": "../../evil"}
    says(run("clear", status=1)[1], "which instance")
    lab.equal(row(run("show", "ports")[0], "in")[3], "1000", "an instance that is a path")
    for i in range(30):
        mock.answers["hello"] = {**HELLO, "instance": f"i{i}"}
        run("clear")
    lab.equal(len(os.listdir(net.path("state/sphex"))), 16, "files kept")
    with open(net.path("state/sphex/i29.json"), "w", encoding="utf-8") as file:
        file.write("{")
    lab.equal(row(run("show", "ports")[0], "in")[3], "1000", "a damaged file")
    says(run("clear", status=1, XDG_STATE_HOME="/proc")[1], "cannot write /proc/sphex")


# ---- watch

def counting(base, step):
    """show.ports that goes on by `step` packets and one second with each request."""
    calls = []

    def answer(_params):
        calls.append(1)
        result = copy.deepcopy(base)
        result["seconds"] += len(calls)
        result["ports"][0]["rx_packets"] += step * len(calls)
        return result
    return answer


@mocked
def test_watch_tables(_net, mock, run):
    def row(out, begin):
        found = [line.split() for line in out.splitlines() if line.startswith(begin)]
        lab.check(found, f"no row {begin} in {out}")
        return found
    mock.answers["show.ports"] = counting(PORTS, 2500000)
    out, _err = run("watch", "ports", "--interval", "0.1", "--count", "2")
    lab.equal([cells[:4] for cells in row(out, "in ")], [["in", "up", "2.50", "M"]] * 2, "port in")
    out, _err = run("watch", "--interval", "0.1", "--count", "1")
    lab.equal(row(out, "receive")[0][:2], ["receive", "0"], "stage receive")
    lab.equal(row(out, "rule_drop")[0][:4], ["rule_drop", "0", "98", "lookup"], "drop reason")
    lab.check("ipv4_checksum" not in out, out)
    out, _err = run("watch", "flows", "--interval", "0.1", "--count", "1")
    says(out, "10.0.0.1:4096", "10.0.1.1:53")
    mock.answers["show.flows"]["flows"][0].update(src="2001:db8::1", dst="2001:db8::2", fragments=True)
    out, _err = run("watch", "flows", "--interval", "0.1", "--count", "1")
    says(out, "2001:db8::1 fragments", "2001:db8::2 fragments")
    mock.answers["show.flows"]["flows"][0]["fragments"] = False
    out, _err = run("watch", "flows", "--interval", "0.1", "--count", "1")
    says(out, "[2001:db8::1]:4096", "[2001:db8::2]:53")
    out, _err = run("watch", "cache", "--interval", "0.1", "--count", "1")
    lab.equal(row(out, "looked up")[0][:3], ["looked", "up", "0"], "looked up")
    out, _err = run("--json", "watch", "ports", "--interval", "0.1", "--count", "2")
    lab.equal([json.loads(line)["ports"]["ports"][0]["rx_packets"] for line in out.splitlines()], [2500000] * 2, "JSON")
    refuses(run, "watch config", "one of")


@mocked
def test_watch_ends_with_the_appliance(_net, mock, run):
    mock.answers["show.ports"] = [PORTS, PORTS, b""]
    out, err = run("watch", "ports", "--interval", "0.1", status=1)
    lab.equal(out.count("rx packets/s"), 1, "tables before it")
    says(err, "closed the connection")


def on_terminal(net, argv):
    """(exit status, what a terminal gets) of a program."""
    here, there = pty.openpty()
    with subprocess.Popen(argv, stdout=there, stderr=there, stdin=subprocess.DEVNULL, env=environment(net)) as process:
        os.close(there)
        text = b""
        while True:
            try:
                text += os.read(here, 65536)
            except OSError:
                break
        os.close(here)
    return process.returncode, text.decode()


@mocked
def test_watch_on_a_terminal(net, mock, _run):
    mock.answers["show.ports"] = counting(PORTS, 2500000)
    status, text = on_terminal(net, [SPXCTL, "--socket", mock.path, "watch", "--interval", "0.1", "--count", "2"])
    lab.equal(status, 0, text)
    lab.equal(text.count("2.50 M"), 2, f"rates in {text!r}")
    lines = text.split("\033[J")[0].count("\n")
    lab.equal(text.count(f"\033[{lines}A"), 1, f"redrawn once in {text!r}")


# ---- rules

@mocked
def test_rule(net, mock, run):
    mock.answers["rule.add"] = {"order": 100, "generation": 4}
    mock.answers["rule.delete"] = {"order": 100, "generation": 5}
    mock.answers["rule.load"] = {"rules": 9, "generation": 6, "flags_ignored": 2}
    lab.equal(run("rule", "add", "order", "100", "proto", "udp", "dport", "53", "action", "web")[0],
              "rule 100 added, generation 4\n", "add")
    lab.equal(run("ru", "del", "100")[0], "rule 100 deleted, generation 5\n", "del")
    with open(net.path("rules"), "w", encoding="utf-8") as file:
        file.write("@10.0.0.0/8 ä\n")
    says(run("rule", "load", net.path("rules"), "action", "web")[0], "9 rules loaded, generation 6", "2 rules")
    run("rule", "load", "-", stdin="[]")
    lab.equal(mock.requests, [
        ("rule.add", {"rule": {"order": 100, "match": {"proto": "udp", "dport": 53}, "action": "web"}}),
        ("rule.delete", {"order": 100}),
        ("rule.load", {"name": net.path("rules"), "text": "@10.0.0.0/8 ä\n", "action": "web"}),
        ("rule.load", {"name": "standard input", "text": "[]"})], "requests")
    lab.equal(json.loads(run("--json", "rule", "del", "100")[0]), {"order": 100, "generation": 5}, "JSON")
    says(run("rule", "show")[0], "flood")
    mock.answers["rule.add"] = Error("order 100 is taken", data={"errno": "EEXIST"})
    lab.equal(run("rule", "add", "order", "100", "action", "web", status=1)[1], "spxctl: order 100 is taken\n", "error")


@mocked
def test_rule_mistakes(net, mock, run):
    refuses(run, "rule", "a word is missing")
    refuses(run, "rule add dport 53", "action NAME")
    refuses(run, "rule add dprot 53 action a", 'did you mean "dport"?')
    refuses(run, "rule del", "ORDER is missing")
    refuses(run, "rule del x", "whole number")
    refuses(run, "rule del 1 2", '"2" is too much')
    refuses(run, "rule load", "FILE is missing")
    refuses(run, "rule load f g", '"action" expected')
    refuses(run, "rule load f action", "NAME")
    says(run("rule", "load", net.path("gone"), status=1)[1], "No such file")
    with open(net.path("binary"), "wb") as file:
        file.write(b"a\0b")
    says(run("rule", "load", net.path("binary"), status=1)[1], "no text")
    with open(net.path("long"), "wb") as file:
        file.truncate(9 << 20)
    says(run("rule", "load", net.path("long"), status=1)[1], "8 MiB")
    with open(net.path("quotes"), "wb") as file:
        file.write(b'"' * (5 << 20))
    says(run("rule", "load", net.path("quotes"), status=1)[1], "8 MiB")
    lab.equal(mock.requests, [], "requests")


@mocked
def test_rule_load_of_many(net, mock, run):
    """Several megabytes, which the socket takes in pieces."""
    mock.answers["rule.load"] = {"rules": 1, "generation": 2, "flags_ignored": 0}
    with open(net.path("many"), "w", encoding="utf-8") as file:
        file.write("rule\n" * 1000000)
    run("rule", "load", net.path("many"))
    lab.equal(len(mock.requests[0][1]["text"]), 5000000, "bytes that came")


# ---- routes, addresses, neighbours, queues, ports

@mocked
def test_show_routing(_net, mock, run):
    out, _err = run("show", "routes")
    says(out, "10.0.0.0/8 via 192.0.2.2 dev left  static\n")
    lab.equal(row(out, "6"), "6 1 3 1 4 7".split(), "sums")
    lab.equal(row(run("show", "addresses")[0], "192.0.2.1/24"), ["192.0.2.1/24", "left"], "address")
    out, _err = run("show", "neighbours")
    lab.equal(row(out, "192.0.2.2"), "192.0.2.2 left 02:00:00:00:00:02 permanent".split(), "neighbour")
    lab.equal(row(out, "192.0.2.3"), "192.0.2.3 left - incomplete".split(), "neighbour")
    lab.equal(row(run("show", "queues")[0], "left"), "left 10000 1 1000 60 1000000 2 3 180 4".split(), "queue")
    for words, method in (("route", "routes"), ("address", "addresses"), ("neighbour", "neighbours"), ("queue", "queues")):
        mock.requests.clear()
        run(words, "show")
        lab.equal([name for name, _params in mock.requests], [f"show.{method}"], words)
    mock.answers["show.queues"] = {"queues": []}
    says(run("show", "queues")[0], "no port is shaped")
    mock.answers["show.routes"] = Error("show.routes: this appliance does not route", data={"errno": "EOPNOTSUPP"})
    says(run("show", "routes", status=1)[1], "does not route")


@mocked
def test_show_routes_page_by_page(_net, mock, run):
    def page(params):
        start = int(params.get("from", "10.0.0.0/8").split(".")[1])
        return {**ROUTES, "list": [{"prefix": f"10.{n}.0.0/16", "origin": "static", "route": f"10.{n}.0.0/16 dev left"}
                                   for n in range(start, start + 10)],
                "next": f"10.{start + 10}.0.0/16" if start < 20 else None}
    mock.answers["show.routes"] = page
    out, _err = run("show", "routes")
    lab.equal([line.split()[0] for line in out.splitlines() if line.startswith("10.")],
              [f"10.{n}.0.0/16" for n in range(30)], "prefixes")
    lab.equal([params for _method, params in mock.requests],
              [{"count": 10000}, {"from": "10.10.0.0/16", "count": 10000}, {"from": "10.20.0.0/16", "count": 10000}],
              "requests")
    mock.answers["show.routes"] = {**ROUTES, "next": "10.0.0.0/8"}
    says(run("show", "routes", status=1)[1], "does not go on")
    mock.answers["show.routes"] = [{**ROUTES, "next": "11.0.0.0/8"}, {**ROUTES, "list": [], "next": "12.0.0.0/8"}]
    says(run("show", "routes", status=1)[1], "does not go on")


@mocked
def test_route(net, mock, run):
    line = "10.0.0.0/8 via 192.0.2.2"
    mock.answers["route.add"] = mock.answers["route.replace"] = {"route": line, "generation": 8}
    mock.answers["route.delete"] = {"prefix": "10.0.0.0/8", "generation": 9}
    mock.answers["route.load"] = {"routes": 2, "deleted": 1, "generation": 10}
    mock.answers["route.find"] = [{"route": ROUTES["list"][0]}, {"route": None}]
    lab.equal(run("route", "add", *line.split())[0], f"route {line} added, generation 8\n", "add")
    lab.equal(run("route", "add", line)[0], f"route {line} added, generation 8\n", "add of one word")
    lab.equal(run("route", "repl", *line.split())[0], f"route {line} in force, generation 8\n", "replace")
    lab.equal(run("route", "del", "10.0.0.0/8")[0], "route 10.0.0.0/8 deleted, generation 9\n", "del")
    lab.equal(run("route", "find", "10.1.2.3")[0], "10.0.0.0/8 via 192.0.2.2 dev left\n", "find")
    lab.equal(run("route", "find", "11.1.2.3")[0], "no route\n", "find without a route")
    with open(net.path("routes"), "w", encoding="utf-8") as file:
        file.write(line + "\n")
    lab.equal(run("route", "load", net.path("routes"))[0], "2 routes loaded, 1 deleted, generation 10\n", "load")
    run("route", "load", "-", "replace", stdin=line)
    lab.equal(mock.requests, [
        ("route.add", {"route": line}), ("route.add", {"route": line}), ("route.replace", {"route": line}),
        ("route.delete", {"route": "10.0.0.0/8"}), ("route.find", {"address": "10.1.2.3"}),
        ("route.find", {"address": "11.1.2.3"}),
        ("route.load", {"name": net.path("routes"), "text": line + "\n", "replace": False}),
        ("route.load", {"name": "standard input", "text": line, "replace": True})], "requests")
    lab.equal(json.loads(run("--json", "route", "del", "10.0.0.0/8")[0])["generation"], 9, "JSON")
    mock.answers["route.add"] = Error("route.add: 10.0.0.0/8 is there", data={"errno": "EEXIST"})
    lab.equal(run("route", "add", line, status=1)[1], "spxctl: route.add: 10.0.0.0/8 is there\n", "error")


@mocked
def test_addresses_and_neighbours(_net, mock, run):
    mock.answers["address.add"] = mock.answers["address.delete"] = {"port": "left", "address": "192.0.2.1/24"}
    mock.answers["neighbour.add"] = mock.answers["neighbour.delete"] = {"port": "left", "address": "192.0.2.2"}
    lab.equal(run("addr", "add", "192.0.2.1/24", "dev", "left")[0], "address 192.0.2.1/24 on port left added\n", "add")
    lab.equal(run("addr", "del", "192.0.2.1/24", "dev", "left")[0], "address 192.0.2.1/24 on port left deleted\n", "del")
    says(run("neigh", "add", "192.0.2.2", "dev", "left", "mac", "02:00:00:00:00:02")[0], "192.0.2.2 on port left added")
    says(run("neigh", "del", "192.0.2.2", "dev", "left")[0], "192.0.2.2 on port left deleted")
    neighbour = {"address": "192.0.2.2", "port": "left"}
    lab.equal(mock.requests, [
        ("address.add", {"address": "192.0.2.1/24", "port": "left"}),
        ("address.delete", {"address": "192.0.2.1/24", "port": "left"}),
        ("neighbour.add", {**neighbour, "mac": "02:00:00:00:00:02"}), ("neighbour.delete", neighbour)], "requests")


@mocked
def test_queues_and_ports(_net, mock, run):
    mock.answers["queue.set"] = QUEUE
    mock.answers["port.down"] = {"port": "left", "link": "disabled"}
    mock.answers["port.up"] = {"port": "left", "link": "up"}
    says(run("queue", "set", "left", "rate", "10000", "bytes", "1000000")[0], "rate 10000 kbit/s, at most 1000 packets")
    lab.equal(run("port", "down", "left")[0], "port left is disabled\n", "down")
    lab.equal(run("port", "up", "left")[0], "port left is up\n", "up")
    lab.equal(mock.requests, [("queue.set", {"port": "left", "rate_kbps": 10000, "limit_bytes": 1000000}),
                              ("port.down", {"port": "left"}), ("port.up", {"port": "left"})], "requests")


@mocked
def test_steer(_net, mock, run):
    rows = ["left everything", "left udp 3322", "left udp 53", "left prefix 10.0.0.0/8"]
    mock.answers["steer.add"] = STEER
    mock.answers["steer.delete"] = {"port": "left", "steer": {"everything": False, "udp_ports": [], "prefixes": []}}
    for words in (["show", "steer"], ["steer", "show"],
                  ["steer", "add", "left", "udp", "3322", "prefix", "10.0.0.0/8", "udp", "53"]):
        lab.equal([" ".join(line.split()) for line in run(*words)[0].splitlines()[1:]], rows, words)
    says(run("steer", "del", "left", "everything")[0], "left  nothing\n")
    lab.equal(json.loads(run("--json", "steer", "add", "left", "every")[0]), STEER, "JSON")
    lab.equal(mock.requests[2:], [
        ("steer.add", {"port": "left", "steer": {"udp_ports": [3322, 53], "prefixes": ["10.0.0.0/8"]}}),
        ("steer.delete", {"port": "left", "steer": {"everything": True, "udp_ports": [], "prefixes": []}}),
        ("steer.add", {"port": "left", "steer": {"everything": True, "udp_ports": [], "prefixes": []}})], "requests")
    mock.answers["show.steer"] = {"ports": []}
    says(run("steer", "show")[0], "no port has the driver xdp")
    refuses(run, "steer", "a word is missing")
    refuses(run, "steer show x", '"x" is too much')
    refuses(run, "steer add", "PORT is missing")
    refuses(run, "steer add left", '"everything", "udp N" or "prefix PREFIX" expected')
    refuses(run, "steer add left tcp", '"tcp" is unknown')
    refuses(run, "steer del left udp", "udp is missing")
    refuses(run, "steer del left udp 65536", "from 1 to 65535")
    refuses(run, "steer add left udp 1 prefix", "prefix is missing")


@mocked
def test_routing_mistakes(net, mock, run):
    refuses(run, "route", "a word is missing")
    refuses(run, "route add", 'such as "10.0.0.0/8 via 192.0.2.2"')
    refuses(run, "route del", "PREFIX is missing")
    refuses(run, "route load", "FILE is missing")
    refuses(run, "route load f g", '"replace" expected')
    refuses(run, "route load f replace g", '"g" is too much')
    refuses(run, "route find", "ADDRESS is missing")
    refuses(run, "route find a b", '"b" is too much')
    refuses(run, "route show x", '"x" is too much')
    refuses(run, "address add", "ADDRESS is missing")
    refuses(run, "address add 192.0.2.1/24", '"dev PORT" is missing')
    refuses(run, "address add 192.0.2.1/24 dev", "one value of dev expected")
    refuses(run, "address add 192.0.2.1/24 dev a mac b", '"mac" is too much')
    refuses(run, "neighbour add 192.0.2.2 dev a", '"mac MAC" is missing')
    refuses(run, "neighbour add 192.0.2.2 dav a", 'did you mean "dev"?')
    refuses(run, "queue set", "PORT is missing")
    refuses(run, "queue set left", "nothing to set")
    refuses(run, "queue set left rate", "rate is missing")
    refuses(run, "queue set left rate x", "whole number")
    refuses(run, "queue set left rate 1 rate 2", "rate is given twice")
    refuses(run, "port down", "NAME is missing")
    refuses(run, "port up a b", '"b" is too much')
    says(run("route", "load", net.path("gone"), status=1)[1], "No such file")
    lab.equal(mock.requests, [], "requests")


# ---- trace

@mocked
def test_trace(_net, mock, run):
    mock.answers["trace"] = {"asked": 10, "traced": 9, "lost": 1, "groups": [
        {"packets": 8, "way": ["receive  port in", "lookup   rule 3"], "example": ["receive  port in, 60 bytes"]},
        {"packets": 1, "way": ["receive  port in"], "example": ["receive  port in, 64 bytes\033[J"]}]}
    out, _err = run("trace", "10", "udp", "port", "53", "--seconds", "0.5")
    says(out, "8 packets:\n  receive  port in\n  lookup   rule 3\n\n1 packet:\n  receive  port in, 64 bytes?[J\n",
         "9 of 10 packets came", "lost")
    run("trace")
    run("trace", "udp")
    run("trace", "3")
    lab.equal([params for _method, params in mock.requests],
              [{"count": 10, "filter": "udp port 53", "seconds": 0.5}, {"count": 1, "seconds": 10.0},
               {"count": 1, "filter": "udp", "seconds": 10.0}, {"count": 3, "seconds": 10.0}], "requests")
    lab.equal(json.loads(run("--json", "trace")[0]), mock.answers["trace"], "JSON")
    mock.answers["trace"] = {"asked": 1, "traced": 0, "lost": 0, "groups": []}
    says(run("trace")[0], "no packet came")
    refuses(run, "trace 10001", "from 1 to 10000")
    refuses(run, "trace --seconds 3601", "from 0.1 to 3600")


# ---- capture

def stopping(mock):
    """capture.stop of an appliance that closes the file before it answers."""
    def answer(params):
        while mock.files:
            os.close(mock.files.pop())
        return {"id": params.get("id", 1), "packets": 10, "bytes": 600, "lost": 0}
    return answer


@mocked
def test_capture_to_a_file(net, mock, run):
    file = net.path("drops.pcapng")
    mock.answers["capture.start"] = {"id": 3}
    mock.answers["capture.stop"] = stopping(mock)
    says(run("capture", "start", "port", "in", "drops", "filter", "udp port 53", file)[0], "capture 3 to " + file)
    lab.equal(mock.requests, [("capture.start", {"file": file, "port": "in", "points": ["drop"],
                                                 "filter": "udp port 53"})], "request")
    os.write(mock.files[0], b"packets")
    with open(file, "rb") as written:
        lab.equal(written.read(), b"packets", "what the appliance wrote")
    lab.equal(run("capture", "stop", "3")[0], "capture 3: 10 packets, 600 bytes, 0 lost\n", "stop")
    mock.answers["capture.stop"] = {"id": 3, "packets": 9, "bytes": 540, "lost": 1, "error": "No space left on device"}
    out, err = run("capture", "stop", status=1)
    lab.equal(out, "capture 3: 9 packets, 540 bytes, 1 lost\n", "a capture that had ended")
    lab.equal(err, "spxctl: capture 3 had ended: No space left on device\n", "why")
    mock.answers["show.captures"] = {"captures": [{**CAPTURE, "ended": True, "error": "No space left on device"}]}
    says(run("capture", "show")[0], "No space left on device")
    mock.answers["show.captures"] = {"captures": [CAPTURE]}
    lab.equal(mock.requests[1:3], [("capture.stop", {"id": 3}), ("capture.stop", {})], "requests")
    says(run("capture", "show")[0], "drops.pcapng", "running")
    refuses(run, "capture start", "FILE is missing")
    refuses(run, "capture start udp f", '"udp" is unknown')
    refuses(run, "capture stop x", "whole number")
    refuses(run, "capture stop --force", "--force")


@mocked
def test_capture_keeps_older_files(net, mock, run):
    file = net.path("old.pcapng")
    with open(file, "w", encoding="utf-8") as old:
        old.write("old")
    mock.answers["capture.start"] = Error("filter: syntax error")
    says(run("capture", "start", file, status=1)[1], "is there already; --force replaces it")
    lab.equal(mock.requests, [], "requests")
    says(run("capture", "start", "--force", file, status=1)[1], "syntax error")
    says(run("capture", "start", net.path("new.pcapng"), status=1)[1], "syntax error")
    with open(file, encoding="utf-8") as old:
        lab.equal(old.read(), "old", "a file after an error")
    lab.equal(sorted(os.listdir(net.folder)), ["old.pcapng", "socket"], "files after errors")
    mock.answers["capture.start"] = {"id": 1}
    run("capture", "start", "--force", file)
    os.write(mock.files[-1], b"new")
    with open(file, encoding="utf-8") as new:
        lab.equal(new.read(), "new", "a file replaced")
    lab.equal(sorted(os.listdir(net.folder)), ["old.pcapng", "socket"], "files")
    says(run("capture", "start", net.path("no/such"), status=1)[1], "cannot create")
    run("capture", "start", "/dev/null")
    lab.check(os.path.exists("/dev/null"), "a device stays")


@mocked
def test_capture_to_standard_output(net, mock, run):
    mock.answers["capture.start"] = {"id": 1}
    mock.answers["capture.stop"] = stopping(mock)
    mock.answers["show.captures"] = [{"captures": [CAPTURE]}, {"captures": [{**CAPTURE, "ended": True}]}]
    out, err = run("capture", "start", "-")
    lab.equal(out, "", "nothing of its own")
    says(err, "capture 1 to standard output", "10 packets, 600 bytes")
    lab.equal([method for method, _params in mock.requests],
              ["capture.start", "show.captures", "show.captures", "capture.stop"], "requests")
    status, text = on_terminal(net, [SPXCTL, "--socket", mock.path, "capture", "start", "-"])
    lab.equal(status, 2, text)
    says(text, "standard output is a terminal")


@mocked
def test_capture_ends_with_ctrl_c(net, mock, _run):
    mock.answers["capture.start"] = {"id": 1}
    mock.answers["capture.stop"] = stopping(mock)
    with running(net, SPXCTL, "--socket", mock.path, "capture", "start", "in", "-") as process:
        lab.wait_until(lambda: "show.captures" in [method for method, _params in mock.requests], 10, "show.captures")
        os.write(mock.files[0], b"packets")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    lab.equal((process.returncode, out), (0, "packets"), f"status and output ({err})")
    lab.equal(mock.requests[-1], ("capture.stop", {"id": 1}), "the last request")


# ---- events, stop

@mocked
def test_ends_when_nothing_can_be_written(net, mock, _run):
    mock.answers["subscribe"] = {}
    mock.events = [{"kind": "rules", "seconds": 1, "text": "rule 16 added"}]
    for words in (["events"], ["watch", "ports", "--interval", "0.1"]):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([SPXCTL, "--socket", mock.path, *words], stdout=full, stderr=subprocess.PIPE, text=True,
                                  timeout=10, check=False, env=environment(net))
        lab.equal(done.returncode, 1, f"{words} ends: {done.stderr}")
        says(done.stderr, "cannot write to standard output (No space left on device)")


@mocked
def test_events(_net, mock, run):
    mock.answers["subscribe"] = {}
    mock.events = [{"kind": "condition", "seconds": 3.25, "text": "port out is down\033[J"},
                   {"kind": "stop", "seconds": 4, "report": {"received": 9, "transmitted": 2}}, None]
    out, err = run("events")
    lab.equal(out, "    3.250 s  condition  port out is down?[J\n    4.000 s  stop       received 9, transmitted 2 packets\n", "lines")
    lab.equal(err, "", "the end after a stop is no error")
    out, _err = run("--json", "events", "cond", "stop")
    lab.equal([json.loads(line) for line in out.splitlines()], mock.events[:2], "JSON")
    lab.equal([params for _method, params in mock.requests], [{}, {"events": ["condition", "stop"]}], "requests")
    mock.events = [None]
    says(run("events", status=1)[1], "closed the connection")
    mock.answers["subscribe"] = Error("no")
    lab.equal(run("events", status=1)[1], "spxctl: no\n", "refused")


@mocked
def test_stop(net, mock, run):
    mock.answers["stop"] = {"stopping": True}
    lab.equal(run("stop", "--no-wait")[0], "sphex (PID 4711) stops\n", "--no-wait")
    mock.answers["stop"] = b'{"jsonrpc": "2.0", "id": 2, "result": {"stopping": true}}\n'
    with running(net, SPXCTL, "--socket", mock.path, "stop") as process:
        lab.wait_until(lambda: len(mock.requests) == 2, 10, "stop")
        time.sleep(0.2)
        lab.equal(process.poll(), None, "it waits")
        mock.close_one(mock.connections[-1])
        lab.equal(process.communicate(timeout=10)[0], "sphex (PID 4711) has stopped\n", "the end")
    lab.equal(process.returncode, 0, "exit status")


# ---- completion

COMPLETION = os.path.join(lab.SOURCE, "config", "completion", "spxctl.bash")


def complete(net, mock, *words):
    """What bash offers for the last of the words."""
    script = f"""source {COMPLETION}
        COMP_WORDS=({SPXCTL} "$@") COMP_CWORD=$#
        _spxctl
        printf '%s\\n' "${{COMPREPLY[@]}}" """
    return net.run(None, ["env", f"SPX_SOCKET={mock.path}", f"XDG_STATE_HOME={net.path('state')}", "bash", "-c", script,
                          "bash", *words]).split()


@mocked
def test_completion(net, mock, run):
    commands = [line.split()[0] for line in run("help")[0].splitlines() if line.startswith("  ") and line[2].isalpha()]
    lab.equal(set(complete(net, mock, "")), set(commands), "commands")
    usage = run("help", "show")[0].splitlines()[0].split(None, 2)[2]
    lab.equal(complete(net, mock, "show", ""), usage.replace(" [N]", "").split("|"), "things to show")
    usage = run("help", "watch")[0].splitlines()[0].split(None, 2)[2]
    lab.equal(complete(net, mock, "watch", ""), usage.strip("[]").split("|"), "things to watch")
    for command in commands:
        options = set(complete(net, mock, command, "--")) - {"--socket", "--json", "--help", "--version"}
        more = {word for word in run("help", command)[0].split() if word.startswith("--")} - {"--json"}
        lab.equal(options, more, f"options of {command}")
    lab.equal(complete(net, mock, "show", "dr"), ["drops"], "a beginning")
    lab.equal(complete(net, mock, "--json", "show", "p"), ["ports"], "behind an option")
    lab.equal(complete(net, mock, "rule", "add", "s"), ["src", "sport"], "a key")
    lab.equal(complete(net, mock, "route", "add", "10.0.0.0/8", "v"), ["via"], "a word of a route")
    lab.equal(complete(net, mock, "neighbour", "add", "192.0.2.2", "dev", "in", ""), ["mac"], "a neighbour's word")
    lab.equal(complete(net, mock, "address", "add", "192.0.2.1/24", ""), ["dev"], "an address's word")
    lab.equal(complete(net, mock, "queue", "set", "in", "r"), ["rate"], "a key of a queue")
    lab.equal(complete(net, mock, "steer", "add", "in", "udp", "53", "pre"), ["prefix"], "a word of steering")
    lab.equal(complete(net, mock, "rule", "add", "dport", "53", "act"), ["action"], "the next key")
    lab.equal(complete(net, mock, "capsule", "send", "--id", "7", "host", "c"), ["count", "compare", "collect"], "ESP")
    for words, operator in (("compare 1 2", "lt"), ("collect 1 2 3", "sum"), ("rcollect 1 2 3 4 5", "sum"),
                            ("count 1 2", None), ("rchld 1 2", None), ("compare 1", None)):
        lab.equal(complete(net, mock, "capsule", "send", "host", *words.split(), "")[:1], [operator] if operator else [],
                  words)


@mocked
def test_completion_asks_for_names(net, mock, _run):
    mock.answers["show.config"] = {"actions": {"web": {}, "deny": {}, "$(touch " + net.path("evil") + ")": {}}}
    lab.equal(complete(net, mock, "rule", "add", "port", ""), ["in", "out"], "ports")
    lab.equal(complete(net, mock, "rule", "add", "action", ""), ["deny", "web"], "actions")
    lab.equal(complete(net, mock, "rule", "load", "f", "action", "w"), ["web"], "actions")
    lab.equal(complete(net, mock, "capture", "start", "port", ""), ["in", "out"], "ports")
    for words in (["port", "down"], ["queue", "set"], ["steer", "del"], ["route", "add", "10.0.0.0/8", "dev"],
                  ["address", "del", "192.0.2.1/24", "dev"]):
        lab.equal(complete(net, mock, *words, ""), ["in", "out"], "ports")
    lab.equal(complete(net, mock, "capture", "stop", ""), ["1"], "captures")
    with open(net.path("rules.json"), "w", encoding="utf-8"):
        pass
    lab.equal(complete(net, mock, "rule", "load", net.path("rul")), [net.path("rules.json")], "a file")
    lab.equal(complete(net, mock, "route", "load", net.path("rul")), [net.path("rules.json")], "a file")
    lab.check(not os.path.exists(net.path("evil")), "a name was run as a command")


# ---- the program

def test_starts_fast_without_dpdk(net):
    done = subprocess.run(["ldd", SPXCTL], capture_output=True, text=True, check=False)
    lab.check("librte_" not in done.stdout, f"linked with DPDK:\n{done.stdout}")
    times = []
    for _ in range(5):
        started = time.monotonic()
        ctl(net, "--version")
        times.append(time.monotonic() - started)
    lab.check(min(times) < 0.1, f"seconds to start: {times}")


lab.main(test_show_tables, test_show_drops, test_show_flows, test_show_json_is_the_result,
         test_show_rules_page_by_page, test_words, test_help, test_manual, test_finds_the_socket, test_trusts_only_its_own_folders,
         test_errors_of_the_appliance, test_turned_away, test_garbage, test_control_characters_in_tables,
         test_lines_in_pieces_and_long_ones, test_a_line_without_end, test_notifications_before_the_answer,
         test_broken_pipe_is_quiet, test_clear, test_clear_is_for_one_instance, test_watch_tables,
         test_watch_ends_with_the_appliance, test_watch_on_a_terminal, test_rule, test_rule_mistakes,
         test_rule_load_of_many, test_show_routing, test_show_routes_page_by_page, test_route,
         test_addresses_and_neighbours, test_queues_and_ports, test_steer, test_routing_mistakes, test_trace, test_capture_to_a_file, test_capture_keeps_older_files,
         test_capture_to_standard_output, test_capture_ends_with_ctrl_c,
         test_ends_when_nothing_can_be_written, test_events, test_stop,
         test_completion, test_completion_asks_for_names, test_starts_fast_without_dpdk, needs_network=False)
