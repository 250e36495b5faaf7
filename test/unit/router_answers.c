/* What a router says to whom by ARP, neighbour discovery and ICMP, and to whom it says nothing, whatever is
 * forged; see slow_arp.c, slow_nd.c, slow_icmp.c. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>
#include <rte_ip.h>

#include "test/unit/router_fixture.h"

#define OUR_MAC router->port[IN].mac

static struct frame f;

TestSuite(router_answers, .init = router_start, .fini = router_stop, .timeout = 60);

/* How many frames the router sent back for this one. */
static unsigned
answers(void)
{
	unsigned before = router_sent[IN].n;

	router_give(IN, &f);
	return router_sent[IN].n - before;
}

static void
from_group(void)
{
	f.bytes[6] |= 1;
}

/* One more tag before those that are there. */
static void
tag(uint16_t control)
{
	memmove(f.bytes + 16, f.bytes + 12, f.length - 12);
	f.length += 4;
	frame_put16(&f, 12, TYPE_VLAN);
	frame_put16(&f, 14, control);
}

/* ---- ARP -------------------------------------------------------------------------------------------------
 */

static void
arp(uint16_t operation, const char *sender, const char *target)
{
	frame_start(&f, TYPE_ARP);
	memset(f.bytes, 0xff, 6);
	frame_arp(&f);
	frame_put16(&f, 20, operation);
	memcpy(f.bytes + 22, f.bytes + 6, 6);
	cr_assert_eq(inet_pton(AF_INET, sender, f.bytes + 28), 1);
	cr_assert_eq(inet_pton(AF_INET, target, f.bytes + 38), 1);
}

Test(router_answers, arp)
{
	arp(1, "10.9.0.2", "10.9.0.1");
	cr_assert_eq(answers(), 1);
	cr_assert_arr_eq(router_sent[IN].it.bytes, f.bytes + 6, 6);
	cr_assert_arr_eq(router_sent[IN].it.bytes + 22, OUR_MAC, 6);
	cr_assert_arr_eq(router_sent[IN].it.bytes + 28, ((uint8_t[]){10, 9, 0, 1}), 4);
	arp(1, "0.0.0.0", "10.9.0.1"); /* RFC 5227: looks whether somebody has it */
	cr_assert_eq(answers(), 1);
	arp(1, "10.9.0.2", "10.8.0.1"); /* on another port */
	cr_assert_eq(answers(), 0);
	arp(1, "10.9.0.2", "10.9.0.3");
	cr_assert_eq(answers(), 0);
	arp(2, "10.9.0.2", "10.9.0.1");
	cr_assert_eq(answers(), 0);
	arp(1, "10.9.0.2", "10.9.0.1"); /* to let the answer go to everybody */
	memset(f.bytes + 22, 0xff, 6);
	cr_assert_eq(answers(), 0);
	arp(1, "10.9.0.2", "10.9.0.1");
	from_group();
	cr_assert_eq(answers(), 0);
}

/* A priority tag is no VLAN, and the answer has it too; what stands behind one is in its VLAN. */
Test(router_answers, arp_with_a_priority)
{
	arp(1, "10.9.0.2", "10.9.0.1");
	tag(5 << 13);
	cr_assert_eq(answers(), 1);
	cr_assert_arr_eq(router_sent[IN].it.bytes + 12, ((uint8_t[]){0x81, 0, 5 << 5, 0, 8, 6, 0, 1}), 8);
	cr_assert_arr_eq(router_sent[IN].it.bytes + 26, OUR_MAC, 6);
	arp(1, "10.9.0.2", "10.9.0.1");
	tag(10);
	tag(5 << 13);
	cr_assert_eq(answers(), 0);
}

/* ---- neighbour discovery ---------------------------------------------------------------------------------
 */

#define GROUP_OF_ONE "ff02::1:ff00:1"

/* A solicitation for 2001:db8:9::1 with an option of that type and length. */
static void
solicitation(const char *from, const char *to, uint8_t option, uint8_t units)
{
	frame_start(&f, TYPE_IPV6);
	memcpy(f.bytes, (uint8_t[]){0x33, 0x33, 0xff, 0, 0, 1}, 6);
	frame_ipv6(&f, IPPROTO_ICMPV6);
	f.bytes[f.ip + 7] = 255;
	frame_icmp(&f, 135, 0, 0);
	f.length += 16;
	cr_assert_eq(inet_pton(AF_INET6, "2001:db8:9::1", f.bytes + f.ip + 48), 1);
	if (option != 0) {
		f.bytes[f.length] = option;
		f.bytes[f.length + 1] = units;
		memcpy(f.bytes + f.length + 2, f.bytes + 6, 6);
		f.length += 8;
	}
	frame_close(&f);
	router_between6(&f, from, to);
}

Test(router_answers, neighbour_solicitations)
{
	solicitation("2001:db8:9::2", GROUP_OF_ONE, 1, 1);
	cr_assert_eq(answers(), 1);
	cr_assert_eq(router_sent[IN].it.bytes[54], 136);
	cr_assert_arr_eq(router_sent[IN].it.bytes + 80, OUR_MAC, 6);
	solicitation("::", GROUP_OF_ONE, 0, 0);
	cr_assert_eq(answers(), 1);
	cr_assert_arr_eq(router_sent[IN].it.bytes, ((uint8_t[]){0x33, 0x33, 0, 0, 0, 1}), 6);
}

/* A priority tag is no VLAN: the answer has it too, and is whole. */
Test(router_answers, a_neighbour_solicitation_with_a_priority)
{
	const struct frame *sent = &router_sent[IN].it;

	solicitation("2001:db8:9::2", GROUP_OF_ONE, 1, 1);
	tag(5 << 13);
	cr_assert_eq(answers(), 1);
	cr_assert_eq(sent->length, 90);
	cr_assert_arr_eq(sent->bytes + 12, ((uint8_t[]){0x81, 0, 5 << 5, 0, 0x86, 0xdd}), 6);
	cr_assert_eq(sent->bytes[58], 136);
	cr_assert_arr_eq(sent->bytes + 84, OUR_MAC, 6);
}

/* RFC 4861 7.1.1: is silently discarded. */
Test(router_answers, neighbour_solicitations_that_are_wrong)
{
	solicitation("2001:db8:9::2", GROUP_OF_ONE, 1, 0); /* an option without length */
	cr_assert_eq(answers(), 0);
	solicitation("2001:db8:9::2", GROUP_OF_ONE, 1, 2); /* that does not end in the message */
	cr_assert_eq(answers(), 0);
	solicitation("::", GROUP_OF_ONE, 1, 1); /* nobody has a MAC address */
	cr_assert_eq(answers(), 0);
	solicitation("::", "2001:db8:9::1", 0, 0); /* looks for a double, at one station */
	cr_assert_eq(answers(), 0);
	solicitation("2001:db8:9::2", GROUP_OF_ONE, 1, 1); /* has been forwarded */
	f.bytes[f.ip + 7] = 254;
	cr_assert_eq(answers(), 0);
	solicitation("2001:db8:9::2", GROUP_OF_ONE, 1, 1);
	f.bytes[f.ip + 42] ^= 1; /* checksum */
	cr_assert_eq(answers(), 0);
	solicitation("2001:db8:9::2", GROUP_OF_ONE, 1, 1);
	from_group();
	cr_assert_eq(answers(), 0);
}

/* RFC 4861 7.1.2: what is said to a group answers nobody; the neighbour that a packet waits for stays
 * unknown. */
Test(router_answers, neighbour_advertisements_that_are_wrong)
{
	struct frame advertisement;

	router_udp6(&f, 20);
	router_between6(&f, "2001:db8:8::2", "2001:db8:9::2");
	router_give(SIDE, &f);
	cr_assert_eq(router_sent[IN].n, 1, "asks for it");
	solicitation("2001:db8:9::2", "ff02::1", 2, 1);
	f.bytes[f.ip + 40] = 136;
	f.bytes[f.ip + 44] = 0x60; /* solicited, override */
	cr_assert_eq(inet_pton(AF_INET6, "2001:db8:9::2", f.bytes + f.ip + 48), 1);
	router_between6(&f, "2001:db8:9::2", "ff02::1");
	advertisement = f;
	cr_assert_eq(answers(), 0);
	f = advertisement;
	router_between6(&f, "2001:db8:9::2", "2001:db8:9::1");
	memcpy(f.bytes, OUR_MAC, 6);
	cr_assert_eq(answers(), 1, "what waits goes on");
}

/* ---- echo ------------------------------------------------------------------------------------------------
 */

static void
echo4(const char *from, const char *to, unsigned options)
{
	frame_start(&f, TYPE_IPV4);
	frame_ipv4(&f, IPPROTO_ICMP, options);
	frame_icmp(&f, 8, 0, 7);
	frame_data(&f, 20);
	frame_close(&f);
	router_between4(&f, from, to);
}

static void
echo6(const char *from, const char *to)
{
	frame_start(&f, TYPE_IPV6);
	frame_ipv6(&f, IPPROTO_ICMPV6);
	frame_icmp(&f, 128, 0, 7);
	frame_data(&f, 20);
	frame_close(&f);
	router_between6(&f, from, to);
}

static bool
right_checksum6(const struct frame *sent)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)(sent->bytes + 14);

	return rte_ipv6_udptcp_cksum_verify(ip, ip + 1) == 0;
}

Test(router_answers, echo)
{
	echo4("10.9.0.2", "10.9.0.1", 0);
	cr_assert_eq(answers(), 1);
	echo4("10.9.0.2", "10.8.0.1", 0); /* an address of another port */
	cr_assert_eq(answers(), 1);
	echo4("10.9.0.2", "10.9.0.1", 3);
	cr_assert_eq(answers(), 1);
	cr_assert_eq(spx_net_sum4(router_sent[IN].it.bytes + 14, 8), 0xffff);
	echo6("2001:db8:9::2", "2001:db8:9::1");
	cr_assert_eq(answers(), 1);
	cr_assert(right_checksum6(&router_sent[IN].it));
	echo6("2001:db8:9::2", "2001:db8:9::1");
	f.bytes[f.length - 1] ^= 1; /* what came damaged must not be sent as if it were sound */
	cr_assert_eq(answers(), 1);
	cr_assert(!right_checksum6(&router_sent[IN].it));
}

/* To whom nobody can answer. */
Test(router_answers, no_echo)
{
	const uint8_t *mac = OUR_MAC;
	char link_local[INET6_ADDRSTRLEN];

	snprintf(link_local, sizeof(link_local), "fe80::%x:%x:%x:%x", (mac[0] ^ 2) << 8 | mac[1],
		mac[2] << 8 | 0xff, 0xfe00 | mac[3], mac[4] << 8 | mac[5]);
	echo6("2001:db8:9::2", link_local);
	cr_assert_eq(answers(), 1);
	echo4("10.9.0.1", "10.9.0.1", 0); /* to itself from itself */
	cr_assert_eq(answers(), 0);
	echo4("10.9.0.255", "10.9.0.1", 0);
	cr_assert_eq(answers(), 0);
	echo6("2001:db8:9::1", "2001:db8:9::1");
	cr_assert_eq(answers(), 0);
	echo6("::1", link_local);
	cr_assert_eq(answers(), 0);
	echo4("10.9.0.2", "10.9.0.1", 0);
	from_group();
	cr_assert_eq(answers(), 0);
	cr_assert_eq(router_drops(SPX_DROP_martian_source), 5);
	echo4("10.9.0.2", "10.9.0.255", 0);
	cr_assert_eq(answers(), 0);
	echo6("2001:db8:9::2", "ff02::1");
	cr_assert_eq(answers(), 0);
}

/* What hosts say all the time, and nobody here wants to know, is no drop to be looked into. */
Test(router_answers, multicast_listener_reports)
{
	frame_start(&f, TYPE_IPV6);
	memcpy(f.bytes, (uint8_t[]){0x33, 0x33, 0, 0, 0, 0x16}, 6);
	frame_ipv6(&f, IPPROTO_HOPOPTS);
	frame_extension(&f, IPPROTO_ICMPV6, 0, 8);
	frame_icmp(&f, 143, 0, 0);
	frame_close(&f);
	router_between6(&f, "fe80::2", "ff02::16");
	cr_assert_eq(answers(), 0);
	cr_assert_eq(router->slowpath.counters.consumed, 1);
	cr_assert_eq(router_drops(SPX_DROP_local_unhandled), 0);
}

/* ---- errors ----------------------------------------------------------------------------------------------
 */

/* The frame with nowhere to go: its sender is told, or not. */
static unsigned
told4(const char *from)
{
	router_between4(&f, from, "172.16.0.1");
	return answers();
}

Test(router_answers, errors)
{
	frame_udp4(&f, 20);
	frame_data(&f, 10); /* padding, which is none of the packet's */
	cr_assert_eq(told4("10.9.0.2"), 1);
	cr_assert_arr_eq(router_sent[IN].it.bytes + 34, ((uint8_t[]){3, 0}), 2);
	cr_assert_eq(router_sent[IN].it.length, 14 + 20 + 8 + 48, "the packet is quoted as it came");
	frame_udp6(&f, 20);
	frame_data(&f, 10);
	router_between6(&f, "64:ff9b::100", "3fff::1"); /* begins and ends with a zero, and is somebody */
	cr_assert_eq(answers(), 1);
	cr_assert_eq(router_sent[IN].it.length, 14 + 40 + 8 + 68);
	cr_assert(right_checksum6(&router_sent[IN].it));
}

/* RFC 1812 4.3.2.7. */
Test(router_answers, no_errors_about)
{
	frame_udp4(&f, 20);
	cr_assert_eq(told4("0.0.0.0"), 0);
	cr_assert_eq(told4("127.0.0.1"), 0);
	cr_assert_eq(told4("224.0.0.1"), 0);
	cr_assert_eq(told4("255.255.255.255"), 0);
	cr_assert_eq(told4("10.9.0.255"), 0);
	cr_assert_eq(told4("10.9.0.1"), 0, "ourselves");
	f.bytes[f.ip + 7] = 1; /* a later fragment */
	cr_assert_eq(told4("10.9.0.2"), 0);
	f.bytes[f.ip + 7] = 0;
	f.bytes[f.ip + 6] = 0x20; /* the first */
	cr_assert_eq(told4("10.9.0.2"), 1);
	from_group();
	cr_assert_eq(told4("10.9.0.2"), 0);
	for (uint8_t type = 0; type < 20; type++) {
		frame_start(&f, TYPE_IPV4);
		frame_ipv4(&f, IPPROTO_ICMP, type % 2);
		frame_icmp(&f, type, 0, 7);
		frame_close(&f);
		cr_assert_eq(told4("10.9.0.2"), type == 0 || type == 8, "type %u", type);
	}
}

/* The kernel behind the local port speaks from addresses of this node. */
Test(router_answers, our_own_kernel)
{
	router->slowpath.local_port = PLAIN;
	frame_udp4(&f, 20);
	router_between4(&f, "10.9.0.1", "172.16.0.1");
	router_give(PLAIN, &f);
	cr_assert_eq(router_sent[PLAIN].n, 1);
	echo6("2001:db8:9::1", "2001:db8:8::1");
	router_give(PLAIN, &f);
	cr_assert_eq(router_sent[PLAIN].n, 2);
	router_give(IN, &f);
	cr_assert_eq(router_sent[IN].n, 0);
}

static unsigned
told6(void)
{
	router_between6(&f, "2001:db8:9::2", "3fff::1");
	return answers();
}

/* RFC 4443 2.4 (e), wherever the ICMPv6 header lies. */
Test(router_answers, no_errors_about_icmp6)
{
	static const uint8_t types[] = {1, 2, 3, 4, 100, 127, 128, 129, 137};

	for (unsigned i = 0; i < sizeof(types); i++) {
		const bool none = types[i] < 128 || types[i] == 137;

		frame_start(&f, TYPE_IPV6);
		frame_ipv6(&f, IPPROTO_ICMPV6);
		frame_icmp(&f, types[i], 0, 7);
		frame_close(&f);
		cr_assert_eq(told6(), !none, "type %u", types[i]);
		frame_start(&f, TYPE_IPV6);
		frame_ipv6(&f, IPPROTO_DSTOPTS);
		frame_extension(&f, IPPROTO_ROUTING, 1, 16);
		frame_extension(&f, IPPROTO_ICMPV6, 0, 8);
		frame_icmp(&f, types[i], 0, 7);
		frame_close(&f);
		cr_assert_eq(told6(), !none, "type %u behind other headers", types[i]);
	}
}

/* Error after error: none is about more than its sender's own packet, and there is an end of them. */
Test(router_answers, errors_have_a_limit)
{
	unsigned n = 0;

	frame_udp4(&f, 20);
	for (unsigned i = 0; i < 3 * SPX_SLOW_ANSWERS; i++)
		n += told4("10.9.0.2");
	cr_assert(n >= SPX_SLOW_ANSWERS && n < 2 * SPX_SLOW_ANSWERS, "%u errors", n);
}
