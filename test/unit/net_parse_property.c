/* The parse stage, the general parser alone, and the model agree in everything on any frame: so the short cut
 * for plain packets never differs from the general parser. And: on any burst, in any order. */
#include <stdio.h>

#include <criterion/criterion.h>

#include "test/unit/net_model.h"
#include "test/unit/net_mutate.h"

#ifdef __SANITIZE_ADDRESS__
#define FRAMES 200000u
#else
#define FRAMES 2000000u
#endif
#define BURSTS (FRAMES / 100)

/* The frame in hexadecimal, for the message of a failed assertion. */
static const char *
hex(const struct frame *f)
{
	static char text[2 * 256 + 1];

	for (uint32_t i = 0; i < RTE_MIN(f->length, 256u); i++)
		snprintf(text + 2 * i, 3, "%02x", f->bytes[i]);
	return text;
}

/* The random frames show nothing unless they come by every outcome often. */
static void
expect_every_outcome(const uint64_t kinds[4], const uint64_t reasons[SPX_DROP_COUNT], uint64_t plain)
{
	for (unsigned i = 0; i < 4; i++)
		cr_expect(kinds[i] > FRAMES / 100, "kind %u only %lu times", i, kinds[i]);
	for (unsigned i = 0; i < SPX_DROP_rule_drop; i++)
		cr_expect(reasons[i] >= 20, "%s only %lu times", spx_drop_name(i), reasons[i]);
	cr_expect(plain > FRAMES / 20, "plain packets: %lu", plain);
}

Test(net_parse_property, stage_general_parser_and_model_agree)
{
	uint64_t random = 20, kinds[4] = {0}, reasons[SPX_DROP_COUNT] = {0}, plain = 0;

	for (unsigned i = 0; i < FRAMES; i++) {
		struct spx_net_options options = mutated_options(&random);
		struct parsed stage, general, model;
		struct rte_mbuf *m;
		struct frame f;

		mutated_frame(&f, &random);
		m = mutated_mbuf(&f, &random);
		stage = parsed_by_stage(m, &options);
		general = parsed_by_general(m, &options);
		model = model_parse(m, &options);
		cr_assert(parsed_equal(&stage, &general), "frame %u\nstage   %s\ngeneral %s\n%s", i,
			parsed_text(&stage), parsed_text(&general), hex(&f));
		cr_assert(parsed_equal(&stage, &model), "frame %u\nstage %s\nmodel %s\nroom %u of %u: %s", i,
			parsed_text(&stage), parsed_text(&model), m->data_len, m->pkt_len, hex(&f));
		kinds[model.kind]++;
		reasons[model.reason] += model.kind == PARSED_DROP;
		plain += model.kind == PARSED_IPV4 && model.layout.l4 == 34 && m->nb_segs == 1;
		frame_mbuf_free(m);
	}
	expect_every_outcome(kinds, reasons, plain);
}

/* The flow hash of a captured frame is that of the stage for port 0; a frame without a key has none. */
Test(net_parse_property, flow_hash_of_captured_frames)
{
	static struct spx_burst b;
	uint64_t random = 21;

	for (unsigned i = 0; i < FRAMES / 4; i++) {
		struct rte_mbuf *m;
		struct frame f;
		uint64_t hash;

		mutated_frame(&f, &random);
		m = mutated_mbuf(&f, &random);
		m->ol_flags = 0;
		b.n = 1;
		b.alive = 1;
		b.pkt[0] = m;
		b.in_port = 0;
		spx_net_parse(&b, &parsed_options);
		hash = spx_net_flow_hash(m->buf_addr, m->data_len, m->pkt_len, &parsed_options.seed);
		cr_assert_eq(hash, b.alive & ~b.other ? b.hash[0] : 0, "frame %u: %s", i, hex(&f));
		frame_mbuf_free(m);
	}
}

/* A burst of n random packets, of which a random set is alive: each of these gets the answer it gets alone,
 * at its own place, in one set; nothing of the others changes. */
static void
check_burst(struct spx_burst *b, unsigned n, uint64_t *random)
{
	static struct parsed expected[SPX_BURST_MAX];
	static struct spx_burst before;
	uint64_t alive = spx_set_first(n), dead;
	unsigned i;

	for (i = 0; i < n; i++) {
		struct frame f;

		mutated_frame(&f, random);
		b->pkt[i] = mutated_mbuf(&f, random);
		expected[i] = model_parse(b->pkt[i], &parsed_options);
	}
	if (spx_random(random) % 2 == 0)
		alive &= spx_random(random);
	dead = ~alive;
	b->n = (uint16_t)n;
	b->in_port = PARSED_PORT;
	b->alive = alive;
	b->ipv4 = b->ipv6 = b->other = b->drop = b->punt = spx_random(random);
	before = *b;
	spx_net_parse(b, &parsed_options);

	cr_assert_eq(b->ipv4 | b->ipv6 | b->other | b->drop, alive);
	cr_assert_eq(b->alive, b->ipv4 | b->ipv6 | b->other);
	cr_assert_eq(b->punt, 0);
	cr_assert_eq(b->n, n);
	SPX_FOREACH (i, alive) {
		struct parsed p = parsed_from_burst(b, i);

		cr_assert(parsed_equal(&p, &expected[i]), "packet %u of %u: %s, alone: %s", i, n,
			parsed_text(&p), parsed_text(&expected[i]));
		cr_assert_eq(b->pkt[i], before.pkt[i]);
	}
	SPX_FOREACH (i, dead) {
		cr_assert_arr_eq(&b->key4[i], &before.key4[i], sizeof(b->key4[i]));
		cr_assert_arr_eq(&b->key6[i], &before.key6[i], sizeof(b->key6[i]));
		cr_assert_arr_eq(&b->layout[i], &before.layout[i], sizeof(b->layout[i]));
		cr_assert(b->hash[i] == before.hash[i] && b->reason[i] == before.reason[i]);
	}
	for (i = 0; i < n; i++)
		frame_mbuf_free(b->pkt[i]);
}

Test(net_parse_property, bursts_of_every_size)
{
	static struct spx_burst b;
	uint64_t random = 22;
	uint8_t *bytes = (uint8_t *)&b;

	for (size_t i = 0; i < sizeof(b); i++)
		bytes[i] = (uint8_t)spx_random(&random);
	for (unsigned n = 0; n <= SPX_BURST_MAX; n++) {
		for (unsigned round = 0; round < BURSTS / SPX_BURST_MAX; round++)
			check_burst(&b, n, &random);
	}
}
