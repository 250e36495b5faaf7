/* The exact cache in the packet loop: lookup and insertion of bursts. exact.c has the rest.
 *
 * One code for both families: inline functions of the key's size, which is a constant in each of the four
 * functions at the end. A burst goes through its members in passes, so that what a pass prefetches has
 * arrived when the next one comes to it.
 */
#include "lib/flow/exact_internal.h"

/* Packets after which a lookup ages the cache itself; see exact.c. */
#define AGE_LATEST 16384u

static __rte_always_inline bool
key_equal(const uint8_t *entry, const uint8_t *key, size_t key_size)
{
	uint64_t different = 0;

	for (size_t at = 0; at < key_size; at += sizeof(uint64_t)) {
		uint64_t a, b;

		memcpy(&a, entry + at, sizeof(a));
		memcpy(&b, key + at, sizeof(b));
		different |= a ^ b;
	}
	return different == 0;
}

static __rte_always_inline void
prefetch_entry(const uint8_t *entry, size_t key_size)
{
	for (size_t line = 0; line < EXACT_ENTRY_SIZE(key_size); line += RTE_CACHE_LINE_SIZE)
		rte_prefetch0(entry + line);
}

/* ---- lookup ---------------------------------------------------------------------------------------- */

/* Of the ways in `candidates` the one that holds the key with the generation in force: its entry, or NULL.
 * More than one candidate is rare: two flows of a set share a tag once in 2^16 pairs. */
static __rte_always_inline uint8_t *
find(const struct spx_flow_exact *x, uint64_t index, uint32_t candidates, const uint8_t *key, size_t key_size,
	unsigned *way)
{
	for (; candidates != 0; candidates &= candidates - 1) {
		uint8_t *entry;

		*way = (unsigned)__builtin_ctz(candidates);
		entry = exact_entry(x, index, *way, key_size);
		if (likely(key_equal(entry, key, key_size) &&
			    exact_data(entry, key_size)->generation == x->generation))
			return entry;
	}
	return NULL;
}

static __rte_always_inline uint64_t
lookup(struct spx_flow_exact *x, const uint8_t *key, size_t key_size, const uint64_t hash[], uint64_t members,
	struct spx_flow_data *found[])
{
	uint32_t index[SPX_BURST_MAX], candidates[SPX_BURST_MAX];
	uint64_t hits = 0;
	unsigned i, way = 0;
	uint16_t tick;

	SPX_FOREACH (i, members) {
		index[i] = exact_index(x, hash[i]);
		rte_prefetch0(&x->set[index[i]]);
	}
	x->looked_up += spx_set_count(members);
	if (unlikely(x->looked_up - x->aged > AGE_LATEST))
		spx_flow_exact_age(x);
	tick = exact_tick(x);
	SPX_FOREACH (i, members) {
		candidates[i] = exact_match(x->set[index[i]].tag, exact_tag(hash[i]));
		if (candidates[i] != 0)
			prefetch_entry(
				exact_entry(x, index[i], (unsigned)__builtin_ctz(candidates[i]), key_size),
				key_size);
	}
	SPX_FOREACH (i, members) {
		uint8_t *entry = find(x, index[i], candidates[i], key + i * key_size, key_size, &way);

		if (entry == NULL)
			continue;
		found[i] = exact_data(entry, key_size);
		__atomic_store_n(&found[i]->last_use, x->now, __ATOMIC_RELAXED);
		x->set[index[i]].stamp[way] = tick;
		hits |= spx_set_one(i);
	}
	return hits;
}

/* ---- insertion ------------------------------------------------------------------------------------- */

/* What an insertion brings. */
struct arrival {
	const uint8_t *key;
	uint64_t hash;
	uint32_t action, packets, bytes;
};

/* A way for a new flow: an empty one, or the least recently used one. */
static __rte_always_inline unsigned
choose(const struct spx_flow_exact *x, const struct exact_set *set)
{
	uint32_t empty = exact_match(set->tag, 0) & x->ways_mask;

	return empty != 0 ? (unsigned)__builtin_ctz(empty) : exact_oldest(set->stamp, exact_tick(x), x->ways);
}

/* Answers a resident flow anew. Whoever reads it meanwhile gets the old answer or the new one. */
static __rte_always_inline void
renew(const struct spx_flow_exact *x, struct spx_flow_data *data, const struct arrival *a)
{
	__atomic_store_n(&data->action, a->action, __ATOMIC_RELAXED);
	__atomic_store_n(&data->state, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&data->generation, x->generation, __ATOMIC_RELAXED);
	__atomic_store_n(&data->last_use, x->now, __ATOMIC_RELAXED);
	spx_count(&data->packets, a->packets);
	spx_count(&data->bytes, a->bytes);
}

/* Fills an entry whose tag is 0 meanwhile. Whoever reads it and sees anything of the new flow sees the new
 * version too. */
static __rte_always_inline void
fill(const struct spx_flow_exact *x, uint8_t *entry, size_t key_size, const struct arrival *a)
{
	struct spx_flow_data *data = exact_data(entry, key_size);

	__atomic_store_n(&data->version, data->version + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (size_t at = 0; at < key_size; at += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, a->key + at, sizeof(word));
		__atomic_store_n((uint64_t *)(void *)(entry + at), word, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&data->first_use, x->now, __ATOMIC_RELAXED);
	__atomic_store_n(&data->packets, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&data->bytes, 0, __ATOMIC_RELAXED);
	renew(x, data, a);
}

struct tally {
	uint64_t inserted, renewed, evicted;
};

static __rte_always_inline void
place(struct spx_flow_exact *x, uint64_t index, size_t key_size, const struct arrival *a, struct tally *tally)
{
	struct exact_set *set = &x->set[index];
	uint16_t tag = exact_tag(a->hash), tick = exact_tick(x);
	unsigned way;

	for (uint32_t left = exact_match(set->tag, tag); unlikely(left != 0); left &= left - 1) {
		uint8_t *entry;

		way = (unsigned)__builtin_ctz(left);
		entry = exact_entry(x, index, way, key_size);
		if (!key_equal(entry, a->key, key_size))
			continue;
		renew(x, exact_data(entry, key_size), a);
		set->stamp[way] = tick;
		tally->renewed++;
		return;
	}
	way = choose(x, set);
	if (set->tag[way] != 0) {
		exact_end(x, index, way, SPX_FLOW_END_evicted);
		tally->evicted++;
	}
	fill(x, exact_entry(x, index, way, key_size), key_size, a);
	__atomic_store_n(&set->tag[way], tag, __ATOMIC_RELEASE);
	set->stamp[way] = tick;
	tally->inserted++;
}

/* The first pass only guesses which entries will be written, to have them prefetched: an insertion before
 * may take the way, so each decides when it is its turn. */
static __rte_always_inline void
insert(struct spx_flow_exact *x, const uint8_t *key, size_t key_size, const uint64_t hash[], uint64_t members,
	const uint32_t action[], const uint32_t packets[], const uint32_t bytes[])
{
	struct tally tally = {0};
	unsigned i;

	SPX_FOREACH (i, members)
		rte_prefetch0(&x->set[exact_index(x, hash[i])]);
	SPX_FOREACH (i, members) {
		uint32_t index = exact_index(x, hash[i]);
		uint32_t known = exact_match(x->set[index].tag, exact_tag(hash[i]));
		unsigned way = known != 0 ? (unsigned)__builtin_ctz(known) : choose(x, &x->set[index]);

		prefetch_entry(exact_entry(x, index, way, key_size), key_size);
	}
	SPX_FOREACH (i, members) {
		const struct arrival a = {key + i * key_size, hash[i], action[i], packets[i], bytes[i]};

		place(x, exact_index(x, hash[i]), key_size, &a, &tally);
	}
	spx_count(&x->inserted, tally.inserted);
	spx_count(&x->renewed, tally.renewed);
	exact_count_ended(x, SPX_FLOW_END_evicted, tally.evicted);
}

/* ---- families -------------------------------------------------------------------------------------- */

uint64_t
spx_flow_exact_lookup4(struct spx_flow_exact *x, const struct spx_key4 key[], const uint64_t hash[],
	uint64_t set, struct spx_flow_data *found[])
{
	return lookup(x, (const uint8_t *)key, EXACT_KEY4_SIZE, hash, set, found);
}

uint64_t
spx_flow_exact_lookup6(struct spx_flow_exact *x, const struct spx_key6 key[], const uint64_t hash[],
	uint64_t set, struct spx_flow_data *found[])
{
	return lookup(x, (const uint8_t *)key, EXACT_KEY6_SIZE, hash, set, found);
}

void
spx_flow_exact_insert4(struct spx_flow_exact *x, const struct spx_key4 key[], const uint64_t hash[],
	uint64_t set, const uint32_t action[], const uint32_t packets[], const uint32_t bytes[])
{
	insert(x, (const uint8_t *)key, EXACT_KEY4_SIZE, hash, set, action, packets, bytes);
}

void
spx_flow_exact_insert6(struct spx_flow_exact *x, const struct spx_key6 key[], const uint64_t hash[],
	uint64_t set, const uint32_t action[], const uint32_t packets[], const uint32_t bytes[])
{
	insert(x, (const uint8_t *)key, EXACT_KEY6_SIZE, hash, set, action, packets, bytes);
}
