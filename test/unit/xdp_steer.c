/* Every verdict of the steering program over frames of every kind. */
#include <criterion/criterion.h>
#include <netinet/in.h>

#include "test/unit/good_frames.h"
#include "test/unit/xdp_fixture.h"

#define DPORT   FRAME_DPORT
#define ETH_MIN 14u /* the kernel tests nothing shorter */

/* The frames' destinations: 198.51.100.2 and 2001:db8::2. */
static const struct spx_xdp_target everything = {.kind = SPX_XDP_EVERYTHING},
				   the_port = {.kind = SPX_XDP_UDP_PORT, .udp_port = DPORT},
				   net4 = {.kind = SPX_XDP_PREFIX4, .length = 15, .address = {198, 50}},
				   host4 = {.kind = SPX_XDP_PREFIX4,
					   .length = 32,
					   .address = {198, 51, 100, 2}},
				   source4 = {.kind = SPX_XDP_PREFIX4, .length = 24, .address = {192, 0, 2}},
				   net6 = {.kind = SPX_XDP_PREFIX6,
					   .length = 32,
					   .address = {0x20, 0x01, 0x0d, 0xb8}};

/* The frame in no, one and two tags, of both kinds. */
static void
start_tagged(struct frame *f, unsigned tags, uint16_t ethertype)
{
	frame_start(f, tags == 0 ? ethertype : tags == 1 ? TYPE_VLAN : TYPE_QINQ);
	for (unsigned i = tags; i > 0; i--)
		frame_tag(f, (uint16_t)(100 + i), i == 1 ? ethertype : TYPE_VLAN);
}

static void
udp4_tagged(struct frame *f, unsigned tags, unsigned option_words)
{
	start_tagged(f, tags, TYPE_IPV4);
	frame_ipv4(f, IPPROTO_UDP, option_words);
	frame_udp(f);
	frame_data(f, 8);
	frame_close(f);
}

static void
udp6_tagged(struct frame *f, unsigned tags)
{
	start_tagged(f, tags, TYPE_IPV6);
	frame_ipv6(f, IPPROTO_UDP);
	frame_udp(f);
	frame_data(f, 8);
	frame_close(f);
}

Test(xdp_steer, nothing_is_ours_at_first)
{
	struct steering s;
	struct frame f;

	steering_start(&s);
#define EXPECT_KERNEL(name)                                                                                  \
	good_##name(&f);                                                                                     \
	cr_expect(!steering_takes(&s, &f), #name);
	GOOD_FRAME_LIST(EXPECT_KERNEL)
	steering_stop(&s);
}

Test(xdp_steer, everything_is_every_frame)
{
	struct steering s;
	struct frame f;

	steering_start(&s);
	steering_set(&s, &everything, true);
#define EXPECT_OURS(name)                                                                                    \
	good_##name(&f);                                                                                     \
	cr_expect(steering_takes(&s, &f), #name);
	GOOD_FRAME_LIST(EXPECT_OURS)
	frame_udp4(&f, 0);
	f.length = ETH_MIN;
	cr_expect(steering_takes(&s, &f));
	steering_set(&s, &everything, false);
	cr_expect(!steering_takes(&s, &f));
	steering_stop(&s);
}

Test(xdp_steer, without_a_socket_the_kernel_gets_all)
{
	struct steering s;
	struct frame f;

	steering_start(&s);
	steering_set(&s, &everything, true);
	frame_udp4(&f, 0);
	cr_expect(steering_takes(&s, &f));
	steering_lose_socket(&s);
	cr_expect(!steering_takes(&s, &f));
	steering_stop(&s);
}

Test(xdp_steer, udp_ports_in_every_wrapping)
{
	struct steering s;
	struct frame f;

	steering_start(&s);
	steering_set(&s, &the_port, true);
	for (unsigned tags = 0; tags <= 3; tags++) {
		udp4_tagged(&f, tags, 0);
		cr_expect_eq(steering_takes(&s, &f), tags <= 2, "IPv4, %u tags", tags);
		udp4_tagged(&f, tags, 10);
		cr_expect_eq(steering_takes(&s, &f), tags <= 2, "IPv4 with options, %u tags", tags);
		udp6_tagged(&f, tags);
		cr_expect_eq(steering_takes(&s, &f), tags <= 2, "IPv6, %u tags", tags);
	}
	steering_set(&s, &the_port, false);
	udp4_tagged(&f, 0, 0);
	cr_expect(!steering_takes(&s, &f));
	steering_stop(&s);
}

Test(xdp_steer, only_the_destination_port_of_udp)
{
	struct steering s;
	struct frame f;

	steering_start(&s);
	steering_set(&s, &the_port, true);
	frame_tcp4(&f, 2, 0);
	cr_expect(!steering_takes(&s, &f), "TCP");
	udp4_tagged(&f, 0, 0);
	frame_put16(&f, f.udp, DPORT);
	frame_put16(&f, f.udp + 2, 80);
	cr_expect(!steering_takes(&s, &f), "source port");
	/* Neighbours in the same word of the map, and in the next. */
	for (int port = DPORT - 70; port <= DPORT + 70; port++) {
		frame_put16(&f, f.udp + 2, (uint16_t)port);
		cr_expect_eq(steering_takes(&s, &f), port == DPORT, "port %d", port);
	}
	steering_stop(&s);
}

Test(xdp_steer, both_ends_of_the_ports)
{
	const struct spx_xdp_target first = {.kind = SPX_XDP_UDP_PORT, .udp_port = 0},
				    last = {.kind = SPX_XDP_UDP_PORT, .udp_port = 65535};
	struct steering s;
	struct frame f;

	steering_start(&s);
	steering_set(&s, &last, true);
	udp4_tagged(&f, 0, 0);
	frame_put16(&f, f.udp + 2, 65535);
	cr_expect(steering_takes(&s, &f));
	frame_put16(&f, f.udp + 2, 0);
	cr_expect(!steering_takes(&s, &f));
	steering_set(&s, &first, true);
	cr_expect(steering_takes(&s, &f));
	steering_stop(&s);
}

Test(xdp_steer, fragments_have_no_port_but_an_address)
{
	static const uint16_t fields[] = {0x2000, 0x2001, 0x0001, 0x1fff};
	struct steering s;
	struct frame f;

	steering_start(&s);
	steering_set(&s, &the_port, true);
	udp4_tagged(&f, 0, 0);
	frame_put16(&f, f.ip + 6, 0x4000);
	cr_expect(steering_takes(&s, &f), "don't fragment is no fragment");
	for (unsigned i = 0; i < RTE_DIM(fields); i++) {
		frame_put16(&f, f.ip + 6, fields[i]);
		cr_expect(!steering_takes(&s, &f), "fragment field %04x", fields[i]);
	}
	steering_set(&s, &host4, true);
	for (unsigned i = 0; i < RTE_DIM(fields); i++) {
		frame_put16(&f, f.ip + 6, fields[i]);
		cr_expect(steering_takes(&s, &f), "fragment field %04x to the prefix", fields[i]);
	}
	steering_stop(&s);
}

Test(xdp_steer, ipv6_extension_headers_are_for_the_kernel)
{
	struct steering s;
	struct frame f;

	steering_start(&s);
	steering_set(&s, &the_port, true);
	frame_start(&f, TYPE_IPV6);
	frame_ipv6(&f, IPPROTO_HOPOPTS);
	frame_extension(&f, IPPROTO_UDP, 0, 8);
	frame_udp(&f);
	frame_close(&f);
	cr_expect(!steering_takes(&s, &f), "hop-by-hop options");
	frame_start(&f, TYPE_IPV6);
	frame_ipv6(&f, IPPROTO_FRAGMENT);
	frame_fragment(&f, IPPROTO_UDP, 0, true);
	frame_udp(&f);
	frame_close(&f);
	cr_expect(!steering_takes(&s, &f), "fragment");
	steering_set(&s, &net6, true);
	cr_expect(steering_takes(&s, &f), "fragment to the prefix");
	steering_stop(&s);
}

Test(xdp_steer, prefixes_of_the_destination)
{
	struct steering s;
	struct frame tcp, udp6;

	steering_start(&s);
	frame_tcp4(&tcp, 2, 0);
	frame_udp6(&udp6, 0);
	steering_set(&s, &source4, true);
	cr_expect(!steering_takes(&s, &tcp), "a source");
	steering_set(&s, &net4, true);
	cr_expect(steering_takes(&s, &tcp) && !steering_takes(&s, &udp6));
	steering_set(&s, &host4, true);
	steering_set(&s, &net4, false);
	cr_expect(steering_takes(&s, &tcp), "the host alone");
	steering_set(&s, &host4, false);
	cr_expect(!steering_takes(&s, &tcp));
	steering_set(&s, &net6, true);
	cr_expect(steering_takes(&s, &udp6) && !steering_takes(&s, &tcp));
	udp6.bytes[udp6.ip + 27] ^= 1;
	cr_expect(!steering_takes(&s, &udp6), "another prefix");
	steering_stop(&s);
}

/* What ends before the header that decides is the kernel's to judge. */
Test(xdp_steer, short_frames_are_for_the_kernel)
{
	struct steering s;
	struct frame f;

	steering_start(&s);
	steering_set(&s, &the_port, true);
	for (unsigned kind = 0; kind < 6; kind++) {
		uint32_t whole;

		if (kind < 3)
			udp4_tagged(&f, kind, 3);
		else
			udp6_tagged(&f, kind - 3);
		whole = f.udp + 8;
		for (f.length = ETH_MIN; f.length < whole; f.length++)
			cr_expect(!steering_takes(&s, &f), "kind %u, %u bytes", kind, f.length);
		cr_expect(steering_takes(&s, &f), "kind %u, whole", kind);
	}
	steering_stop(&s);
}

Test(xdp_steer, headers_that_lie)
{
	/* What would stand for a port if UDP began four bytes too early: the end of the address. */
	const struct spx_xdp_target early = {.kind = SPX_XDP_UDP_PORT, .udp_port = 100 << 8 | 2};
	struct steering s;
	struct frame f;

	steering_start(&s);
	steering_set(&s, &the_port, true);
	udp4_tagged(&f, 0, 0);
	steering_set(&s, &early, true);
	f.bytes[f.ip] = 0x44;
	cr_expect(!steering_takes(&s, &f), "header of four words");
	f.bytes[f.ip] = 0x65;
	cr_expect(!steering_takes(&s, &f), "version 6 in IPv4");
	f.bytes[f.ip] = 0x4f;
	cr_expect(!steering_takes(&s, &f), "header beyond the frame");
	udp6_tagged(&f, 0);
	f.bytes[f.ip] = 0x40;
	cr_expect(!steering_takes(&s, &f), "version 4 in IPv6");
	steering_stop(&s);
}
