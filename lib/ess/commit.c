/* The writing side of a transaction: what it read is still so, and all that it writes is there at once. ess.h
 * has the steps (1) to (5) and why they are right. */
#include "lib/ess/ess_internal.h"

#define TOKENS_A_CREATION UINT64_C(1000000) /* times the number of workers */

/* ---- quota ----------------------------------------------------------------------------------------- */

/* Fills the worker's bucket of a port; whether it has n creations. *tokens is NULL where there is no limit.
 */
static bool
quota_lets(struct spx_ess_worker *w, uint16_t port, uint64_t now_us, unsigned n, uint64_t **tokens)
{
	const uint64_t quota = ess_load(&w->store->quota[port]), cost = TOKENS_A_CREATION * w->store->workers;
	const uint64_t full = RTE_MAX(quota * SPX_ESS_QUOTA_MS * 1000, cost * SPX_ESS_BANKS);
	struct ess_tokens *t = &w->tokens[port];
	/* 2^32 us at the largest quota fit into 64 bits. */
	int64_t elapsed = RTE_MIN((int64_t)(now_us - t->now_us), (int64_t)UINT32_MAX);

	*tokens = NULL;
	if (quota == 0)
		return true;
	if (elapsed > 0) {
		t->now_us = now_us;
		t->tokens += (uint64_t)elapsed * quota;
	}
	t->tokens = RTE_MIN(t->tokens, full);
	*tokens = &t->tokens;
	return t->tokens >= n * cost;
}

/* ---- the steps ------------------------------------------------------------------------------------- */

/* What was found has to be there at now_us still. */
static bool
all_live(const struct spx_ess *s, const struct spx_ess_tx *tx, uint64_t now_us)
{
	unsigned i;

	SPX_FOREACH (i, tx->found) {
		if (!ess_live(s, tx->bank[i].birth, now_us))
			return false;
	}
	return true;
}

/* The lowest bank of the set in the same bucket as bank i; SPX_ESS_BANKS: none. */
static unsigned
same_bucket(const struct spx_ess_tx *tx, unsigned set, unsigned i)
{
	unsigned k;

	SPX_FOREACH (k, set) {
		if (tx->bank[k].bucket == tx->bank[i].bucket)
			return k;
	}
	return SPX_ESS_BANKS;
}

/* (5), or back to what it was: of the buckets of these banks. */
static void
release(const struct spx_ess *s, const struct spx_ess_tx *tx, unsigned mine, uint64_t more)
{
	unsigned i;

	SPX_FOREACH (i, mine)
		ess_write_end(&s->bucket[tx->bank[i].bucket], tx->bank[i].version + more);
}

/* (1) Makes the versions of the buckets of the banks in `writes` odd. *mine: one bank for each of those
 * buckets. False: something has changed; those in *mine are odd. */
static bool
claim(const struct spx_ess *s, const struct spx_ess_tx *tx, unsigned writes, unsigned *mine)
{
	unsigned i;

	*mine = 0;
	SPX_FOREACH (i, writes) {
		const struct spx_ess_bank *bank = &tx->bank[i];
		unsigned same = same_bucket(tx, *mine, i);

		if (unlikely(same != SPX_ESS_BANKS)) {
			if (tx->bank[same].version != bank->version)
				return false;
			continue;
		}
		if (unlikely(!ess_write_begin(&s->bucket[bank->bucket], bank->version)))
			return false;
		*mine |= 1u << i;
	}
	return true;
}

/* (2) Whether the buckets of the banks in `reads` are as they were read. */
static bool
unchanged(const struct spx_ess *s, const struct spx_ess_tx *tx, unsigned reads, unsigned mine)
{
	unsigned i;

	SPX_FOREACH (i, reads) {
		const struct spx_ess_bank *bank = &tx->bank[i];
		unsigned same = same_bucket(tx, mine, i);

		if (same != SPX_ESS_BANKS ? tx->bank[same].version != bank->version
					  : ess_changed(&s->bucket[bank->bucket], bank->version))
			return false;
	}
	return true;
}

/* The key's entry becomes the one at `place`. One that has expired may still be in the bucket: it leaves, so
 * that a key is in it once. */
static void
create(struct spx_ess *s, const struct spx_ess_tx *tx, unsigned i, uint32_t place)
{
	const struct spx_ess_bank *bank = &tx->bank[i];
	const uint32_t kind = ess_kind(ess_hash(s, bank->key, tx->class[i]), tx->class[i]);
	const struct ess_bucket *b = &s->bucket[bank->bucket];
	uint32_t before = ess_find(s, b, bank->version + 1, bank->key, kind);
	struct ess_entry *e = &s->entry[place];

	if (before != 0)
		ess_unlink(s, before - 1);
	ess_store(&e->key, bank->key);
	ess_store(&e->kind, kind);
	ess_link(s, bank->bucket, place);
}

/* (4) */
static void
write_all(struct spx_ess *s, const struct spx_ess_tx *tx, unsigned writes, const uint32_t place[])
{
	unsigned i, n = 0;

	SPX_FOREACH (i, writes) {
		const struct spx_ess_bank *bank = &tx->bank[i];
		uint32_t at = bank->place;

		if (unlikely(tx->created >> i & 1)) {
			at = place[n++];
			create(s, tx, i, at);
		}
		ess_write_value(&s->entry[at], bank->value);
	}
}

/* (1) to (5). Taking places in vain may have thrown expired entries out of the buckets. */
static int
write_through(struct spx_ess *s, const struct spx_ess_tx *tx, unsigned writes, uint64_t now_us)
{
	uint32_t place[SPX_ESS_BANKS];
	unsigned mine;

	if (unlikely(!claim(s, tx, writes, &mine) || !unchanged(s, tx, tx->mapped & ~writes, mine))) {
		release(s, tx, mine, 0);
		return -EAGAIN;
	}
	if (tx->created != 0) {
		int rc = ess_take(s, tx, mine, now_us, spx_set_count(tx->created), place);

		if (unlikely(rc < 0)) {
			release(s, tx, mine, 2);
			return rc;
		}
	}
	write_all(s, tx, writes, place);
	release(s, tx, mine, 2);
	return 0;
}

/* ---- commit ---------------------------------------------------------------------------------------- */

static __rte_noinline int
count_failure(struct spx_ess_worker *w, int rc)
{
	if (rc == -EAGAIN)
		spx_count(&w->conflicts, 1);
	else if (rc == -ENOSPC)
		spx_count(&w->refused_full, 1);
	else
		spx_count(&w->refused_quota, 1);
	return rc;
}

/* Who holds the serial lock runs one program. */
static inline void
let_serial_pass(const struct spx_ess *s, const struct spx_ess_tx *tx)
{
	while (unlikely(ess_load(&s->serial_lock.locked) != 0) && !tx->serial)
		rte_pause();
}

static int
commit_creating(struct spx_ess *s, const struct spx_ess_tx *tx, unsigned writes, uint64_t now_us)
{
	struct spx_ess_worker *w = tx->worker;
	const unsigned n = spx_set_count(tx->created);
	uint64_t *tokens;
	int rc;

	if (!quota_lets(w, tx->port, now_us, n, &tokens))
		return -EDQUOT;
	rc = write_through(s, tx, writes, now_us);
	if (rc < 0)
		return rc;
	if (tokens != NULL)
		*tokens -= n * TOKENS_A_CREATION * s->workers;
	spx_count(&w->created, n);
	return 0;
}

static __rte_noinline int
commit(struct spx_ess *s, const struct spx_ess_tx *tx, unsigned writes, uint64_t now_us)
{
	if (!all_live(s, tx, now_us))
		return -EAGAIN;
	if (writes == 0)
		return unchanged(s, tx, tx->mapped, 0) ? 0 : -EAGAIN;
	let_serial_pass(s, tx);
	return tx->created != 0 ? commit_creating(s, tx, writes, now_us)
				: write_through(s, tx, writes, now_us);
}

/* The same for what most transactions are: one entry, found and written. */
static __rte_always_inline int
commit_one(struct spx_ess *s, const struct spx_ess_tx *tx, unsigned i, uint64_t now_us)
{
	const struct spx_ess_bank *bank = &tx->bank[i];
	struct ess_bucket *b = &s->bucket[bank->bucket];

	if (unlikely(!ess_live(s, bank->birth, now_us)))
		return -EAGAIN;
	let_serial_pass(s, tx);
	if (unlikely(!ess_write_begin(b, bank->version)))
		return -EAGAIN;
	ess_write_value(&s->entry[bank->place], bank->value);
	ess_write_end(b, bank->version + 2);
	return 0;
}

int
spx_ess_commit(struct spx_ess_tx *tx, uint64_t now_us)
{
	struct spx_ess_worker *w = tx->worker;
	const unsigned writes = (tx->written & tx->found) | tx->created;
	int rc;

	if (unlikely((tx->written & tx->guarded) != 0 && !tx->operator_rights))
		return -EACCES;
	if (writes == tx->mapped && (writes & (writes - 1)) == 0 && (writes & tx->found) != 0)
		rc = commit_one(w->store, tx, (unsigned)__builtin_ctz(writes), now_us);
	else
		rc = commit(w->store, tx, writes, now_us);
	if (unlikely(rc < 0))
		return count_failure(w, rc);
	spx_count(&w->commits, 1);
	return 0;
}

/* A single copy is of one time as it is. */
int
spx_ess_validate(const struct spx_ess_tx *tx)
{
	const struct spx_ess *s = tx->worker->store;

	if ((tx->mapped & (tx->mapped - 1)) == 0 || unchanged(s, tx, tx->mapped, 0))
		return 0;
	return count_failure(tx->worker, -EAGAIN);
}

/* ---- the serial lock ------------------------------------------------------------------------------- */

void
spx_ess_serial_begin(struct spx_ess_worker *worker)
{
	rte_spinlock_lock(&worker->store->serial_lock);
	spx_count(&worker->serial, 1);
}

void
spx_ess_serial_end(struct spx_ess_worker *worker)
{
	rte_spinlock_unlock(&worker->store->serial_lock);
}
