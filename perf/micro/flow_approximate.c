/* flow.approximate.*: look-ups of 16-byte keys in bulks of 32, hashing included, against a vBF of rte_member
 * with one set, asked for the same number of keys and P. All keys are in; queries are those keys in random
 * order, so all are hits. The peer's bits are a power of two, and its p is what comes of that: it is
 * measured, and our filter planned for the p that the peer really has. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_malloc.h>
#include <rte_member.h>

#include "lib/flow/flow.h"
#include "lib/net/net.h"
#include "perf/bench.h"

#define P         0.01
#define STRANGERS 2000000 /* for the measured p: 0.5 % of them is known to 1 % */

struct state {
	struct spx_hash_seed seed;
	struct spx_flow_approximate *ours;
	struct rte_member_setsum *theirs;
	struct spx_key4 *key;
	uint32_t n;
	uint32_t next[2]; /* key to go on with: ours, theirs */
	uint64_t found[2], looked_up[2];
};

static inline uint64_t
look_ours(const struct state *s, const struct spx_key4 *key)
{
	uint64_t hash[BENCH_BURST];

	for (unsigned i = 0; i < BENCH_BURST; i++)
		hash[i] = spx_hash4(&s->seed, &key[i]);
	return spx_flow_approximate_lookup(s->ours, hash, spx_set_first(BENCH_BURST));
}

static inline unsigned
look_theirs(const struct state *s, const struct spx_key4 *key)
{
	const void *keys[BENCH_BURST];
	member_set_t set[BENCH_BURST];

	for (unsigned i = 0; i < BENCH_BURST; i++)
		keys[i] = &key[i];
	return (unsigned)rte_member_lookup_bulk(s->theirs, keys, BENCH_BURST, set);
}

static void
ours(void *state, uint64_t ops)
{
	struct state *s = state;

	for (uint64_t done = 0; done < ops; done += BENCH_BURST) {
		s->found[0] += spx_set_count(look_ours(s, &s->key[s->next[0]]));
		s->next[0] = (s->next[0] + BENCH_BURST) % s->n;
	}
	s->looked_up[0] += ops;
}

static void
theirs(void *state, uint64_t ops)
{
	struct state *s = state;

	for (uint64_t done = 0; done < ops; done += BENCH_BURST) {
		s->found[1] += look_theirs(s, &s->key[s->next[1]]);
		s->next[1] = (s->next[1] + BENCH_BURST) % s->n;
	}
	s->looked_up[1] += ops;
}

static void
draw_key(struct spx_key4 *key, uint64_t *random)
{
	uint64_t word[2] = {spx_random(random), spx_random(random)};

	memcpy(key, word, sizeof(*key));
}

/* Shares of strangers that ours and theirs take for known. */
static void
measure_p(const struct state *s, bool peer, double p[2])
{
	uint64_t random = 3, yes[2] = {0, 0};

	for (unsigned done = 0; done < STRANGERS; done += BENCH_BURST) {
		struct spx_key4 key[BENCH_BURST];

		for (unsigned i = 0; i < BENCH_BURST; i++)
			draw_key(&key[i], &random);
		if (s->ours != NULL)
			yes[0] += spx_set_count(look_ours(s, key));
		if (peer)
			yes[1] += look_theirs(s, key);
	}
	p[0] = (double)yes[0] / STRANGERS;
	p[1] = (double)yes[1] / STRANGERS;
}

static int
create_keys(struct state *s, struct spx_error *err)
{
	uint64_t random = 1;

	s->key = rte_malloc("keys", s->n * sizeof(*s->key), RTE_CACHE_LINE_SIZE);
	if (s->key == NULL)
		return spx_error(err, -ENOMEM, "no memory for %u keys", s->n);
	for (uint32_t i = 0; i < s->n; i++)
		draw_key(&s->key[i], &random);
	return 0;
}

static int
create_theirs(struct state *s, const char *name, struct spx_error *err)
{
	struct rte_member_parameters parameters = {.name = name,
		.type = RTE_MEMBER_TYPE_VBF,
		.num_keys = s->n,
		.key_len = sizeof(*s->key),
		.num_set = 1,
		.false_positive_rate = P,
		.prim_hash_seed = 1,
		.sec_hash_seed = 2,
		.socket_id = SOCKET_ID_ANY};

	s->theirs = rte_member_create(&parameters);
	if (s->theirs == NULL)
		return spx_error(err, -ENOMEM, "rte_member_create fails");
	for (uint32_t i = 0; i < s->n; i++)
		rte_member_add(s->theirs, &s->key[i], 1);
	return 0;
}

static int
create_ours(struct state *s, double p, struct spx_error *err)
{
	struct spx_flow_approximate_options options = {.p = p, .flows = s->n, .socket = SOCKET_ID_ANY};
	struct spx_flow_approximate_stats stats;
	int rc = spx_flow_approximate_create(&options, &s->ours, err);

	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < s->n; i++)
		spx_flow_approximate_insert(s->ours, &(uint64_t){spx_hash4(&s->seed, &s->key[i])}, 1);
	spx_flow_approximate_stats(s->ours, &stats);
	if (stats.clears != 0 || stats.flows < s->n - s->n / 100)
		return spx_error(err, -EIO,
			"the filter counts %" PRIu64 " of %u flows, after %" PRIu64 " clears", stats.flows,
			s->n, stats.clears);
	return 0;
}

/* So that the queries do not go in the order of insertion. */
static void
shuffle(struct state *s)
{
	uint64_t random = 2;

	for (uint32_t i = s->n; i > 1; i--) {
		uint32_t other = (uint32_t)(spx_random(&random) % i);
		struct spx_key4 keep = s->key[other];

		s->key[other] = s->key[i - 1];
		s->key[i - 1] = keep;
	}
}

static int
check(void *state, struct spx_error *err)
{
	const struct state *s = state;

	if (s->found[0] != s->looked_up[0] || s->found[1] != s->looked_up[1])
		return spx_error(err, -EIO,
			"not every key was found: ours missed %" PRIu64 ", the peer %" PRIu64,
			s->looked_up[0] - s->found[0], s->looked_up[1] - s->found[1]);
	return 0;
}

static void
teardown(void *state)
{
	struct state *s = state;

	rte_member_free(s->theirs);
	spx_flow_approximate_free(s->ours);
	rte_free(s->key);
}

/* Ours at the peer's p, or at P when the peer is not built; every key is found once. */
static int
setup(const struct bench *b, unsigned part, struct bench_context *c, struct spx_error *err)
{
	struct state *s = c->state;
	double p[2] = {P, P};
	struct spx_flow_approximate_stats stats;
	int rc;

	(void)part;
	spx_hash_seed_from(&s->seed, 1);
	s->n = (uint32_t)b->size;
	rc = create_keys(s, err);
	if (rc == 0 && !c->counting) {
		rc = create_theirs(s, b->id, err);
		if (rc == 0)
			measure_p(s, true, p);
	}
	if (rc == 0)
		rc = create_ours(s, p[1], err);
	if (rc < 0)
		return rc;
	shuffle(s);
	ours(s, s->n);
	if (!c->counting) {
		theirs(s, s->n);
		measure_p(s, true, p);
		spx_flow_approximate_stats(s->ours, &stats);
		snprintf(c->note, sizeof(c->note),
			"p %.4f, %.1f bits a key; vBF: asked for %g, is %.4f, %.1f bits", p[0],
			(double)stats.plan.blocks * 512 / s->n, P, p[1], (double)s->theirs->bits / s->n);
	}
	return check(s, err);
}

#define BENCH_LOOKUP(name, keys)                                                                             \
	{                                                                                                    \
		.id = name, .unit = "Mops/s", .scale = BENCH_MEGA_PER_SECOND, .peer = "rte_member vBF",      \
		.size = (keys), .state_size = sizeof(struct state), .setup = setup, .ours = ours,            \
		.theirs = theirs, .check = check, .teardown = teardown                                       \
	}

static const struct bench benches[] = {
	BENCH_LOOKUP("flow.approximate.lookup.64k", UINT64_C(1) << 16),
	BENCH_LOOKUP("flow.approximate.lookup.1m", UINT64_C(1) << 20),
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv,
		&(struct bench_program){.bench = benches, .n = RTE_DIM(benches), .memory_mb = 256});
}
