/* Looking for flows in their blocks: the scalar contract, and vectors that take the probes of a flow at once.
 *
 * The vector variants compute all positions with one multiplication each, fetch every probe's word out of the
 * block by a permutation, and rotate or shift the probe's bit to where one test sees all.
 */
#include <rte_cpuflags.h>
#include <rte_vect.h>

#include "lib/flow/approximate.h"

const uint32_t spx_flow_probe_factor[SPX_FLOW_PROBES_MAX] __rte_cache_aligned = {0x6a09e667, 0xbb67ae85,
	0x3c6ef373, 0xa54ff53b, 0x510e527f, 0x9b05688d, 0x1f83d9ab, 0x5be0cd19, 0xcbbb9d5d, 0x629a292b,
	0x9159015b, 0x152fecd9, 0x67332667, 0x8eb44a87, 0xdb0c2e0d, 0x47b5481d};

static uint64_t
probe_scalar(const struct spx_flow_filter *f, struct spx_flow_aim aim[], unsigned n)
{
	uint64_t found = 0;

	for (unsigned k = 0; k < n; k++) {
		uint32_t all = aim[k].block[SPX_FLOW_BLOCK_EPOCH] == f->epoch;

		for (unsigned probe = 0; probe < f->probes; probe++) {
			uint32_t position = spx_flow_probe_position(aim[k].positions, probe);

			all &= aim[k].block[position / 32] >> position % 32;
		}
		found |= (uint64_t)(all & 1) << k;
	}
	return found;
}

#ifdef RTE_ARCH_X86

static inline uint32_t
upper_half(const struct spx_flow_aim *aim)
{
	return (uint32_t)(aim->positions >> 32);
}

/* Positions shifted left by 16, of the probes whose products with the half are given. */
__attribute__((target("avx2"))) static inline __m256i
positions_avx2(uint32_t half, __m256i factor)
{
	__m256i x = _mm256_mullo_epi32(_mm256_set1_epi32((int)half), factor);

	return _mm256_mulhi_epu16(x, _mm256_set1_epi32((int)(SPX_FLOW_BLOCK_BITS << 16)));
}

/* The bits at those positions, each at bit 31 of its lane. */
__attribute__((target("avx2"))) static inline __m256i
bits_avx2(__m256i low, __m256i high, uint32_t half, __m256i factor)
{
	__m256i position = positions_avx2(half, factor);
	__m256i word = _mm256_srli_epi32(position, 16 + 5);
	__m256i in_low = _mm256_permutevar8x32_epi32(low, word);
	__m256i in_high = _mm256_permutevar8x32_epi32(high, word);
	__m256i upper = _mm256_slli_epi32(position, 31 - (16 + 8)); /* bit 3 of the word's index to bit 31 */
	__m256i bits = _mm256_castps_si256(_mm256_blendv_ps(
		_mm256_castsi256_ps(in_low), _mm256_castsi256_ps(in_high), _mm256_castsi256_ps(upper)));
	__m256i up = _mm256_andnot_si256(_mm256_srli_epi32(position, 16), _mm256_set1_epi32(31));

	return _mm256_sllv_epi32(bits, up); /* 31 - position % 32 */
}

__attribute__((target("avx2"))) static uint64_t
probe_avx2(const struct spx_flow_filter *f, struct spx_flow_aim aim[], unsigned n)
{
	const __m256i *factors = (const __m256i *)spx_flow_probe_factor;
	const __m256i factor0 = _mm256_load_si256(factors), factor1 = _mm256_load_si256(factors + 1);
	const unsigned unused = ~((1u << f->probes) - 1);
	uint64_t found = 0;

	for (unsigned k = 0; k < n; k++) {
		const __m256i *block = (const __m256i *)aim[k].block;
		__m256i low = _mm256_load_si256(block), high = _mm256_load_si256(block + 1);
		bool now = aim[k].block[SPX_FLOW_BLOCK_EPOCH] == f->epoch;
		__m256i bits = bits_avx2(low, high, upper_half(&aim[k]), factor0);
		unsigned set = unused | (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(bits));

		if (f->probes > 8) {
			bits = bits_avx2(low, high, (uint32_t)aim[k].positions, factor1);
			set |= (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(bits)) << 8;
		}
		found |= (uint64_t)(now & (set == UINT32_MAX)) << k;
	}
	return found;
}

/* The lanes whose bit, at the position in the upper 16 bits, is clear in the word of the lane. */
__attribute__((target("avx512f,avx512bw"))) static inline __m512i
positions_avx512(__m512i half, __m512i factor)
{
	__m512i x = _mm512_mullo_epi32(half, factor);

	return _mm512_mulhi_epu16(x, _mm512_set1_epi32((int)(SPX_FLOW_BLOCK_BITS << 16)));
}

__attribute__((target("avx512f,avx512bw"))) static inline unsigned
clear_avx512(__m512i words, __m512i position, __mmask16 used)
{
	__m512i bits = _mm512_rorv_epi32(words, _mm512_srli_epi32(position, 16));

	return _mm512_mask_testn_epi32_mask(used, bits, _mm512_set1_epi32(1));
}

/* Up to 8 probes: two flows to a vector. */
__attribute__((target("avx512f,avx512bw"))) static uint64_t
probe8_avx512(const struct spx_flow_filter *f, struct spx_flow_aim aim[], unsigned n)
{
	const __m512i factor =
		_mm512_broadcast_i64x4(_mm256_load_si256((const __m256i *)spx_flow_probe_factor));
	const unsigned one = (1u << f->probes) - 1;
	uint64_t found = 0;

	for (unsigned k = 0; k < n; k += 2) {
		const struct spx_flow_aim *a = &aim[k], *b = &aim[k + 1 < n ? k + 1 : k];
		__m512i half = _mm512_mask_set1_epi32(
			_mm512_set1_epi32((int)upper_half(a)), 0xff00, (int)upper_half(b));
		__m512i position = positions_avx512(half, factor);
		__m512i word = _mm512_srli_epi32(position, 16 + 5);
		__m512i words = _mm512_permutexvar_epi32(word, _mm512_load_si512(a->block));

		words = _mm512_mask_permutexvar_epi32(words, 0xff00, word, _mm512_load_si512(b->block));
		unsigned clear = clear_avx512(words, position, (__mmask16)(one | one << 8));

		clear |= a->block[SPX_FLOW_BLOCK_EPOCH] != f->epoch;
		clear |= (unsigned)(b->block[SPX_FLOW_BLOCK_EPOCH] != f->epoch) << 8;
		found |= (uint64_t)((clear & 0xff) == 0) << k;
		found |= (uint64_t)(clear < 0x100) << 1 << k;
	}
	return found & spx_set_first(n);
}

__attribute__((target("avx512f,avx512bw"))) static uint64_t
probe_avx512(const struct spx_flow_filter *f, struct spx_flow_aim aim[], unsigned n)
{
	const __m512i factor = _mm512_load_si512(spx_flow_probe_factor);
	const __mmask16 used = (__mmask16)((1u << f->probes) - 1);
	uint64_t found = 0;

	if (f->probes <= 8)
		return probe8_avx512(f, aim, n);
	for (unsigned k = 0; k < n; k++) {
		__m512i half = _mm512_mask_set1_epi32(
			_mm512_set1_epi32((int)upper_half(&aim[k])), 0xff00, (int)aim[k].positions);
		__m512i position = positions_avx512(half, factor);
		__m512i word = _mm512_srli_epi32(position, 16 + 5);
		__m512i words = _mm512_permutexvar_epi32(word, _mm512_load_si512(aim[k].block));
		bool now = aim[k].block[SPX_FLOW_BLOCK_EPOCH] == f->epoch;

		found |= (uint64_t)(now & (clear_avx512(words, position, used) == 0)) << k;
	}
	return found;
}

#endif

unsigned
spx_flow_probe_variants(struct spx_flow_probe_variant variant[SPX_FLOW_PROBE_VARIANTS])
{
	const uint16_t bits = rte_vect_get_max_simd_bitwidth();
	unsigned n = 0;

	(void)bits; /* elsewhere than on x86 */
	variant[n++] = (struct spx_flow_probe_variant){"scalar", probe_scalar};
#ifdef RTE_ARCH_X86
	if (rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX2) && bits >= RTE_VECT_SIMD_256)
		variant[n++] = (struct spx_flow_probe_variant){"avx2", probe_avx2};
	if (rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX512F) && rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX512BW) &&
		bits >= RTE_VECT_SIMD_512)
		variant[n++] = (struct spx_flow_probe_variant){"avx512", probe_avx512};
#endif
	return n;
}
