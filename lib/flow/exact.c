/* The exact cache outside of the packets' way: creation, ageing, expiry, and what others may read of it.
 * exact_lookup.c and exact_insert.c are its way of a burst. */
#include <errno.h>
#include <inttypes.h>

#include <rte_malloc.h>

#include "lib/flow/exact_internal.h"

/* ---- life ------------------------------------------------------------------------------------------ */

static int
check_options(const struct spx_flow_exact_options *o, struct spx_error *err)
{
	if ((unsigned)o->family >= SPX_FLOW_FAMILIES)
		return spx_error(err, -EINVAL, "family %d of flows is neither IPv4 (%d) nor IPv6 (%d)",
			(int)o->family, SPX_FLOW_IPV4, SPX_FLOW_IPV6);
	if (o->ways < 1 || o->ways > SPX_FLOW_WAYS_MAX)
		return spx_error(
			err, -EINVAL, "%u ways: an exact cache has 1 to %u", o->ways, SPX_FLOW_WAYS_MAX);
	if (o->entries < 1 || (o->entries - 1) / o->ways >= UINT32_MAX)
		return spx_error(err, -EINVAL,
			"%" PRIu64 " entries: an exact cache of %u ways has 1 to %" PRIu64, o->entries,
			o->ways, (uint64_t)UINT32_MAX * o->ways);
	return 0;
}

/* Packets to a tick: 2^shift <= max(1, sets / 64) < 2^(shift + 1). */
static uint32_t
tick_shift(uint64_t sets)
{
	return sets < 128 ? 0 : 63 - (uint32_t)__builtin_clzll(sets / 64);
}

int
spx_flow_exact_create(
	const struct spx_flow_exact_options *options, struct spx_flow_exact **out, struct spx_error *err)
{
	uint64_t headers, entries;
	struct spx_flow_exact *x;
	int rc = check_options(options, err);

	if (rc < 0)
		return rc;
	x = rte_zmalloc_socket("flow_exact", sizeof(*x), RTE_CACHE_LINE_SIZE, options->socket);
	if (x == NULL)
		return spx_error(err, -ENOMEM, "no memory for an exact cache");
	x->family = options->family;
	x->ways = options->ways;
	x->ways_mask = (1u << x->ways) - 1;
	x->sets = (options->entries - 1) / x->ways + 1;
	x->key_size = x->family == SPX_FLOW_IPV4 ? EXACT_KEY4_SIZE : EXACT_KEY6_SIZE;
	x->entry_size = (uint32_t)EXACT_ENTRY_SIZE(x->key_size);
	x->set_size = (uint64_t)x->ways * x->entry_size;
	x->shift = tick_shift(x->sets);
	/* 2 * entries packets: fewer than 2 * 16 * 64 * 2 = 0x1000 ticks, while ages are told apart. */
	x->in_use = options->protect ? (uint32_t)(2 * x->sets * x->ways >> x->shift) : 0;
	x->ended = options->ended;
	x->arg = options->arg;
	headers = x->sets * sizeof(*x->set);
	entries = x->sets * x->set_size;
	x->bytes = sizeof(*x) + headers + entries;
	/* One piece: the headers, then the entries. */
	x->set = rte_zmalloc_socket("flow_exact", headers + entries, RTE_CACHE_LINE_SIZE, options->socket);
	if (x->set == NULL) {
		rc = spx_error(err, -ENOMEM,
			"no memory for an exact cache of %" PRIu64 " IPv%c flows: it takes %" PRIu64 " MiB",
			x->sets * x->ways, x->family == SPX_FLOW_IPV4 ? '4' : '6', (x->bytes >> 20) + 1);
		rte_free(x);
		return rc;
	}
	x->entry = (uint8_t *)x->set + headers;
	*out = x;
	return 0;
}

void
spx_flow_exact_free(struct spx_flow_exact *x)
{
	if (x == NULL)
		return;
	rte_free(x->set);
	rte_free(x);
}

void
spx_flow_exact_set_generation(struct spx_flow_exact *x, uint32_t generation)
{
	x->generation = generation;
}

void
spx_flow_exact_set_time(struct spx_flow_exact *x, uint32_t now_ms)
{
	x->now = now_ms;
}

void
spx_flow_exact_close(struct spx_flow_exact *x, bool closed)
{
	x->closed = closed;
}

unsigned
spx_flow_exact_contested(const struct spx_flow_exact *x)
{
	return x->contested;
}

const void *
spx_flow_exact_lines(const struct spx_flow_exact *x, uint64_t *lines)
{
	*lines = x->sets;
	return x->set;
}

uint64_t
spx_flow_exact_stale(const struct spx_flow_exact *x)
{
	return x->stale;
}

/* ---- ageing ---------------------------------------------------------------------------------------- */

/* Stamps are the low 16 bits of the tick, so ages (ticks since the last use) must stay below 0x10000 for
 * the order of use to be exact. Ageing visits a set for every 128 packets looked up, round and round, and
 * makes ages of 0x4000 and more there as small as their order allows: at most 0x4000 + 15.
 *
 * Until the next visit of the set come 128 * sets packets, and at most AGE_LATEST + 64 more, because a lookup
 * ages when nobody has for that long. sets < 64 * 2^(shift + 1), so the former are less than 128 * 64 * 2 =
 * 0x4000 ticks; the latter are at most 0x4040 ticks (shift = 0). So ages stay below 0x4010 + 0x4000 + 0x4040
 * < 0x10000. */
#define AGE_PACKETS 128u
#define AGE_OLD     0x4000u

/* Ages become min(age, AGE_OLD + rank), rank being the number of old ways that are younger: both grow with
 * the age, so the order stays, and equal ages stay equal. */
static void
age_set(struct exact_set *set, uint16_t tick, unsigned ways)
{
	uint16_t age[SPX_FLOW_WAYS_MAX];
	unsigned old[SPX_FLOW_WAYS_MAX], n = 0;

	for (unsigned way = 0; way < ways; way++) {
		age[way] = (uint16_t)(tick - set->stamp[way]);
		if (age[way] >= AGE_OLD)
			old[n++] = way;
	}
	for (unsigned i = 0; i < n; i++) {
		unsigned young = AGE_OLD;

		for (unsigned k = 0; k < n; k++)
			young += age[old[k]] < age[old[i]];
		set->stamp[old[i]] = (uint16_t)(tick - RTE_MIN((unsigned)age[old[i]], young));
	}
}

void
spx_flow_exact_age(struct spx_flow_exact *x)
{
	uint64_t due = (x->looked_up - x->aged) / AGE_PACKETS;

	x->aged += due * AGE_PACKETS;
	for (due = RTE_MIN(due, x->sets); due > 0; due--) {
		age_set(&x->set[x->age_at], exact_tick(x), x->ways);
		x->age_at = x->age_at + 1 == x->sets ? 0 : x->age_at + 1;
		rte_prefetch0(&x->set[x->age_at]);
	}
}

/* ---- ends ------------------------------------------------------------------------------------------ */

static uint8_t *
entry_at(const struct spx_flow_exact *x, uint64_t index, unsigned way)
{
	return x->entry + index * x->set_size + way * x->entry_size;
}

static void
end_way(struct spx_flow_exact *x, uint64_t index, unsigned way, enum spx_flow_end end)
{
	exact_end(x, &x->set[index], way, entry_at(x, index, way), x->key_size, end);
}

static uint32_t
filled(const struct spx_flow_exact *x, uint64_t index)
{
	return ~exact_match(x->set[index].tag, 0) & x->ways_mask;
}

static uint64_t
sweep_set(struct spx_flow_exact *x, uint64_t index, uint32_t idle_ms)
{
	uint32_t ways = filled(x, index);
	uint64_t n = 0;
	unsigned way;

	SPX_FOREACH (way, ways) {
		const struct spx_flow_data *data =
			(const void *)(x->entry + index * x->set_size + way * x->entry_size + x->key_size);

		if ((uint32_t)(x->now - data->last_use) <= idle_ms)
			continue;
		end_way(x, index, way, SPX_FLOW_END_expired);
		n++;
	}
	return n;
}

void
spx_flow_exact_sweep(struct spx_flow_exact *x, uint64_t n, uint32_t idle_ms)
{
	uint64_t expired = 0;
	unsigned way;

	for (; n > 0; n--) {
		uint64_t next = x->sweep_at + 1 == x->sets ? 0 : x->sweep_at + 1;

		/* The entries of the set after this one arrive while this one is looked through. */
		SPX_FOREACH (way, filled(x, next))
			rte_prefetch0(entry_at(x, next, way));
		expired += sweep_set(x, x->sweep_at, idle_ms);
		x->sweep_at = next;
	}
	exact_count_ended(x, SPX_FLOW_END_expired, expired);
}

void
spx_flow_exact_flush(struct spx_flow_exact *x)
{
	uint64_t stopped = 0;
	unsigned way;

	for (uint64_t index = 0; index < x->sets; index++) {
		uint32_t ways = filled(x, index);

		SPX_FOREACH (way, ways)
			end_way(x, index, way, SPX_FLOW_END_stopped);
		stopped += spx_set_count(ways);
	}
	exact_count_ended(x, SPX_FLOW_END_stopped, stopped);
}

/* ---- for any thread -------------------------------------------------------------------------------- */

void
spx_flow_exact_stats(const struct spx_flow_exact *x, struct spx_flow_exact_stats *stats)
{
	uint64_t ended = 0;

	*stats = (struct spx_flow_exact_stats){
		.entries = x->sets * x->ways, .sets = x->sets, .bytes = x->bytes};
	for (unsigned i = 0; i < SPX_FLOW_END_COUNT; i++) {
		stats->ended[i] = __atomic_load_n(&x->has_ended[i], __ATOMIC_ACQUIRE);
		ended += stats->ended[i];
	}
	stats->inserted = __atomic_load_n(&x->inserted, __ATOMIC_RELAXED);
	stats->refused = __atomic_load_n(&x->refused, __ATOMIC_RELAXED);
	stats->renewed = __atomic_load_n(&x->renewed, __ATOMIC_RELAXED);
	stats->resident = stats->inserted - ended;
}

static void
copy_words(const uint8_t *from, size_t size, void *to)
{
	for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
		uint64_t word =
			__atomic_load_n((const uint64_t *)(const void *)(from + at), __ATOMIC_RELAXED);

		memcpy((uint8_t *)to + at, &word, sizeof(word));
	}
}

/* A copy is of one flow when the entry's version is the same before and after: the owner empties the tag,
 * then changes the version, then writes another flow, then its tag. */
bool
spx_flow_exact_read(const struct spx_flow_exact *x, uint64_t index, struct spx_flow_record *record)
{
	const uint8_t *entry = x->entry + index * x->entry_size;
	const struct spx_flow_data *data = (const void *)(entry + x->key_size);
	const struct exact_set *set = &x->set[index / x->ways];
	struct spx_flow_data copy = {0};
	uint8_t key[EXACT_KEY6_SIZE] = {0};
	uint32_t version;

	if (index >= x->sets * x->ways)
		return false;
	version = __atomic_load_n(&data->version, __ATOMIC_ACQUIRE);
	if (__atomic_load_n(&set->tag[index % x->ways], __ATOMIC_ACQUIRE) == 0)
		return false;
	copy_words(entry, x->key_size, key);
	copy_words(entry + x->key_size, sizeof(copy), &copy);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(&data->version, __ATOMIC_RELAXED) != version)
		return false;
	exact_record(x->family, key, &copy, record);
	return true;
}
