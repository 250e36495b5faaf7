/* Which frames a router sends on, and as what: tags, groups, MTU, TTL, reverse path; see route.c. */
#include <arpa/inet.h>
#include <string.h>

#include <criterion/criterion.h>

#include "test/unit/router_fixture.h"

static struct frame f;

TestSuite(router_way, .init = router_start, .fini = router_stop, .timeout = 60);

Test(router_way, sends_on)
{
	router_udp4(&f, 20);
	router_give(IN, &f);
	cr_assert_eq(router_sent[SIDE].n, 1);
	cr_assert_arr_eq(router_sent[SIDE].it.bytes, ((uint8_t[]){2, 0, 0, 0, 8, 2}), 6);
	cr_assert_arr_eq(router_sent[SIDE].it.bytes + 6, router->port[SIDE].mac, 6);
	cr_assert_eq(router_sent[SIDE].it.bytes[22], 63);
	router_udp6(&f, 20);
	router_give(IN, &f);
	cr_assert_eq(router_sent[SIDE].n, 2);
	cr_assert_eq(router_sent[SIDE].it.bytes[21], 63);
}

/* A VLAN is another network, and this node has none: what is in one does not get into another. */
Test(router_way, tagged_frames_are_not_sent_on)
{
	for (unsigned v6 = 0; v6 < 2; v6++) {
		frame_start(&f, TYPE_VLAN);
		frame_tag(&f, 10, v6 ? TYPE_IPV6 : TYPE_IPV4);
		if (v6)
			frame_ipv6(&f, IPPROTO_UDP);
		else
			frame_ipv4(&f, IPPROTO_UDP, 0);
		frame_udp(&f);
		frame_close(&f);
		if (v6)
			router_between6(&f, "2001:db8:9::2", "2001:db8:8::2");
		else
			router_between4(&f, "10.9.0.2", "10.8.0.2");
		router_give(IN, &f);
		router_give(PLAIN, &f);
		cr_assert_eq(router_drops(SPX_DROP_vlan), 2 * (v6 + 1), "%lu", router_drops(SPX_DROP_vlan));
	}
	cr_assert_eq(router_sent[SIDE].n, 0);
	frame_put16(&f, 14, 5 << 13); /* a priority alone is no VLAN */
	router_give(IN, &f);
	cr_assert_eq(router_sent[SIDE].n, 1);
}

/* A priority tag does not hide the VLAN behind it. */
Test(router_way, frames_of_a_vlan_with_a_priority_are_not_sent_on)
{
	frame_start(&f, TYPE_VLAN);
	frame_tag(&f, 5 << 13, TYPE_VLAN);
	frame_tag(&f, 10, TYPE_IPV4);
	frame_ipv4(&f, IPPROTO_UDP, 0);
	frame_udp(&f);
	frame_close(&f);
	router_between4(&f, "10.9.0.2", "10.8.0.2");
	router_give(IN, &f);
	router_between4(&f, "10.9.0.2", "172.16.0.1"); /* nowhere to go: not a word */
	router_give(IN, &f);
	cr_assert_eq(router_drops(SPX_DROP_vlan), 1);
	cr_assert_eq(router_sent[SIDE].n, 0);
	cr_assert_eq(router_sent[IN].n, 0);
}

/* RFC 1812 5.3.4: or every router of a link would send it on. */
Test(router_way, a_frame_for_all_is_not_sent_on)
{
	static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	router_udp4(&f, 20);
	memcpy(f.bytes, everybody, 6);
	router_give(IN, &f);
	router_udp6(&f, 20);
	memcpy(f.bytes, (uint8_t[]){0x33, 0x33, 0, 0, 0, 1}, 6);
	router_give(IN, &f);
	cr_assert_eq(router_sent[SIDE].n, 0);
	cr_assert_eq(router_drops(SPX_DROP_link_broadcast), 2);
}

/* Exactly the MTU goes, with whatever is before the IP header. */
Test(router_way, mtu_at_the_limit)
{
	router->config->port[SIDE].mtu = 600;
	router_udp4(&f, 572);
	router_give(IN, &f);
	router_udp6(&f, 552);
	router_give(IN, &f);
	cr_assert_eq(router_sent[SIDE].n, 2);
	router_udp4(&f, 573);
	router_give(IN, &f); /* may be fragmented, which nobody does here: not a word */
	cr_assert_eq(router_sent[IN].n, 0);
	f.bytes[20] = 0x40; /* don't fragment */
	frame_checksum(&f);
	router_give(IN, &f);
	cr_assert_eq(router_sent[IN].n, 1);
	cr_assert_arr_eq(router_sent[IN].it.bytes + 34, ((uint8_t[]){3, 4}), 2);
	cr_assert_arr_eq(router_sent[IN].it.bytes + 40, ((uint8_t[]){600 >> 8, 600 & 0xff}), 2);
	router_udp6(&f, 553);
	router_give(IN, &f);
	cr_assert_eq(router_sent[IN].n, 2);
	cr_assert_arr_eq(router_sent[IN].it.bytes + 54, ((uint8_t[]){2, 0}), 2);
	cr_assert_arr_eq(router_sent[IN].it.bytes + 58, ((uint8_t[]){0, 0, 600 >> 8, 600 & 0xff}), 4);
	cr_assert_eq(router_sent[SIDE].n, 2);
	cr_assert_eq(router_drops(SPX_DROP_too_big), 3);
}

Test(router_way, ttl)
{
	for (uint8_t ttl = 0; ttl < 3; ttl++) {
		router_udp4(&f, 20);
		f.bytes[f.ip + 8] = ttl;
		frame_checksum(&f);
		router_give(IN, &f);
		router_udp6(&f, 20);
		f.bytes[f.ip + 7] = ttl;
		router_give(IN, &f);
	}
	cr_assert_eq(router_sent[SIDE].n, 2);
	cr_assert_eq(router_sent[IN].n, 4);
	cr_assert_eq(router_drops(SPX_DROP_ttl_expired), 4);
	cr_assert_arr_eq(router_sent[IN].it.bytes + 54, ((uint8_t[]){3, 0}), 2);
}

/* What has come to its end there is counted as what it is. */
Test(router_way, senders_are_told_that_paths_are_down)
{
	router->ports_up = ~spx_set_one(SIDE);
	router_udp4(&f, 20);
	router_give(IN, &f);
	cr_assert_eq(router->slowpath.counters.drops[SPX_DROP_path_down], 1);
	cr_assert_eq(router->slowpath.counters.exceptions[SPX_EXCEPTION_path_down], 1);
	cr_assert_eq(router_sent[IN].n, 1);
	cr_assert_arr_eq(router_sent[IN].it.bytes + 34, ((uint8_t[]){3, 1}), 2, "host unreachable");
	router_udp6(&f, 20);
	router_give(IN, &f);
	cr_assert_arr_eq(router_sent[IN].it.bytes + 54, ((uint8_t[]){1, 3}), 2, "address unreachable");
	cr_assert_eq(router_drops(SPX_DROP_unreachable), 0);
}

/* A host that asks whether the router is still there does it from its link-local address, to which there is
 * no route; it is answered all the same. */
Test(router_way, reverse_path_of_link_local_addresses)
{
	router->config->port[IN].reverse_path = SPX_REVERSE_PATH_STRICT;
	frame_start(&f, TYPE_IPV6);
	frame_ipv6(&f, IPPROTO_ICMPV6);
	f.bytes[f.ip + 7] = 255;
	frame_icmp(&f, 135, 0, 0);
	f.length += 16;
	cr_assert_eq(inet_pton(AF_INET6, "2001:db8:9::1", f.bytes + f.ip + 48), 1);
	frame_close(&f);
	router_between6(&f, "fe80::2", "2001:db8:9::1");
	router_give(IN, &f);
	cr_assert_eq(router_sent[IN].n, 1);
	cr_assert_eq(router_sent[IN].it.bytes[54], 136);
	router_udp6(&f, 20);
	router_between6(&f, "fe80::2", "2001:db8:8::2");
	router_give(IN, &f);
	cr_assert_eq(router_drops(SPX_DROP_link_local), 1);
	router_between6(&f, "2001:db8:7::2", "2001:db8:8::2");
	router_give(IN, &f);
	cr_assert_eq(router_drops(SPX_DROP_reverse_path), 1);
	cr_assert_eq(router_sent[SIDE].n, 0);
}
