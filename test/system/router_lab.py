"""A router between two hosts, for the tests of routing: client - left, the appliance, right - server."""

import json
import os
import struct

import lab

SPXCTL = os.path.join(lab.BUILD, "app", "spxctl")
CLIENT, SERVER = "10.1.0.2", "10.2.0.2"
CLIENT6, SERVER6 = "2001:db8:1::2", "2001:db8:2::2"


def af_packet(n, name):
    return {"driver": "ethdev", "device": f"net_af_packet{n},iface={name},framecnt=2048"}


def xdp(_n, name):
    return {"driver": "xdp", "interface": name}


def tap(n, name):
    """The far side's own interface is the kernel's side of the TAP device."""
    return {"driver": "ethdev", "device": f"net_tap{n},iface={name}"}


def xdp_environment():
    """DPDK's device leaks, and sanitizers should not speak of that."""
    return dict(os.environ, LSAN_OPTIONS=f"suppressions={os.path.join(lab.SOURCE, 'test/system/xdp.lsan')}")


def hosts(net, mtu=1500):
    """client and server, each with an address, and a default route to the box between them."""
    for space in ("client", "box", "server"):
        net.namespace(space)
    net.veth("client", "c0", "box", "left")
    net.veth("box", "right", "server", "s0", mtu)
    for space, name, address, address6, router in (("client", "c0", CLIENT, CLIENT6, "1"),
                                                   ("server", "s0", SERVER, SERVER6, "2")):
        net.address(space, name, address + "/24", address6 + "/64")
        net.run(space, ["ip", "route", "add", "default", "via", f"10.{router}.0.1"])
        net.run(space, ["ip", "-6", "route", "add", "default", "via", f"2001:db8:{router}::1"])


def router(net, device=af_packet, extra=(), environment=None, **more):
    """The appliance in the box, with an address of each family on either side."""
    ports = [{"name": name, **device(n, name), "addresses": [f"10.{n + 1}.0.1/24", f"2001:db8:{n + 1}::1/64"]}
             for n, name in enumerate(("left", "right"))] + list(extra)
    config = {"memory": {"hugepages": "off", "megabytes": 768}, "workers": {"count": 1, "idle": "sleep"}, "ports": ports,
              "actions": {"route": {"verdict": "route"}}, "rules": {"default": "route"}, **more}
    with open(net.path("config.json"), "w", encoding="utf-8") as file:
        json.dump(config, file)
    program = net.start("box", [lab.SPHEX, "--config", net.path("config.json"), "--quiet", "--control",
                                net.path("control"), "--report", net.path("report.json")], env=environment)
    program.wait_for("control socket", 20)
    return program


def ctl(net, *words, status=0):
    return net.run(None, [SPXCTL, "--socket", net.path("control"), *words], status=status)


def report(net, program):
    program.stop()
    with open(net.path("report.json"), encoding="utf-8") as file:
        document = json.load(file)
    lab.balanced(document)
    return document


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff
