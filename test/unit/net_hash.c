/* What the flow hash promises: avalanche, no linearity, seeds that separate colliding keys, even buckets.
 *
 * Every property runs on both key lengths: a test sees a key as bytes and a function over them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "lib/net/net.h"

union key {
	struct spx_key4 v4;
	struct spx_key6 v6;
	uint8_t byte[sizeof(struct spx_key6)];
};

static uint64_t
hash4(const struct spx_hash_seed *seed, const union key *key)
{
	return spx_hash4(seed, &key->v4);
}

static uint64_t
hash6(const struct spx_hash_seed *seed, const union key *key)
{
	return spx_hash6(seed, &key->v6);
}

struct flavour {
	const char *name;
	uint64_t (*hash)(const struct spx_hash_seed *seed, const union key *key);
	unsigned bytes;
};

static const struct flavour flavours[] = {
	{"hash4", hash4, sizeof(struct spx_key4)},
	{"hash6", hash6, sizeof(struct spx_key6)},
};

#define FOREACH_FLAVOUR(f) for (const struct flavour *f = flavours; f < flavours + RTE_DIM(flavours); f++)

static void
random_key(union key *key, uint64_t *random)
{
	for (unsigned i = 0; i < sizeof(key->byte); i++)
		key->byte[i] = (uint8_t)spx_random(random);
}

/* Key number i of a client that opens one connection after the other: addresses and ports count up. */
static void
sequential_key(union key *key, const struct flavour *f, unsigned i)
{
	memset(key, 0, sizeof(*key));
	if (f->bytes == sizeof(struct spx_key4)) {
		key->v4 = (struct spx_key4){.sip = {10, 0, 0, 1}, .dip = {10, 0, 1, 1}, .proto = 6};
		key->v4.sip[3] = (uint8_t)i;
		key->v4.sport[0] = (uint8_t)(i >> 16);
		key->v4.sport[1] = (uint8_t)(i >> 8);
	} else {
		key->v6 = (struct spx_key6){
			.sip = {0x20, 1, 0xd, 0xb8}, .dip = {0x20, 1, 0xd, 0xb8, 1}, .proto = 17};
		key->v6.sip[15] = (uint8_t)i;
		key->v6.dport[0] = (uint8_t)(i >> 16);
		key->v6.dport[1] = (uint8_t)(i >> 8);
	}
}

/* Each input bit flips each output bit in about half of the keys. 4,000 keys: one pair's share has a standard
 * deviation of 0.8 %, so 45 to 55 % is six of them. Sequential keys too: a flow hash sees few others. */
static void
check_avalanche(const struct flavour *f, bool sequential)
{
	enum { KEYS = 4000 };
	static unsigned flips[64];
	struct spx_hash_seed seed;
	uint64_t random = 7;

	spx_hash_seed_from(&seed, 8);
	for (unsigned bit = 0; bit < f->bytes * 8; bit++) {
		memset(flips, 0, sizeof(flips));
		for (unsigned k = 0; k < KEYS; k++) {
			union key key;
			uint64_t changed;

			if (sequential)
				sequential_key(&key, f, k);
			else
				random_key(&key, &random);
			changed = f->hash(&seed, &key);
			key.byte[bit / 8] ^= (uint8_t)(1u << bit % 8);
			changed ^= f->hash(&seed, &key);
			for (unsigned out = 0; out < 64; out++)
				flips[out] += changed >> out & 1;
		}
		for (unsigned out = 0; out < 64; out++)
			cr_assert(flips[out] >= KEYS * 45 / 100 && flips[out] <= KEYS * 55 / 100,
				"%s: input bit %u flips output bit %u in %u of %d keys", f->name, bit, out,
				flips[out], KEYS);
	}
}

Test(net_hash, avalanche_on_random_keys)
{
	FOREACH_FLAVOUR(f)
	check_avalanche(f, false);
}

Test(net_hash, avalanche_on_sequential_keys)
{
	FOREACH_FLAVOUR(f)
	check_avalanche(f, true);
}

/* A CRC or Toeplitz hash has h(a^b^c) = h(a)^h(b)^h(c) always; here it is a 64-bit coincidence. */
Test(net_hash, is_not_linear)
{
	struct spx_hash_seed seed;
	uint64_t random = 9;

	spx_hash_seed_from(&seed, 10);
	FOREACH_FLAVOUR(f)
	{
		for (unsigned round = 0; round < 100000; round++) {
			union key a, b, c, sum;

			random_key(&a, &random);
			random_key(&b, &random);
			random_key(&c, &random);
			for (unsigned i = 0; i < sizeof(sum.byte); i++)
				sum.byte[i] = a.byte[i] ^ b.byte[i] ^ c.byte[i];
			cr_assert_neq(f->hash(&seed, &sum),
				f->hash(&seed, &a) ^ f->hash(&seed, &b) ^ f->hash(&seed, &c), "%s", f->name);
		}
	}
}

struct hashed {
	uint64_t hash;
	uint32_t key; /* its number in the sequence */
};

static int
by_low_bits(const void *a, const void *b)
{
	uint32_t x = (uint32_t)((const struct hashed *)a)->hash & 0xffffff;
	uint32_t y = (uint32_t)((const struct hashed *)b)->hash & 0xffffff;

	return (x > y) - (x < y);
}

/* 64 Ki keys share their low 24 bits in about 2^32 / 2 / 2^24 = 128 pairs (standard deviation 11). Under
 * another seed those pairs must be strangers again. */
Test(net_hash, another_seed_separates_colliding_keys)
{
	enum { KEYS = 65536 };
	struct hashed *list = malloc(KEYS * sizeof(*list));
	struct spx_hash_seed seed, other;

	cr_assert_not_null(list);
	spx_hash_seed_from(&seed, 11);
	spx_hash_seed_from(&other, 12);
	FOREACH_FLAVOUR(f)
	{
		unsigned pairs = 0, still = 0;

		for (uint32_t i = 0; i < KEYS; i++) {
			union key key;

			sequential_key(&key, f, i);
			list[i] = (struct hashed){f->hash(&seed, &key), i};
		}
		qsort(list, KEYS, sizeof(*list), by_low_bits);
		for (uint32_t i = 1; i < KEYS; i++) {
			union key a, b;

			if (by_low_bits(&list[i - 1], &list[i]) != 0)
				continue;
			pairs++;
			sequential_key(&a, f, list[i - 1].key);
			sequential_key(&b, f, list[i].key);
			still += ((f->hash(&other, &a) ^ f->hash(&other, &b)) & 0xffffff) == 0;
		}
		cr_assert(pairs > 60 && pairs < 200, "%s: %u pairs collide", f->name, pairs);
		cr_assert_leq(
			still, 1, "%s: %u of %u pairs collide under another seed too", f->name, still, pairs);
	}
	free(list);
}

/* Sequential keys in 1,024 buckets by `shift`: chi-square with 1,023 degrees of freedom has mean 1,023 and
 * standard deviation 45. Far above: crowded buckets. */
static void
check_buckets(const struct flavour *f, unsigned shift)
{
	enum { BUCKETS = 1024, KEYS = 65536 };
	static unsigned bucket[BUCKETS];
	const double expected = (double)KEYS / BUCKETS;
	struct spx_hash_seed seed;
	double chi2 = 0;

	spx_hash_seed_from(&seed, 13);
	memset(bucket, 0, sizeof(bucket));
	for (unsigned i = 0; i < KEYS; i++) {
		union key key;

		sequential_key(&key, f, i);
		bucket[f->hash(&seed, &key) >> shift & (BUCKETS - 1)]++;
	}
	for (unsigned i = 0; i < BUCKETS; i++)
		chi2 += (bucket[i] - expected) * (bucket[i] - expected) / expected;
	cr_assert(chi2 < 1023 + 6 * sqrt(2 * 1023.0), "%s >> %u: chi-square %.0f", f->name, shift, chi2);
}

Test(net_hash, sequential_keys_fill_buckets_evenly)
{
	FOREACH_FLAVOUR(f)
	{
		for (unsigned shift = 0; shift <= 54; shift += 6)
			check_buckets(f, shift);
	}
}

/* Every byte of the key counts, the context included, and the same key has the same hash. */
Test(net_hash, every_byte_counts)
{
	struct spx_hash_seed seed;
	uint64_t random = 14;

	spx_hash_seed_from(&seed, 15);
	FOREACH_FLAVOUR(f)
	{
		union key key, copy;

		random_key(&key, &random);
		copy = key;
		cr_assert_eq(f->hash(&seed, &key), f->hash(&seed, &copy));
		for (unsigned i = 0; i < f->bytes; i++) {
			copy = key;
			copy.byte[i] ^= 0x10;
			cr_assert_neq(f->hash(&seed, &key), f->hash(&seed, &copy), "%s: byte %u", f->name, i);
		}
	}
}

Test(net_hash, seeds_repeat_by_number_and_differ_when_drawn)
{
	struct spx_hash_seed a, b;

	spx_hash_seed_from(&a, 16);
	spx_hash_seed_from(&b, 16);
	cr_assert_arr_eq(&a, &b, sizeof(a));
	spx_hash_seed_from(&b, 17);
	for (unsigned i = 0; i < RTE_DIM(a.word); i++)
		cr_assert_neq(a.word[i], b.word[i]);
	cr_assert_eq(spx_hash_seed_draw(&a), 0);
	cr_assert_eq(spx_hash_seed_draw(&b), 0);
	for (unsigned i = 0; i < RTE_DIM(a.word); i++)
		cr_assert_neq(a.word[i], b.word[i]);
}
