/* The inside of the exact cache: its memory, and the two questions asked of a set.
 *
 * exact.c makes and keeps a cache, exact_lookup.c and exact_insert.c are its way of a burst; tests compare
 * the variants here. flow.h says what the table is and why. A flow's place is (set, way): the header of its
 * set holds its tag and its stamp, the entry at set * ways + way holds everything else.
 */
#ifndef SPX_FLOW_EXACT_INTERNAL_H
#define SPX_FLOW_EXACT_INTERNAL_H

#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_prefetch.h>
#ifdef __SSE4_1__
#include <smmintrin.h>
#endif

#include "lib/flow/flow.h"

#define EXACT_KEY4_SIZE sizeof(struct spx_key4)
#define EXACT_KEY6_SIZE sizeof(struct spx_key6)

/* ---- memory ---------------------------------------------------------------------------------------- */

/* Header of a set. Ways beyond those of the cache stay empty. */
struct exact_set {
	uint16_t tag[SPX_FLOW_WAYS_MAX];   /* of the flow's hash; 0: the way is empty */
	uint16_t stamp[SPX_FLOW_WAYS_MAX]; /* tick of its last use */
} __rte_cache_aligned;
static_assert(sizeof(struct exact_set) == RTE_CACHE_LINE_SIZE, "a set's header is one cache line");

/* Entries are made of the key and, right behind it, its struct spx_flow_data; IPv4 flows get one cache line
 * each, IPv6 flows two: what every lookup touches lies in the first, packets and bytes in the second. */
#define EXACT_ENTRY_SIZE(key_size) ((size_t)RTE_CACHE_LINE_ROUNDUP((key_size) + sizeof(struct spx_flow_data)))
static_assert(EXACT_ENTRY_SIZE(EXACT_KEY4_SIZE) == 64 && EXACT_ENTRY_SIZE(EXACT_KEY6_SIZE) == 128,
	"one and two cache lines");
static_assert(EXACT_KEY6_SIZE + offsetof(struct spx_flow_data, packets) == 64, "counters are in line two");

struct spx_flow_exact {
	/* Fixed. */
	struct exact_set *set;
	uint8_t *entry;
	uint64_t sets;
	uint64_t set_size;  /* bytes of the entries of a set */
	uint32_t ways_mask; /* the low `ways` bits */
	uint32_t ways;
	uint32_t shift;  /* a tick is 2^shift packets */
	uint32_t in_use; /* ticks after a use in which protect counts the flow as in use; 0: no protect */
	uint32_t key_size, entry_size;
	enum spx_flow_family family;
	spx_flow_ended ended;
	void *arg;
	uint64_t bytes;

	/* The owner's. */
	uint32_t generation __rte_cache_aligned;
	uint32_t now;   /* ms */
	uint64_t stale; /* members of the last lookup: resident, of an older generation */
	uint64_t looked_up;
	uint64_t aged;             /* of looked_up: those that ageing has paid for with visits of sets */
	uint64_t age_at, sweep_at; /* next set */
	uint64_t contests;         /* new flows that came to a full set in use */
	uint32_t contested;        /* new flows of the last insertion that came to full sets */
	bool closed;

	/* Written by the owner, read by anybody. */
	uint64_t inserted __rte_cache_aligned;
	uint64_t renewed;
	uint64_t refused;
	uint64_t has_ended[SPX_FLOW_END_COUNT];
};

static inline uint16_t
exact_tag(uint64_t hash)
{
	return (uint16_t)(hash | 1); /* never 0; one test less than to look for it */
}

/* The upper half of the hash as a fraction of all sets. */
static inline uint32_t
exact_index(uint64_t sets, uint64_t hash)
{
	return (uint32_t)(((hash >> 32) * sets) >> 32);
}

static inline uint8_t *
exact_entry(const struct spx_flow_exact *x, uint64_t index, unsigned way, size_t key_size)
{
	return x->entry + index * x->set_size + way * EXACT_ENTRY_SIZE(key_size);
}

/* Of the entries of a set that of one way. */
static inline uint8_t *
exact_way(uint8_t *entries, unsigned way, size_t key_size)
{
	return entries + way * EXACT_ENTRY_SIZE(key_size);
}

static inline struct spx_flow_data *
exact_data(uint8_t *entry, size_t key_size)
{
	return (struct spx_flow_data *)(void *)(entry + key_size);
}

static __rte_always_inline bool
exact_key_equal(const uint8_t *entry, const uint8_t *key, size_t key_size)
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
exact_prefetch(const uint8_t *entry, size_t key_size)
{
	for (size_t line = 0; line < EXACT_ENTRY_SIZE(key_size); line += RTE_CACHE_LINE_SIZE)
		rte_prefetch0(entry + line);
}

static inline uint16_t
exact_tick(const struct spx_flow_exact *x)
{
	return (uint16_t)(x->looked_up >> x->shift);
}

static inline void
exact_record(enum spx_flow_family family, const uint8_t *key, const struct spx_flow_data *data,
	struct spx_flow_record *record)
{
	if (family == SPX_FLOW_IPV4) {
		memset(&record->key6, 0, sizeof(record->key6));
		memcpy(&record->key4, key, sizeof(record->key4));
	} else {
		memcpy(&record->key6, key, sizeof(record->key6));
	}
	record->family = (uint8_t)family;
	record->end = 0;
	record->reserved = 0;
	record->action = data->action;
	record->packets = data->packets;
	record->bytes = data->bytes;
	record->first_use = data->first_use;
	record->last_use = data->last_use;
}

/* The flow in that entry is no more; tells who wants to know. The caller counts. */
static __rte_always_inline void
exact_end(const struct spx_flow_exact *x, struct exact_set *set, unsigned way, uint8_t *entry,
	size_t key_size, enum spx_flow_end end)
{
	if (x->ended != NULL) {
		struct spx_flow_record record;

		exact_record(key_size == EXACT_KEY4_SIZE ? SPX_FLOW_IPV4 : SPX_FLOW_IPV6, entry,
			exact_data(entry, key_size), &record);
		record.end = (uint8_t)end;
		x->ended(x->arg, &record);
	}
	__atomic_store_n(&set->tag[way], 0, __ATOMIC_RELAXED);
	/* Who reads along and sees what is written here next sees the empty way too. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

/* After the count of what entered: a reader that reads in the opposite order never sees more flows ended than
 * entered. */
static inline void
exact_count_ended(struct spx_flow_exact *x, enum spx_flow_end end, uint64_t n)
{
	__atomic_store_n(&x->has_ended[end], x->has_ended[end] + n, __ATOMIC_RELEASE);
}

/* ---- the questions: scalar contracts --------------------------------------------------------------- */

/* The ways whose tag is `tag`, as a mask. */
static inline uint32_t
exact_match_scalar(const uint16_t tag[SPX_FLOW_WAYS_MAX], uint16_t wanted)
{
	uint32_t mask = 0;

	for (unsigned way = 0; way < SPX_FLOW_WAYS_MAX; way++)
		mask |= (uint32_t)(tag[way] == wanted) << way;
	return mask;
}

/* Of the first `ways` ways the one whose last use is the most ticks ago, the lowest of several. */
static inline unsigned
exact_oldest_scalar(const uint16_t stamp[SPX_FLOW_WAYS_MAX], uint16_t tick, unsigned ways)
{
	unsigned oldest = 0;

	for (unsigned way = 1; way < ways; way++) {
		if ((uint16_t)(tick - stamp[way]) > (uint16_t)(tick - stamp[oldest]))
			oldest = way;
	}
	return oldest;
}

/* ---- the questions: SSE ---------------------------------------------------------------------------- */

#ifdef __SSE4_1__
static inline uint32_t
exact_match(const uint16_t tag[SPX_FLOW_WAYS_MAX], uint16_t wanted)
{
	const __m128i *in = (const __m128i *)(const void *)tag;
	__m128i all = _mm_set1_epi16((short)wanted);

	return (uint32_t)_mm_movemask_epi8(
		_mm_packs_epi16(_mm_cmpeq_epi16(in[0], all), _mm_cmpeq_epi16(in[1], all)));
}

/* stamp - tick - 1 is 0xffff less the age, so the least of it is the oldest; ways beyond are made 0xffff,
 * which no way before them loses to. */
static inline unsigned
exact_oldest(const uint16_t stamp[SPX_FLOW_WAYS_MAX], uint16_t tick, unsigned ways)
{
	const __m128i *in = (const __m128i *)(const void *)stamp;
	__m128i next = _mm_set1_epi16((short)(tick + 1)), last = _mm_set1_epi16((short)(ways - 1));
	__m128i low = _mm_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7), high = _mm_add_epi16(low, _mm_set1_epi16(8));
	uint32_t a = (uint32_t)_mm_cvtsi128_si32(
		_mm_minpos_epu16(_mm_or_si128(_mm_sub_epi16(in[0], next), _mm_cmpgt_epi16(low, last))));
	uint32_t b = (uint32_t)_mm_cvtsi128_si32(
		_mm_minpos_epu16(_mm_or_si128(_mm_sub_epi16(in[1], next), _mm_cmpgt_epi16(high, last))));

	return (uint16_t)a <= (uint16_t)b ? a >> 16 : 8 + (b >> 16);
}
#else
#define exact_match  exact_match_scalar
#define exact_oldest exact_oldest_scalar
#endif

#endif
