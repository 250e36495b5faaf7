/* The parse stage: headers of a whole burst to flow keys, hashes and layouts.
 *
 * Most packets are plain: untagged IPv4 without options or fragments, UDP or TCP, lengths in order. plain4
 * recognises those with a handful of loads. Everything else, malformed packets included, goes to the general
 * parser (frame.c) in a second pass, so the loop of the first holds no call. Where plain4 says yes, the two
 * agree; a test runs both.
 */
#include <netinet/in.h>

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_prefetch.h>

#include "lib/net/fold.h"
#include "lib/net/parse.h"

#define PREFETCH_AHEAD 4u /* packets between asking for a header's cache line and reading it */
#define PLAIN_L3       14u
#define PLAIN_L4       34u

static inline uint16_t
load16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t
load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t
load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* proto and context as they stand at bytes 12...15 of a key, in the upper half of its second word. */
static inline uint64_t
key_tail(uint8_t proto, uint32_t context)
{
	return (uint64_t)(rte_cpu_to_be_32(context) | proto) << 32;
}

/* The layout of a plain packet, to be stored at once. */
static inline uint64_t
layout_word(uint8_t flags)
{
	const struct spx_layout layout = {
		.ethertype = 0x0800, .l3 = PLAIN_L3, .l4 = PLAIN_L4, .flags = flags};
	uint64_t word;

	static_assert(sizeof(layout) == sizeof(word), "a layout is a word");
	memcpy(&word, &layout, sizeof(word));
	return word;
}

/* True when the frame is plain; then *word holds the two words of its key but for the context, and *syn
 * whether it opens a TCP connection. `available` is the contiguous length, in which a plain packet lies
 * wholly. */
static inline bool
plain4(const uint8_t *frame, uint32_t available, uint64_t word[2], bool *syn)
{
	uint32_t transport;
	uint8_t proto;

	/* 54 = Ethernet + IPv4 + TCP; a shorter frame that is not padded takes the general way. */
	if (unlikely(available < 54 || load16(frame + 12) != RTE_BE16(0x0800) || frame[PLAIN_L3] != 0x45 ||
		     (load16(frame + PLAIN_L3 + 6) & RTE_BE16(0x3fff)) != 0))
		return false;
	/* Wraps when the total length is below 20, and then is beyond every frame. */
	transport = rte_be_to_cpu_16(load16(frame + PLAIN_L3 + 2)) - 20u;
	if (unlikely(transport > available - PLAIN_L4))
		return false;
	proto = frame[PLAIN_L3 + 9];
	if (proto == IPPROTO_UDP) {
		uint32_t length = rte_be_to_cpu_16(load16(frame + PLAIN_L4 + 4));

		if (unlikely(length < 8 || length > transport))
			return false;
		*syn = false;
	} else if (proto == IPPROTO_TCP) {
		uint32_t header = (uint32_t)(frame[PLAIN_L4 + 12] >> 4) * 4;

		if (unlikely(header < 20 || header > transport))
			return false;
		*syn = (frame[PLAIN_L4 + 13] & 0x12) == 0x02;
	} else {
		return false;
	}
	word[0] = load64(frame + PLAIN_L3 + 12);
	word[1] = load32(frame + PLAIN_L4) | (uint64_t)proto << 32;
	return true;
}

/* Writes the key of a parsed frame: addresses as they lie in the header, then ports, protocol, context. */
static void
key4_fill(struct spx_key4 *key, const struct spx_frame *f)
{
	uint64_t tail = key_tail(f->proto, f->context) | (uint32_t)f->ports[1] << 16 | f->ports[0];

	memcpy(key->sip, f->bytes + f->layout.l3 + 12, 8);
	memcpy(key->sport, &tail, sizeof(tail));
}

static void
key6_fill(struct spx_key6 *key, const struct spx_frame *f)
{
	uint64_t tail = key_tail(f->proto, f->context) | (uint32_t)f->ports[1] << 16 | f->ports[0];

	memcpy(key->sip, f->bytes + f->layout.l3 + 8, 32);
	memcpy(key->sport, &tail, sizeof(tail));
}

uint64_t
spx_net_flow_hash(const uint8_t *bytes, uint32_t captured, uint32_t length, const struct spx_hash_seed *seed)
{
	struct spx_frame f = {.bytes = bytes, .room = captured, .length = length};
	struct spx_key4 key4;
	struct spx_key6 key6;

	switch (spx_frame_parse(&f, 0)) {
	case SPX_FRAME_IPV4:
		key4_fill(&key4, &f);
		return spx_fold_key4(seed, &key4);
	case SPX_FRAME_IPV6:
		key6_fill(&key6, &f);
		return spx_fold_key6(seed, &key6);
	default:
		return 0;
	}
}

/* The general way for packet i: fills its key, hash and layout and puts it into its set. */
static void
parse_general(struct spx_burst *b, unsigned i, const struct spx_net_options *options)
{
	struct rte_mbuf *m = b->pkt[i];
	struct spx_frame f = {
		.bytes = rte_pktmbuf_mtod(m, const uint8_t *),
		.room = m->data_len,
		.length = m->pkt_len,
		.checksum_bad = (m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_BAD,
		.verify_checksum = options->verify_checksum,
	};

	if (m->pkt_len > options->max_frame) {
		spx_burst_drop(b, i, SPX_DROP_oversize);
		return;
	}
	switch (spx_frame_parse(&f, b->in_port)) {
	case SPX_FRAME_IPV4:
		key4_fill(&b->key4[i], &f);
		b->hash[i] = spx_fold_key4(&options->seed, &b->key4[i]);
		b->ipv4 |= spx_set_one(i);
		break;
	case SPX_FRAME_IPV6:
		key6_fill(&b->key6[i], &f);
		b->hash[i] = spx_fold_key6(&options->seed, &b->key6[i]);
		b->ipv6 |= spx_set_one(i);
		break;
	case SPX_FRAME_OTHER:
		b->other |= spx_set_one(i);
		break;
	case SPX_FRAME_BAD:
		spx_burst_drop(b, i, f.reason);
		break;
	}
	b->length[i] = m->pkt_len;
	b->layout[i] = f.layout;
}

/* Parses the plain packets of b->alive. Returns the set of the rest, which it has not touched. */
static uint64_t
parse_plain(struct spx_burst *b, const struct spx_net_options *options)
{
	const uint64_t layouts[2] = {layout_word(0), layout_word(SPX_LAYOUT_TCP_SYN)};
	const uint64_t tail = key_tail(0, b->in_port & SPX_CONTEXT_PORT_MASK);
	const unsigned n = b->n;
	const uint32_t max_frame = options->max_frame;
	const bool verify = options->verify_checksum;
	const uintptr_t table4 = (uintptr_t)options->table4; /* NULL has no elements, but a line 0 */
	const uint64_t lines4 = options->lines4;
	uint64_t rest = 0;
	unsigned i;

	SPX_FOREACH (i, b->alive) {
		struct rte_mbuf *m = b->pkt[i];
		const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
		uint64_t word[2];
		bool syn;

		if (i + PREFETCH_AHEAD < n)
			rte_prefetch0(rte_pktmbuf_mtod(b->pkt[i + PREFETCH_AHEAD], const void *));
		if (unlikely(m->pkt_len > max_frame || !plain4(frame, m->data_len, word, &syn) ||
			     (m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_BAD) != 0 || /* or NONE */
			     (verify && spx_net_sum4(frame + PLAIN_L3, 5) != 0xffff))) {
			rest |= spx_set_one(i);
			continue;
		}
		word[1] |= tail;
		memcpy(&b->key4[i], word, sizeof(word));
		b->hash[i] = spx_fold_key4(&options->seed, &b->key4[i]);
		rte_prefetch0(
			(const void *)(table4 + ((b->hash[i] >> 32) * lines4 >> 32) * RTE_CACHE_LINE_SIZE));
		b->length[i] = m->pkt_len;
		memcpy(&b->layout[i], &layouts[syn], sizeof(b->layout[i]));
	}
	return rest;
}

void
spx_net_parse(struct spx_burst *b, const struct spx_net_options *options)
{
	uint64_t rest;
	unsigned i;

	for (i = 0; i < RTE_MIN(PREFETCH_AHEAD, b->n); i++)
		rte_prefetch0(rte_pktmbuf_mtod(b->pkt[i], const void *));
	rest = parse_plain(b, options);
	b->ipv4 = b->alive & ~rest;
	b->ipv6 = b->other = b->drop = b->punt = 0;
	SPX_FOREACH (i, rest)
		parse_general(b, i, options);
}
