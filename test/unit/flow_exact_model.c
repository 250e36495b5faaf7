/* The model of flow_exact_pair.h, and what its flows look like. */
#include <string.h>

#include "test/unit/flow_exact_model.h"

/* ---- keys and hashes ------------------------------------------------------------------------------- */

uint64_t
pair_hash_good(uint32_t id)
{
	uint64_t state = id;

	return spx_random(&state);
}

uint64_t
pair_hash_one(uint32_t id)
{
	(void)id;
	return UINT64_C(0x8000000000001234);
}

uint64_t
pair_hash_tags(uint32_t id)
{
	return (uint64_t)(id & 3) << 62 | id % 3;
}

struct spx_key4
pair_key4(uint32_t id)
{
	struct spx_key4 key = {.proto = 17};
	uint32_t rest = (id >> 2) + 1;

	memcpy((uint8_t *)&key + 4 * (id & 1), &rest, sizeof(rest));
	key.context[2] = id >> 1 & 1;
	return key;
}

struct spx_key6
pair_key6(uint32_t id)
{
	struct spx_key6 key = {.proto = 17};
	uint32_t rest = id >> 2;

	memcpy((uint8_t *)&key + 8 * (id & 3) + 4, &rest, sizeof(rest));
	key.context[2] = id & 3;
	return key;
}

/* ---- sets and ways --------------------------------------------------------------------------------- */

static struct pair_flow *
model_set(const struct pair *p, uint32_t id)
{
	return &p->flow[((p->hash(id) >> 32) * p->sets >> 32) * p->ways];
}

struct pair_flow *
model_find(const struct pair *p, uint32_t id)
{
	struct pair_flow *set = model_set(p, id);

	for (unsigned way = 0; way < p->ways; way++) {
		if (set[way].resident && set[way].id == id)
			return &set[way];
	}
	return NULL;
}

void
model_record(const struct pair *p, const struct pair_flow *flow, enum spx_flow_end end,
	struct spx_flow_record *record)
{
	memset(record, 0, sizeof(*record));
	if (p->family == SPX_FLOW_IPV4)
		record->key4 = pair_key4(flow->id);
	else
		record->key6 = pair_key6(flow->id);
	record->family = (uint8_t)p->family;
	record->end = (uint8_t)end;
	record->action = flow->action;
	record->packets = flow->packets;
	record->bytes = flow->bytes;
	record->first_use = flow->first_use;
	record->last_use = flow->last_use;
}

void
model_end(struct pair *p, struct pair_flow *flow, enum spx_flow_end end)
{
	model_record(p, flow, end, &p->expected[p->n_expected++]);
	flow->resident = false;
	p->ended[end]++;
}

uint32_t
model_action(const struct pair *p, uint32_t id)
{
	return id * 7 + p->generation * 1000003;
}

void
model_insert(struct pair *p, uint32_t id, uint32_t packets, uint32_t bytes)
{
	struct pair_flow *flow = model_find(p, id), *set = model_set(p, id);

	if (flow == NULL) {
		flow = set;
		for (unsigned way = 0; way < p->ways && flow->resident; way++) {
			if (!set[way].resident || set[way].stamp < flow->stamp)
				flow = &set[way];
		}
		if (flow->resident)
			model_end(p, flow, SPX_FLOW_END_evicted);
		*flow = (struct pair_flow){.resident = true, .id = id, .first_use = p->now};
		p->inserted++;
	} else {
		p->renewed++;
	}
	flow->action = model_action(p, id);
	flow->generation = p->generation;
	flow->last_use = p->now;
	flow->packets += packets;
	flow->bytes += bytes;
	flow->stamp = p->looked_up >> p->shift;
}
