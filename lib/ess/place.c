/* Places of entries: into a bucket, out of it, and which place is next. ess.h: why the next place is the one
 * of the oldest entry. */
#include "lib/ess/ess_internal.h"

#define FETCH_ENTRY  8u /* places ahead of the next one: the entry is fetched */
#define FETCH_BUCKET 4u /* its bucket is */

/* ---- into a bucket, and out of it ------------------------------------------------------------------ */

static void
set_tag(struct ess_bucket *b, unsigned way, uint64_t tag)
{
	uint64_t *tags = &b->tag[way / 4];
	unsigned shift = way % 4 * ESS_TAG_BITS;

	ess_store(tags, (ess_load(tags) & ~(UINT64_C(0xffff) << shift)) | tag << shift);
}

static void
set_way(struct spx_ess *s, struct ess_bucket *b, unsigned way, uint32_t place)
{
	ess_store(&b->place[way], place);
	set_tag(b, way, (uint16_t)ess_load(&s->entry[place].kind));
}

void
ess_link(struct spx_ess *s, uint32_t bucket, uint32_t place)
{
	struct ess_bucket *b = &s->bucket[bucket];
	struct ess_entry *e = &s->entry[place];

	ess_store(&e->bucket, bucket + 1);
	for (unsigned half = 0; half < RTE_DIM(b->tag); half++) {
		uint64_t empty = ess_match(ess_load(&b->tag[half]), 0);

		if (empty != 0) {
			set_way(s, b, half * 4 + (unsigned)__builtin_ctzll(empty) / ESS_TAG_BITS, place);
			return;
		}
	}
	ess_store(&e->chain, ess_load(&b->chain));
	ess_store(&b->chain, place + 1);
}

/* The way becomes empty, or the chain's first entry gets it. */
static void
leave_way(struct spx_ess *s, struct ess_bucket *b, unsigned way)
{
	uint32_t first = ess_load(&b->chain);

	if (first == 0) {
		set_tag(b, way, 0);
		return;
	}
	ess_store(&b->chain, ess_load(&s->entry[first - 1].chain));
	set_way(s, b, way, first - 1);
}

static void
leave_chain(struct spx_ess *s, struct ess_bucket *b, uint32_t place)
{
	uint32_t *link = &b->chain;

	while (ess_load(link) != place + 1)
		link = &s->entry[ess_load(link) - 1].chain;
	ess_store(link, ess_load(&s->entry[place].chain));
}

void
ess_unlink(struct spx_ess *s, uint32_t place)
{
	struct ess_entry *e = &s->entry[place];
	struct ess_bucket *b = &s->bucket[ess_load(&e->bucket) - 1];
	unsigned way = 0;

	while (way < ESS_WAYS && ((uint16_t)(ess_load(&b->tag[way / 4]) >> way % 4 * ESS_TAG_BITS) == 0 ||
					 ess_load(&b->place[way]) != place))
		way++;
	if (way < ESS_WAYS)
		leave_way(s, b, way);
	else
		leave_chain(s, b, place);
	/* The last word about the entry here: from now on its place may be given out. */
	__atomic_store_n(&e->bucket, 0, __ATOMIC_RELEASE);
}

/* ---- the next place -------------------------------------------------------------------------------- */

static uint32_t
ahead(const struct spx_ess *s, uint32_t place, uint32_t by)
{
	return place + by < s->capacity ? place + by : (place + by) % s->capacity;
}

static bool
is_mine(const struct spx_ess_tx *tx, unsigned mine, uint32_t bucket)
{
	unsigned i;

	SPX_FOREACH (i, mine) {
		if (tx->bank[i].bucket == bucket)
			return true;
	}
	return false;
}

/* Takes an expired entry out of its bucket, if it is in one. It only tries to: who has made versions odd must
 * not wait for others who have. False: somebody writes there. */
static bool
vacate(struct spx_ess *s, const struct spx_ess_tx *tx, unsigned mine, uint32_t place)
{
	struct ess_entry *e = &s->entry[place];
	uint32_t in = __atomic_load_n(&e->bucket, __ATOMIC_ACQUIRE);
	struct ess_bucket *b;
	uint64_t version;

	if (in == 0)
		return true;
	b = &s->bucket[in - 1];
	if (is_mine(tx, mine, in - 1)) {
		ess_unlink(s, place);
		return true;
	}
	version = ess_load(&b->version);
	if (!ess_write_begin(b, version))
		return false;
	/* A new entry of the same key may have thrown it out meanwhile. */
	if (ess_load(&e->bucket) == in)
		ess_unlink(s, place);
	ess_write_end(b, version + 2);
	return true;
}

/* Whoever takes places next finds their lines in the cache. */
static void
fetch_ahead(const struct spx_ess *s)
{
	uint32_t in = ess_load(&s->entry[ahead(s, s->next, FETCH_BUCKET)].bucket);

	rte_prefetch0(&s->entry[ahead(s, s->next, FETCH_ENTRY)]);
	if (in != 0)
		rte_prefetch0(&s->bucket[in - 1]);
}

static int
take(struct spx_ess *s, const struct spx_ess_tx *tx, unsigned mine, uint64_t now_us, unsigned n,
	uint32_t place[])
{
	for (unsigned i = 0; i < n; i++) {
		place[i] = ahead(s, s->next, i);
		if (s->given + i >= s->capacity && ess_live(s, ess_load(&s->entry[place[i]].birth), now_us))
			return -ENOSPC;
	}
	/* An entry that leaves its bucket in vain is no loss: it has expired. */
	for (unsigned i = 0; i < n; i++) {
		if (!vacate(s, tx, mine, place[i]))
			return -EAGAIN;
	}
	for (unsigned i = 0; i < n; i++)
		ess_store(&s->entry[place[i]].birth, now_us);
	ess_store(&s->next, ahead(s, s->next, n));
	ess_store(&s->given, s->given + n);
	fetch_ahead(s);
	return 0;
}

int
ess_take(struct spx_ess *s, const struct spx_ess_tx *tx, unsigned mine, uint64_t now_us, unsigned n,
	uint32_t place[])
{
	int rc;

	rte_spinlock_lock(&s->row_lock);
	rc = take(s, tx, mine, now_us, n, place);
	rte_spinlock_unlock(&s->row_lock);
	return rc;
}
