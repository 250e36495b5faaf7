/* The inside of the flow hash, inlined into parse. hash.c says how it is built; net.h what it promises. */
#ifndef SPX_NET_FOLD_H
#define SPX_NET_FOLD_H

#include <string.h>

#include "lib/net/net.h"

static inline uint64_t
spx_fold_word(const void *key, unsigned i)
{
	uint64_t word;

	memcpy(&word, (const uint8_t *)key + i * sizeof(word), sizeof(word));
	return word;
}

static inline uint64_t
spx_fold_key4(const struct spx_hash_seed *seed, const struct spx_key4 *key)
{
	return spx_hash_pair(seed, spx_fold_word(key, 0), spx_fold_word(key, 1));
}

/* 40 bytes: three products side by side, then one. The rotations keep equal words from cancelling out. */
static inline uint64_t
spx_fold_key6(const struct spx_hash_seed *seed, const struct spx_key6 *key)
{
	uint64_t a = spx_fold(spx_fold_word(key, 0) ^ seed->word[0], spx_fold_word(key, 1) ^ seed->word[1]);
	uint64_t b = spx_fold(spx_fold_word(key, 2) ^ seed->word[2], spx_fold_word(key, 3) ^ seed->word[3]);
	uint64_t c = spx_fold(spx_fold_word(key, 4) ^ seed->word[1], seed->word[2]);

	return spx_fold(a ^ seed->word[3] ^ (c << 17 | c >> 47), b ^ seed->word[0] ^ (c << 41 | c >> 23));
}

#endif
