/* See good_frames.h. */
#include <netinet/in.h>

#include "test/unit/good_frames.h"

void
good_lldp(struct frame *f)
{
	frame_start(f, 0x88cc);
}

void
good_tagged_lldp(struct frame *f)
{
	frame_start(f, TYPE_VLAN);
	frame_tag(f, 7, 0x88cc);
}

void
good_twice_tagged_lldp(struct frame *f)
{
	frame_start(f, TYPE_QINQ);
	frame_tag(f, 7, TYPE_VLAN);
	frame_tag(f, 8, 0x88cc);
}

void
good_arp(struct frame *f)
{
	frame_start(f, TYPE_ARP);
	frame_arp(f);
}

void
good_udp4(struct frame *f)
{
	frame_udp4(f, 22);
}

void
good_tcp4(struct frame *f)
{
	frame_tcp4(f, 0x10, 40);
}

void
good_ipv4_options(struct frame *f)
{
	frame_start(f, TYPE_IPV4);
	frame_ipv4(f, IPPROTO_GRE, 10);
	frame_close(f);
}

void
good_ipv4_bare(struct frame *f)
{
	frame_start(f, TYPE_IPV4);
	frame_ipv4(f, IPPROTO_GRE, 0);
	frame_close(f);
}

void
good_udp4_bare(struct frame *f)
{
	frame_udp4(f, 0);
}

void
good_tcp4_options(struct frame *f)
{
	frame_tcp4(f, 0x10, 4);
	f->bytes[46] = 6 << 4;
}

void
good_icmp4(struct frame *f)
{
	frame_start(f, TYPE_IPV4);
	frame_ipv4(f, IPPROTO_ICMP, 0);
	frame_icmp(f, 8, 0, 1);
	frame_close(f);
}

/* A last fragment of 100 bytes. */
void
good_fragment4(struct frame *f)
{
	frame_start(f, TYPE_IPV4);
	frame_ipv4(f, IPPROTO_UDP, 0);
	frame_put16(f, f->ip + 6, 8);
	frame_data(f, 100);
	frame_close(f);
}

void
good_udp6(struct frame *f)
{
	frame_udp6(f, 22);
}

void
good_udp6_bare(struct frame *f)
{
	frame_udp6(f, 0);
}

void
good_ipv6_bare(struct frame *f)
{
	frame_start(f, TYPE_IPV6);
	frame_ipv6(f, IPPROTO_NONE);
	frame_close(f);
}

void
good_tcp6(struct frame *f)
{
	frame_start(f, TYPE_IPV6);
	frame_ipv6(f, IPPROTO_TCP);
	frame_tcp(f, 2);
	frame_close(f);
}

void
good_icmp6(struct frame *f)
{
	frame_start(f, TYPE_IPV6);
	frame_ipv6(f, IPPROTO_ICMPV6);
	frame_icmp(f, 128, 0, 1);
	frame_close(f);
}

/* Neighbour solicitation: no identifier, so the first four bytes are enough. */
void
good_icmp6_short(struct frame *f)
{
	frame_start(f, TYPE_IPV6);
	frame_ipv6(f, IPPROTO_ICMPV6);
	frame_icmp(f, 135, 0, 1);
	f->length -= 4;
	frame_close(f);
}

void
good_routing6(struct frame *f)
{
	frame_start(f, TYPE_IPV6);
	frame_ipv6(f, 43);
	frame_extension(f, IPPROTO_NONE, 2, 24);
	frame_close(f);
}

void
good_eight_extensions(struct frame *f)
{
	frame_start(f, TYPE_IPV6);
	frame_ipv6(f, 60);
	for (int i = 0; i < 7; i++)
		frame_extension(f, 60, 0, 8);
	frame_extension(f, IPPROTO_NONE, 0, 8);
	frame_extension(f, IPPROTO_NONE, 0, 8); /* a ninth when the eighth says so */
	frame_close(f);
}

/* A last fragment of 100 bytes behind 16 bytes of destination options. */
void
good_fragment6(struct frame *f)
{
	frame_start(f, TYPE_IPV6);
	frame_ipv6(f, 60);
	frame_extension(f, 44, 1, 16);
	frame_fragment(f, IPPROTO_UDP, 8, false);
	frame_data(f, 100);
	frame_close(f);
}

void
good_tagged_udp4(struct frame *f)
{
	frame_start(f, TYPE_VLAN);
	frame_tag(f, 0xe064, TYPE_IPV4); /* priority 7, VLAN 100 */
	frame_ipv4(f, IPPROTO_UDP, 0);
	frame_udp(f);
	frame_data(f, 10);
	frame_close(f);
}

void
good_twice_tagged_udp6(struct frame *f)
{
	frame_start(f, TYPE_QINQ);
	frame_tag(f, 4094, TYPE_VLAN);
	frame_tag(f, 5, TYPE_IPV6);
	frame_ipv6(f, IPPROTO_UDP);
	frame_udp(f);
	frame_close(f);
}

void
good_padded_syn4(struct frame *f)
{
	frame_tcp4(f, 0x02, 0);
	frame_data(f, 6);
}

void
good_unreachable4(struct frame *f)
{
	frame_start(f, TYPE_IPV4);
	frame_ipv4(f, IPPROTO_ICMP, 0);
	frame_icmp(f, 3, 4, 0);
	frame_data(f, 28);
	frame_close(f);
}

/* Hop-by-hop, destination, routing, authentication, mobility, TCP with SYN. */
void
good_chain6(struct frame *f)
{
	frame_start(f, TYPE_IPV6);
	frame_ipv6(f, 0);
	frame_extension(f, 60, 0, 8);
	frame_extension(f, 43, 1, 16);
	frame_extension(f, 51, 2, 24);
	frame_extension(f, 135, 4, 24); /* authentication: 4 x (4 + 2) bytes */
	frame_extension(f, IPPROTO_TCP, 0, 8);
	frame_tcp(f, 0x02);
	frame_close(f);
}

void
good_atomic6(struct frame *f)
{
	frame_start(f, TYPE_IPV6);
	frame_ipv6(f, 44);
	frame_fragment(f, IPPROTO_UDP, 0, false);
	frame_udp(f);
	frame_close(f);
}

#define GOOD_ENTRY(name) good_##name,
void (*const good_frames[GOOD_FRAMES])(struct frame *) = {GOOD_FRAME_LIST(GOOD_ENTRY)};
