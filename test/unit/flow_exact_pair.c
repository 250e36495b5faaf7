/* Does to the cache and to the model what flow_exact_pair.h says, and compares. */
#include <string.h>

#include <rte_malloc.h>

#include "test/unit/flow_exact_model.h"

#define FRAME_BYTES 100u

/* ---- life ------------------------------------------------------------------------------------------ */

static void
told(void *arg, const struct spx_flow_record *record)
{
	struct pair *p = arg;
	const struct spx_flow_record *expected = &p->expected[p->n_told];

	cr_assert_lt(p->n_told++, p->n_expected, "a flow ended that should not");
	cr_assert_arr_eq(record, expected, sizeof(*record), "flow %zu that ended", p->n_told);
	p->departed += record->packets;
}

void
pair_create(struct pair *p, struct pair_shape shape)
{
	struct spx_flow_exact_options options = {.family = shape.family,
		.entries = shape.entries,
		.ways = shape.ways,
		.socket = SOCKET_ID_ANY,
		.ended = told,
		.arg = p};
	struct spx_error err;

	memset(p, 0, sizeof(*p));
	cr_assert_eq(spx_flow_exact_create(&options, &p->cache, &err), 0, "%s", err.text);
	p->family = shape.family;
	p->hash = shape.hash;
	p->ways = shape.ways;
	p->sets = (shape.entries + shape.ways - 1) / shape.ways;
	while (p->sets / 64 >> (p->shift + 1) != 0)
		p->shift++;
	p->flow = rte_calloc(NULL, p->sets * p->ways, sizeof(*p->flow), 0);
	p->expected = rte_calloc(NULL, RTE_MAX(p->sets * p->ways, SPX_BURST_MAX), sizeof(*p->expected), 0);
	cr_assert(p->flow != NULL && p->expected != NULL);
	pair_generation(p, 1);
	pair_time(p, UINT32_MAX - 1000); /* time will come round */
}

void
pair_free(struct pair *p)
{
	spx_flow_exact_free(p->cache);
	rte_free(p->flow);
	rte_free(p->expected);
}

/* ---- both ------------------------------------------------------------------------------------------ */

static void
begin(struct pair *p)
{
	p->n_expected = p->n_told = 0;
}

static void
finish(const struct pair *p)
{
	cr_assert_eq(p->n_told, p->n_expected, "%zu flows of %zu ended", p->n_told, p->n_expected);
}

static void
compare_hit(struct pair *p, uint32_t id, bool hit, struct spx_flow_data *data)
{
	struct pair_flow *flow = model_find(p, id);
	bool expected = flow != NULL && flow->generation == p->generation;

	cr_assert_eq(hit, expected, "flow %u, packet %lu", id, p->looked_up);
	if (!hit)
		return;
	flow->last_use = p->now;
	flow->stamp = p->looked_up >> p->shift;
	cr_assert_eq(data->action, flow->action, "flow %u has action %u", id, data->action);
	cr_assert_eq(data->generation, p->generation);
	cr_assert_eq(data->packets, flow->packets);
	data->packets++;
	data->bytes += FRAME_BYTES;
	flow->packets++;
	flow->bytes += FRAME_BYTES;
	p->accounted++;
}

uint64_t
pair_lookup(struct pair *p, const uint32_t id[], unsigned n)
{
	struct spx_flow_data *found[SPX_BURST_MAX];
	struct spx_key4 key4[SPX_BURST_MAX];
	struct spx_key6 key6[SPX_BURST_MAX];
	uint64_t hash[SPX_BURST_MAX], hits;

	for (unsigned i = 0; i < n; i++) {
		key4[i] = pair_key4(id[i]);
		key6[i] = pair_key6(id[i]);
		hash[i] = p->hash(id[i]);
	}
	p->looked_up += n;
	hits = p->family == SPX_FLOW_IPV4
		       ? spx_flow_exact_lookup4(p->cache, key4, hash, spx_set_first(n), found)
		       : spx_flow_exact_lookup6(p->cache, key6, hash, spx_set_first(n), found);
	for (unsigned i = 0; i < n; i++)
		compare_hit(p, id[i], (hits & spx_set_one(i)) != 0, found[i]);
	return spx_set_first(n) & ~hits;
}

void
pair_insert(struct pair *p, const uint32_t id[], uint64_t set)
{
	uint32_t action[SPX_BURST_MAX], packets[SPX_BURST_MAX], bytes[SPX_BURST_MAX];
	struct spx_key4 key4[SPX_BURST_MAX];
	struct spx_key6 key6[SPX_BURST_MAX];
	uint64_t hash[SPX_BURST_MAX];
	unsigned i;

	begin(p);
	SPX_FOREACH (i, set) {
		key4[i] = pair_key4(id[i]);
		key6[i] = pair_key6(id[i]);
		hash[i] = p->hash(id[i]);
		action[i] = model_action(p, id[i]);
		packets[i] = 1 + id[i] % 3;
		bytes[i] = packets[i] * FRAME_BYTES;
		model_insert(p, id[i], packets[i], bytes[i]);
		p->accounted += packets[i];
	}
	if (p->family == SPX_FLOW_IPV4)
		spx_flow_exact_insert4(p->cache, key4, hash, set, action, packets, bytes);
	else
		spx_flow_exact_insert6(p->cache, key6, hash, set, action, packets, bytes);
	finish(p);
}

void
pair_generation(struct pair *p, uint32_t generation)
{
	p->generation = generation;
	spx_flow_exact_set_generation(p->cache, generation);
}

void
pair_time(struct pair *p, uint32_t now)
{
	p->now = now;
	spx_flow_exact_set_time(p->cache, now);
}

void
pair_sweep(struct pair *p, uint64_t n, uint32_t idle_ms)
{
	begin(p);
	for (uint64_t i = 0; i < n; i++) {
		struct pair_flow *set = &p->flow[p->sweep_at * p->ways];

		for (unsigned way = 0; way < p->ways; way++) {
			if (set[way].resident && (uint32_t)(p->now - set[way].last_use) > idle_ms)
				model_end(p, &set[way], SPX_FLOW_END_expired);
		}
		p->sweep_at = (p->sweep_at + 1) % p->sets;
	}
	spx_flow_exact_sweep(p->cache, n, idle_ms);
	finish(p);
}

void
pair_flush(struct pair *p)
{
	begin(p);
	for (uint64_t i = 0; i < p->sets * p->ways; i++) {
		if (p->flow[i].resident)
			model_end(p, &p->flow[i], SPX_FLOW_END_stopped);
	}
	spx_flow_exact_flush(p->cache);
	finish(p);
}

void
pair_check(const struct pair *p)
{
	struct spx_flow_exact_stats stats;
	struct spx_flow_record record, expected;
	uint64_t resident = 0, packets = 0;

	for (uint64_t i = 0; i < p->sets * p->ways; i++) {
		bool there = spx_flow_exact_read(p->cache, i, &record);

		cr_assert_eq(there, p->flow[i].resident, "entry %lu", i);
		if (!there)
			continue;
		model_record(p, &p->flow[i], 0, &expected);
		cr_assert_arr_eq(&record, &expected, sizeof(record), "entry %lu", i);
		resident++;
		packets += record.packets;
	}
	cr_assert_not(spx_flow_exact_read(p->cache, p->sets * p->ways, &record));
	spx_flow_exact_stats(p->cache, &stats);
	cr_assert_eq(stats.entries, p->sets * p->ways);
	cr_assert_eq(stats.sets, p->sets);
	cr_assert_eq(stats.resident, resident);
	cr_assert_eq(stats.inserted, p->inserted);
	cr_assert_eq(stats.renewed, p->renewed);
	cr_assert_arr_eq(stats.ended, p->ended, sizeof(p->ended));
	cr_assert_eq(packets + p->departed, p->accounted, "packets are lost");
}
