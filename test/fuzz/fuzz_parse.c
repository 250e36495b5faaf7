/* Frames into spx_net_parse: no input may read past the frame, the outcome must be consistent, and the short
 * cut for plain packets must agree with the general parser.
 *
 * Input: one byte of options, one byte of first-segment length, then the frame. The mbufs are made by hand
 * (no EAL, no mempool) and each segment ends where its malloc'ed buffer ends, so that ASan sees a read beyond
 * it. */
#include <stdlib.h>
#include <string.h>

#include "lib/net/parse.h"

enum {
	VERIFY_CHECKSUM = 1 << 0,
	PORT_SAYS_BAD_CHECKSUM = 1 << 1,
	TWO_SEGMENTS = 1 << 2, /* the first of as many bytes as the second byte of the input says */
	SMALL_PORT = 1 << 3,   /* largest frame 128 bytes */
};

#define IN_PORT 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool condition)
{
	if (!condition)
		abort();
}

/* A segment over a copy of n bytes that ends with its allocation. Freed with its buf_addr. */
static void
fill_segment(struct rte_mbuf *m, const uint8_t *data, uint32_t n)
{
	memset(m, 0, sizeof(*m));
	m->buf_addr = malloc(n > 0 ? n : 1);
	require(m->buf_addr != NULL);
	if (n > 0)
		memcpy(m->buf_addr, data, n);
	else
		m->data_off = 1;
	m->buf_len = (uint16_t)(m->data_off + n);
	m->data_len = (uint16_t)n;
	m->pkt_len = n;
	m->nb_segs = 1;
	m->port = IN_PORT;
	rte_mbuf_refcnt_set(m, 1);
}

/* What net.h and base.h promise of every parsed packet. */
static void
check_outcome(const struct spx_burst *b, const struct spx_net_options *options, uint32_t frame)
{
	unsigned outcomes = (unsigned)((b->ipv4 & 1) + (b->ipv6 & 1) + (b->other & 1) + (b->drop & 1));

	require(((b->ipv4 | b->ipv6 | b->other | b->drop | b->alive) & ~UINT64_C(1)) == 0);
	require(outcomes == 1);
	require((b->alive & 1) == !(b->drop & 1));
	if (b->drop & 1) {
		require(b->reason[0] < SPX_DROP_rule_drop);
		return;
	}
	require(frame <= options->max_frame);
	require(b->layout[0].l3 >= 14 && b->layout[0].l3 <= frame);
	require(b->layout[0].l4 <= frame);
	require(b->layout[0].vlan < 4096);
	if (b->ipv4 & 1) {
		require(b->layout[0].ethertype == 0x0800);
		require(b->hash[0] == spx_hash4(&options->seed, &b->key4[0]));
		require((b->key4[0].context[2] & 0x7f) == IN_PORT);
	}
	if (b->ipv6 & 1) {
		require(b->layout[0].ethertype == 0x86dd);
		require(b->hash[0] == spx_hash6(&options->seed, &b->key6[0]));
		require((b->key6[0].context[2] & 0x7f) == IN_PORT);
	}
}

/* The general parser on the same frame. */
static void
check_agreement(const struct spx_burst *b, const struct spx_net_options *options)
{
	const struct rte_mbuf *m = b->pkt[0];
	struct spx_frame f = {
		.bytes = rte_pktmbuf_mtod(m, const uint8_t *),
		.room = m->data_len,
		.length = m->pkt_len,
		.checksum_bad = m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_BAD,
		.verify_checksum = options->verify_checksum,
	};
	enum spx_frame_kind kind;

	if (m->pkt_len > options->max_frame) {
		require((b->drop & 1) && b->reason[0] == SPX_DROP_oversize);
		return;
	}
	kind = spx_frame_parse(&f, IN_PORT);
	require((kind == SPX_FRAME_BAD) == ((b->drop & 1) == 1));
	require((kind == SPX_FRAME_IPV4) == ((b->ipv4 & 1) == 1));
	require((kind == SPX_FRAME_IPV6) == ((b->ipv6 & 1) == 1));
	if (kind == SPX_FRAME_BAD)
		require(b->reason[0] == f.reason);
	else
		require(memcmp(&b->layout[0], &f.layout, sizeof(f.layout)) == 0);
	if (kind == SPX_FRAME_IPV4) {
		require(memcmp(b->key4[0].sip, f.bytes + f.layout.l3 + 12, 8) == 0);
		require(memcmp(b->key4[0].sport, f.ports, 4) == 0);
		require(b->key4[0].proto == f.proto);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct spx_burst b;
	struct rte_mbuf first, second;
	struct spx_net_options options = {.max_frame = 2048};
	uint32_t frame, head;

	if (size < 2 || size > 4096)
		return 0;
	frame = (uint32_t)size - 2;
	head = frame;
	if ((data[0] & TWO_SEGMENTS) && data[1] < frame)
		head = data[1];
	options.verify_checksum = data[0] & VERIFY_CHECKSUM;
	if (data[0] & SMALL_PORT)
		options.max_frame = 128;
	spx_hash_seed_from(&options.seed, 1);

	fill_segment(&first, data + 2, head);
	fill_segment(&second, data + 2 + head, frame - head);
	if (head < frame) {
		first.next = &second;
		first.nb_segs = 2;
		first.pkt_len = frame;
	}
	if (data[0] & PORT_SAYS_BAD_CHECKSUM)
		first.ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_BAD;

	memset(&b, 0xa5, sizeof(b)); /* what the burst before left must not matter */
	b.n = 1;
	b.in_port = IN_PORT;
	b.alive = 1;
	b.pkt[0] = &first;
	spx_net_parse(&b, &options);
	check_outcome(&b, &options, frame);
	check_agreement(&b, &options);
	free(first.buf_addr);
	free(second.buf_addr);
	return 0;
}
