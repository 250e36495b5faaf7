/* The flow hash. Construction: fold(x) = high half xor low half of a 64x64->128-bit product. Each key word is
 * whitened with a secret before it is multiplied, so a zero factor cannot be aimed at. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "lib/net/fold.h"

int
spx_hash_seed_draw(struct spx_hash_seed *seed)
{
	ssize_t n = getrandom(seed, sizeof(*seed), 0);

	if (n < 0)
		return -errno;
	return n == (ssize_t)sizeof(*seed) ? 0 : -EIO;
}

void
spx_hash_seed_from(struct spx_hash_seed *seed, uint64_t number)
{
	for (unsigned i = 0; i < RTE_DIM(seed->word); i++)
		seed->word[i] = spx_random(&number);
}

uint64_t
spx_hash4(const struct spx_hash_seed *seed, const struct spx_key4 *key)
{
	return spx_fold_key4(seed, key);
}

uint64_t
spx_hash6(const struct spx_hash_seed *seed, const struct spx_key6 *key)
{
	return spx_fold_key6(seed, key);
}
