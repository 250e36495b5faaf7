/* The exact cache in the packet loop: entering flows. exact_lookup.c looks them up, exact.c has the rest.
 *
 * One code for both families: inline functions of the key's size, a constant in the two functions at the end.
 */
#include "lib/flow/exact_internal.h"

/* Of the new flows that come to a full set in use, one in so many enters (flow.h, protect). */
#define PROTECT_EVERY 16u

/* What an insertion brings, and when. */
struct arrival {
	const uint8_t *key;
	uint32_t action, packets, bytes;
	uint32_t generation, now;
	uint16_t tag, tick;
};

/* A way for a new flow: an empty one, or the least recently used one. */
static __rte_always_inline unsigned
choose(const struct spx_flow_exact *x, const struct exact_set *set, uint16_t tick)
{
	uint32_t empty = exact_match(set->tag, 0) & x->ways_mask;

	return empty != 0 ? (unsigned)__builtin_ctz(empty) : exact_oldest(set->stamp, tick, x->ways);
}

static __rte_always_inline void
answer(struct spx_flow_data *data, const struct arrival *a)
{
	__atomic_store_n(&data->action, a->action, __ATOMIC_RELAXED);
	__atomic_store_n(&data->state, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&data->generation, a->generation, __ATOMIC_RELAXED);
	__atomic_store_n(&data->last_use, a->now, __ATOMIC_RELAXED);
}

/* Fills an entry whose tag is 0 meanwhile. Whoever reads it and sees anything of the new flow sees the new
 * version too. */
static __rte_always_inline void
fill(uint8_t *entry, size_t key_size, const struct arrival *a)
{
	struct spx_flow_data *data = exact_data(entry, key_size);

	__atomic_store_n(&data->version, data->version + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (size_t at = 0; at < key_size; at += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, a->key + at, sizeof(word));
		__atomic_store_n((uint64_t *)(void *)(entry + at), word, __ATOMIC_RELAXED);
	}
	answer(data, a);
	__atomic_store_n(&data->first_use, a->now, __ATOMIC_RELAXED);
	__atomic_store_n(&data->packets, a->packets, __ATOMIC_RELAXED);
	__atomic_store_n(&data->bytes, a->bytes, __ATOMIC_RELAXED);
	__atomic_store_n(&data->memo, 0, __ATOMIC_RELAXED);
}

/* What insertions have done. A set that one of them has changed is in `changed`, as one of 64 bits. */
struct tally {
	uint64_t inserted, renewed, evicted;
	uint64_t changed;
	uint64_t refused; /* members that did not enter */
};

/* Whether the way, if there is a flow in it, is kept from the new one. */
static __rte_always_inline bool
refuse(struct spx_flow_exact *x, uint32_t index, unsigned way, uint16_t tick)
{
	const struct exact_set *set = &x->set[index];

	if (set->tag[way] == 0)
		return false;
	x->contested++;
	return x->closed ||
	       ((uint16_t)(tick - set->stamp[way]) < x->in_use && x->contests++ % PROTECT_EVERY != 0);
}

/* Answers the flow anew if it is resident. Whoever reads it meanwhile gets the old answer or the new one. */
static __rte_always_inline bool
renew(const struct spx_flow_exact *x, uint32_t index, size_t key_size, const struct arrival *a)
{
	struct exact_set *set = &x->set[index];

	for (uint32_t left = exact_match(set->tag, a->tag); left != 0; left &= left - 1) {
		unsigned way = (unsigned)__builtin_ctz(left);
		uint8_t *entry = exact_entry(x, index, way, key_size);
		struct spx_flow_data *data = exact_data(entry, key_size);

		if (!exact_key_equal(entry, a->key, key_size))
			continue;
		answer(data, a);
		spx_count(&data->packets, a->packets);
		spx_count(&data->bytes, a->bytes);
		set->stamp[way] = a->tick;
		return true;
	}
	return false;
}

static __rte_always_inline void
enter(const struct spx_flow_exact *x, uint32_t index, unsigned way, size_t key_size, const struct arrival *a,
	struct tally *tally)
{
	struct exact_set *set = &x->set[index];
	uint8_t *entry = exact_entry(x, index, way, key_size);

	if (set->tag[way] != 0) {
		exact_end(x, set, way, entry, key_size, SPX_FLOW_END_evicted);
		tally->evicted++;
	}
	fill(entry, key_size, a);
	__atomic_store_n(&set->tag[way], a->tag, __ATOMIC_RELEASE);
	set->stamp[way] = a->tick;
	tally->inserted++;
}

/* The first pass chooses ways, to have their entries prefetched. In the second pass the choice holds unless
 * an insertion before has changed the set meanwhile (or another one of the same bit), or the flow may be
 * there. */
static __rte_always_inline uint64_t
insert(struct spx_flow_exact *x, const uint8_t *key, size_t key_size, const uint64_t hash[], uint64_t members,
	const uint32_t action[], const uint32_t packets[], const uint32_t bytes[])
{
	const uint32_t generation = x->generation, now = x->now;
	const uint16_t tick = exact_tick(x);
	uint32_t index[SPX_BURST_MAX];
	uint8_t chosen[SPX_BURST_MAX];
	struct tally tally = {0};
	uint64_t maybe_known = 0;
	unsigned i;

	x->contested = 0;
	SPX_FOREACH (i, members) {
		const struct exact_set *set = &x->set[index[i] = exact_index(x->sets, hash[i])];
		uint32_t known = exact_match(set->tag, exact_tag(hash[i]));

		maybe_known |= (uint64_t)(known != 0) << i;
		chosen[i] = (uint8_t)(unlikely(known != 0) ? (unsigned)__builtin_ctz(known)
							   : choose(x, set, tick));
		exact_prefetch(exact_entry(x, index[i], chosen[i], key_size), key_size);
	}
	SPX_FOREACH (i, members) {
		const struct arrival a = {key + i * key_size, action[i], packets[i], bytes[i], generation,
			now, exact_tag(hash[i]), tick};
		bool sure = ((maybe_known >> i | tally.changed >> index[i] % 64) & 1) == 0;

		tally.changed |= spx_set_one(index[i] % 64);
		if (unlikely(!sure)) {
			if (renew(x, index[i], key_size, &a)) {
				tally.renewed++;
				continue;
			}
			chosen[i] = (uint8_t)choose(x, &x->set[index[i]], tick);
		}
		if (unlikely(refuse(x, index[i], chosen[i], tick)))
			tally.refused |= spx_set_one(i);
		else
			enter(x, index[i], chosen[i], key_size, &a, &tally);
	}
	spx_count(&x->refused, spx_set_count(tally.refused));
	spx_count(&x->inserted, tally.inserted);
	spx_count(&x->renewed, tally.renewed);
	exact_count_ended(x, SPX_FLOW_END_evicted, tally.evicted);
	return members & ~tally.refused;
}

/* ---- families -------------------------------------------------------------------------------------- */

uint64_t
spx_flow_exact_insert4(struct spx_flow_exact *x, const struct spx_key4 key[], const uint64_t hash[],
	uint64_t set, const uint32_t action[], const uint32_t packets[], const uint32_t bytes[])
{
	return insert(x, (const uint8_t *)key, EXACT_KEY4_SIZE, hash, set, action, packets, bytes);
}

uint64_t
spx_flow_exact_insert6(struct spx_flow_exact *x, const struct spx_key6 key[], const uint64_t hash[],
	uint64_t set, const uint32_t action[], const uint32_t packets[], const uint32_t bytes[])
{
	return insert(x, (const uint8_t *)key, EXACT_KEY6_SIZE, hash, set, action, packets, bytes);
}
