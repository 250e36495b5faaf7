/* IPv4: every field of key and layout, ICMP, options, fragments, padding, checksum. */
#include <netinet/in.h>
#include <string.h>

#include <criterion/criterion.h>

#include "test/unit/good_frames.h"
#include "test/unit/net_parsed.h"

static void
expect_layout(const struct frame *f, uint8_t l3, uint16_t l4, uint8_t flags)
{
	struct parsed p = parsed_frame(f);
	const struct spx_layout expected = {.ethertype = TYPE_IPV4, .l3 = l3, .l4 = l4, .flags = flags};

	cr_assert_arr_eq(&p.layout, &expected, sizeof(expected), "%s", parsed_text(&p));
}

Test(net_parse_ipv4, udp_and_tcp)
{
	struct frame f;

	for (uint32_t data = 0; data < 64; data++) {
		frame_udp4(&f, data);
		expect_tail4(&f, FRAME_SPORT, FRAME_DPORT, IPPROTO_UDP, PARSED_PORT);
		expect_layout(&f, 14, 34, 0);
		frame_tcp4(&f, 0x10, data);
		expect_tail4(&f, FRAME_SPORT, FRAME_DPORT, IPPROTO_TCP, PARSED_PORT);
		expect_layout(&f, 14, 34, 0);
	}
}

/* SYN without ACK opens a connection, whatever the other flags say. */
Test(net_parse_ipv4, syn_flag)
{
	for (unsigned flags = 0; flags < 256; flags++) {
		struct frame f;

		frame_tcp4(&f, (uint8_t)flags, 0);
		expect_layout(&f, 14, 34, (flags & 0x12) == 0x02 ? SPX_LAYOUT_TCP_SYN : 0);
	}
}

/* RFC 791: Internet header length 5...15 words. */
Test(net_parse_ipv4, options_shift_the_transport_header)
{
	for (unsigned words = 0; words <= 10; words++) {
		struct frame f;

		frame_start(&f, TYPE_IPV4);
		frame_ipv4(&f, IPPROTO_TCP, words);
		frame_tcp(&f, 0x02);
		frame_close(&f);
		expect_tail4(&f, FRAME_SPORT, FRAME_DPORT, IPPROTO_TCP, PARSED_PORT);
		expect_layout(&f, 14, (uint16_t)(34 + words * 4), SPX_LAYOUT_TCP_SYN);
	}
}

/* RFC 792 echo, timestamp, information; RFC 950 mask; RFC 8335 extended echo: these carry an identifier. */
Test(net_parse_ipv4, icmp)
{
	static const uint8_t identified[] = {0, 8, 13, 14, 15, 16, 17, 18, 42, 43};

	for (unsigned type = 0; type < 256; type++) {
		bool has = memchr(identified, (int)type, sizeof(identified)) != NULL;
		uint8_t code = (uint8_t)(type * 7);
		struct frame f;

		frame_start(&f, TYPE_IPV4);
		frame_ipv4(&f, IPPROTO_ICMP, 0);
		frame_icmp(&f, (uint8_t)type, code, 0xbeef);
		frame_close(&f);
		expect_tail4(&f, (uint16_t)(type << 8 | code), has ? 0xbeef : 0, IPPROTO_ICMP, PARSED_PORT);
		expect_layout(&f, 14, 34, 0);
	}
}

/* Every other protocol has ports 0 and is not looked into: its header may be missing altogether. ICMPv6 is
 * such a protocol here, its checksum needs IPv6. */
Test(net_parse_ipv4, other_protocols)
{
	for (unsigned proto = 0; proto < 256; proto++) {
		struct frame f;

		if (proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_ICMP)
			continue;
		for (uint32_t data = 0; data <= 24; data += 3) {
			frame_start(&f, TYPE_IPV4);
			frame_ipv4(&f, (uint8_t)proto, 0);
			frame_data(&f, data);
			frame_close(&f);
			expect_tail4(&f, 0, 0, (uint8_t)proto, PARSED_PORT);
			expect_layout(&f, 14, proto == IPPROTO_NONE ? 0 : 34, 0);
		}
	}
}

/* First, middle and last fragment alike: ports 0, the fragment bit, no transport header, even one too short
 * for it. Don't-fragment and the reserved bit make no fragment. */
Test(net_parse_ipv4, fragments)
{
	static const uint16_t fields[] = {0x2000, 0x2001, 0x0001, 0x1f00, 0x6000, 0xa010, 0x2f00};
	struct frame f;

	for (unsigned i = 0; i < RTE_DIM(fields); i++) {
		for (uint32_t data = 0; data <= 24; data += 8) {
			good_ipv4_bare(&f);
			f.bytes[23] = i % 2 != 0 ? IPPROTO_UDP : IPPROTO_ICMP;
			frame_put16(&f, 20, fields[i]);
			frame_data(&f, data);
			frame_close(&f);
			expect_tail4(&f, 0, 0, f.bytes[23], SPX_CONTEXT_FRAGMENT | PARSED_PORT);
			expect_layout(&f, 14, 0, SPX_LAYOUT_FRAGMENT);
		}
	}
	frame_udp4(&f, 12);
	frame_put16(&f, 20, 0xc000);
	expect_tail4(&f, FRAME_SPORT, FRAME_DPORT, IPPROTO_UDP, PARSED_PORT);
}

/* RFC 791: a datagram has at most 65,535 bytes, its header with them. */
Test(net_parse_ipv4, fragments_at_the_largest_datagram)
{
	for (unsigned words = 0; words <= 10; words += 5) {
		for (uint32_t data = 1; data <= 40; data++) {
			struct frame f;
			bool fits = 20 + words * 4 + 8183 * 8 + data <= 65535;

			frame_start(&f, TYPE_IPV4);
			frame_ipv4(&f, IPPROTO_UDP, words);
			frame_put16(&f, f.ip + 6, 8183);
			frame_data(&f, data);
			frame_close(&f);
			if (fits)
				expect_kind(&f, PARSED_IPV4);
			else
				expect_drop(&f, SPX_DROP_fragment_overrun);
		}
	}
}

/* The packet ends where its total length says; bytes behind it are padding, whatever they look like. */
Test(net_parse_ipv4, padding_is_not_packet)
{
	struct frame f, padded;

	for (unsigned i = 0; i < GOOD_FRAMES; i++) {
		struct parsed p, q;

		good_frames[i](&f);
		padded = f;
		frame_data(&padded, 46);
		p = parsed_frame(&f);
		q = parsed_frame(&padded);
		cr_assert(parsed_equal(&p, &q), "frame %u: %s", i, parsed_text(&q));
	}
	frame_udp4(&f, 4);
	frame_data(&f, 30);
	frame_put16(&f, 38, 13); /* UDP length one beyond the packet, though not beyond the frame */
	expect_drop(&f, SPX_DROP_udp_length);
	frame_put16(&f, 16, 26); /* ... which ends inside the UDP header */
	expect_drop(&f, SPX_DROP_udp_truncated);
	frame_tcp4(&f, 0, 0);
	frame_data(&f, 6);
	f.bytes[46] = 6 << 4;
	expect_drop(&f, SPX_DROP_tcp_header_length);
}

Test(net_parse_ipv4, checksum_is_verified_when_asked)
{
	struct spx_net_options verify = parsed_options;
	void (*const builds[])(struct frame *) = {
		good_udp4, good_tcp4, good_icmp4, good_ipv4_options, good_fragment4};

	verify.verify_checksum = true;
	for (unsigned i = 0; i < RTE_DIM(builds); i++) {
		struct frame f;

		builds[i](&f);
		for (uint32_t at = f.ip; at < f.ip + (f.bytes[f.ip] & 0xf) * 4u; at++) {
			/* Version, lengths, fragment field and protocol can be wrong by themselves. */
			bool judged = at < f.ip + 4 || (at & ~1u) == f.ip + 6 || at == f.ip + 9;
			struct rte_mbuf *m = frame_mbuf(f.bytes, f.length);
			struct parsed p = parsed_by_stage(m, &verify);

			cr_assert_eq(p.kind, PARSED_IPV4, "build %u: %s", i, parsed_text(&p));
			((uint8_t *)m->buf_addr)[at] ^= 0x10;
			p = parsed_by_stage(m, &parsed_options);
			cr_assert(judged || p.kind != PARSED_DROP, "build %u byte %u: %s", i, at,
				parsed_text(&p));
			p = parsed_by_stage(m, &verify);
			cr_assert(p.kind == PARSED_DROP && (judged || p.reason == SPX_DROP_ipv4_checksum),
				"build %u byte %u: %s", i, at, parsed_text(&p));
			frame_mbuf_free(m);
		}
	}
}
