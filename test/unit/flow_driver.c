/* See flow_driver.h. */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "test/unit/flow_driver.h"

static void
ended(void *arg, const struct spx_flow_record *record)
{
	struct driver *d = arg;

	d->ended_flows[record->end]++;
	d->ended_packets += record->packets;
	d->ended_bytes += record->bytes;
}

void
driver_init(struct driver *d, struct spx_flow_options *options)
{
	struct spx_error err;

	options->ended = ended;
	options->arg = d;
	options->socket = SOCKET_ID_ANY;
	cr_assert_eq(spx_flow_create(options, &d->cache, &err), 0, "%s", err.text);
	d->generation = 1;
	spx_flow_set_generation(d->cache, 1);
	spx_flow_housekeep(d->cache, d->now_ms);
}

void
driver_free(struct driver *d)
{
	spx_flow_free(d->cache);
	d->cache = NULL;
}

void
driver_key4(uint32_t flow, struct spx_key4 *key)
{
	memset(key, 0, sizeof(*key));
	memcpy(key->sip, &flow, sizeof(flow));
	key->proto = 17;
}

/* Keys that differ only at their ends. */
void
driver_key6(uint32_t flow, struct spx_key6 *key)
{
	memset(key, 0x20, sizeof(*key));
	memcpy(flow & 1 ? key->sip : key->dport, &flow, sizeof(key->dport));
	memcpy(key->dip, &flow, sizeof(flow));
}

uint64_t
driver_hash(const struct driver *d, uint32_t flow)
{
	uint64_t state = d->collide != 0 ? flow % d->collide : flow;

	return spx_random(&state);
}

uint32_t
driver_rule(const struct driver *d, uint32_t flow)
{
	uint64_t state = ((uint64_t)flow << 32) + d->generation;

	return (uint32_t)(spx_random(&state) % d->n_actions);
}

void
driver_add(struct driver *d, uint32_t flow)
{
	unsigned i = d->n++;

	d->flow[i] = flow;
	d->hash[i] = driver_hash(d, flow);
	d->bytes[i] = 60 + flow % 1000;
	d->action[i] = UINT32_MAX;
	driver_key4(flow, &d->key4[i]);
	driver_key6(flow, &d->key6[i]);
}

/* The rules tell the families apart, so an answer from the other one's table is a wrong one. */
static uint32_t
answer(const struct driver *d, enum spx_flow_family family, uint32_t flow)
{
	return (driver_rule(d, flow) + family) % d->n_actions;
}

static uint64_t
lookup(struct driver *d, enum spx_flow_family family, uint64_t set, uint64_t syn)
{
	d->packets += spx_set_count(set);
	d->asked = family == SPX_FLOW_IPV4 ? spx_flow_lookup4(d->cache, d->key4, d->hash, d->bytes, set, syn,
						     d->action, d->memo)
					   : spx_flow_lookup6(d->cache, d->key6, d->hash, d->bytes, set, syn,
						     d->action, d->memo);
	cr_assert_eq(d->asked & ~set, 0);
	return d->asked;
}

/* What is remembered of a flow: its own, or nothing. */
static uint64_t
memo(enum spx_flow_family family, uint32_t flow)
{
	return (uint64_t)flow << 32 | (family + 1u);
}

/* As the route stage does: what is not remembered of the packet's flow is, by and by. */
static void
remember(struct driver *d, enum spx_flow_family family, uint64_t set)
{
	uint64_t forgotten = 0;
	unsigned i;

	SPX_FOREACH (i, set) {
		d->recalled += d->memo[i] != 0;
		d->wrong += d->memo[i] != 0 && d->memo[i] != memo(family, d->flow[i]);
		forgotten |= (uint64_t)(d->memo[i] == 0 && (d->packets + i) % 4 == 0) << i;
		d->memo[i] = memo(family, d->flow[i]);
	}
	if (forgotten != 0 && family == SPX_FLOW_IPV4)
		spx_flow_remember4(d->cache, d->key4, d->hash, forgotten, d->memo);
	else if (forgotten != 0)
		spx_flow_remember6(d->cache, d->key6, d->hash, forgotten, d->memo);
}

/* What the lookup stage does for a family: lookup, rules, learn. */
static uint64_t
find_actions(struct driver *d, enum spx_flow_family family, uint64_t set, uint64_t syn)
{
	uint64_t asked = lookup(d, family, set, syn);
	unsigned i;

	d->asked_flows += spx_set_count(asked);
	SPX_FOREACH (i, asked)
		d->action[i] = answer(d, family, d->flow[i]);
	if (asked != 0 && family == SPX_FLOW_IPV4)
		spx_flow_learn4(d->cache, d->key4, d->hash, asked, d->action);
	else if (asked != 0)
		spx_flow_learn6(d->cache, d->key6, d->hash, asked, d->action);
	if (d->remembers)
		remember(d, family, set);
	return asked;
}

static void
count_wrong(struct driver *d, enum spx_flow_family family, uint64_t set)
{
	unsigned i;

	SPX_FOREACH (i, set)
		d->wrong += d->action[i] != answer(d, family, d->flow[i]);
}

uint64_t
driver_lookup(struct driver *d, enum spx_flow_family family, uint64_t syn)
{
	return lookup(d, family, spx_set_first(d->n), syn);
}

uint64_t
driver_burst(struct driver *d, enum spx_flow_family family, uint64_t syn)
{
	uint64_t all = spx_set_first(d->n), asked = find_actions(d, family, all, syn);

	count_wrong(d, family, all);
	d->n = 0;
	return asked;
}

void
driver_mixed_burst(struct driver *d, uint64_t ipv4, uint64_t ipv6)
{
	unsigned i;

	if (ipv4 != 0)
		find_actions(d, SPX_FLOW_IPV4, ipv4, 0);
	if (ipv6 != 0)
		find_actions(d, SPX_FLOW_IPV6, ipv6, 0);
	count_wrong(d, SPX_FLOW_IPV4, ipv4);
	count_wrong(d, SPX_FLOW_IPV6, ipv6);
	SPX_FOREACH (i, spx_set_first(d->n) & ~(ipv4 | ipv6))
		d->wrong += d->action[i] != UINT32_MAX;
	d->n = 0;
}

bool
driver_packet(struct driver *d, enum spx_flow_family family, uint32_t flow)
{
	driver_add(d, flow);
	return driver_burst(d, family, 0) != 0;
}

void
driver_check_sums(struct driver *d)
{
	struct spx_flow_exact_stats exact[SPX_FLOW_FAMILIES];
	struct spx_flow_approximate_stats filters;
	uint64_t packets = d->ended_packets, resident = 0;

	spx_flow_stats(d->cache, exact, &filters);
	for (unsigned family = 0; family < SPX_FLOW_FAMILIES; family++) {
		uint64_t ended_flows = 0;

		for (unsigned end = 0; end < SPX_FLOW_END_COUNT; end++)
			ended_flows += exact[family].ended[end];
		cr_assert_eq(exact[family].inserted, exact[family].resident + ended_flows);
		resident += exact[family].resident;
	}
	if (resident > 0) {
		struct spx_flow_record *flow = calloc(resident, sizeof(*flow));

		cr_assert_not_null(flow);
		cr_assert_eq(spx_flow_top((const struct spx_flow_cache *const *)&d->cache, 1, resident, flow),
			resident);
		for (uint64_t i = 0; i < resident; i++) {
			packets += flow[i].packets;
			cr_assert(i == 0 || flow[i].bytes <= flow[i - 1].bytes, "most bytes first");
		}
		free(flow);
	}
	cr_assert_eq(packets, spx_flow_counters(d->cache)->counted);
}
