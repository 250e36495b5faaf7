/* Every variant of the probe says what the scalar one says. */
#include <stdlib.h>

#include <criterion/criterion.h>

#include "lib/flow/approximate.h"

#define BLOCKS 64

/* Blocks from nearly empty to full, one in four of another epoch. */
static void
random_blocks(uint32_t block[][SPX_FLOW_BLOCK_WORDS], uint32_t epoch, uint64_t *random)
{
	for (unsigned b = 0; b < BLOCKS; b++) {
		for (unsigned w = 0; w < SPX_FLOW_BLOCK_WORDS; w++)
			block[b][w] = b % 8 == 0  ? UINT32_MAX
				      : b % 8 < 5 ? (uint32_t)(spx_random(random) | spx_random(random) |
							       spx_random(random) | spx_random(random))
						  : (uint32_t)spx_random(random);
		block[b][SPX_FLOW_BLOCK_EPOCH] = spx_random(random) % 4 == 0 ? epoch - 1 : epoch;
	}
}

/* In every second block the flow's bits are set, so that there are enough of both answers. */
static void
random_aims(uint32_t block[][SPX_FLOW_BLOCK_WORDS], unsigned probes, struct spx_flow_aim aim[], unsigned n,
	uint64_t *random)
{
	for (unsigned k = 0; k < n; k++) {
		uint32_t *at = block[spx_random(random) % BLOCKS];

		aim[k] = (struct spx_flow_aim){at, spx_random(random)};
		for (unsigned probe = 0; probe < probes && k % 2 == 0; probe++) {
			uint32_t position = spx_flow_probe_position(aim[k].positions, probe);

			at[position / 32] |= 1u << position % 32;
		}
		/* One bit is missing: each probe's in turn. */
		if (k % 4 == 2) {
			uint32_t position = spx_flow_probe_position(aim[k].positions, (k / 4) % probes);

			at[position / 32] &= ~(1u << position % 32);
		}
	}
}

static void
compare(const struct spx_flow_probe_variant *variant, unsigned n_variants, unsigned probes, uint64_t *random,
	uint64_t answers[2])
{
	uint32_t(*block)[SPX_FLOW_BLOCK_WORDS] = aligned_alloc(64, BLOCKS * sizeof(*block));
	struct spx_flow_filter f = {.block = block, .blocks = BLOCKS, .epoch = 77, .probes = probes};

	cr_assert_not_null(block);
	for (unsigned n = 0; n <= SPX_BURST_MAX; n++) {
		struct spx_flow_aim aim[SPX_BURST_MAX];
		uint64_t expected;

		random_blocks(block, f.epoch, random);
		random_aims(block, probes, aim, n, random);
		expected = variant[0].probe(&f, aim, n);
		cr_assert_eq(expected & ~spx_set_first(n), 0);
		answers[1] += spx_set_count(expected);
		answers[0] += n - spx_set_count(expected);
		for (unsigned v = 1; v < n_variants; v++)
			cr_assert_eq(variant[v].probe(&f, aim, n), expected, "%s, %u flows, %u probes",
				variant[v].name, n, probes);
	}
	free(block);
}

Test(flow_approximate_probe, variants_are_scalar)
{
	struct spx_flow_probe_variant variant[SPX_FLOW_PROBE_VARIANTS];
	unsigned n = spx_flow_probe_variants(variant);
	uint64_t answers[2] = {0, 0}, random = 1;

	cr_assert(n >= 1 && n <= SPX_FLOW_PROBE_VARIANTS);
	for (unsigned round = 0; round < 20; round++)
		for (unsigned probes = 1; probes <= SPX_FLOW_PROBES_MAX; probes++)
			compare(variant, n, probes, &random, answers);
	cr_assert(answers[0] > 50000 / 4 && answers[1] > 50000 / 4);
}

/* The scalar one by the definition: all bits set and the block of this epoch. */
Test(flow_approximate_probe, scalar_is_the_definition)
{
	static uint32_t block[1][SPX_FLOW_BLOCK_WORDS] __rte_cache_aligned;
	struct spx_flow_probe_variant variant[SPX_FLOW_PROBE_VARIANTS];
	struct spx_flow_filter f = {.block = block, .blocks = 1, .epoch = 5, .probes = 16};
	struct spx_flow_aim aim = {block[0], UINT64_C(0x123456789abcdef0)};

	spx_flow_probe_variants(variant);
	block[0][SPX_FLOW_BLOCK_EPOCH] = 5;
	for (unsigned probe = 0; probe < 16; probe++) {
		uint32_t position = spx_flow_probe_position(aim.positions, probe);

		cr_assert_lt(position, SPX_FLOW_BLOCK_BITS);
		f.probes = probe;
		cr_assert_eq(variant[0].probe(&f, &aim, 1), 1);
		f.probes = 16;
		cr_assert_eq(variant[0].probe(&f, &aim, 1), 0);
		block[0][position / 32] |= 1u << position % 32;
	}
	cr_assert_eq(variant[0].probe(&f, &aim, 1), 1);
	f.epoch = 6;
	cr_assert_eq(variant[0].probe(&f, &aim, 1), 0);
}
