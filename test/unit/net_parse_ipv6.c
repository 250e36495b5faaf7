/* IPv6: keys, ICMPv6, chains of extension headers, fragments. */
#include <netinet/in.h>
#include <string.h>

#include <criterion/criterion.h>

#include "test/unit/good_frames.h"
#include "test/unit/net_parsed.h"

static void
expect_layout(const struct frame *f, uint16_t l4, uint8_t flags)
{
	struct parsed p = parsed_frame(f);
	const struct spx_layout expected = {.ethertype = TYPE_IPV6, .l3 = 14, .l4 = l4, .flags = flags};

	cr_assert_arr_eq(&p.layout, &expected, sizeof(expected), "%s", parsed_text(&p));
}

Test(net_parse_ipv6, udp_and_tcp)
{
	struct frame f;

	for (uint32_t data = 0; data < 32; data++) {
		frame_udp6(&f, data);
		f.bytes[15] = 0xff; /* traffic class and flow label are no part of the key */
		f.bytes[16] = 0xff;
		expect_tail6(&f, FRAME_SPORT, FRAME_DPORT, IPPROTO_UDP, PARSED_PORT);
		expect_layout(&f, 54, 0);
	}
	good_tcp6(&f);
	expect_tail6(&f, FRAME_SPORT, FRAME_DPORT, IPPROTO_TCP, PARSED_PORT);
	expect_layout(&f, 54, SPX_LAYOUT_TCP_SYN);
}

/* RFC 4443 echo and RFC 8335 extended echo carry an identifier. */
Test(net_parse_ipv6, icmp)
{
	for (unsigned type = 0; type < 256; type++) {
		bool has = type == 128 || type == 129 || type == 160 || type == 161;
		uint8_t code = (uint8_t)(type * 7);
		struct frame f;

		frame_start(&f, TYPE_IPV6);
		frame_ipv6(&f, IPPROTO_ICMPV6);
		frame_icmp(&f, (uint8_t)type, code, 0xbeef);
		frame_close(&f);
		expect_tail6(&f, (uint16_t)(type << 8 | code), has ? 0xbeef : 0, IPPROTO_ICMPV6, PARSED_PORT);
		expect_layout(&f, 54, 0);
		f.length = 58; /* type, code, checksum */
		frame_close(&f);
		if (has)
			expect_drop(&f, SPX_DROP_icmp_truncated);
		else
			expect_tail6(&f, (uint16_t)(type << 8 | code), 0, IPPROTO_ICMPV6, PARSED_PORT);
	}
}

static bool
is_extension(unsigned next)
{
	return next == 0 || next == 43 || next == 44 || next == 51 || next == 60 || next == 135 ||
	       next == 139 || next == 140;
}

/* Encrypted and unknown payloads end the chain with ports 0, and so does IPv4's ICMP. Behind "no next header"
 * nothing follows, though bytes may. */
Test(net_parse_ipv6, other_protocols)
{
	for (unsigned next = 0; next < 256; next++) {
		struct frame f;

		if (is_extension(next) || next == IPPROTO_TCP || next == IPPROTO_UDP ||
			next == IPPROTO_ICMPV6)
			continue;
		for (uint32_t data = 0; data <= 12; data += 3) {
			frame_start(&f, TYPE_IPV6);
			frame_ipv6(&f, 60);
			frame_extension(&f, (uint8_t)next, 0, 8);
			frame_data(&f, data);
			frame_close(&f);
			expect_tail6(&f, 0, 0, (uint8_t)next, PARSED_PORT);
			expect_layout(&f, next == IPPROTO_NONE ? 0 : 62, 0);
		}
	}
}

/* Each kind of extension header with the lengths it can have. */
Test(net_parse_ipv6, one_extension_of_every_length)
{
	static const uint8_t kinds[] = {0, 43, 60, 135, 139, 140, 51};

	for (unsigned i = 0; i < RTE_DIM(kinds); i++) {
		for (unsigned field = 0; field < 256; field += field < 8 ? 1 : 31) {
			uint32_t size = kinds[i] == 51 ? (field + 2) * 4 : (field + 1) * 8;
			struct spx_net_options options = parsed_options;
			struct rte_mbuf *m;
			struct parsed p;
			struct frame f;

			options.max_frame = FRAME_MAX;
			frame_start(&f, TYPE_IPV6);
			frame_ipv6(&f, kinds[i]);
			frame_extension(&f, IPPROTO_UDP, (uint8_t)field, size);
			frame_udp(&f);
			frame_close(&f);
			m = frame_mbuf(f.bytes, f.length);
			p = parsed_by_stage(m, &options);
			cr_assert_eq(p.kind, PARSED_IPV6, "kind %u field %u: %s", kinds[i], field,
				parsed_text(&p));
			cr_assert_eq(p.layout.l4, 54 + size);
			cr_assert(p.key6.sport[0] == 0x12 && p.key6.proto == IPPROTO_UDP);
			frame_mbuf_free(m);
		}
	}
}

Test(net_parse_ipv6, chains)
{
	struct frame f;

	good_chain6(&f);
	expect_tail6(&f, FRAME_SPORT, FRAME_DPORT, IPPROTO_TCP, PARSED_PORT);
	expect_layout(&f, 54 + 8 + 16 + 24 + 24 + 8, SPX_LAYOUT_TCP_SYN);
	good_eight_extensions(&f);
	expect_tail6(&f, 0, 0, IPPROTO_NONE, PARSED_PORT);
	for (unsigned n = 0; n <= 12; n++) {
		frame_start(&f, TYPE_IPV6);
		frame_ipv6(&f, n > 0 ? 60 : IPPROTO_UDP);
		for (unsigned i = 1; i <= n; i++)
			frame_extension(&f, i < n ? 60 : IPPROTO_UDP, 0, 8);
		frame_udp(&f);
		frame_close(&f);
		if (n <= 8) {
			expect_tail6(&f, FRAME_SPORT, FRAME_DPORT, IPPROTO_UDP, PARSED_PORT);
			expect_layout(&f, (uint16_t)(54 + 8 * n), 0);
		} else {
			expect_drop(&f, SPX_DROP_ipv6_extension);
		}
	}
}

/* RFC 8200 section 4.5. All fragments of a packet have the same key: protocol is the next header of the
 * fragment header, even where the first fragment shows a further extension header. */
Test(net_parse_ipv6, fragments)
{
	static const struct {
		uint16_t offset;
		bool more;
	} cases[] = {{0, true}, {1, true}, {100, true}, {100, false}, {8000, false}};
	static const uint8_t nexts[] = {IPPROTO_UDP, IPPROTO_ICMPV6, 60, 44, IPPROTO_ESP};

	for (unsigned i = 0; i < RTE_DIM(cases) * RTE_DIM(nexts); i++) {
		uint8_t next = nexts[i % RTE_DIM(nexts)];
		struct frame f;

		frame_start(&f, TYPE_IPV6);
		frame_ipv6(&f, 0);
		frame_extension(&f, 44, 0, 8);
		frame_fragment(&f, next, cases[i / RTE_DIM(nexts)].offset, cases[i / RTE_DIM(nexts)].more);
		frame_data(&f, i % 2 * 16);
		frame_close(&f);
		expect_tail6(&f, 0, 0, next, SPX_CONTEXT_FRAGMENT | PARSED_PORT);
		expect_layout(&f, 0, SPX_LAYOUT_FRAGMENT);
	}
}

/* RFC 6946: offset 0 and nothing more to come is a whole packet; the reserved bits do not matter. */
Test(net_parse_ipv6, atomic_fragment)
{
	struct frame f;

	good_atomic6(&f);
	expect_tail6(&f, FRAME_SPORT, FRAME_DPORT, IPPROTO_UDP, PARSED_PORT);
	expect_layout(&f, 62, 0);
	frame_put16(&f, 56, 0x0006);
	expect_tail6(&f, FRAME_SPORT, FRAME_DPORT, IPPROTO_UDP, PARSED_PORT);
}

/* RFC 8200 section 4.5: the payload length of the whole packet, extension headers before the fragment header
 * included, is at most 65,535. */
Test(net_parse_ipv6, fragments_at_the_largest_packet)
{
	for (uint32_t before = 0; before <= 24; before += 8) {
		for (uint32_t data = 1; data <= 40; data++) {
			struct frame f;

			frame_start(&f, TYPE_IPV6);
			frame_ipv6(&f, before > 0 ? 60 : 44);
			if (before > 0)
				frame_extension(&f, 44, (uint8_t)(before / 8 - 1), before);
			frame_fragment(&f, IPPROTO_UDP, 8187, false);
			frame_data(&f, data);
			frame_close(&f);
			if (before + 8187 * 8 + data <= 65535)
				expect_kind(&f, PARSED_IPV6);
			else
				expect_drop(&f, SPX_DROP_fragment_overrun);
		}
	}
}
