/* The reference loop's table; table.h says what it is made of. */
#include <errno.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_hash_crc.h>
#include <rte_malloc.h>

#include "perf/reference/table.h"

int
reference_table_create(
	struct reference_table *t, uint64_t capacity, uint32_t most, bool replaces, struct spx_error *err)
{
	struct rte_hash_parameters parameters = {.name = "reference",
		.entries = (uint32_t)RTE_MAX(capacity, 8u),
		.key_len = sizeof(struct reference_key),
		.hash_func = rte_hash_crc,
		.hash_func_init_val = 0};

	*t = (struct reference_table){.capacity = parameters.entries, .most = most};
	t->hash = rte_hash_create(&parameters);
	if (t->hash != NULL)
		t->counter =
			rte_zmalloc(NULL, (size_t)(rte_hash_max_key_id(t->hash) + 1) * sizeof(*t->counter),
				RTE_CACHE_LINE_SIZE);
	if (replaces)
		t->entered = rte_malloc(NULL, most * sizeof(*t->entered), RTE_CACHE_LINE_SIZE);
	if (t->counter != NULL && (t->entered != NULL || !replaces))
		return 0;
	reference_table_free(t);
	return spx_error(err, -ENOMEM, "no memory for a table of %u flows", parameters.entries);
}

void
reference_table_free(struct reference_table *t)
{
	rte_hash_free(t->hash);
	rte_free(t->counter);
	rte_free(t->entered);
	*t = (struct reference_table){0};
}

static void
delete_oldest(struct reference_table *t)
{
	const struct reference_entered *oldest = &t->entered[t->oldest];
	int32_t position = rte_hash_del_key_with_hash(t->hash, &oldest->key, oldest->hash);

	t->oldest = t->oldest + 1 == t->most ? 0 : t->oldest + 1;
	t->n--;
	if (position < 0)
		return; /* not possible: who enters is in the ring once */
	t->ended += t->counter[position].packets;
	t->counter[position] = (struct reference_counter){0};
}

int32_t
reference_table_enter(struct reference_table *t, const struct reference_key *key, hash_sig_t hash)
{
	int32_t position;
	uint32_t place;

	if (t->n == t->most) {
		if (t->entered == NULL)
			return -ENOSPC;
		delete_oldest(t);
	}
	position = rte_hash_add_key_with_hash(t->hash, key, hash);
	if (position < 0 || rte_hash_count(t->hash) == (int32_t)t->n)
		return position; /* no place, or entered by a packet before in the burst */
	if (t->entered != NULL) {
		place = t->oldest + t->n;
		t->entered[place < t->most ? place : place - t->most] =
			(struct reference_entered){.key = *key, .hash = hash};
	}
	t->n++;
	return position;
}

uint64_t
reference_table_packets(const struct reference_table *t)
{
	uint64_t packets = t->ended;

	for (int32_t i = 0; i <= rte_hash_max_key_id(t->hash); i++)
		packets += t->counter[i].packets;
	return packets;
}

/* rte_hash's buckets are one line of 64 bytes for 8 entries, their number the next power of two; a stored
 * key is the key and a data pointer, rounded up to 16 bytes. */
double
reference_table_bytes_per_flow(const struct reference_table *t)
{
	uint64_t buckets = rte_align64pow2(t->capacity) / 8;
	uint64_t stored = RTE_ALIGN_CEIL(sizeof(struct reference_key) + sizeof(void *), 16);
	uint64_t bytes = buckets * RTE_CACHE_LINE_SIZE + t->capacity * (stored + sizeof(*t->counter)) +
			 (t->entered == NULL ? 0 : t->most * sizeof(*t->entered));

	return (double)bytes / t->most;
}
