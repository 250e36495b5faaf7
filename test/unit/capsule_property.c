/* Mutated packets: the product and the model (capsule_model.h) agree on each, in one segment and in two. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "lib/net/net.h"
#include "test/unit/capsule_fixture.h"
#include "test/unit/capsule_model.h"

#define PACKETS 1000000u

/* Changes one thing of the capsule's header or of the headers around it, most often so that something else
 * does not fit any more. */
static void
mutate(struct frame *f, uint64_t *random)
{
	uint32_t at = f->udp + 8, head = RTE_MIN(f->length - at, 80u);

	switch (capsule_below(random, 11)) {
	case 0:
		f->bytes[at + capsule_below(random, head)] ^= (uint8_t)(1 << capsule_below(random, 8));
		break;
	case 1:
		f->bytes[at + capsule_below(random, 8)] = (uint8_t)spx_random(random);
		break;
	case 2:
		f->bytes[at] = (uint8_t)(0x10 | capsule_below(random, 4));
		break;
	case 3:
		f->bytes[at + 1] = (uint8_t)(spx_random(random) & 0xce);
		break;
	case 4:
		frame_put16(f, at + 2,
			(uint16_t)(f->bytes[at + 2] * 256 + f->bytes[at + 3] + capsule_below(random, 33) -
				   16));
		break;
	case 5:
		f->bytes[at + 4 + capsule_below(random, 2)] += (uint8_t)(capsule_below(random, 5) - 2);
		break;
	case 6: /* the datagram ends early, or has bytes behind it */
		frame_put16(f, f->udp + 4, (uint16_t)(8 + capsule_below(random, f->length - at + 1)));
		break;
	case 7:
		if (f->bytes[f->ip] >> 4 == 4)
			frame_put16(f, f->ip + 6, (uint16_t)(1u << capsule_below(random, 14)));
		break;
	case 8:
		if (f->bytes[f->ip] >> 4 == 6)
			capsule_insert6(f, capsule_below(random, 2) ? IPPROTO_DSTOPTS : IPPROTO_FRAGMENT, 8);
		break;
	case 9: /* the offset and the bit of a fragment header, or an option that nobody reads */
		if (f->bytes[f->ip] >> 4 == 6 && f->udp > f->ip + 40)
			frame_put16(f, f->ip + 42, (uint16_t)(1u << capsule_below(random, 5)));
		break;
	case 10:
		frame_put16(f, f->udp + 2, (uint16_t)(SPX_CAPSULE_PORT + capsule_below(random, 2)));
		break;
	}
}

/* Half of the packets get a right checksum again. */
static void
random_packet(struct frame *f, uint64_t *random)
{
	static struct capsule_sample sample;

	do {
		capsule_random(&sample, random);
	} while (sample.content.code_words > 32);
	if (capsule_below(random, 4) > 0)
		sample.content.flags = SPX_CAPSULE_INGRESS | SPX_CAPSULE_OPERATOR;
	capsule_frame(f, &sample);
	for (unsigned n = capsule_below(random, 4); n > 0; n--)
		mutate(f, random);
	if (f->bytes[f->ip] >> 4 == 4)
		frame_checksum(f);
	if (capsule_below(random, 2) &&
		f->udp + f->bytes[f->udp + 4] * 256u + f->bytes[f->udp + 5] <= f->length)
		capsule_fix_checksum(f);
}

/* Does the stage before pass the packet on? Fills the layout, the protocol, and what the flow key says. */
static bool
net_accepts(struct rte_mbuf *m, struct spx_layout *layout, uint8_t *proto, bool *maybe)
{
	static const struct spx_net_options options = {.max_frame = FRAME_MAX};
	static struct spx_burst b;

	b.n = 1;
	b.alive = 1;
	b.pkt[0] = m;
	spx_net_parse(&b, &options);
	*layout = b.layout[0];
	*proto = b.ipv4 ? b.key4[0].proto : b.ipv6 ? b.key6[0].proto : 0;
	*maybe = b.ipv4 ? spx_capsule_maybe4(&b.key4[0]) : b.ipv6 ? spx_capsule_maybe6(&b.key6[0]) : false;
	return b.drop == 0;
}

/* Returns the verdict, or -1 where the packet is dropped before. */
static int
agree(const struct frame *f, struct rte_mbuf *m, unsigned counted[SPX_CAPSULE_COUNTER_COUNT])
{
	struct capsule_model model;
	enum spx_capsule_verdict verdict;
	struct spx_layout layout;
	struct spx_capsule c;
	const uint8_t *bytes = rte_pktmbuf_mtod(m, const uint8_t *);
	bool maybe;
	uint8_t proto;

	if (!net_accepts(m, &layout, &proto, &maybe))
		return -1;
	model = capsule_model(f->bytes, m->data_len);
	verdict = spx_capsule_parse(m, &layout, proto, &c);
	cr_assert_eq(verdict, model.verdict, "verdict %d, model %d", verdict, model.verdict);
	cr_assert_eq(maybe,
		verdict != SPX_CAPSULE_NOT || (proto == IPPROTO_UDP && (layout.flags & SPX_LAYOUT_FRAGMENT)));
	if (verdict == SPX_CAPSULE_PASS) {
		cr_assert_eq(c.why, model.why, "%s, model %s", spx_capsule_counter_name(c.why),
			spx_capsule_counter_name(model.why));
		counted[c.why]++;
	}
	if (verdict == SPX_CAPSULE_READY) {
		bool right = spx_capsule_verify(m, &c);

		cr_assert_eq(right, model.checksum);
		cr_assert_eq(c.header - bytes, model.at);
		cr_assert_eq(c.code - bytes, model.code);
		cr_assert_eq(c.scratch - bytes, model.scratch);
		counted[right ? SPX_CAPSULE_run : c.why]++;
	}
	if (verdict != SPX_CAPSULE_NOT)
		counted[SPX_CAPSULE_seen]++;
	return verdict;
}

Test(capsule_property, the_model_agrees)
{
	static struct frame f;
	unsigned counted[SPX_CAPSULE_COUNTER_COUNT] = {0}, sum = 0, outcome[4] = {0};
	uint64_t random = 31;

	for (unsigned i = 0; i < PACKETS; i++) {
		struct rte_mbuf *m;

		random_packet(&f, &random);
		m = capsule_below(&random, 4) == 0
			    ? frame_mbuf_split(f.bytes, f.length, 14 + capsule_below(&random, f.length - 13))
			    : frame_mbuf(f.bytes, f.length);
		outcome[1 + agree(&f, m, counted)]++;
		frame_mbuf_free(m);
	}
	/* Nothing of what can be was left out, and the counters add up. */
	cr_assert(outcome[0] > 0 && outcome[1] > 0 && outcome[2] > 0 && outcome[3] > 0);
	for (unsigned i = 0; i < SPX_CAPSULE_COUNTER_COUNT; i++) {
		cr_assert_gt(counted[i], PACKETS / 20000, "%s: %u",
			spx_capsule_counter_name((enum spx_capsule_counter)i), counted[i]);
		sum += i == SPX_CAPSULE_seen ? 0 : counted[i];
	}
	cr_assert_eq(sum, counted[SPX_CAPSULE_seen]);
}
