"""A network of namespaces and veth pairs on this machine, and programs in it, for tests with real packets.

A test script:

    import lab

    def test_forwards(net):
        ...
        lab.equal(received, sent, "packets")

    lab.main(test_forwards, ...)

main() prints TAP. Each test gets a Lab of its own, which is taken down whatever happens. Without root or network
namespaces all are skipped, with the reason. A test fails by an exception and skips itself with lab.Skip.

Names carry the process id, so labs of several runs do not meet, and a lab ends only what it started.
"""

import atexit
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("SPX_BUILD", os.path.join(SOURCE, "build"))  # meson sets it
DATA = os.path.join(SOURCE, "..", "shared", "data")
SPHEX = os.path.join(BUILD, "app", "sphex")


class Skip(Exception):
    """Raised by a test that cannot run here; its text is the reason."""


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def equal(value, expected, what):
    check(value == expected, f"{what}: {value!r}, expected {expected!r}")


def data(path):
    """The path of a file or folder of ../shared/data; skips the test where there is none."""
    full = os.path.join(DATA, path)
    if not os.path.exists(full):
        raise Skip("no ../shared/data")
    return full


def wait_until(condition, seconds, what):
    """Calls condition until it is true and returns its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        check(time.monotonic() < end, f"{what}: not within {seconds} s")
        time.sleep(0.02)


class Program:
    """A running program. Its standard output and error go to one file."""

    def __init__(self, argv, log, **options):
        self.argv = argv
        self.log = log
        with open(log, "wb") as file:
            self.process = subprocess.Popen(argv, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                            start_new_session=True, **options)

    def output(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def running(self):
        return self.process.poll() is None

    def wait_for(self, pattern, seconds=10):
        """Waits until the output matches the regular expression; returns the match. Fails at once when the
        program ends without it."""
        def found():
            ended = not self.running()  # asked first: what it wrote before it ended is then there
            match = re.search(pattern, self.output(), re.MULTILINE)
            check(match or not ended, f"{self.argv[0]} ended with status {self.process.returncode} before it "
                                      f"wrote '{pattern}':\n{self.output()}")
            return match
        return wait_until(found, seconds, f"'{pattern}' from {self.argv[0]}")

    def wait(self, seconds=20, status=0):
        """Waits for the end and checks the exit status (None: any). Returns the output."""
        try:
            ended = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.argv[0]} did not end within {seconds} s:\n{self.output()}") from None
        if status is not None:
            check(ended == status, f"{self.argv[0]} ended with status {ended}, expected {status}:\n{self.output()}")
        return self.output()

    def stop(self, seconds=20, status=0):
        """Asks the program to end (SIGTERM) and waits."""
        if self.running():
            self.process.send_signal(signal.SIGTERM)
        return self.wait(seconds, status)

    def kill(self):
        """Ends the program and whatever it started: its session is its own process group."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


def balanced(report):
    """Checks that the counters of a report add up (doc/architecture.md)."""
    slow = report["slowpath"]
    equal(report["received"] + report["injected"] + report["cloned"],
          report["transmitted"] + sum(report["drops"].values()) + report["punted"] + report["in_flight"],
          f"packets in and out of the workers in {report}")
    equal(report["punted"] + slow["generated"],
          slow["consumed"] + report["injected"] + sum(slow["drops"].values()) + slow["queued"],
          f"packets in and out of the slow path in {report}")


class Lab:
    """Namespaces, links and programs of one test. Paths of its own files: lab.path(name)."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="sphex-lab-")
        self.spaces = {}  # short name -> name of the namespace
        self.programs = []
        atexit.register(self.close)

    def copy(self, path):
        """A file's copy in the lab, for another user: the checkout may lie where only its owner may look."""
        folder = os.path.join(self.folder, "copies")
        os.chmod(self.folder, 0o777)
        os.makedirs(folder, exist_ok=True)
        copied = shutil.copy(path, folder)
        os.chmod(copied, 0o755)
        return copied

    def path(self, name):
        return os.path.join(self.folder, name)

    # ---- network

    def namespace(self, name):
        """A new network namespace with its loopback up and without IPv6 addresses of its own making."""
        full = f"spx{os.getpid()}-{name}"
        command(["ip", "netns", "add", full])
        self.spaces[name] = full
        self.run(name, ["ip", "link", "set", "lo", "up"])
        self.run(name, ["sysctl", "-qw", "net.ipv6.conf.default.autoconf=0", "net.ipv6.conf.default.accept_ra=0",
                        "net.ipv6.conf.default.addr_gen_mode=1", "net.ipv6.conf.default.accept_dad=0"])

    def veth(self, space_a, name_a, space_b, name_b, mtu=1500):
        """A link between two namespaces (one and the same is fine), both ends up and without offloads."""
        ends = ((space_a, name_a), (space_b, name_b))
        command(["ip", "link", "add", name_a, "mtu", str(mtu), "netns", self.spaces[space_a],
                 "type", "veth", "peer", "name", name_b, "mtu", str(mtu), "netns", self.spaces[space_b]])
        for space, name in ends:
            # Or TCP through user space carries unfinished checksums and segments above the MTU.
            self.run(space, ["ethtool", "-K", name, "tx-checksumming", "off", "tso", "off", "gso", "off", "gro", "off"])
            self.run(space, ["ip", "link", "set", name, "up"])
        for space, name in ends:
            wait_until(lambda s=space, n=name: self.link(s, n)["operstate"] == "UP", 5, f"link {name}")

    def address(self, space, name, *addresses):
        for address in addresses:
            self.run(space, ["ip", "address", "add", address, "dev", name])

    def link(self, space, name):
        """What `ip` says of an interface, with counters: ["address"], ["stats64"]["rx"]["packets"], ..."""
        return json.loads(self.run(space, ["ip", "-json", "-stats", "link", "show", "dev", name]))[0]

    # ---- programs

    def inside(self, space, argv):
        """The command that runs argv in a namespace; space None: outside of all."""
        return argv if space is None else ["ip", "netns", "exec", self.spaces[space]] + argv

    def run(self, space, argv, seconds=20, status=0, stdin=None):
        """Runs a program to its end, checks its exit status (None: any), returns its standard output."""
        return command(self.inside(space, argv), seconds, status, stdin)

    def start(self, space, argv, **options):
        """Starts a program in a namespace and returns the Program; it is ended with the lab at the latest."""
        log = self.path(f"{len(self.programs)}-{os.path.basename(argv[0])}.log")
        program = Program(self.inside(space, argv), log, **options)
        self.programs.append(program)
        return program

    def sphex(self, space, arguments, ready=None, seconds=20):
        """Starts the appliance; with `ready`, waits until its output matches that regular expression."""
        if not os.path.exists(SPHEX):
            raise Skip(f"no {os.path.relpath(SPHEX, SOURCE)}")
        program = self.start(space, [SPHEX] + arguments)
        if ready is not None:
            program.wait_for(ready, seconds)
        return program

    def replay(self, arguments, status=0, seconds=60, prefix=()):
        """Runs the appliance to its end with a JSON report; returns the report, balanced, and the output."""
        report = self.path("report.json")
        program = self.start(None, list(prefix) + [SPHEX] + arguments + ["--report", report])
        output = program.wait(seconds, status)
        with open(report, encoding="utf-8") as file:
            document = json.load(file)
        for one in document if isinstance(document, list) else [document]:
            if "received" in one:
                balanced(one)
        return document, output

    # ---- end

    def logs(self):
        """The end of every program's output, for a failed test's diagnosis."""
        return "".join(f"--- {' '.join(p.argv)}\n{p.output()[-4000:]}\n" for p in self.programs)

    def close(self):
        """Ends the lab's programs, removes namespaces (and with them the links) and files. Twice is fine."""
        atexit.unregister(self.close)
        while self.programs:
            self.programs.pop().kill()
        for full in self.spaces.values():
            subprocess.run(["ip", "netns", "delete", full], check=False, stderr=subprocess.DEVNULL)
        self.spaces.clear()
        shutil.rmtree(self.folder, ignore_errors=True)


def command(argv, seconds=20, status=0, stdin=None):
    """Runs a program, checks its exit status (None: any), returns its standard output."""
    try:
        done = subprocess.run(argv, input=stdin, timeout=seconds, text=True, errors="replace", check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"{' '.join(argv)}: not done within {seconds} s") from None
    if status is not None:
        check(done.returncode == status, f"{' '.join(argv)}: status {done.returncode}, expected {status}:\n"
                                         f"{done.stdout}{done.stderr}")
    return done.stdout


def missing():
    """Why no lab can be built here, or None."""
    if os.geteuid() != 0:
        return "needs root for network namespaces"
    for tool in ("ip", "ethtool", "sysctl"):
        if shutil.which(tool) is None:
            return f"needs {tool}"
    probe = f"spx{os.getpid()}-probe"
    try:
        command(["ip", "netns", "add", probe])
        command(["ip", "netns", "exec", probe, "true"])
    except AssertionError as error:
        return f"this machine allows no network namespaces ({' '.join(str(error).split())})"
    finally:
        subprocess.run(["ip", "netns", "delete", probe], check=False, stderr=subprocess.DEVNULL)
    return None


def report(number, test, outcome, text=""):
    """One TAP line. A failure's text goes to standard error, which meson shows."""
    name = test.__name__.removeprefix("test_")
    if outcome == "skip":
        print(f"ok {number} - {name} # SKIP {text}", flush=True)
    else:
        print(f"{outcome} {number} - {name}", flush=True)
        print(text, end="", file=sys.stderr, flush=True)


def main(*tests, needs_lab=True, needs_network=True):
    """Runs the tests and exits: 0 when none failed. Each is a function of a Lab (of nothing if not needs_lab); a lab
    without network needs no root."""
    # A signal (meson's at a time limit) becomes an exception, so the lab is taken down.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda signum, _frame: sys.exit(128 + signum))
    reason = missing() if needs_lab and needs_network else None
    failed = 0
    print(f"1..{len(tests)}")
    for number, test in enumerate(tests, 1):
        if reason:
            report(number, test, "skip", reason)
            continue
        net = Lab() if needs_lab else None
        try:
            test(*([net] if needs_lab else []))
            report(number, test, "ok")
        except Skip as skip:
            report(number, test, "skip", str(skip))
        except Exception:  # pylint: disable=broad-except # any is a failed test
            failed += 1
            report(number, test, "not ok", traceback.format_exc() + (net.logs() if net else ""))
        finally:
            if net:
                net.close()
    sys.exit(1 if failed else 0)
