"""tshark with config/wireshark/sphex.lua says of capsules what they were built of.

Usage: capsule_dissect.py CAPSULE_FRAMES. Exit status 77 without tshark.
"""

import ipaddress
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

SCRIPT = os.path.join("config", "wireshark", "sphex.lua")
MISMATCHES_SHOWN = 20
FIELDS = ("version", "kind", "flags", "code_words", "scratch_words", "fault", "id", "instruction", "name", "home",
          "home_port", "esp.opcode", "esp.operator", "word")
MORE = ("_ws.expert.message", "_ws.col.Info")


def write_pcap(path, frames):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for second, frame in enumerate(frames):
            file.write(struct.pack("<IIII", second, 0, len(frame), len(frame)) + frame)


def tshark(path, arguments):
    argv = ["tshark", "-n", "-X", f"lua_script:{SCRIPT}", "-r", path, *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, check=False,
                          env={**os.environ, "HOME": os.path.dirname(path)})
    complaints = [line for line in done.stderr.splitlines() if "Running as user" not in line]
    if done.returncode != 0 or complaints:
        sys.exit(f"tshark: {done.stderr}")
    return done.stdout.splitlines()


def dissect(path, n):
    """Of each packet {name: value} of the fields that are there."""
    words = [word for name in FIELDS for word in ("-e", f"sphex.{name}")]
    words += [word for name in MORE for word in ("-e", name)]
    lines = tshark(path, ["-T", "fields", "-E", "aggregator=|", *words])
    if len(lines) != n:
        sys.exit(f"{len(lines)} packets of {n}")
    return [{name: value for name, value in zip((*FIELDS, "expert", "info"), line.split("\t")) if value} for line in lines]


def expected(words):
    """The same from a line of capsule_frames, and the messages of the experts."""
    values = dict(word.split("=", 1) for word in words)
    fault, malformed = values.pop("fault_text").replace("_", " "), values.pop("malformed")
    messages = {f"fault {values['fault']}: {fault}"} if int(values["flags"], 16) & 0x10 else set()
    if not malformed.startswith(":"):
        name, text = malformed.split(":")
        messages.add(f"{name}:{text.replace('_', ' ')}")
    return {name: value.replace(",", "|") for name, value in values.items()}, messages


def check(kind, want, messages, have):
    """What is wrong with one packet, or None."""
    told = {message for message in have.pop("expert", "").split("|") if message.startswith(("malformed_", "fault "))}
    if told != messages:
        return f"told: {told}, expected {messages}"
    info, summary = have.pop("info").lower(), want.pop("summary").replace("_", " ")
    if kind == "right" and not re.match(f"capsule, {summary}(,|$| [0-9a-f])", info):
        return f"summary: {info}, expected {summary}"
    if "home" in have:
        have["home"] = ipaddress.ip_address(have["home"]).packed.hex()
    if kind == "right" and have != want:
        return "\n  ".join(f"{name}: {have.get(name)}, expected {want.get(name)}"
                           for name in FIELDS if have.get(name) != want.get(name))
    return None


def check_truncated(folder, frame):
    """A UDP payload of less than a header, and a filter that finds it."""
    short = frame[:38] + struct.pack(">H", 16) + bytes(2) + frame[42:50]
    short = short[:16] + struct.pack(">H", 36) + short[18:]
    path = os.path.join(folder, "short.pcap")
    write_pcap(path, [short, frame])
    lines = tshark(path, ["-Y", "sphex.malformed"])
    return len(lines) == 1 and lines[0].split()[0] == "1"


def main():
    if shutil.which("tshark") is None:
        print("skipped: no tshark")
        sys.exit(77)
    lines = [line.split() for line in subprocess.run([sys.argv[1]], check=True, capture_output=True,
                                                     text=True).stdout.splitlines()]
    frames = [bytes.fromhex(line[1]) for line in lines]
    mismatches = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "capsules.pcap")
        write_pcap(path, frames)
        for number, (line, have) in enumerate(zip(lines, dissect(path, len(lines)))):
            wrong = check(line[0], *expected(line[2:]), have)
            if wrong:
                mismatches += 1
                if mismatches <= MISMATCHES_SHOWN:
                    print(f"packet {number + 1} {line[1]}\n  {wrong}")
        if not check_truncated(folder, next(frame for frame in frames if frame[12:14] == b"\x08\x00")):
            mismatches += 1
            print("a truncated capsule is not found")
    print(f"{len(frames)} capsules, {mismatches} mismatches")
    sys.exit(mismatches > 0 or len(frames) < 300)


main()
