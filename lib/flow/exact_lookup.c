/* The exact cache in the packet loop: looking flows up. exact_insert.c enters them, exact.c has the rest.
 *
 * One code for both families and both forms of the answer: inline functions of the key's size and of what is
 * wanted, which are constants in each of the functions at the end. A burst goes through its members in
 * passes, so that what a pass prefetches has arrived when the next one comes to it.
 */
#include "lib/flow/exact_internal.h"

/* Packets after which a lookup ages the cache itself; see exact.c. */
#define AGE_LATEST 16384u

/* Where a member's first candidate is, between the passes. */
struct place {
	uint8_t *entry;
	uint16_t *stamp;
};

/* The first candidate is not it: whether one of the others is. Rare: rules have changed, or two flows of a
 * set share a tag, as one in 2^15 pairs does. */
static __rte_noinline bool
find_other(struct spx_flow_exact *x, struct place *at, unsigned i, uint64_t hash, const uint8_t *key,
	size_t key_size)
{
	uint32_t index = exact_index(x->sets, hash);
	struct exact_set *set = &x->set[index];

	for (uint32_t left = exact_match(set->tag, exact_tag(hash)); left != 0; left &= left - 1) {
		unsigned way = (unsigned)__builtin_ctz(left);

		*at = (struct place){exact_entry(x, index, way, key_size), &set->stamp[way]};
		if (!exact_key_equal(at->entry, key, key_size))
			continue;
		if (exact_data(at->entry, key_size)->generation == x->generation)
			return true;
		x->stale |= spx_set_one(i);
		return false;
	}
	return false;
}

static __rte_always_inline bool
answers(uint8_t *entry, const uint8_t *key, size_t key_size, uint32_t generation)
{
	return exact_key_equal(entry, key, key_size) && exact_data(entry, key_size)->generation == generation;
}

/* The first pass: asks for the headers. */
static __rte_always_inline void
prefetch_sets(const struct spx_flow_exact *x, const uint64_t hash[], uint64_t members)
{
	const struct exact_set *const sets = x->set;
	const uint64_t n_sets = x->sets;
	unsigned i;

	SPX_FOREACH (i, members)
		rte_prefetch0(&sets[exact_index(n_sets, hash[i])]);
}

/* The second pass: whose tag is there; the entry behind it is prefetched. Returns the members that have
 * candidates. */
static __rte_always_inline uint64_t
match(const struct spx_flow_exact *x, const uint64_t hash[], uint64_t members, size_t key_size,
	struct place at[])
{
	struct exact_set *const sets = x->set;
	const uint64_t n_sets = x->sets, set_size = x->set_size;
	uint8_t *const entries = x->entry;
	uint64_t missing = 0;
	unsigned i;

	SPX_FOREACH (i, members) {
		const uint32_t index = exact_index(n_sets, hash[i]);
		struct exact_set *s = &sets[index];
		uint32_t candidates = exact_match(s->tag, exact_tag(hash[i]));
		uint64_t way;

		if (candidates == 0) {
			missing |= spx_set_one(i);
			continue;
		}
		way = (uint64_t)__builtin_ctz(candidates);
		at[i].stamp = &s->stamp[way];
		at[i].entry = exact_way(entries + index * set_size, (unsigned)way, key_size);
		exact_prefetch(at[i].entry, key_size);
	}
	return members & ~missing;
}

/* What the caller wants of a hit: where its data are (found), or its action and memo, the packet counted with
 * its bytes. */
struct wanted {
	struct spx_flow_data **found;
	const uint32_t *bytes;
	uint32_t *action;
	uint64_t *memo;
	bool prefetched; /* the headers have been asked for (spx_flow_exact_lines) */
	bool again;      /* these packets have been looked up already: no time goes by */
};

static __rte_always_inline void
hit(const struct place *at, size_t key_size, uint32_t now, uint16_t tick, unsigned i,
	const struct wanted *wanted)
{
	struct spx_flow_data *data = exact_data(at->entry, key_size);

	__atomic_store_n(&data->last_use, now, __ATOMIC_RELAXED);
	*at->stamp = tick;
	if (wanted->found != NULL) {
		wanted->found[i] = data;
		return;
	}
	wanted->action[i] = data->action;
	wanted->memo[i] = data->memo;
	spx_count(&data->packets, 1);
	spx_count(&data->bytes, wanted->bytes[i]);
}

/* The loop of the third pass has no call, as what it uses stays in registers then. */
static __rte_always_inline uint64_t
lookup(struct spx_flow_exact *x, const uint8_t *key, size_t key_size, const uint64_t hash[], uint64_t members,
	const struct wanted wanted)
{
	const uint32_t generation = x->generation, now = x->now;
	struct place at[SPX_BURST_MAX];
	uint64_t hits, others = 0;
	uint16_t tick;
	unsigned i;

	if (!wanted.prefetched)
		prefetch_sets(x, hash, members);
	if (!wanted.again)
		x->looked_up += spx_set_count(members);
	if (unlikely(x->looked_up - x->aged > AGE_LATEST))
		spx_flow_exact_age(x);
	tick = exact_tick(x);
	x->stale = 0;
	hits = match(x, hash, members, key_size, at);
	SPX_FOREACH (i, hits) {
		if (likely(answers(at[i].entry, key + i * key_size, key_size, generation)))
			hit(&at[i], key_size, now, tick, i, &wanted);
		else
			others |= spx_set_one(i);
	}
	SPX_FOREACH (i, others) {
		if (find_other(x, &at[i], i, hash[i], key + i * key_size, key_size))
			hit(&at[i], key_size, now, tick, i, &wanted);
		else
			hits &= ~spx_set_one(i);
	}
	return hits;
}

/* ---- families -------------------------------------------------------------------------------------- */

uint64_t
spx_flow_exact_lookup4(struct spx_flow_exact *x, const struct spx_key4 key[], const uint64_t hash[],
	uint64_t set, struct spx_flow_data *found[])
{
	return lookup(x, (const uint8_t *)key, EXACT_KEY4_SIZE, hash, set, (struct wanted){.found = found});
}

uint64_t
spx_flow_exact_again4(struct spx_flow_exact *x, const struct spx_key4 key[], const uint64_t hash[],
	uint64_t set, struct spx_flow_data *found[])
{
	return lookup(x, (const uint8_t *)key, EXACT_KEY4_SIZE, hash, set,
		(struct wanted){.found = found, .again = true});
}

uint64_t
spx_flow_exact_answer4(struct spx_flow_exact *x, const struct spx_key4 key[], const uint64_t hash[],
	const uint32_t bytes[], uint64_t set, uint32_t action[], uint64_t memo[])
{
	return lookup(x, (const uint8_t *)key, EXACT_KEY4_SIZE, hash, set,
		(struct wanted){.bytes = bytes, .action = action, .memo = memo, .prefetched = true});
}

uint64_t
spx_flow_exact_lookup6(struct spx_flow_exact *x, const struct spx_key6 key[], const uint64_t hash[],
	uint64_t set, struct spx_flow_data *found[])
{
	return lookup(x, (const uint8_t *)key, EXACT_KEY6_SIZE, hash, set, (struct wanted){.found = found});
}

uint64_t
spx_flow_exact_again6(struct spx_flow_exact *x, const struct spx_key6 key[], const uint64_t hash[],
	uint64_t set, struct spx_flow_data *found[])
{
	return lookup(x, (const uint8_t *)key, EXACT_KEY6_SIZE, hash, set,
		(struct wanted){.found = found, .again = true});
}

uint64_t
spx_flow_exact_answer6(struct spx_flow_exact *x, const struct spx_key6 key[], const uint64_t hash[],
	const uint32_t bytes[], uint64_t set, uint32_t action[], uint64_t memo[])
{
	return lookup(x, (const uint8_t *)key, EXACT_KEY6_SIZE, hash, set,
		(struct wanted){.bytes = bytes, .action = action, .memo = memo});
}
