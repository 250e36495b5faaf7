/* The reading side of a transaction, and what brings its cache lines in time. commit.c is the writing side.
 */
#include <string.h>

#include "lib/ess/ess_internal.h"

#define PREFETCH_KEYS 64u /* hashes kept between the two passes */

/* A chain that changes under the reader may lead anywhere, round in circles too; as long as the version has
 * not changed it has not. */
uint32_t
ess_find_in_chain(
	const struct spx_ess *s, const struct ess_bucket *b, uint64_t version, uint64_t key, uint32_t kind)
{
	uint32_t at = ess_load(&b->chain);

	while (at != 0 && ess_read_end(b, version)) {
		const struct ess_entry *e = &s->entry[at - 1];

		if (ess_is(e, key, kind))
			return at;
		at = ess_load(&e->chain);
	}
	return 0;
}

/* ---- map ------------------------------------------------------------------------------------------- */

static bool
mapped_already(const struct spx_ess_tx *tx, uint64_t key, enum spx_ess_class class)
{
	unsigned i;

	SPX_FOREACH (i, tx->mapped) {
		if (tx->bank[i].key == key && tx->class[i] == class)
			return true;
	}
	return false;
}

/* Copies the key's entry into the bank, with version and birth; false: it is not there, the value is zeros.
 */
static __rte_always_inline bool
read_entry(const struct spx_ess *s, struct spx_ess_bank *bank, uint64_t key, enum spx_ess_class class,
	uint64_t now_us)
{
	const uint64_t hash = ess_hash(s, key, class);
	const uint32_t kind = ess_kind(hash, class), bucket = ess_bucket_of(s, hash);
	const struct ess_bucket *b = &s->bucket[bucket];
	uint64_t version;
	uint32_t found;

	do {
		version = ess_read_begin(b);
		found = ess_find(s, b, version, key, kind);
		if (found != 0) {
			const struct ess_entry *e = &s->entry[found - 1];

			bank->birth = ess_load(&e->birth);
			ess_read_value(e, bank->value);
		}
	} while (unlikely(!ess_read_end(b, version)));
	bank->key = key;
	bank->version = version;
	bank->bucket = bucket;
	bank->place = found - 1;
	if (likely(found != 0 && ess_live(s, bank->birth, now_us)))
		return true;
	memset(bank->value, 0, sizeof(bank->value));
	return false;
}

int
spx_ess_map(struct spx_ess_tx *tx, unsigned bank, uint64_t key, enum spx_ess_class class, bool create)
{
	const uint8_t bit = (uint8_t)(1u << bank);

	if (unlikely(mapped_already(tx, key, class)))
		return -EEXIST;
	if (unlikely(class == SPX_ESS_CLASS_protected)) {
		if (create && !tx->operator_rights)
			return -EACCES;
		tx->guarded |= bit;
	}
	tx->mapped |= bit;
	tx->class[bank] = (uint8_t) class;
	if (likely(read_entry(tx->worker->store, &tx->bank[bank], key, class, tx->now_us))) {
		tx->found |= bit;
		return 1;
	}
	if (create)
		tx->created |= bit;
	return 0;
}

bool
spx_ess_get(const struct spx_ess *s, enum spx_ess_class class, uint64_t key, uint64_t now_us, uint8_t value[])
{
	struct spx_ess_bank bank;

	if (!read_entry(s, &bank, key, class, now_us))
		return false;
	memcpy(value, bank.value, SPX_ESS_VALUE);
	return true;
}

/* ---- prefetch -------------------------------------------------------------------------------------- */

/* The first pass asks for the buckets, the second, when they are there, for the entries behind their tags. It
 * looks without a version: at worst it fetches a line for nothing. */
static void
prefetch_some(const struct spx_ess *s, const uint64_t key[], const uint8_t class[], unsigned n)
{
	const struct ess_bucket *bucket[PREFETCH_KEYS];
	uint16_t tag[PREFETCH_KEYS];

	for (unsigned i = 0; i < n; i++) {
		uint64_t hash = ess_hash(s, key[i], class[i]);

		bucket[i] = &s->bucket[ess_bucket_of(s, hash)];
		tag[i] = (uint16_t)ess_kind(hash, class[i]);
		rte_prefetch0(bucket[i]);
	}
	for (unsigned i = 0; i < n; i++) {
		for (unsigned half = 0; half < RTE_DIM(bucket[i]->tag); half++) {
			uint64_t ways = ess_match(ess_load(&bucket[i]->tag[half]), tag[i]);
			unsigned way =
				half * 4 + (unsigned)__builtin_ctzll(ways | UINT64_C(1) << 63) / ESS_TAG_BITS;

			if (ways != 0)
				rte_prefetch0(&s->entry[ess_load(&bucket[i]->place[way])]);
		}
	}
}

void
spx_ess_prefetch(const struct spx_ess *s, const uint64_t key[], const uint8_t class[], unsigned n)
{
	for (unsigned done = 0; done < n; done += PREFETCH_KEYS)
		prefetch_some(s, key + done, class + done, RTE_MIN(n - done, PREFETCH_KEYS));
}
