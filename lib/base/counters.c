/* Merging and subtracting counters. A struct spx_counters is nothing but 64-bit counters (and zero padding),
 * so both walk it as an array. */
#include "lib/base/base.h"

#define COUNTERS (sizeof(struct spx_counters) / sizeof(uint64_t))
static_assert(sizeof(struct spx_counters) % sizeof(uint64_t) == 0, "counters are all 64 bits");

void
spx_counters_add(struct spx_counters *into, const struct spx_counters *from)
{
	uint64_t *sum = (uint64_t *)into;
	const uint64_t *add = (const uint64_t *)from;

	for (size_t i = 0; i < COUNTERS; i++)
		sum[i] += __atomic_load_n(&add[i], __ATOMIC_RELAXED);
}

void
spx_counters_subtract(struct spx_counters *into, const struct spx_counters *baseline)
{
	uint64_t *left = (uint64_t *)into;
	const uint64_t *base = (const uint64_t *)baseline;

	for (size_t i = 0; i < COUNTERS; i++)
		left[i] -= base[i];
}

uint64_t
spx_counters_drops(const struct spx_counters *c)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < SPX_DROP_COUNT; i++)
		sum += c->drops[i];
	return sum;
}
