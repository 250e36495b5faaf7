#!/usr/bin/python3
"""The control socket of a running appliance (doc/control.md): who may ask what, what bad clients cannot do, and how
it comes and goes with the run."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import time

import lab

MALFORMED = [b"{\n", b"[]\n", b"\n", b"nonsense\n", b'{"jsonrpc": "2.0"}\n', b"\xfe\xff\x00\n", b'"\n',
             b'{"jsonrpc": "2.0", "id": {}, "method": "hello"}\n', b"[" * 3000 + b"\n", b"x" * 100000 + b"\n"]


class Client:
    """A connection to the control socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")
        self.id = 0

    def send(self, data):
        self.socket.sendall(data)

    def line(self):
        """The next line; None at the end of the connection."""
        try:
            text = self.file.readline()
        except ConnectionResetError:
            return None
        return json.loads(text) if text else None

    def ask(self, method, **params):
        self.id += 1
        self.send(json.dumps({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params}).encode() + b"\n")
        answer = self.line()
        lab.equal(answer["id"], self.id, f"id of {answer}")
        return answer

    def result(self, method, **params):
        answer = self.ask(method, **params)
        lab.check("result" in answer, f"{method}: {answer}")
        return answer["result"]

    def close(self):
        self.file.close()
        self.socket.close()


def trace(net):
    path = net.path("t.pcap")
    if not os.path.exists(path):
        net.run(None, [os.path.join(lab.BUILD, "app", "spxgen"), "--packets", "5000", "--flows", "100", path])
    return path


def start(net, *more, path=None):
    """An appliance with a control socket, which replays without end."""
    path = path or net.path("s")
    arguments = ["--trace", trace(net), "--seconds", "120", "--idle", "sleep", "--hugepages", "off"]
    program = net.sphex(None, arguments + ["--control", path] + list(more), ready=f"control socket {re.escape(path)}$")
    return program, path


def ended(program, path, net):
    """After a stop: status 0, the socket gone, a balanced report."""
    program.wait(30)
    lab.check(not os.path.exists(path), "the socket is gone")
    with open(net.path("r.json"), encoding="utf-8") as file:
        report = json.load(file)
    lab.balanced(report)
    lab.check(report["received"] > 0, "packets")
    return report


def test_ask_and_stop(net):
    program, path = start(net, "--report", net.path("r.json"))
    client, watcher = Client(path), Client(path)
    hello = client.result("hello", protocol=1)
    lab.equal((hello["protocol"], hello["role"], hello["pid"]), (1, "operator", program.process.pid), "hello")
    lab.equal(client.ask("hello", protocol=2)["error"]["code"], -32602, "a version that nobody speaks")
    lab.check("show.clients" in client.ask("show.clent")["error"]["message"], "the nearest name")
    watcher.result("subscribe", events=["stop"])
    clients = client.result("show.clients")
    lab.equal([c["events"] for c in clients["clients"]], [False, True], f"subscribed in {clients}")
    lab.equal([(c["uid"], c["pid"]) for c in clients["clients"]], [(os.getuid(), os.getpid())] * 2, "who they are")
    lab.equal(client.result("stop"), {"stopping": True}, "answer to stop")
    event = watcher.line()
    lab.equal((event["method"], event["params"]["kind"]), ("event", "stop"), "event")
    lab.equal(watcher.line(), None, "the end")
    report = ended(program, path, net)
    lab.equal({k: v for k, v in report.items() if k != "file"}, event["params"]["report"], "report of the event")


def test_stop_is_the_last_event(net):
    program, path = start(net, "--report", net.path("r.json"))
    client, watcher = Client(path), Client(path)
    watcher.result("subscribe", events=["capture", "stop"])
    with open(net.path("c.pcapng"), "wb") as file:
        request = {"jsonrpc": "2.0", "id": 1, "method": "capture.start", "params": {"file": "c.pcapng"}}
        socket.send_fds(client.socket, [json.dumps(request).encode() + b"\n"], [file.fileno()])
    lab.check("result" in client.line(), "a capture")
    client.result("stop")
    kinds = []
    while (event := watcher.line()) is not None:
        kinds.append(event["params"]["kind"])
    lab.equal(kinds, ["capture", "capture", "stop"], "events")
    ended(program, path, net)


def test_bad_clients(net):
    """1000 malformed messages of 100 clients at once: all answered, the packets go on, nothing is left over."""
    program, path = start(net, "--report", net.path("r.json"))
    descriptors = len(os.listdir(f"/proc/{program.process.pid}/fd"))
    clients = [Client(path) for _ in range(100)]
    for number in range(10):
        for index, client in enumerate(clients):
            client.send(MALFORMED[(number + index) % 10])
    for client in clients:
        codes = [client.line()["error"]["code"] for _ in range(10)]
        lab.check(set(codes) <= {-32700, -32600}, f"codes {codes}")
    for client in clients:
        client.result("hello")
    shown = clients[0].result("show.clients")
    lab.equal((shown["malformed"], len(shown["clients"]), shown["cut_off"]), (1000, 100, 0), "counted")
    lab.equal(len(os.listdir(f"/proc/{program.process.pid}/fd")), descriptors + 100, "file descriptors")
    for client in clients[1:]:
        client.close()
    lab.wait_until(lambda: len(clients[0].result("show.clients")["clients"]) == 1, 10, "clients leave")
    rates = len(re.findall(r"received [0-9.]+ [kM]/s", program.output()))
    lab.wait_until(lambda: len(re.findall(r"received [0-9.]+ [kM]/s", program.output())) >= rates + 2, 10,
                   "packets go on")
    clients[0].result("stop")
    ended(program, path, net)


def test_a_client_that_does_not_read(net):
    """It is cut off, and neither others nor the end wait for it."""
    program, path = start(net, "--report", net.path("r.json"))
    slow, client = Client(path), Client(path)
    slow.socket.setblocking(False)
    request = b'{"jsonrpc": "2.0", "id": "' + b"i" * 30000 + b'", "method": "hello"}\n'
    sent = 0
    while sent < 20 << 20 and client.result("show.clients")["cut_off"] == 0:
        try:
            sent += slow.socket.send(request * 10)
        except BlockingIOError:
            select.select([], [slow.socket], [], 1)
        except (BrokenPipeError, ConnectionResetError):
            break
    lab.equal(client.result("show.clients")["cut_off"], 1, f"cut off after {sent} bytes")
    lab.check(sent > 4 << 20, f"not before {sent} bytes")
    idle = Client(path)
    idle.send(b"{" * 10)
    begun = time.monotonic()
    program.process.send_signal(signal.SIGINT)
    ended(program, path, net)
    lab.check(time.monotonic() - begun < 10, "the end waits for nobody")


AS_READER = """
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
f = s.makefile("rw")
for method in ("hello", "stop", "show.clients"):
    try:
        f.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method}) + "\\n")
        f.flush()
    except BrokenPipeError:
        pass
    print(f.readline().strip())
"""


def ask_as(user, path):
    """What a process of another user is answered: hello, stop, show.clients."""
    done = subprocess.run(["/usr/bin/python3", "-c", AS_READER, path], user=user, group=65534, extra_groups=[],
                          capture_output=True, text=True, timeout=20, check=False)
    return [json.loads(line) for line in done.stdout.splitlines() if line], done.stderr


def test_roles(net):
    if os.geteuid() != 0:
        raise lab.Skip("needs root to be another user")
    os.chmod(net.folder, 0o755)
    program, path = start(net)
    answers, _ = ask_as(65534, path)
    lab.equal(answers[0]["result"]["role"], "reader", "role")
    lab.equal(answers[1]["error"]["code"], -32000, "stop")
    lab.check(answers[2]["result"]["clients"][0]["uid"] == 65534, "uid")
    lab.check(program.running(), "it goes on")
    program.stop()

    config = net.path("c.json")
    with open(config, "w", encoding="utf-8") as file:
        json.dump({"ports": [{"name": "in", "driver": "ethdev", "device": "net_null0"}], "workers": {"idle": "sleep"},
                   "memory": {"hugepages": "off"}, "actions": {"back": {"verdict": "forward", "port": "in"}},
                   "control": {"socket": "c.sock", "operators": [4242], "readers": "none"}}, file)
    path = net.path("c.sock")
    program = net.sphex(None, ["--config", config, "--seconds", "60"], ready="control socket")
    answers, errors = ask_as(65534, path)
    lab.equal(answers[0]["error"]["code"], -32000, f"nobody's hello {errors}")
    answers, errors = ask_as(4242, path)
    lab.equal([list(a)[-1] for a in answers[:2]], ["result", "result"], f"an operator's {answers} {errors}")
    lab.equal(answers[0]["result"]["role"], "operator", "role")
    program.wait(20)


def test_the_socket_comes_and_goes(net):
    """A living instance's is an error, a killed one's is replaced; several runs have it one after the other."""
    program, path = start(net)
    other = net.sphex(None, ["--trace", trace(net), "--control", path, "--hugepages", "off"])
    lab.check("another program has it" in other.wait(20, status=1), "the second one says why")
    Client(path).result("hello")
    program.kill()
    lab.check(os.path.exists(path), "a killed instance leaves it")
    program, _ = start(net)
    Client(path).result("hello")
    program.stop()
    lab.check(not os.path.exists(path), "the end removes it")

    with open(net.path("file"), "w", encoding="utf-8") as file:
        file.write("mine")
    other = net.sphex(None, ["--trace", trace(net), "--control", net.path("file"), "--hugepages", "off"])
    lab.check("no socket is there" in other.wait(20, status=1), "a file is not replaced")
    lab.equal(os.path.getsize(net.path("file")), 4, "size of the file")

    twice = [trace(net), trace(net)]
    program = net.sphex(None, ["--trace"] + twice + ["--seconds", "2", "--idle", "sleep", "--hugepages", "off", "--control",
                                                    path], ready="control socket")
    first = Client(path).result("hello")["instance"]
    lab.wait_until(lambda: program.output().count("control socket") == 2, 20, "the second run")
    lab.check(Client(path).result("hello")["instance"] != first, "another run, another instance")
    program.wait(20)
    lab.check(not os.path.exists(path), "the end removes it")


def test_without_a_name(net):
    """In the run directory, which dead instances leave no sockets in; or none at all."""
    user = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    environment = os.environ | {"XDG_RUNTIME_DIR": net.folder}
    arguments = [net.copy(lab.SPHEX), "--trace", trace(net), "--seconds", "60", "--idle", "sleep", "--hugepages", "off"]
    first = net.start(None, arguments, env=environment, **user)
    first.wait_for("control socket")
    path = os.path.join(net.folder, "sphex", f"{first.process.pid}.sock")
    lab.equal(Client(path).result("hello")["pid"], first.process.pid, "pid")
    first.kill()
    second = net.start(None, arguments, env=environment, **user)
    second.wait_for("control socket")
    lab.equal(os.listdir(os.path.join(net.folder, "sphex")), [f"{second.process.pid}.sock"], "sockets")
    second.stop()
    lab.equal(os.listdir(os.path.join(net.folder, "sphex")), [], "sockets")

    third = net.start(None, arguments + ["--control", "none"], env=environment, **user)
    third.wait_for("received")
    lab.equal(os.listdir(os.path.join(net.folder, "sphex")), [], "sockets with none")
    third.stop()
    lab.check("control socket" not in third.output(), third.output())

    os.rmdir(os.path.join(net.folder, "sphex"))
    with open(os.path.join(net.folder, "sphex"), "w", encoding="utf-8"):
        pass
    fourth = net.start(None, arguments[:-4] + ["--seconds", "1", "--hugepages", "off"], env=environment, **user)
    lab.check("warning: " in fourth.wait(20) and "nobody can ask" in fourth.output(), "it runs without")


lab.main(test_ask_and_stop, test_stop_is_the_last_event, test_bad_clients, test_a_client_that_does_not_read, test_roles,
         test_the_socket_comes_and_goes, test_without_a_name, needs_network=False)
