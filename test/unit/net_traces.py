"""The parse stage says of real packets what scapy's headers say.

Usage: net_traces.py NET_TRACES; the captures are those under $SPX_DATA/traces. Exit status 77 without them or
without python3-scapy. Of each capture the first packets that were captured whole are compared: the 5-tuple of
those that have one, the reason of those that are dropped.
"""

import collections
import os
import subprocess
import sys

PACKETS = 120  # of each capture
MISMATCHES_SHOWN = 20

try:
    from scapy.config import conf
    conf.logLevel = 40
    from scapy.layers import inet, inet6, ipsec, l2
except ImportError:
    print("skipped: no python3-scapy")
    sys.exit(77)

TAGS = {0x8100: l2.Dot1Q, 0x88a8: l2.Dot1AD, 0x9100: l2.Dot1Q}
EXTENSIONS = {0: inet6.IPv6ExtHdrHopByHop, 43: inet6.IPv6ExtHdrRouting, 44: inet6.IPv6ExtHdrFragment, 51: ipsec.AH,
              60: inet6.IPv6ExtHdrDestOpt, 135: inet6.MIP6MH_Generic}


class Dropped(Exception):
    """The packet is malformed; the argument is the drop reason."""


def header(layer, data, least, reason):
    """One header of scapy's class `layer` at the start of data, and the data behind it."""
    if len(data) < least:
        raise Dropped(reason)
    packet = layer()
    return packet, packet.do_dissect(data)


def read_transport(version, proto, data):
    """Source and destination port as the flow key has them."""
    if proto == 6:
        tcp, _ = header(inet.TCP, data, 20, "tcp_truncated")
        if tcp.dataofs < 5 or tcp.dataofs * 4 > len(data):
            raise Dropped("tcp_header_length")
        return tcp.sport, tcp.dport
    if proto == 17:
        udp, _ = header(inet.UDP, data, 8, "udp_truncated")
        if udp.len < 8 or udp.len > len(data):
            raise Dropped("udp_length")
        return udp.sport, udp.dport
    if version == 4 and proto == 1:
        icmp, _ = header(inet.ICMP, data + bytes(16), 24, "icmp_truncated")
        return icmp.type << 8 | icmp.code, icmp.id or 0
    if version == 6 and proto == 58:
        echo, _ = header(inet6.ICMPv6EchoRequest, data, 4 if data[:1] not in (b"\x80", b"\x81") else 8,
                         "icmp_truncated")
        return echo.type << 8 | echo.code, echo.id if echo.type in (128, 129) else 0
    return 0, 0


def read_ipv4(data, vlan):
    ip, _ = header(inet.IP, data, 20, "ipv4_truncated")
    if ip.version != 4:
        raise Dropped("ipv4_version")
    size = ip.ihl * 4
    if size < 20 or size > len(data):
        raise Dropped("ipv4_header_length")
    if ip.len < size or ip.len > len(data):
        raise Dropped("ipv4_total_length")
    fragment = ip.frag > 0 or bool(ip.flags.MF)
    if fragment and ip.frag * 8 + ip.len > 65535:
        raise Dropped("fragment_overrun")
    ports = (0, 0) if fragment else read_transport(4, ip.proto, data[size:ip.len])
    return ("ipv4", ip.src, ip.dst, *ports, ip.proto, int(fragment), vlan)


def read_ipv6(data, vlan):
    ip, rest = header(inet6.IPv6, data, 40, "ipv6_truncated")
    if ip.version != 6:
        raise Dropped("ipv6_version")
    if ip.plen > len(rest):
        raise Dropped("ipv6_payload_length")
    rest, proto, fragment, chain = rest[:ip.plen], ip.nh, False, 0
    while proto in EXTENSIONS and not fragment:
        chain += 1
        if chain > 8 or len(rest) < 8:
            raise Dropped("ipv6_extension")
        size = 8 if proto == 44 else rest[1] * 4 + 8 if proto == 51 else rest[1] * 8 + 8
        if size > len(rest):
            raise Dropped("ipv6_extension")
        extension, _ = header(EXTENSIONS[proto], rest[:size], size, "ipv6_extension")
        if proto == 44:
            fragment = extension.offset > 0 or extension.m == 1
            if fragment and ip.plen - len(rest) + extension.offset * 8 + len(rest) - 8 > 65535:
                raise Dropped("fragment_overrun")
        proto, rest = extension.nh, rest[size:]
    ports = (0, 0) if fragment else read_transport(6, proto, rest)
    return ("ipv6", ip.src, ip.dst, *ports, proto, int(fragment), vlan)


def read_frame(frame):
    """What net_traces ought to print of the frame, addresses in their usual form."""
    ether, rest = header(l2.Ether, frame, 14, "ethernet_truncated")
    ethertype, vlan = ether.type, 0
    for tag in range(2):
        if ethertype in TAGS:
            layer, rest = header(TAGS[ethertype], rest, 4, "vlan_truncated")
            ethertype, vlan = layer.type, layer.vlan if tag == 0 else vlan
    if ethertype == 0x0800:
        return read_ipv4(rest, vlan)
    if ethertype == 0x86dd:
        return read_ipv6(rest, vlan)
    if ethertype == 0x0806:
        arp, _ = header(l2.ARP, rest, 28, "arp_truncated")
        if (arp.hwtype, arp.ptype, arp.hwlen, arp.plen) != (1, 0x0800, 6, 4):
            raise Dropped("arp_format")
    return ("other",)


def captures():
    folder = os.path.join(os.environ.get("SPX_DATA", ""), "traces")
    return sorted(os.path.join(root, name) for root, _, names in os.walk(folder) for name in names)


def main():
    paths = captures()
    if not paths:
        print("skipped: no ../shared/data")
        sys.exit(77)
    output = subprocess.run([sys.argv[1], str(PACKETS), *paths], check=True, capture_output=True, text=True).stdout
    outcomes, mismatches = collections.Counter(), 0
    for line in output.splitlines():
        file, packet, frame, *ours = line.split()
        try:
            theirs = [str(word) for word in read_frame(bytes.fromhex(frame))]
        except Dropped as reason:
            theirs = ["drop", str(reason)]
        outcomes[" ".join(theirs[:2]) if theirs[0] == "drop" else theirs[0]] += 1
        if ours != theirs:
            mismatches += 1
            if mismatches <= MISMATCHES_SHOWN:
                print(f"{paths[int(file)]}: packet {packet}\n  sphex {' '.join(ours)}\n  scapy {' '.join(theirs)}")
    for outcome, n in sorted(outcomes.items()):
        print(f"{n:6} {outcome}")
    print(f"{mismatches} mismatches")
    sys.exit(mismatches > 0 or outcomes["ipv4"] < 5000 or outcomes["ipv6"] < 1000)


main()
