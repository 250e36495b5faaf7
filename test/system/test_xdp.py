#!/usr/bin/python3
"""Interfaces that sphex shares with the kernel: xdp ports between namespaces."""

import json
import os
import shutil
import signal
import socket
import sys

import lab

KERNEL = "10.9.0.254"  # of sphex's namespace, on the interface to the client

LISTEN = """
import socket, sys
kind, address, port = sys.argv[1:]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((address, int(port)))
s.settimeout(2)
if kind == "tcp":
    s.listen()
print("listening", flush=True)
n = 0
try:
    if kind == "tcp":
        s, _ = s.accept()
    while data := s.recv(65536):
        n += len(data) if kind == "tcp" else 1
        if data.endswith(b"end"):
            break
except TimeoutError:
    pass
print("got", n, flush=True)
"""
SEND = """
import socket, sys, time
address, port, n = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(n):
    s.sendto(b"x" * 100, (address, port))
    if i % 50 == 49:
        time.sleep(0.01)
s.sendto(b"end", (address, port))
"""
SEND_TCP = """
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5)
s.sendall(b"x" * 1000000)
s.close()
"""


def build(net):
    """client - sphex - server; sphex's kernel has an address on the side of the client."""
    for space in ("client", "sphex", "server"):
        net.namespace(space)
    net.veth("client", "c0", "sphex", "s0")
    net.veth("sphex", "s1", "server", "d0")
    net.address("client", "c0", "10.9.0.1/24")
    net.address("sphex", "s0", KERNEL + "/24")
    net.address("server", "d0", "10.9.0.2/24")


def configuration(net, left=None, right=None, **more):
    return {
        "memory": {"hugepages": "off", "megabytes": 256, "mbufs": 16384},
        "workers": {"idle": "sleep"},
        "control": {"socket": net.path("sphex.sock")},
        "ports": [{"name": "left", "driver": "xdp", "interface": "s0"} | (left or {}),
                  {"name": "right", "driver": "xdp", "interface": "s1"} | (right or {})],
        "actions": {"to_left": {"verdict": "forward", "port": "left"},
                    "to_right": {"verdict": "forward", "port": "right"}},
        "rules": {"list": [{"match": {"port": "left"}, "action": "to_right"},
                           {"match": {"port": "right"}, "action": "to_left"}]},
    } | more


def arguments(net, config):
    path = net.path("config.json")
    with open(path, "w", encoding="ascii") as file:
        json.dump(config, file)
    return ["--config", path, "--report", net.path("report.json")]


def start(net, left=None, right=None, **more):
    return net.sphex("sphex", arguments(net, configuration(net, left, right, **more)), ready=r" s  received")


def refused(net, words, left=None, prefix=(), **more):
    """sphex does not start, and says these words."""
    argv = arguments(net, configuration(net, left, **more))
    output = net.start("sphex", list(prefix) + [lab.SPHEX] + argv).wait(status=1)
    for word in words:
        lab.check(word in output, f"'{word}' is not in\n{output}")


def finish(net, program):
    """The report, balanced, and what sphex wrote."""
    output = program.stop()
    with open(net.path("report.json"), encoding="utf-8") as file:
        document = json.load(file)
    lab.balanced(document)
    return document, output


def ask(net, method, **params):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(net.path("sphex.sock"))
        client.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
        return json.loads(client.makefile().readline())


def ctl(net, *words, **options):
    return net.run(None, [os.path.join(lab.BUILD, "app", "spxctl"), "--socket", net.path("sphex.sock"), *words], **options)


def ping(net, address, **options):
    net.run("client", ["ping", "-c", "3", "-i", "0.2", "-W", "1", address], **options)


def udp(net, space, address, port, n):
    """n datagrams and a last one to a listener in that namespace; returns how many arrived."""
    listener = net.start(space, [sys.executable, "-c", LISTEN, "udp", address, str(port)])
    listener.wait_for("listening")
    net.run("client", [sys.executable, "-c", SEND, address, str(port), str(n)])
    return int(listener.wait().split("got ")[1])


def tcp(net, address):
    listener = net.start("sphex", [sys.executable, "-c", LISTEN, "tcp", address, "7777"])
    listener.wait_for("listening")
    net.run("client", [sys.executable, "-c", SEND_TCP, address, "7777"])
    lab.equal(int(listener.wait().split("got ")[1]), 1000000, "bytes over TCP to the kernel")


def know_server(net):
    """The client need not ask who has 10.9.0.2, which sphex's kernel would not pass on."""
    mac = net.link("server", "d0")["address"]
    net.run("client", ["ip", "neigh", "replace", "10.9.0.2", "lladdr", mac, "dev", "c0"])


def has_program(net, name="s0"):
    return "xdp" in net.run("sphex", ["ip", "link", "show", "dev", name])


def load_foreign(net, mode):
    """A program of somebody else on s0."""
    source, out = net.path("other.c"), net.path("other.o")
    with open(source, "w", encoding="ascii") as file:
        file.write('__attribute__((section("xdp"), used)) int other_program(void *c) { return 2; }\n'
                   'char licence[] __attribute__((section("license"), used)) = "BSD";\n')
    if shutil.which("clang") is None:
        raise lab.Skip("needs clang")
    net.run(None, ["clang", "-target", "bpf", "-O2", "-c", source, "-o", out])
    net.run("sphex", ["ip", "link", "set", "dev", "s0", mode, "obj", out, "sec", "xdp"])


def test_hosts_talk(net):
    build(net)
    program = start(net)
    ping(net, "10.9.0.2")
    lab.equal(udp(net, "server", "10.9.0.2", 5000, 2000), 2001, "datagrams that arrived")
    document, output = finish(net, program)
    lab.equal(document["drops"], {}, "drops")
    lab.check("port left: XDP in native mode on s0" in output, output)
    lab.check(not has_program(net), "the program is still on the interface")


def test_kernel_keeps_what_is_not_ours(net):
    build(net)
    know_server(net)
    program = start(net, left={"steer": {"udp_ports": [3322]}})
    ping(net, KERNEL)
    tcp(net, KERNEL)
    lab.equal(udp(net, "sphex", KERNEL, 3323, 500), 501, "datagrams to the kernel")
    lab.equal(udp(net, "server", "10.9.0.2", 3322, 500), 501, "datagrams through sphex")
    ping(net, KERNEL)
    document, _ = finish(net, program)
    left = next(port for port in document["ports"] if port["name"] == "left")
    lab.equal(left["rx_packets"], 501, "packets that came to sphex")
    ping(net, KERNEL)


def test_steering_changes_live(net):
    build(net)
    know_server(net)
    program = start(net, left={"steer": {}})
    lab.equal(udp(net, "server", "10.9.0.2", 3322, 20), 0, "datagrams before anything is steered")
    lab.equal(ask(net, "steer.add", port="left", steer={"udp_ports": [3322], "prefixes": ["2001:db8::/32"]})["result"],
              {"port": "left", "steer": {"everything": False, "udp_ports": [3322], "prefixes": ["2001:db8::/32"]}},
              "answer of steer.add")
    lab.equal(udp(net, "server", "10.9.0.2", 3322, 20), 21, "datagrams to the port")
    lab.equal(udp(net, "server", "10.9.0.2", 3321, 20), 0, "datagrams to another port")
    ask(net, "steer.add", port="left", steer={"prefixes": ["10.9.0.2"]})
    lab.equal(udp(net, "server", "10.9.0.2", 3321, 20), 21, "datagrams to the prefix")
    ask(net, "steer.delete", port="left", steer={"prefixes": ["10.9.0.2", "2001:db8::/32"], "udp_ports": [3322]})
    lab.equal(udp(net, "server", "10.9.0.2", 3322, 20), 0, "datagrams after both are gone")
    ping(net, KERNEL)
    ctl(net, "steer", "add", "left", "everything")
    ping(net, KERNEL, status=1)
    lab.equal(ask(net, "show.steer")["result"]["ports"][0]["steer"]["everything"], True, "everything")
    lab.check("left   everything\n" in ctl(net, "steer", "show"), "steer show")
    lab.check("left  nothing\n" in ctl(net, "steer", "del", "left", "everything"), "steer del")
    ping(net, KERNEL)
    ctl(net, "steer", "add", "right", "udp", "3322", "prefix", "10.9.0.300/8", status=1)
    ctl(net, "steer", "add", "nowhere", "everything", status=1)
    lab.check("one of" in ask(net, "steer.add", port="lft", steer={})["error"]["message"], "the ports are named")
    finish(net, program)


def test_generic_mode(net):
    build(net)
    program = start(net, left={"mode": "generic", "steer": {"udp_ports": [3322]}})
    know_server(net)
    lab.check("xdpgeneric" in net.run("sphex", ["ip", "link", "show", "dev", "s0"]), "generic mode")
    ping(net, KERNEL)
    lab.equal(udp(net, "server", "10.9.0.2", 3322, 500), 501, "datagrams through sphex")
    _, output = finish(net, program)
    lab.check("port left: XDP in generic mode on s0" in output, output)
    lab.check(not has_program(net), "the program is still on the interface")


def test_killed_and_started_again(net):
    build(net)
    for mode in ("native", "generic"):
        program = start(net, left={"mode": mode})
        ping(net, KERNEL, status=1)
        program.process.send_signal(signal.SIGKILL)
        program.wait(status=None)
        ping(net, KERNEL)
        lab.check(has_program(net), "nothing was left behind to replace")
        program = start(net, left={"mode": mode})
        lab.check("port left: took a steering program" in program.output(), program.output())
        ping(net, "10.9.0.2")
        finish(net, program)
        ping(net, KERNEL)


def test_killed_twenty_times(net):
    build(net)
    for _ in range(20):
        program = start(net)
        program.process.send_signal(signal.SIGKILL)
        program.wait(status=None)
    program = start(net)
    ping(net, "10.9.0.2")
    finish(net, program)


def test_another_sphex_is_not_disturbed(net):
    build(net)
    program = start(net)
    refused(net, ["port left: another sphex has interface s0"], control={"socket": "none"})
    ping(net, "10.9.0.2")
    finish(net, program)


def test_foreign_program_is_not_touched(net):
    build(net)
    for mode in ("xdpdrv", "xdpgeneric"):
        load_foreign(net, mode)
        before = net.run("sphex", ["ip", "link", "show", "dev", "s0"])
        word = "xdp" if mode == "xdpdrv" else mode
        refused(net, ['has an XDP program already: "other_program"', f"ip link set dev s0 {word} off"])
        lab.equal(net.run("sphex", ["ip", "link", "show", "dev", "s0"]), before, "the interface")
        net.run("sphex", ["ip", "link", "set", "dev", "s0", word, "off"])
    finish(net, start(net))


def test_errors_name_the_remedy(net):
    build(net)
    refused(net, ["port left: there is no interface s9", "ip link"], left={"interface": "s9"})
    refused(net, ["has 1 queues", "ethtool -L s0 combined 2"], left={"queues": 2}, workers={"count": 2})
    refused(net, ["raise memory.mbufs"], memory={"hugepages": "off", "megabytes": 256, "mbufs": 2048})
    refused(net, ["max_frame of every port"],
            ports=[{"name": "left", "driver": "xdp", "interface": "s0"},
                   {"name": "right", "driver": "ethdev", "device": "net_null0", "max_frame": 9000}])
    refused(net, ["CAP_BPF is missing", "run as root"], prefix=["setpriv", "--bounding-set", "-bpf", "--inh-caps", "-bpf"])
    refused(net, ["would be locked", "LimitMEMLOCK=infinity"],
            prefix=["setpriv", "--bounding-set", "-ipc_lock", "--inh-caps", "-ipc_lock"])
    net.run("sphex", ["ip", "link", "set", "dev", "s0", "mtu", "3000"])
    refused(net, ['"max_frame" to 3022', "mtu 1500"])
    net.run("sphex", ["ip", "link", "set", "dev", "s0", "mtu", "4000"])
    refused(net, ["takes up to 3370"])
    net.run("sphex", ["ip", "link", "set", "dev", "s0", "mtu", "1500", "down"])
    refused(net, ["ip link set dev s0 up"])
    net.run("sphex", ["ip", "link", "set", "dev", "s0", "up"])
    # The peer's MTU, which only the driver knows of: the kernel's own words are passed on.
    net.run("client", ["ip", "link", "set", "dev", "c0", "mtu", "9000"])
    refused(net, ["does not attach the steering program to interface s0", "MTU"])
    lab.check(not has_program(net), "a start that failed leaves a program")
    net.run("client", ["ip", "link", "set", "dev", "c0", "mtu", "1500"])
    finish(net, start(net))


os.environ["LSAN_OPTIONS"] = f"print_suppressions=0:suppressions={os.path.join(os.path.dirname(__file__), 'xdp.lsan')}"
lab.main(test_hosts_talk, test_kernel_keeps_what_is_not_ours, test_steering_changes_live, test_generic_mode,
         test_killed_and_started_again, test_killed_twenty_times, test_another_sphex_is_not_disturbed,
         test_foreign_program_is_not_touched, test_errors_name_the_remedy)
