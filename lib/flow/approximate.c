/* The approximate cache: filters and their ageing. flow.h says what it promises, and why it is laid out so.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <rte_malloc.h>
#include <rte_prefetch.h>

#include "lib/flow/approximate.h"

/* ---- one filter ------------------------------------------------------------------------------------ */

static inline uint64_t
fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The block comes from the upper bits of what is mixed, the positions from all bits below: a product's upper
 * half depends on all bits of the factors' lower parts, its lower half on the lower halves alone. */
static inline struct spx_flow_aim
aim_at(const struct spx_flow_filter *f, uint64_t hash)
{
	uint64_t mixed = fold(hash ^ f->seed[0], f->seed[1]);
	uint64_t block = (uint64_t)((unsigned __int128)mixed * f->blocks >> 64);

	return (struct spx_flow_aim){f->block[block], mixed * (f->seed[0] | 1)};
}

/* aim[] gets the members of `set` one after the other; their blocks are on the way to the cache. */
static inline unsigned
aim_all(const struct spx_flow_filter *f, const uint64_t hash[], uint64_t set, struct spx_flow_aim aim[])
{
	unsigned i, n = 0;

	SPX_FOREACH (i, set) {
		aim[n] = aim_at(f, hash[i]);
		rte_prefetch0(aim[n++].block);
	}
	return n;
}

/* The members of `set` whose numbers among its members are in `numbers`. */
static inline uint64_t
members(uint64_t set, uint64_t numbers)
{
	uint64_t chosen = 0;
	unsigned i;

	if ((set & (set + 1)) == 0)
		return numbers;
	SPX_FOREACH (i, set) {
		chosen |= (numbers & 1) << i;
		numbers >>= 1;
	}
	return chosen;
}

static uint64_t
look(const struct spx_flow_approximate *a, const struct spx_flow_filter *f, const uint64_t hash[],
	uint64_t set)
{
	struct spx_flow_aim aim[SPX_BURST_MAX];
	unsigned n = aim_all(f, hash, set, aim);

	return members(set, a->probe(f, aim, n));
}

static bool
holds(const struct spx_flow_approximate *a, const struct spx_flow_filter *f, uint64_t hash)
{
	struct spx_flow_aim aim = aim_at(f, hash);

	return a->probe(f, &aim, 1) != 0;
}

static void
wipe(const struct spx_flow_filter *f, uint32_t *block)
{
	memset(block, 0, sizeof(*f->block));
	block[SPX_FLOW_BLOCK_EPOCH] = f->epoch;
}

static void
set_bits(struct spx_flow_filter *f, struct spx_flow_aim aim)
{
	uint32_t *block = f->block[(aim.block - *f->block) / SPX_FLOW_BLOCK_WORDS];
	uint32_t were = 1;

	if (block[SPX_FLOW_BLOCK_EPOCH] != f->epoch)
		wipe(f, block);
	for (unsigned probe = 0; probe < f->probes; probe++) {
		uint32_t position = spx_flow_probe_position(aim.positions, probe);

		were &= block[position / 32] >> position % 32;
		block[position / 32] |= 1u << position % 32;
	}
	spx_count(&f->flows, 1 - were);
}

/* Constant time: blocks of an older epoch are empty. One of them is wiped at each clear, in turn, so that no
 * epoch is ever older than `blocks` clears, and that a 32-bit epoch comes round after 2^32 does not matter.
 */
static void
clear(struct spx_flow_approximate *a, struct spx_flow_filter *f)
{
	f->epoch++;
	f->seed[0] = spx_random(&a->random);
	f->seed[1] = spx_random(&a->random) | 1;
	__atomic_store_n(&f->flows, 0, __ATOMIC_RELAXED);
	wipe(f, f->block[f->wipe]);
	f->wipe = f->wipe + 1 < f->blocks ? f->wipe + 1 : 0;
}

/* ---- ageing ---------------------------------------------------------------------------------------- */

static inline bool
is_full(const struct spx_flow_approximate *a)
{
	return a->filter[a->active].flows >= a->flows ||
	       (a->two && a->filter[!a->active].flows >= a->takes_over);
}

/* Clears the active filter; of two, the other one takes over. Returns false when the flow is in already and
 * needs no room. */
static bool
make_room(struct spx_flow_approximate *a, uint64_t hash)
{
	struct spx_flow_filter *active = &a->filter[a->active];

	if (holds(a, active, hash) && (!a->two || holds(a, &a->filter[!a->active], hash)))
		return false;
	clear(a, active);
	spx_count(&a->clears, 1);
	if (a->two)
		__atomic_store_n(&a->active, !a->active, __ATOMIC_RELAXED);
	return true;
}

static inline unsigned
n_halves(const struct spx_flow_approximate *a)
{
	return a->two ? 2 : 1;
}

static void
enter(struct spx_flow_approximate *a, const uint64_t hash[], uint64_t set)
{
	const uint32_t epoch[2] = {a->filter[0].epoch, a->filter[1].epoch};
	struct spx_flow_aim aim[2][SPX_BURST_MAX];
	unsigned i, n = 0;

	for (unsigned k = 0; k < n_halves(a); k++)
		aim_all(&a->filter[k], hash, set, aim[k]);
	SPX_FOREACH (i, set) {
		unsigned number = n++;

		if (unlikely(is_full(a)) && !make_room(a, hash[i]))
			continue;
		for (unsigned k = 0; k < n_halves(a); k++) {
			struct spx_flow_filter *f = &a->filter[k];

			/* A clear on the way makes the rest aim anew. */
			set_bits(f, likely(f->epoch == epoch[k]) ? aim[k][number] : aim_at(f, hash[i]));
		}
	}
}

uint64_t
spx_flow_approximate_peek(struct spx_flow_approximate *a, const uint64_t hash[], uint64_t set)
{
	return look(a, &a->filter[a->active], hash, set);
}

void
spx_flow_approximate_refresh(struct spx_flow_approximate *a, const uint64_t hash[], uint64_t found)
{
	uint64_t missing;

	if (!a->two || found == 0)
		return;
	missing = found & ~look(a, &a->filter[!a->active], hash, found);
	if (missing != 0)
		enter(a, hash, missing);
}

uint64_t
spx_flow_approximate_lookup(struct spx_flow_approximate *a, const uint64_t hash[], uint64_t set)
{
	uint64_t found = spx_flow_approximate_peek(a, hash, set);

	spx_flow_approximate_refresh(a, hash, found);
	return found;
}

void
spx_flow_approximate_insert(struct spx_flow_approximate *a, const uint64_t hash[], uint64_t set)
{
	enter(a, hash, set);
}

void
spx_flow_approximate_clear(struct spx_flow_approximate *a)
{
	clear(a, &a->filter[0]);
	if (a->two)
		clear(a, &a->filter[1]);
}

/* ---- creation and statistics ----------------------------------------------------------------------- */

static int
create_filter(struct spx_flow_approximate *a, struct spx_flow_filter *f, int socket)
{
	size_t bytes = a->plan.blocks * sizeof(*f->block);

	f->block = rte_zmalloc_socket("flow filter", bytes, RTE_CACHE_LINE_SIZE, socket);
	if (f->block == NULL)
		return -ENOMEM;
	f->blocks = a->plan.blocks;
	f->probes = a->plan.probes;
	a->bytes += bytes;
	clear(a, f); /* epoch 1: zeroed memory is empty */
	return 0;
}

int
spx_flow_approximate_create(const struct spx_flow_approximate_options *options,
	struct spx_flow_approximate **out, struct spx_error *err)
{
	struct spx_flow_probe_variant variant[SPX_FLOW_PROBE_VARIANTS] = {{0}};
	struct spx_flow_approximate_plan plan;
	struct spx_flow_approximate *a;
	int rc = spx_flow_approximate_plan(options->p, options->flows, &plan, err);

	if (rc < 0)
		return rc;
	if (options->ageing == SPX_FLOW_DOUBLE_BUFFERED && options->flows < 2)
		return spx_error(
			err, -EINVAL, "a double-buffered filter of 1 flow; it must hold at least two");
	a = rte_zmalloc_socket("flow filters", sizeof(*a), RTE_CACHE_LINE_SIZE, options->socket);
	if (a == NULL)
		return spx_error(err, -ENOMEM, "no memory for a filter");
	a->plan = plan;
	a->probe = variant[spx_flow_probe_variants(variant) - 1].probe;
	a->two = options->ageing == SPX_FLOW_DOUBLE_BUFFERED;
	a->flows = options->flows;
	a->takes_over = options->flows / 2;
	a->random = options->seed;
	a->bytes = sizeof(*a);
	rc = create_filter(a, &a->filter[0], options->socket);
	if (rc == 0 && a->two)
		rc = create_filter(a, &a->filter[1], options->socket);
	if (rc < 0) {
		spx_flow_approximate_free(a);
		return spx_error(err, rc,
			"no memory for a filter of %" PRIu64 " flows with p = %g: it takes %" PRIu64 " MiB",
			options->flows, options->p,
			((plan.blocks << a->two) * RTE_CACHE_LINE_SIZE >> 20) + 1);
	}
	*out = a;
	return 0;
}

void
spx_flow_approximate_free(struct spx_flow_approximate *a)
{
	if (a == NULL)
		return;
	rte_free(a->filter[0].block);
	rte_free(a->filter[1].block);
	rte_free(a);
}

void
spx_flow_approximate_stats(const struct spx_flow_approximate *a, struct spx_flow_approximate_stats *stats)
{
	unsigned active = __atomic_load_n(&a->active, __ATOMIC_RELAXED);

	stats->plan = a->plan;
	stats->flows = __atomic_load_n(&a->filter[active].flows, __ATOMIC_RELAXED);
	stats->clears = __atomic_load_n(&a->clears, __ATOMIC_RELAXED);
	stats->bytes = a->bytes;
}
