#!/usr/bin/python3
"""spxctl capsule: capsules over ordinary sockets, between two namespaces and on one machine."""

import json
import os
import subprocess

import lab

SPXCTL = os.path.join(lab.BUILD, "app", "spxctl")

# A host that sends every capsule back as a node's "return" does; a fault code as argument stops it instead.
NODE = """
import socket, sys
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
    s.bind(("::", 3322))
    print("ready", flush=True)
    while True:
        capsule, sender = s.recvfrom(65536)
        capsule = bytearray(capsule)
        capsule[1] |= 0x20
        if len(sys.argv) > 1:
            capsule[1] |= 0x10
            capsule[7] = int(sys.argv[1])
        s.sendto(capsule, sender)
"""
# Sends what the arguments say, in hexadecimal, from port 4000 to port 3322 of this machine.
RAW = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.bind(("127.0.0.1", 4000))
    for text in sys.argv[1:]:
        s.sendto(bytes.fromhex(text), ("127.0.0.1", 3322))
"""
ESP = "12 f4 0028 00 02 00 09 0000000000000007  02 06 000000000000  ffffffffffffffff 0000000000000002"


def spxctl(net, space, *words, status=0):
    """Standard output and standard error of spxctl capsule."""
    done = subprocess.run(net.inside(space, [SPXCTL, "capsule", *words]), capture_output=True, text=True, timeout=20,
                          check=False)
    lab.equal(done.returncode, status, f"exit status of {words}:\n{done.stdout}{done.stderr}")
    return done.stdout, done.stderr


def receiver(net, space, *words):
    program = net.start(space, [SPXCTL, "capsule", "receive", *words])
    program.wait_for("receiving at UDP port")
    return program


def capsules(program):
    """What a receiver with --json printed."""
    return [json.loads(line) for line in program.wait().splitlines() if line.startswith("{")]


def two_hosts(net):
    net.namespace("a")
    net.namespace("b")
    net.veth("a", "ab", "b", "ba")
    net.address("a", "ab", "192.0.2.1/24", "2001:db8::1/64")
    net.address("b", "ba", "192.0.2.2/24", "2001:db8::2/64")


def says(text, *parts):
    for part in parts:
        lab.check(part in text, f"'{part}' expected in:\n{text}")


def test_every_instruction_arrives(net):
    two_hosts(net)
    program = receiver(net, "b", "--json", "--count", "6")
    sent = (("192.0.2.2", "count 0x10 3", (), [("C", "16"), ("T", "3")], None),
            ("2001:db8::2", "compare 1 18446744073709551615 ne", (), [("V", "1"), ("val", str(2**64 - 1))], "ne"),
            ("192.0.2.2", "collect 1 2 3 min", ("--egress",), [("C", "1"), ("V", "2"), ("val", "3")], "min"),
            ("2001:db8::2", "rchld 0xffffffffffffffff 63", ("--ingress", "--egress"),
             [("B", str(2**64 - 1)), ("id", "63")], None),
            ("192.0.2.2", "rcollect 1 2 3 4 5 or", ("--local", "--id", "0x42"),
             [("B", "1"), ("D", "2"), ("V", "3"), ("id", "4"), ("val", "5")], "or"),
            ("192.0.2.2", "rcol 1 2 3 4 5 s", ("--payload", "some words", "--port", "4000"),
             [("B", "1"), ("D", "2"), ("V", "3"), ("id", "4"), ("val", "5")], "sum"))
    for host, words, options, _operands, _operator in sent:
        spxctl(net, "a", "send", host, *words.split(), *options, "--wait", "0")
    received = capsules(program)
    lab.equal(len(received), len(sent), "capsules")
    for (host, words, options, operands, operator), got in zip(sent, received):
        lab.equal(got["from"], host[:-1] + "1", "sender")
        lab.equal([(word["name"], word["value"]) for word in got["words"]], operands, words)
        lab.equal((got["instruction"][:4], got["operator"]), (words[:4], operator), words)
        egress, ingress = "--egress" in options, "--ingress" in options or "--egress" not in options
        flags = ["ingress"] * ingress + ["egress"] * egress + ["local"] * ("--local" in options)
        lab.equal(got["flags"], flags, words)
        lab.equal((got["kind"], got["malformed"], got["fault"]), ("esp", None, None), words)
    lab.equal((received[4]["id"], received[0]["id"]), ("66", "0"), "computation ids")
    lab.equal((received[5]["payload"], received[5]["port"]), ("some words", 4000), "payload, source port")
    lab.equal(received[0]["bytes"], 40, "bytes of COUNT")


def test_answers(net):
    two_hosts(net)
    net.start("b", ["python3", "-c", NODE]).wait_for("ready")
    for host in ("192.0.2.2", "2001:db8::2"):
        out, _err = spxctl(net, "a", "send", host, "count", "7", "3", "--payload", "hi", "--wait", "5")
        says(out, f"from {host}: count, id 0, flags ingress returned\n", "   0 C   7\n   1 T   3\n",
             '  payload "hi"\n', f"1 sent to {host}, 1 answered\n")
    out, _err = spxctl(net, "a", "send", "192.0.2.2", "count", "7", "3", "--count", "5", "--interval", "0.01", "--json",
                       "--wait", "5")
    document = json.loads(out)
    lab.equal((document["sent"], document["refused"], document["host"]), (5, 0, "192.0.2.2"), "what was sent")
    lab.equal([answer["flags"] for answer in document["answers"]], [["ingress", "returned"]] * 5, "answers")


def test_faults(net):
    two_hosts(net)
    net.start("b", ["python3", "-c", NODE, "9"]).wait_for("ready")
    out, _err = spxctl(net, "a", "send", "192.0.2.2", "count", "7", "3", "--wait", "5")
    says(out, "flags ingress returned fault\n", "  fault 9: one key mapped twice\n")
    document = json.loads(spxctl(net, "a", "send", "192.0.2.2", "count", "7", "3", "--wait", "5", "--json")[0])
    lab.equal(document["answers"][0]["fault"], {"code": 9, "text": "one key mapped twice"}, "fault")


def test_no_answer(net):
    two_hosts(net)
    out, _err = spxctl(net, "a", "send", "192.0.2.2", "count", "7", "3", "--count", "3", "--interval", "0.05")
    says(out, "3 sent to 192.0.2.2, 0 answered\n", "3 reached 192.0.2.2, where nobody listens at UDP port 3322\n")
    out, _err = spxctl(net, "a", "send", "192.0.2.2", "count", "7", "3", "--json")
    lab.equal(json.loads(out), {"host": "192.0.2.2", "bytes": 40, "sent": 1, "refused": 1, "answers": []}, "JSON")
    with receiver(net, "b", "--count", "1").process:
        out, _err = spxctl(net, "a", "send", "192.0.2.2", "count", "7", "3", "--wait", "0.2")
    lab.equal(out, "1 sent to 192.0.2.2, 0 answered\n", "no answer")


def test_receive(net):
    """What is no capsule, kinds that are not sent here, and control characters."""
    net.namespace("a")
    program = receiver(net, "a", "--count", "6")
    named = "11 80 0048 00 00 00 00 0000000000000001" + "ab" * 32 + "00" * 10 + "ffff c0000201 0fa0" + "00" * 6
    carried = "10 40 0020 03 00 00 00 0000000000000001" + "11" * 12 + "00" * 4
    raw = [ESP, named, carried, "22" + ESP[2:], "12 80", ESP + "1b5b33316d"]
    net.run("a", ["python3", "-c", RAW, *raw])
    out = program.wait()
    says(out, "from 127.0.0.1: compare ne, id 7, flags ingress egress returned fault operator\n",
         "  fault 9: one key mapped twice\n", "   0 V   18446744073709551615\n   1 val 2\n",
         "from 127.0.0.1: program abababababababab..., id 1, flags ingress\n",
         "from 127.0.0.1: program of 3 instructions, id 1, flags egress\n",
         "from 127.0.0.1: malformed: the version is not 1\n",
         "from 127.0.0.1: malformed: the UDP payload is shorter than a capsule header\n", '  payload "?[31m"\n')
    program = receiver(net, "a", "--count", "3", "--json")
    net.run("a", ["python3", "-c", RAW, named, carried, "12 80"])
    first, second, third = capsules(program)
    lab.equal((first["name"], first["home"], first["home_port"]), ("ab" * 32, "::ffff:192.0.2.1", 4000), "named")
    lab.equal((second["code"], second["flags"]), ("11" * 12, ["egress"]), "carried")
    lab.equal(third, {"from": "127.0.0.1", "port": 4000, "bytes": 2,
                      "malformed": "the UDP payload is shorter than a capsule header"}, "malformed")
    out = receiver(net, "a", "--wait", "0.1", "--port", "4001").wait()
    lab.equal(out.count("\n"), 1, "nothing came")


def test_mistakes(net):
    two_hosts(net)
    for words, status, part in (
            ("send", 2, "HOST is missing"),
            ("send 192.0.2.2", 2, 'one of "count", "compare"'),
            ("send 192.0.2.2 count", 2, "C is missing; a whole number from 0 to 18446744073709551615"),
            ("send 192.0.2.2 count 1", 2, "T is missing"),
            ("send 192.0.2.2 count 1 2 3", 2, '"3" is too much'),
            ("send 192.0.2.2 count 1 18446744073709551616", 2, "from 0 to 18446744073709551615, such as 42 or 0x2a"),
            ("send 192.0.2.2 count 1 0x", 2, "such as 42 or 0x2a"),
            ("send 192.0.2.2 count 1 1e3", 2, "such as 42 or 0x2a"),
            ("send 192.0.2.2 rchld 1 64", 2, "from 0 to 63"),
            ("send 192.0.2.2 compare 1 2", 2, "a word is missing"),
            ("send 192.0.2.2 compare 1 2 min", 2, '"lt", "le", "gt", "ge", "eq", "ne"'),
            ("send 192.0.2.2 collect 1 2 3 lt", 2, '"sum", "min", "max", "and", "or"'),
            ("send 192.0.2.2 count 1 2 --id x", 2, "--id"),
            ("send 192.0.2.2 count 1 2 --port 0", 2, "from 1 to 65535"),
            ("send 192.0.2.2 count 1 2 --wait -1", 2, "from 0 to 86400"),
            ("send 192.0.2.2 count 1 2 --interval 0", 2, "from 0.001 to 3600"),
            ("send 192.0.2.2 count 1 2 --total", 2, "--total"),
            ("receive 1", 2, '"1" is too much'),
            ("receive --id 3", 2, "--port, --count, --wait and --json"),
            ("snd", 2, 'did you mean "send"?'),
            ("send 192.0.2.999 count 1 2", 1, "the name or address of a host expected"),
            ("send 198.51.100.1 count 1 2", 1, "no capsule can be sent there")):
        out, err = spxctl(net, "a", *words.split(), status=status)
        lab.equal(out, "", f"output of {words}")
        lab.check(err.startswith("spxctl: ") and err.count("\n") == 1, f"one line expected:\n{err}")
        says(err, part)
    _out, err = spxctl(net, "a", "send", "192.0.2.2", "count", "1", "2", "--payload", "x" * 1433, status=1)
    says(err, "1473 bytes do not go in one packet", "shorter --payload")
    spxctl(net, "a", "send", "192.0.2.2", "count", "1", "2", "--payload", "x" * 1432, "--wait", "0")
    _out, err = spxctl(net, "a", "send", "192.0.2.2", "count", "1", "2", "--payload", "x" * 100000, status=2)
    says(err, "--payload")
    with receiver(net, "a", "--count", "1").process as process:
        says(spxctl(net, "a", "receive", status=1)[1], "UDP port 3322 of this machine is taken", "--port")
        says(spxctl(net, "a", "send", "192.0.2.2", "count", "1", "2", "--port", "3322", status=1)[1], "is taken")
        process.kill()


lab.main(test_every_instruction_arrives, test_answers, test_faults, test_no_answer, test_receive, test_mistakes)
