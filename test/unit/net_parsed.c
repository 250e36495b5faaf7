/* See net_parsed.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "lib/net/parse.h"
#include "test/unit/net_parsed.h"

const struct spx_net_options parsed_options = {
	.seed.word = {0x0123456789abcdef, 0x1133557799bbddff, 0xfedcba9876543210, 0x8040201008040201},
	.max_frame = 1518,
};

static void
put_tail(uint8_t *sport, const uint16_t ports[2], uint8_t proto, uint32_t bits)
{
	memcpy(sport, &ports[0], 2);
	memcpy(sport + 2, &ports[1], 2);
	sport[4] = proto;
	for (unsigned i = 0; i < 3; i++)
		sport[5 + i] = (uint8_t)(bits >> (16 - 8 * i));
}

struct parsed
parsed_from_burst(const struct spx_burst *b, unsigned i)
{
	struct parsed p = {0};
	uint64_t one = spx_set_one(i);
	int sets = !!(b->ipv4 & one) + !!(b->ipv6 & one) + !!(b->other & one) + !!(b->drop & one);

	cr_assert_eq(sets, 1, "packet %u is in %d sets", i, sets);
	cr_assert_eq(!!(b->alive & one), !(b->drop & one), "packet %u: alive and drop", i);
	if (b->drop & one) {
		p.kind = PARSED_DROP;
		p.reason = b->reason[i];
		return p;
	}
	p.layout = b->layout[i];
	p.kind = b->other & one ? PARSED_OTHER : b->ipv4 & one ? PARSED_IPV4 : PARSED_IPV6;
	if (p.kind == PARSED_IPV4)
		p.key4 = b->key4[i];
	if (p.kind == PARSED_IPV6)
		p.key6 = b->key6[i];
	if (p.kind != PARSED_OTHER)
		p.hash = b->hash[i];
	return p;
}

struct parsed
parsed_by_stage(struct rte_mbuf *m, const struct spx_net_options *options)
{
	static struct spx_burst b; /* stale content of the packet before is part of the test */

	b.n = 1;
	b.in_port = PARSED_PORT;
	b.pkt[0] = m;
	b.alive = 1;
	spx_net_parse(&b, options);
	return parsed_from_burst(&b, 0);
}

struct parsed
parsed_by_general(struct rte_mbuf *m, const struct spx_net_options *options)
{
	struct parsed p = {0};
	struct spx_frame f = {
		.bytes = rte_pktmbuf_mtod(m, const uint8_t *),
		.room = m->data_len,
		.length = m->pkt_len,
		.checksum_bad = (m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_BAD,
		.verify_checksum = options->verify_checksum,
	};

	if (m->pkt_len > options->max_frame)
		return (struct parsed){.kind = PARSED_DROP, .reason = SPX_DROP_oversize};
	switch (spx_frame_parse(&f, PARSED_PORT)) {
	case SPX_FRAME_BAD:
		return (struct parsed){.kind = PARSED_DROP, .reason = f.reason};
	case SPX_FRAME_OTHER:
		p.kind = PARSED_OTHER;
		break;
	case SPX_FRAME_IPV4:
		p.kind = PARSED_IPV4;
		memcpy(p.key4.sip, f.bytes + f.layout.l3 + 12, 8);
		put_tail(p.key4.sport, f.ports, f.proto, f.context);
		p.hash = spx_hash4(&options->seed, &p.key4);
		break;
	case SPX_FRAME_IPV6:
		p.kind = PARSED_IPV6;
		memcpy(p.key6.sip, f.bytes + f.layout.l3 + 8, 32);
		put_tail(p.key6.sport, f.ports, f.proto, f.context);
		p.hash = spx_hash6(&options->seed, &p.key6);
		break;
	}
	p.layout = f.layout;
	return p;
}

bool
parsed_equal(const struct parsed *a, const struct parsed *b)
{
	return a->kind == b->kind && a->reason == b->reason && a->hash == b->hash &&
	       memcmp(&a->layout, &b->layout, sizeof(a->layout)) == 0 &&
	       memcmp(&a->key4, &b->key4, sizeof(a->key4)) == 0 &&
	       memcmp(&a->key6, &b->key6, sizeof(a->key6)) == 0;
}

const char *
parsed_text(const struct parsed *p)
{
	static char texts[4][256];
	static unsigned turn;
	const uint8_t *key = p->kind == PARSED_IPV4 ? p->key4.sip : p->key6.sip;
	unsigned bytes = p->kind == PARSED_IPV4   ? sizeof(p->key4)
			 : p->kind == PARSED_IPV6 ? sizeof(p->key6)
						  : 0;
	char *text = texts[turn++ % RTE_DIM(texts)];
	int n;

	if (p->kind == PARSED_DROP) {
		snprintf(text, sizeof(texts[0]), "dropped: %s", spx_drop_name(p->reason));
		return text;
	}
	n = snprintf(text, sizeof(texts[0]), "type %04x vlan %u l3 %u l4 %u flags %x hash %016lx key ",
		p->layout.ethertype, p->layout.vlan, p->layout.l3, p->layout.l4, p->layout.flags, p->hash);
	for (unsigned i = 0; i < bytes; i++)
		n += snprintf(text + n, sizeof(texts[0]) - (size_t)n, "%02x", key[i]);
	return text;
}

struct parsed
parsed_frame(const struct frame *f)
{
	struct rte_mbuf *m = frame_mbuf(f->bytes, f->length);
	struct parsed p = parsed_by_stage(m, &parsed_options);

	frame_mbuf_free(m);
	return p;
}

void
expect_kind(const struct frame *f, enum parsed_kind kind)
{
	struct parsed p = parsed_frame(f);

	cr_assert_eq(p.kind, kind, "kind %d expected, is %d: %s", kind, p.kind, parsed_text(&p));
}

void
expect_drop(const struct frame *f, enum spx_drop reason)
{
	struct parsed p = parsed_frame(f);

	cr_assert(p.kind == PARSED_DROP && p.reason == reason, "%s expected: %s", spx_drop_name(reason),
		parsed_text(&p));
}

void
expect_tail4(const struct frame *f, uint16_t sport, uint16_t dport, uint8_t proto, uint32_t context)
{
	const uint8_t expected[16] = {192, 0, 2, 1, 198, 51, 100, 2, (uint8_t)(sport >> 8), (uint8_t)sport,
		(uint8_t)(dport >> 8), (uint8_t)dport, proto, (uint8_t)(context >> 16),
		(uint8_t)(context >> 8), (uint8_t)context};
	struct parsed p = parsed_frame(f);

	cr_assert_eq(p.kind, PARSED_IPV4, "kind %d: %s", p.kind, parsed_text(&p));
	cr_assert_arr_eq(&p.key4, expected, sizeof(expected), "%s", parsed_text(&p));
	cr_assert_eq(p.hash, spx_hash4(&parsed_options.seed, &p.key4));
}

void
expect_tail6(const struct frame *f, uint16_t sport, uint16_t dport, uint8_t proto, uint32_t context)
{
	const uint8_t expected[40] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1, 0x20, 0x01, 0x0d, 0xb8, [31] = 2,
		(uint8_t)(sport >> 8), (uint8_t)sport, (uint8_t)(dport >> 8), (uint8_t)dport, proto,
		(uint8_t)(context >> 16), (uint8_t)(context >> 8), (uint8_t)context};
	struct parsed p = parsed_frame(f);

	cr_assert_eq(p.kind, PARSED_IPV6, "kind %d: %s", p.kind, parsed_text(&p));
	cr_assert_arr_eq(&p.key6, expected, sizeof(expected), "%s", parsed_text(&p));
	cr_assert_eq(p.hash, spx_hash6(&parsed_options.seed, &p.key6));
}
