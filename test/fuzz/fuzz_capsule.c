/* Frames into spx_net_parse and spx_capsule_parse: no input may read past its segment, what is to be left
 * alone is left alone, and every edit of a capsule that verifies leaves one that verifies. The bytes behind
 * the first two are read as a UDP payload too, as a program that receives capsules does.
 *
 * Input: one byte of options, one byte of first-segment length (in 8 bytes), then the frame. The mbufs are
 * made by hand and each segment ends where its block ends, so that ASan sees a read beyond it. */
#include <stdlib.h>
#include <string.h>

#include "lib/capsule/capsule.h"
#include "lib/net/net.h"

enum {
	PORT_SAYS_GOOD = 1 << 0,
	PORT_SAYS_BAD = 1 << 1,
	TWO_SEGMENTS = 1 << 2,
	EDIT_SHIFT = 3, /* the other five bits: one edit each */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool condition)
{
	if (!condition)
		abort();
}

static void *
copy(const uint8_t *data, size_t n)
{
	uint8_t *block = malloc(n > 0 ? n : 1);

	require(block != NULL);
	if (n > 0)
		memcpy(block, data, n);
	return block;
}

static void
fill_segment(struct rte_mbuf *m, const uint8_t *data, uint32_t n)
{
	memset(m, 0, sizeof(*m));
	m->buf_addr = copy(data, n);
	m->buf_len = m->data_len = (uint16_t)n;
	m->pkt_len = n;
	m->nb_segs = 1;
}

/* All that lies in it does so in the `contiguous` bytes at `bytes`. */
static void
check_inside(const struct spx_capsule *c, const uint8_t *bytes, uint32_t contiguous)
{
	require(c->header >= bytes && c->header + c->length <= bytes + contiguous);
	require(c->code == c->header + SPX_CAPSULE_HEADER);
	require(c->scratch >= c->code + c->code_words * 4u);
	require(c->scratch + c->scratch_words * 8u == c->header + c->length);
	require(c->kind < SPX_CAPSULE_KINDS && c->scratch_words <= SPX_CAPSULE_SCRATCH_WORDS);
	require(!(c->flags & (SPX_CAPSULE_RETURNED | SPX_CAPSULE_FAULT | SPX_CAPSULE_NO_FLAG)));
}

static void
check_payload(const uint8_t *data, size_t size)
{
	uint8_t *bytes = copy(data, size);
	struct spx_capsule c;
	enum spx_capsule_verdict verdict = spx_capsule_read(bytes, (uint32_t)size, (uint32_t)size, &c);

	require(verdict == SPX_CAPSULE_READY || verdict == SPX_CAPSULE_PASS);
	require(c.why != SPX_CAPSULE_not_contiguous && c.why < SPX_CAPSULE_COUNTER_COUNT);
	if (verdict == SPX_CAPSULE_READY)
		check_inside(&c, bytes, (uint32_t)size);
	require(size == 0 || memcmp(bytes, data, size) == 0);
	free(bytes);
}

/* The edits that the options ask for. An IPv4 header's checksum stays as right or wrong as it was. */
static void
edit(struct rte_mbuf *m, struct spx_capsule *c, unsigned edits)
{
	uint8_t scratch[SPX_CAPSULE_SCRATCH_MAX];
	unsigned words = c->ip[0] & 0xf;
	uint16_t before = c->v6 ? 0 : spx_net_sum4(c->ip, words);

	memset(scratch, 0x5a, sizeof(scratch));
	m->ol_flags = 0; /* now the bytes have to be right */
	if (!spx_capsule_verify(m, c))
		return;
	for (unsigned i = 0; i < 5; i++) {
		if (!(edits & (1u << i)))
			continue;
		if (i == 0)
			spx_capsule_set_flags(c, SPX_CAPSULE_UNKNOWN, SPX_CAPSULE_OPERATOR);
		else if (i == 1)
			spx_capsule_set_fault(c, SPX_CAPSULE_FAULT_bounds);
		else if (i == 2)
			spx_capsule_commit(c, scratch);
		else if (i == 3)
			spx_capsule_return(c);
		else
			spx_capsule_set_destination(c, scratch);
		require(spx_capsule_verify(m, c));
		require(c->v6 || spx_net_sum4(c->ip, words) % 0xffff == before % 0xffff);
	}
}

static void
check_packet(struct rte_mbuf *m, const uint8_t *data, unsigned edits)
{
	static const struct spx_net_options options = {.max_frame = 4096};
	static struct spx_burst b;
	struct spx_capsule c;
	enum spx_capsule_verdict verdict;

	b.n = 1;
	b.alive = 1;
	b.pkt[0] = m;
	spx_net_parse(&b, &options);
	if (b.drop)
		return;
	memset(&c, 0xa5, sizeof(c));
	verdict = spx_capsule_parse(m, &b.layout[0],
		b.ipv4   ? b.key4[0].proto
		: b.ipv6 ? b.key6[0].proto
			 : 0,
		&c);
	if (verdict == SPX_CAPSULE_READY) {
		check_inside(&c, m->buf_addr, m->data_len);
		spx_capsule_verify(m, &c);
	}
	require(m->data_len == 0 || memcmp(m->buf_addr, data, m->data_len) == 0);
	require(verdict != SPX_CAPSULE_PASS ||
		(c.why > SPX_CAPSULE_run && c.why < SPX_CAPSULE_COUNTER_COUNT));
	if (verdict == SPX_CAPSULE_READY)
		edit(m, &c, edits);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rte_mbuf first, second;
	uint32_t frame, head;

	if (size < 2 || size > 2048)
		return 0;
	check_payload(data + 2, size - 2);
	frame = (uint32_t)size - 2;
	head = frame;
	if (data[0] & TWO_SEGMENTS)
		head = RTE_MIN(frame, data[1] * 8u);
	fill_segment(&first, data + 2, head);
	fill_segment(&second, data + 2 + head, frame - head);
	if (head < frame) {
		first.next = &second;
		first.nb_segs = 2;
		first.pkt_len = frame;
	}
	if (data[0] & PORT_SAYS_GOOD)
		first.ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	if (data[0] & PORT_SAYS_BAD)
		first.ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_BAD;
	check_packet(&first, data + 2, data[0] >> EDIT_SHIFT);
	free(first.buf_addr);
	free(second.buf_addr);
	return 0;
}
