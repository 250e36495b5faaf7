/* Fills the caches of flow_exact.h, to the same flows, and draws the queries. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_malloc.h>

#include "perf/micro/flow_exact.h"

static void
told(void *arg, const struct spx_flow_record *record)
{
	struct flow_exact *s = arg;

	(void)record;
	s->told++;
}

/* Random keys are different keys: 128 bits and more. */
static void
draw_keys(struct flow_exact *s, uint8_t *key, uint64_t n)
{
	for (uint64_t at = 0; at < n * s->key_size; at += sizeof(uint64_t)) {
		uint64_t word = spx_random(&s->random);

		memcpy(key + at, &word, sizeof(word));
	}
}

static size_t
allocated(void)
{
	struct rte_malloc_socket_stats stats;

	return rte_malloc_get_socket_stats((int)rte_socket_id(), &stats) == 0 ? stats.heap_allocsz_bytes : 0;
}

/* Keys enter until n flows are resident; resident[] becomes those, whatever was evicted on the way. */
static int
fill_ours(struct flow_exact *s, uint64_t entries, struct spx_error *err)
{
	const struct spx_flow_exact_options options = {.family = s->v6,
		.entries = entries,
		.ways = SPX_FLOW_WAYS_MAX,
		.socket = SOCKET_ID_ANY,
		.ended = told,
		.arg = s};
	struct spx_flow_exact_stats stats = {0};
	struct spx_flow_record record;
	int rc = spx_flow_exact_create(&options, &s->cache, err);
	uint64_t n = 0;

	if (rc < 0)
		return rc;
	spx_flow_exact_set_generation(s->cache, 1);
	for (uint64_t tries = 0; stats.resident < s->n; tries++) {
		uint8_t key[BENCH_BURST * sizeof(struct spx_key6)];
		struct spx_flow_data *found[BENCH_BURST];
		uint64_t hash[BENCH_BURST], left = RTE_MIN(s->n - stats.resident, BENCH_BURST);

		if (tries > s->n)
			return spx_error(err, -ENOSPC, "%" PRIu64 " of %" PRIu64 " flows are resident",
				stats.resident, s->n);
		draw_keys(s, key, BENCH_BURST);
		flow_exact_hash(s, key, hash);
		flow_exact_look_up(s, key, hash, found);
		flow_exact_insert(s, key, hash, spx_set_first((unsigned)left));
		spx_flow_exact_stats(s->cache, &stats);
	}
	for (uint64_t i = 0; i < stats.entries; i++) {
		if (spx_flow_exact_read(s->cache, i, &record))
			memcpy(s->resident + n++ * s->key_size, &record.key6, s->key_size);
	}
	return n == s->n ? 0 : spx_error(err, -EIO, "%" PRIu64 " flows are resident, not %" PRIu64, n, s->n);
}

static int
fill_theirs(struct flow_exact *s, struct spx_error *err)
{
	struct rte_hash_parameters parameters = {.name = "peer",
		.entries = (uint32_t)((double)s->n / 0.85),
		.key_len = (uint32_t)s->key_size,
		.hash_func = rte_hash_crc,
		.socket_id = (int)rte_socket_id()};

	s->table = rte_hash_create(&parameters);
	if (s->table == NULL)
		return spx_error(err, -ENOMEM, "no memory for rte_hash of %u entries", parameters.entries);
	for (uint64_t i = 0; i < s->n; i++) {
		if (rte_hash_add_key_data(s->table, s->resident + i * s->key_size, s) < 0)
			return spx_error(
				err, -ENOSPC, "rte_hash took %" PRIu64 " of %" PRIu64 " flows", i, s->n);
	}
	if ((uint64_t)rte_hash_count(s->table) != s->n)
		return spx_error(err, -EIO, "rte_hash has %d flows", rte_hash_count(s->table));
	return 0;
}

static void
shuffle(struct flow_exact *s)
{
	uint8_t keep[sizeof(struct spx_key6)];

	for (uint64_t left = s->n; left > 1; left--) {
		uint8_t *a = s->resident + (left - 1) * s->key_size;
		uint8_t *b = s->resident + spx_random(&s->random) % left * s->key_size;

		memcpy(keep, a, s->key_size);
		memmove(a, b, s->key_size);
		memcpy(b, keep, s->key_size);
	}
}

int
flow_exact_fill(struct flow_exact *s, struct bench_context *c, struct spx_error *err)
{
	uint64_t entries = s->kind == INSERT ? s->n : (uint64_t)((double)s->n / 0.85);
	size_t begin, between;
	int rc;

	s->resident = rte_malloc(NULL, s->n * s->key_size, RTE_CACHE_LINE_SIZE);
	s->query = rte_malloc(NULL, FLOW_EXACT_QUERIES * s->key_size, RTE_CACHE_LINE_SIZE);
	if (s->resident == NULL || s->query == NULL)
		return spx_error(err, -ENOMEM, "no memory for %u queries", FLOW_EXACT_QUERIES);
	begin = allocated();
	rc = fill_ours(s, entries, err);
	if (rc < 0)
		return rc;
	between = allocated();
	shuffle(s);
	if (!c->counting && (rc = fill_theirs(s, err)) < 0)
		return rc;
	draw_keys(s, s->query, FLOW_EXACT_QUERIES);
	for (uint64_t i = 0; i < FLOW_EXACT_QUERIES && s->kind == HIT; i++)
		memcpy(s->query + i * s->key_size, s->resident + spx_random(&s->random) % s->n * s->key_size,
			s->key_size);
	snprintf(c->note, sizeof(c->note), "%.1f B per resident flow, rte_hash %.1f",
		(double)(between - begin) / (double)s->n, (double)(allocated() - between) / (double)s->n);
	return 0;
}

void
flow_exact_free(struct flow_exact *s)
{
	spx_flow_exact_free(s->cache);
	rte_hash_free(s->table);
	rte_free(s->resident);
	rte_free(s->query);
}
