/* The inside of the ephemeral state store: its memory, and how it is read and written while others do.
 *
 * store.c, tx.c, commit.c and place.c share it; ess.h says what the structure is and why it is right.
 * Whatever two lcores may touch at once is read and written by load and store below, word by word: what is
 * read while somebody writes is thrown away when the version says so, but has to be some value.
 */
#ifndef SPX_ESS_INTERNAL_H
#define SPX_ESS_INTERNAL_H

#include <rte_pause.h>
#include <rte_prefetch.h>
#include <rte_spinlock.h>

#include "lib/ess/ess.h"

#define ESS_WAYS     8u
#define ESS_TAG_BITS 16u
#define ESS_ENTRIES  4u /* for each bucket, in a full store */
#define ESS_WORDS    4u

/* ---- memory ---------------------------------------------------------------------------------------- */

/* Indices that may stand for nothing are stored plus one; so zeroed memory is an empty store. */
struct ess_bucket {
	uint64_t version;           /* odd: being written */
	uint64_t tag[ESS_WAYS / 4]; /* 16 bits for each way; 0: the way is empty */
	uint32_t place[ESS_WAYS];   /* of the entry, where the tag is not 0 */
	uint32_t chain;             /* place + 1 of the first entry that found no way */
	uint32_t reserved;
} __rte_cache_aligned;
static_assert(sizeof(struct ess_bucket) == RTE_CACHE_LINE_SIZE, "a bucket is one cache line");

struct ess_entry {
	uint64_t value[ESS_WORDS];
	uint64_t key;
	uint64_t birth;  /* us; of an entry that is or was */
	uint32_t bucket; /* + 1; 0: it is in none */
	uint32_t chain;  /* place + 1 of the next entry of the chain */
	uint32_t kind;   /* class << 16 | tag */
	uint32_t reserved;
} __rte_cache_aligned;
static_assert(ESS_WORDS * sizeof(uint64_t) == SPX_ESS_VALUE, "a value is so many words");
static_assert(sizeof(struct ess_entry) == RTE_CACHE_LINE_SIZE, "an entry is one cache line");

struct ess_tokens {
	uint64_t now_us; /* when it was filled last */
	uint64_t tokens; /* a creation costs 10^6 * workers, so a microsecond brings as many as the quota says
			  */
};

struct spx_ess_worker {
	struct spx_ess *store;
	uint64_t created;
	uint64_t commits, refused_full, refused_quota, conflicts, serial;
	struct ess_tokens tokens[SPX_PORTS_MAX];
} __rte_cache_aligned;

struct spx_ess {
	/* Fixed. */
	struct ess_bucket *bucket;
	struct ess_entry *entry;
	uint64_t buckets;
	uint64_t lifetime_us;
	uint32_t capacity;
	uint32_t workers;
	struct spx_hash_seed seed;
	uint64_t bytes;

	/* Written by creations: the row of places. */
	rte_spinlock_t row_lock __rte_cache_aligned;
	uint32_t next;  /* place to be given out next */
	uint64_t given; /* places given out in all */

	rte_spinlock_t serial_lock __rte_cache_aligned;

	uint64_t quota[SPX_PORTS_MAX] __rte_cache_aligned; /* creations a second; 0: no limit */
	struct spx_ess_worker worker[];
};

/* ---- words that others write ----------------------------------------------------------------------- */

#define ess_load(word)         __atomic_load_n(word, __ATOMIC_RELAXED)
#define ess_store(word, value) __atomic_store_n(word, value, __ATOMIC_RELAXED)

/* The version of a bucket that nobody is writing. */
static inline uint64_t
ess_read_begin(const struct ess_bucket *b)
{
	uint64_t version;

	while (unlikely((version = __atomic_load_n(&b->version, __ATOMIC_ACQUIRE)) & 1))
		rte_pause();
	return version;
}

/* Whether all that was read since then is of one time. */
static inline bool
ess_read_end(const struct ess_bucket *b, uint64_t version)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return ess_load(&b->version) == version;
}

/* Makes the version odd, if it still is what it was. In one order, for all lcores, with the looks that
 * ess_changed takes: of two commits that each read what the other one writes one sees the other. */
static inline bool
ess_write_begin(struct ess_bucket *b, uint64_t version)
{
	bool mine = (version & 1) == 0 && __atomic_compare_exchange_n(&b->version, &version, version + 1,
						  false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);

	/* No write may be seen before the odd version is. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	return mine;
}

static inline bool
ess_changed(const struct ess_bucket *b, uint64_t version)
{
	return __atomic_load_n(&b->version, __ATOMIC_SEQ_CST) != version;
}

/* version: what is true from now on. */
static inline void
ess_write_end(struct ess_bucket *b, uint64_t version)
{
	__atomic_store_n(&b->version, version, __ATOMIC_RELEASE);
}

/* A value, word by word, written out: compilers do not unroll loops over atomics. */
static inline void
ess_read_value(const struct ess_entry *e, uint64_t value[ESS_WORDS])
{
	value[0] = ess_load(&e->value[0]);
	value[1] = ess_load(&e->value[1]);
	value[2] = ess_load(&e->value[2]);
	value[3] = ess_load(&e->value[3]);
}

static inline void
ess_write_value(struct ess_entry *e, const uint64_t value[ESS_WORDS])
{
	ess_store(&e->value[0], value[0]);
	ess_store(&e->value[1], value[1]);
	ess_store(&e->value[2], value[2]);
	ess_store(&e->value[3], value[3]);
}

/* ---- keys ------------------------------------------------------------------------------------------ */

static inline uint64_t
ess_hash(const struct spx_ess *s, uint64_t key, unsigned class)
{
	return spx_hash_pair(&s->seed, key, class);
}

/* The upper half of the hash as a fraction of all buckets. */
static inline uint32_t
ess_bucket_of(const struct spx_ess *s, uint64_t hash)
{
	return (uint32_t)(((hash >> 32) * s->buckets) >> 32);
}

static inline uint32_t
ess_kind(uint64_t hash, unsigned class)
{
	uint32_t tag = (uint16_t)hash;

	return class << ESS_TAG_BITS | (tag == 0 ? 1 : tag);
}

/* Whether an entry born then is there; clocks of other lcores may be ahead. */
static inline bool
ess_live(const struct spx_ess *s, uint64_t birth, uint64_t now_us)
{
	return (int64_t)(now_us - birth) < (int64_t)s->lifetime_us;
}

/* ---- looking into a bucket ------------------------------------------------------------------------- */

/* The ways of four tags that have this one, as the top bits of theirs. A way above the lowest may be in by
 * mistake (the subtraction borrows): keys are compared anyway. */
static inline uint64_t
ess_match(uint64_t tags, uint64_t tag)
{
	const uint64_t ones = UINT64_C(0x0001000100010001);
	uint64_t different = tags ^ tag * ones;

	return (different - ones) & ~different & ones << (ESS_TAG_BITS - 1);
}

static inline bool
ess_is(const struct ess_entry *e, uint64_t key, uint32_t kind)
{
	return ess_load(&e->key) == key && ess_load(&e->kind) == kind;
}

/* Place + 1 of the key's entry, whether it lives or not; 0: none. For who reads (the answer holds when
 * ess_read_end says so; version is that of ess_read_begin) and for who writes (version is odd and stays). */
uint32_t ess_find_in_chain(
	const struct spx_ess *s, const struct ess_bucket *b, uint64_t version, uint64_t key, uint32_t kind);

static __rte_always_inline uint32_t
ess_find(const struct spx_ess *s, const struct ess_bucket *b, uint64_t version, uint64_t key, uint32_t kind)
{
	for (unsigned half = 0; half < RTE_DIM(b->tag); half++) {
		uint64_t ways = ess_match(ess_load(&b->tag[half]), (uint16_t)kind);

		for (; ways != 0; ways &= ways - 1) {
			unsigned way = half * 4 + (unsigned)__builtin_ctzll(ways) / ESS_TAG_BITS;
			uint32_t place = ess_load(&b->place[way]);

			if (likely(ess_is(&s->entry[place], key, kind)))
				return place + 1;
		}
	}
	return likely(ess_load(&b->chain) == 0) ? 0 : ess_find_in_chain(s, b, version, key, kind);
}

/* ---- place.c: who writes into a bucket has made its version odd ------------------------------------ */

/* Puts the entry at a place, which is in no bucket, into this one; its key, kind and value are written. */
void ess_link(struct spx_ess *s, uint32_t bucket, uint32_t place);

/* Takes the entry at a place out of the bucket it is in. */
void ess_unlink(struct spx_ess *s, uint32_t place);

/* Takes n places, in no bucket any more, for entries born at now_us. `mine` are the buckets of `tx` whose
 * versions it has made odd. 0, -ENOSPC, or -EAGAIN: somebody writes in a bucket that a place has to leave. */
int ess_take(struct spx_ess *s, const struct spx_ess_tx *tx, unsigned mine, uint64_t now_us, unsigned n,
	uint32_t place[]);

#endif
