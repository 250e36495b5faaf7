/* The flow cache of a worker: the modes, made of an exact cache for each family and of filters.
 *
 *   exact        exact cache -> rules; what they answer enters
 *   layered      exact cache -> filter (has the flow been seen before?) -> rules; what has been seen enters,
 *                now and then where all flows of the set are in use.
 *                The filter is a doorkeeper behind the cache: doc/evaluation/filter-order.md has why
 *   approximate  one filter for each action: exactly one yes answers -> rules; their answer enters its filter
 *   none         -> rules
 *
 * Creation, housekeeping, flush and readers of other threads are in cache_control.c.
 */
#include <rte_branch_prediction.h>

#include "lib/flow/cache.h"

/* ---- one family or the other ----------------------------------------------------------------------- */

/* The functions below are written once for both families; `family` is a constant wherever they are inlined,
 * and key points to an array of its keys. */

static inline size_t
key_size(enum spx_flow_family family)
{
	return family == SPX_FLOW_IPV4 ? sizeof(struct spx_key4) : sizeof(struct spx_key6);
}

static inline uint64_t
exact_answer(struct spx_flow_cache *c, enum spx_flow_family family, const void *key, const uint64_t hash[],
	const uint32_t bytes[], uint64_t set, uint32_t action[], uint64_t memo[])
{
	return family == SPX_FLOW_IPV4
		       ? spx_flow_exact_answer4(c->exact[family], key, hash, bytes, set, action, memo)
		       : spx_flow_exact_answer6(c->exact[family], key, hash, bytes, set, action, memo);
}

static inline uint64_t
exact_insert(struct spx_flow_cache *c, enum spx_flow_family family, const void *key, const uint64_t hash[],
	uint64_t set, const uint32_t action[])
{
	const struct spx_flow_repeats *r = &c->repeats;

	return family == SPX_FLOW_IPV4 ? spx_flow_exact_insert4(c->exact[family], key, hash, set, action,
						 r->packets, r->bytes)
				       : spx_flow_exact_insert6(c->exact[family], key, hash, set, action,
						 r->packets, r->bytes);
}

/* ---- lookup ---------------------------------------------------------------------------------------- */

static inline void
forget(uint64_t set, uint64_t memo[])
{
	unsigned i;

	SPX_FOREACH (i, set)
		memo[i] = 0;
}

/* Modes exact and layered: what is resident answers, and counts. */
static inline uint64_t
lookup_exact(struct spx_flow_cache *c, enum spx_flow_family family, const void *key, const uint64_t hash[],
	const uint32_t bytes[], uint64_t set, uint32_t action[], uint64_t memo[])
{
	uint64_t hits = exact_answer(c, family, key, hash, bytes, set, action, memo), ask;

	spx_count(&c->counters.counted, spx_set_count(hits));
	if (likely(hits == set)) {
		spx_count(&c->counters.exact_hits, spx_set_count(hits));
		return 0;
	}
	forget(set & ~hits, memo);
	ask = spx_flow_repeats_find(&c->repeats, key, key_size(family), hash, bytes, set & ~hits);
	spx_count(&c->counters.exact_hits, spx_set_count(hits | c->repeats.set));
	spx_count(&c->counters.exact_misses, spx_set_count(ask));
	return ask;
}

/* Mode approximate: a packet that exactly one action's filter knows has that action. Where several know it
 * all but one are wrong, and none is told that the flow is in use: mistakes would stay, and take over. */
static inline uint64_t
lookup_filters(struct spx_flow_cache *c, enum spx_flow_family family, const void *key, const uint64_t hash[],
	const uint32_t bytes[], uint64_t set, uint64_t syn, uint32_t action[])
{
	uint64_t some = 0, several = 0, ask;
	unsigned i;

	for (unsigned a = 0; a < c->n_filters; a++) {
		c->yes[a] = spx_flow_approximate_peek(c->filter[a], hash, set & ~syn);
		several |= some & c->yes[a];
		some |= c->yes[a];
	}
	for (unsigned a = 0; a < c->n_filters; a++) {
		spx_flow_approximate_refresh(c->filter[a], hash, c->yes[a] & ~several);
		SPX_FOREACH (i, c->yes[a] & ~several)
			action[i] = a;
	}
	spx_count(&c->counters.approximate_hits, spx_set_count(some & ~several));
	ask = spx_flow_repeats_find(&c->repeats, key, key_size(family), hash, bytes, set & (~some | several));
	spx_count(&c->counters.approximate_repeats, spx_set_count(c->repeats.set));
	spx_count(&c->counters.approximate_syn, spx_set_count(ask & syn));
	spx_count(&c->counters.approximate_several, spx_set_count(ask & several));
	spx_count(&c->counters.approximate_misses, spx_set_count(ask & ~syn & ~several));
	return ask;
}

static inline uint64_t
lookup(struct spx_flow_cache *c, enum spx_flow_family family, const void *key, const uint64_t hash[],
	const uint32_t bytes[], uint64_t set, uint64_t syn, uint32_t action[], uint64_t memo[])
{
	if (c->mode == SPX_FLOW_MODE_exact || c->mode == SPX_FLOW_MODE_layered)
		return lookup_exact(c, family, key, hash, bytes, set, action, memo);
	forget(set, memo);
	return c->mode == SPX_FLOW_MODE_approximate
		       ? lookup_filters(c, family, key, hash, bytes, set, syn & set, action)
		       : set;
}

uint64_t
spx_flow_lookup4(struct spx_flow_cache *c, const struct spx_key4 key[], const uint64_t hash[],
	const uint32_t bytes[], uint64_t set, uint64_t syn, uint32_t action[], uint64_t memo[])
{
	return lookup(c, SPX_FLOW_IPV4, key, hash, bytes, set, syn, action, memo);
}

uint64_t
spx_flow_lookup6(struct spx_flow_cache *c, const struct spx_key6 key[], const uint64_t hash[],
	const uint32_t bytes[], uint64_t set, uint64_t syn, uint32_t action[], uint64_t memo[])
{
	return lookup(c, SPX_FLOW_IPV6, key, hash, bytes, set, syn, action, memo);
}

/* ---- learn ----------------------------------------------------------------------------------------- */

/* Mode layered: the flows of `asked` that have been seen before, in this burst or in one of those that the
 * filter remembers. The others have been seen now. */
static inline uint64_t
seen_before(struct spx_flow_cache *c, const uint64_t hash[], uint64_t asked)
{
	uint64_t known = spx_flow_approximate_lookup(c->filter[0], hash, asked);
	unsigned i;

	spx_flow_approximate_insert(c->filter[0], hash, asked & ~known);
	SPX_FOREACH (i, c->repeats.set)
		known |= asked & spx_set_one(c->repeats.first[i]);
	spx_count(&c->counters.approximate_hits, spx_set_count(known));
	spx_count(&c->counters.approximate_misses, spx_set_count(asked & ~known));
	return known;
}

/* Modes exact and layered. Flows that are resident with an answer of older rules are no new flows: they get
 * the new answer whatever the doorkeeper says. The guard keeps new flows from the places of others. */
static inline void
learn_exact(struct spx_flow_cache *c, enum spx_flow_family family, const void *key, const uint64_t hash[],
	uint64_t asked, const uint32_t action[])
{
	struct spx_flow_exact *x = c->exact[family];
	uint64_t stale = asked & spx_flow_exact_stale(x), enter = asked, entered, packets = 0;
	bool closed = !spx_flow_guard_lets_in(&c->guard), was_on = c->guard.on;
	unsigned i;

	if (c->mode == SPX_FLOW_MODE_layered)
		enter = stale | seen_before(c, hash, asked & ~stale);
	if (enter == 0)
		return;
	spx_flow_exact_close(x, closed);
	entered = exact_insert(c, family, key, hash, enter, action);
	SPX_FOREACH (i, entered)
		packets += c->repeats.packets[i];
	spx_count(&c->counters.counted, packets);
	spx_flow_guard_take(&c->guard, spx_flow_exact_contested(x));
	spx_count(&c->counters.guard_on, c->guard.on && !was_on);
	if (closed)
		spx_count(&c->counters.guarded, spx_set_count(enter & ~entered));
}

/* Mode approximate: every flow into its action's filter. */
static inline void
enter_filters(struct spx_flow_cache *c, const uint64_t hash[], uint64_t asked, const uint32_t action[])
{
	uint64_t flows[SPX_FLOW_ACTIONS_MAX], actions = 0;
	unsigned i, a;

	SPX_FOREACH (i, asked) {
		a = action[i];
		if ((actions & spx_set_one(a)) == 0)
			flows[a] = 0;
		actions |= spx_set_one(a);
		flows[a] |= spx_set_one(i);
	}
	SPX_FOREACH (a, actions)
		spx_flow_approximate_insert(c->filter[a], hash, flows[a]);
}

static inline void
learn(struct spx_flow_cache *c, enum spx_flow_family family, const void *key, const uint64_t hash[],
	uint64_t asked, uint32_t action[])
{
	unsigned i;

	if (c->mode == SPX_FLOW_MODE_none)
		return;
	SPX_FOREACH (i, c->repeats.set)
		action[i] = action[c->repeats.first[i]];
	if (c->mode == SPX_FLOW_MODE_approximate)
		enter_filters(c, hash, asked, action);
	else
		learn_exact(c, family, key, hash, asked, action);
}

void
spx_flow_learn4(struct spx_flow_cache *c, const struct spx_key4 key[], const uint64_t hash[], uint64_t asked,
	uint32_t action[])
{
	learn(c, SPX_FLOW_IPV4, key, hash, asked, action);
}

void
spx_flow_learn6(struct spx_flow_cache *c, const struct spx_key6 key[], const uint64_t hash[], uint64_t asked,
	uint32_t action[])
{
	learn(c, SPX_FLOW_IPV6, key, hash, asked, action);
}

/* ---- remember -------------------------------------------------------------------------------------- */

void
spx_flow_remember4(struct spx_flow_cache *c, const struct spx_key4 key[], const uint64_t hash[], uint64_t set,
	const uint64_t memo[])
{
	struct spx_flow_data *found[SPX_BURST_MAX];
	unsigned i;

	if (c->exact[SPX_FLOW_IPV4] == NULL)
		return;
	set = spx_flow_exact_again4(c->exact[SPX_FLOW_IPV4], key, hash, set, found);
	SPX_FOREACH (i, set)
		__atomic_store_n(&found[i]->memo, memo[i], __ATOMIC_RELAXED);
}

void
spx_flow_remember6(struct spx_flow_cache *c, const struct spx_key6 key[], const uint64_t hash[], uint64_t set,
	const uint64_t memo[])
{
	struct spx_flow_data *found[SPX_BURST_MAX];
	unsigned i;

	if (c->exact[SPX_FLOW_IPV6] == NULL)
		return;
	set = spx_flow_exact_again6(c->exact[SPX_FLOW_IPV6], key, hash, set, found);
	SPX_FOREACH (i, set)
		__atomic_store_n(&found[i]->memo, memo[i], __ATOMIC_RELAXED);
}
