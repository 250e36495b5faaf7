/* Header edits against recomputation from RFC 791's definition of the checksum. */
#include <string.h>

#include <criterion/criterion.h>

#include "lib/net/net.h"

#define TTL      8
#define CHECKSUM 10

/* One's complement sum of the header's 16-bit words in network order, folded. */
static uint32_t
naive_sum(const uint8_t *ip, unsigned bytes)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < bytes; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void
set_checksum(uint8_t *ip, uint32_t checksum)
{
	ip[CHECKSUM] = (uint8_t)(checksum >> 8);
	ip[CHECKSUM + 1] = (uint8_t)checksum;
}

static void
compute_checksum(uint8_t *ip, unsigned bytes)
{
	set_checksum(ip, 0);
	set_checksum(ip, ~naive_sum(ip, bytes));
}

/* A header of 20...60 bytes with a right checksum and a TTL of at least 2. Returns its length in bytes. */
static unsigned
random_header(uint8_t ip[60], uint64_t *random)
{
	unsigned words = 5 + (unsigned)(spx_random(random) % 11);

	for (unsigned i = 0; i < 60; i++)
		ip[i] = (uint8_t)spx_random(random);
	ip[0] = (uint8_t)(0x40 | words);
	ip[TTL] = (uint8_t)(2 + spx_random(random) % 254);
	compute_checksum(ip, words * 4);
	return words * 4;
}

/* The identification field leads a valid header's checksum through its values: all that a computed checksum
 * can have, each with a header to which it belongs. */
Test(net_edit, ttl4_equals_recomputation_for_every_checksum)
{
	uint8_t ip[20] = {0x45, 0, 0x05, 0xdc, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 1, 2, 3, 192, 168, 7, 9};
	static bool seen[65536];
	unsigned values = 0;

	for (unsigned id = 0; id < 65536; id++) {
		uint8_t expected[20];

		ip[4] = (uint8_t)(id >> 8);
		ip[5] = (uint8_t)id;
		ip[TTL] = 64;
		compute_checksum(ip, 20);
		seen[ip[CHECKSUM] << 8 | ip[CHECKSUM + 1]] = true;
		memcpy(expected, ip, 20);
		expected[TTL]--;
		compute_checksum(expected, 20);
		cr_assert(spx_net_dec_ttl4(ip));
		cr_assert_arr_eq(ip, expected, 20, "identification %#x", id);
	}
	for (unsigned i = 0; i < 65536; i++)
		values += seen[i];
	cr_assert_eq(values, 65535, "all but 0xffff");
}

/* Whatever stands in the checksum field, right or wrong: the header's sum stays what it was (modulo 0xffff,
 * where 0 and 0xffff are one number), so a wrong checksum stays wrong and a right one right. */
Test(net_edit, ttl4_keeps_the_sum_for_any_checksum_field)
{
	uint64_t random = 3;
	uint8_t ip[60];

	for (unsigned checksum = 0; checksum < 65536; checksum++) {
		unsigned bytes = random_header(ip, &random);
		uint32_t before;

		set_checksum(ip, checksum);
		before = naive_sum(ip, bytes) % 0xffff;
		cr_assert(spx_net_dec_ttl4(ip));
		cr_assert_eq(naive_sum(ip, bytes) % 0xffff, before, "checksum field %#x", checksum);
	}
}

Test(net_edit, ttl4_equals_recomputation_for_random_headers)
{
	uint64_t random = 4;
	uint8_t ip[60], expected[60];

	for (unsigned round = 0; round < 100000; round++) {
		unsigned bytes = random_header(ip, &random);

		memcpy(expected, ip, sizeof(ip));
		while (expected[TTL] > 1 && spx_random(&random) % 8 != 0) {
			cr_assert(spx_net_dec_ttl4(ip));
			expected[TTL]--;
			compute_checksum(expected, bytes);
			cr_assert_arr_eq(ip, expected, sizeof(ip));
		}
	}
}

Test(net_edit, ttl_of_0_and_1_is_refused_and_unchanged)
{
	uint64_t random = 5;

	for (unsigned ttl = 0; ttl < 2; ttl++) {
		uint8_t ip[60], before[60];

		random_header(ip, &random);
		ip[TTL] = (uint8_t)ttl;
		memcpy(before, ip, sizeof(ip));
		cr_assert_not(spx_net_dec_ttl4(ip));
		cr_assert_arr_eq(ip, before, sizeof(ip));

		ip[7] = (uint8_t)ttl;
		memcpy(before, ip, sizeof(ip));
		cr_assert_not(spx_net_dec_ttl6(ip));
		cr_assert_arr_eq(ip, before, sizeof(ip));
	}
}

Test(net_edit, ttl6_changes_the_hop_limit_alone)
{
	uint8_t ip[40], expected[40];

	for (unsigned hops = 2; hops < 256; hops++) {
		memset(ip, 0xa5, sizeof(ip));
		ip[7] = (uint8_t)hops;
		memcpy(expected, ip, sizeof(ip));
		expected[7]--;
		cr_assert(spx_net_dec_ttl6(ip));
		cr_assert_arr_eq(ip, expected, sizeof(ip));
	}
}

/* The sum is of words as they lie in memory; one's complement sums do not care for byte order but for the
 * order of the result's bytes (RFC 1071, 2 B). */
Test(net_edit, sum4_equals_the_definition)
{
	uint64_t random = 6;
	uint8_t ip[60];

	for (unsigned round = 0; round < 100000; round++) {
		unsigned bytes = random_header(ip, &random);
		uint16_t sum;

		cr_assert_eq(spx_net_sum4(ip, bytes / 4), 0xffff, "a right checksum");
		ip[spx_random(&random) % bytes] ^= (uint8_t)(1 + spx_random(&random) % 255);
		sum = spx_net_sum4(ip, bytes / 4);
		cr_assert_neq(sum, 0xffff, "one byte wrong");
		cr_assert_eq((uint16_t)(sum << 8 | sum >> 8), naive_sum(ip, bytes));
	}
}

Test(net_edit, sum4_of_extreme_words)
{
	uint8_t ip[60];

	memset(ip, 0xff, sizeof(ip));
	for (unsigned words = 1; words <= 15; words++)
		cr_assert_eq(spx_net_sum4(ip, words), 0xffff);
	memset(ip, 0, sizeof(ip));
	cr_assert_eq(spx_net_sum4(ip, 15), 0);
}
