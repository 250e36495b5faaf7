/* The inside of the approximate cache: one filter of cache-line blocks, and how a flow is looked for in it.
 *
 * flow.h argues for the layout. approximate.c owns the filters and their ageing, approximate_probe.c reads
 * their blocks, plan.c sizes them; tests include this to run every variant of the probe.
 */
#ifndef SPX_FLOW_APPROXIMATE_H
#define SPX_FLOW_APPROXIMATE_H

#include "lib/flow/flow.h"

#define SPX_FLOW_BLOCK_WORDS 16u                 /* of 32 bits: a cache line */
#define SPX_FLOW_BLOCK_EPOCH 15u                 /* the word with the block's epoch */
#define SPX_FLOW_BLOCK_BITS  480u                /* the 15 others */
#define SPX_FLOW_BLOCKS_MAX  (UINT64_C(1) << 31) /* 128 GiB; far below the 2^32 epochs */
#define SPX_FLOW_PROBES_MAX  16u

/* One filter. A block whose epoch is not `epoch` is empty, whatever its bits say. */
struct spx_flow_filter {
	uint32_t (*block)[SPX_FLOW_BLOCK_WORDS];
	uint64_t blocks;
	uint64_t seed[2]; /* seed[1] is odd */
	uint32_t epoch;
	unsigned probes;
	uint64_t flows; /* that changed a bit since the last clear; owner writes, any thread reads */
	uint64_t wipe;  /* block that the next clear wipes */
};

/* Where a flow's bits are: its block, and the number that its positions come from: those of probes 0...7 from
 * the upper half, those of 8...15 from the lower one. */
struct spx_flow_aim {
	const uint32_t *block;
	uint64_t positions;
};

/* Fractions of the square roots of the first 16 primes, made odd: a half times number i is probe i's position
 * as a fraction of 2^32. */
extern const uint32_t spx_flow_probe_factor[SPX_FLOW_PROBES_MAX];

/* Bit (0...SPX_FLOW_BLOCK_BITS-1) of a probe. The upper 16 bits of the product decide: a bit's chance is 136
 * or 137 in 65536. */
static inline uint32_t
spx_flow_probe_position(uint64_t positions, unsigned probe)
{
	uint32_t x = (uint32_t)(probe < 8 ? positions >> 32 : positions) * spx_flow_probe_factor[probe];

	return (x >> 16) * SPX_FLOW_BLOCK_BITS >> 16;
}

/* Bit k of the answer: every bit of aim[k] is set in a block of this epoch. n = 0...64. */
typedef uint64_t (*spx_flow_probe)(const struct spx_flow_filter *f, struct spx_flow_aim aim[], unsigned n);

struct spx_flow_probe_variant {
	const char *name;
	spx_flow_probe probe;
};

/* The variants that this machine can run and EAL allows (rte_vect_set_max_simd_bitwidth), slowest (scalar,
 * the contract) first. Returns how many. */
#define SPX_FLOW_PROBE_VARIANTS 3u
unsigned spx_flow_probe_variants(struct spx_flow_probe_variant variant[SPX_FLOW_PROBE_VARIANTS]);

struct spx_flow_approximate {
	struct spx_flow_filter filter[2]; /* the second one: double-buffered only */
	spx_flow_probe probe;
	unsigned active; /* filter that answers; any thread reads */
	bool two;
	uint64_t flows;      /* that a filter holds */
	uint64_t takes_over; /* double-buffered: flows with which the other filter takes over */
	uint64_t random;     /* of the seeds */
	uint64_t clears;     /* because it was full; any thread reads */
	struct spx_flow_approximate_plan plan;
	uint64_t bytes;
};

#endif
