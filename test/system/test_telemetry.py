#!/usr/bin/python3
"""DPDK's telemetry of a running appliance: its socket answers with the appliance's counters, one socket for each
instance, and nothing of it is left behind."""

import glob
import json
import os
import pwd
import signal
import socket
import subprocess

import lab


def make_trace(net):
    trace = net.path("t.pcap")
    subprocess.run([os.path.join(lab.BUILD, "app", "spxgen"), "--packets", "1000", "--flows", "10", trace], check=True,
                   capture_output=True)
    return trace


def start(net, name, passes=0, user=None, environment=None):
    """An appliance that plays a trace; without end, until it is told to stop."""
    argv = [lab.SPHEX, "--trace", make_trace(net), "--passes", str(passes), "--quiet", "--idle", "sleep"]
    account = {} if user is None else {"user": user, "group": user, "extra_groups": []}
    try:
        return lab.Program(argv, net.path(name), env=os.environ | (environment or {}), **account)
    except PermissionError as error:
        raise lab.Skip("another user cannot run the program where it lies") from error


def folder_of(program, base="/var/run"):
    return f"{base}/dpdk/sphex-{program.process.pid}"


def connect(folder):
    """A client of the telemetry of DPDK, which greets it."""
    path = os.path.join(folder, "dpdk_telemetry.v2")
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.settimeout(10)

    def attempt():
        try:
            client.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True

    lab.wait_until(attempt, 10, f"telemetry at {path}")
    return client, json.loads(client.recv(16384))


def ask(client, command):
    client.send(command.encode())
    return json.loads(client.recv(16384))[command]


def stop(program):
    program.process.send_signal(signal.SIGTERM)
    status = program.process.wait(20)
    lab.equal(status, 0, f"exit status; {program.output()}")


def test_counters_on_the_socket(net):
    program = start(net, "log")
    client, greeting = connect(folder_of(program))
    lab.equal(greeting["pid"], program.process.pid, "pid in the greeting")
    lab.wait_until(lambda: (ask(client, "/sphex/cache") or {"exact": {"hits": 0}})["exact"]["hits"] > 0, 10, "traffic")
    commands = ask(client, "/")
    for command in ("/sphex/ports", "/sphex/stages", "/sphex/drops", "/sphex/cache"):
        lab.check(command in commands, f"{command} is among {commands}")
    ports, stages, drops = (ask(client, "/sphex/" + name) for name in ("ports", "stages", "drops"))
    lab.equal([port["name"] for port in ports.values()], ["in", "out"], "ports")
    lab.check(ports["0"]["rx_packets"] > 0 and ports["1"]["tx_packets"] > 0, f"packets in {ports}")
    lab.equal(list(stages), ["receive", "parse", "lookup", "route", "rewrite", "enqueue", "transmit", "punt"], "stages")
    lab.check(stages["receive"]["packets"] >= ports["0"]["rx_packets"], "counters grow")
    lab.check(drops["ipv4_checksum"]["stage"] == "parse" and "packets" in drops["stopping"], f"drops in {drops}")
    client.close()
    stop(program)
    lab.check(not os.path.exists(folder_of(program)), "its folder is gone")


def test_two_instances(net):
    programs = [start(net, f"log{i}") for i in range(2)]
    clients = [connect(folder_of(program)) for program in programs]
    for program, (client, greeting) in zip(programs, clients):
        lab.equal(greeting["pid"], program.process.pid, "pid in the greeting")
        lab.wait_until(lambda c=client: ask(c, "/sphex/ports"), 10, "an answer")
        client.close()
    for program in programs:
        stop(program)
        lab.check(not os.path.exists(folder_of(program)), "its folder is gone")


def test_another_user(net):
    """With a folder of one's own; with none that can be written; with one whose name is too long for a socket."""
    user = pwd.getpwnam("nobody").pw_uid
    own, long = net.path("own"), net.path("x" * 100)
    os.chmod(net.folder, 0o755)
    for folder in (own, long):
        os.mkdir(folder)
        os.chown(folder, user, -1)
    program = start(net, "log1", user=user, environment={"XDG_RUNTIME_DIR": own})
    client, _ = connect(folder_of(program, own))
    lab.wait_until(lambda: ask(client, "/sphex/ports"), 10, "an answer")
    client.close()
    stop(program)
    lab.equal(glob.glob(own + "/dpdk/*"), [], "what is left behind")
    for folder, name in ((net.path("none"), "log2"), (long, "log3")):
        program = start(net, name, passes=1, user=user, environment={"XDG_RUNTIME_DIR": folder})
        lab.equal(program.process.wait(20), 0, f"exit status; {program.output()}")
        lab.check("TELEMETRY" not in program.output(), program.output())


lab.main(test_counters_on_the_socket, test_two_instances, test_another_user)
