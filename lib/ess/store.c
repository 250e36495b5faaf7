/* The ephemeral state store outside of the packets' way: creation, quotas, counters. */
#include <inttypes.h>

#include <rte_malloc.h>

#include "lib/ess/ess_internal.h"

const char *spx_ess_class_name(enum spx_ess_class class)
{
	static const char *const name[] = {
#define CLASS_NAME(name, text) #name,
		SPX_ESS_CLASSES(CLASS_NAME)
#undef CLASS_NAME
	};

	return name[class];
}

/* ---- life ------------------------------------------------------------------------------------------ */

static int
check_options(const struct spx_ess_options *o, struct spx_error *err)
{
	if (o->capacity < SPX_ESS_CAPACITY_MIN || o->capacity > SPX_ESS_CAPACITY_MAX)
		return spx_error(err, -EINVAL, "a store of %u entries: it has %u to %u", o->capacity,
			SPX_ESS_CAPACITY_MIN, SPX_ESS_CAPACITY_MAX);
	if (o->workers < 1 || o->workers > SPX_WORKERS_MAX)
		return spx_error(
			err, -EINVAL, "a store for %u workers: 1 to %u", o->workers, SPX_WORKERS_MAX);
	if (o->lifetime_us < 1 || o->lifetime_us > SPX_ESS_LIFETIME_MAX)
		return spx_error(err, -EINVAL,
			"entries that live %" PRIu64 " us: it is 1 us to %" PRIu64 " us", o->lifetime_us,
			SPX_ESS_LIFETIME_MAX);
	return 0;
}

/* Buckets and entries in one piece. */
static int
allocate(struct spx_ess *s, int socket, struct spx_error *err)
{
	const size_t buckets = s->buckets * sizeof(*s->bucket), entries = s->capacity * sizeof(*s->entry);

	s->bytes += buckets + entries;
	s->bucket = rte_zmalloc_socket("ess", buckets + entries, RTE_CACHE_LINE_SIZE, socket);
	if (s->bucket == NULL)
		return spx_error(err, -ENOMEM,
			"no memory for a store of %u entries: it takes %" PRIu64 " MiB", s->capacity,
			(s->bytes >> 20) + 1);
	s->entry = (void *)((uint8_t *)s->bucket + buckets);
	return 0;
}

/* More tokens than any bucket holds: it is full when a quota is set. */
static void
worker_init(struct spx_ess_worker *w, struct spx_ess *s)
{
	w->store = s;
	for (unsigned port = 0; port < SPX_PORTS_MAX; port++)
		w->tokens[port].tokens = UINT64_MAX / 2;
}

int
spx_ess_create(const struct spx_ess_options *options, struct spx_ess **out, struct spx_error *err)
{
	int rc = check_options(options, err);
	struct spx_ess *s;
	size_t bytes;

	if (rc < 0)
		return rc;
	bytes = sizeof(*s) + options->workers * sizeof(s->worker[0]);
	s = rte_zmalloc_socket("ess", bytes, RTE_CACHE_LINE_SIZE, options->socket);
	if (s == NULL)
		return spx_error(err, -ENOMEM, "no memory for a store");
	s->capacity = options->capacity;
	s->buckets = s->capacity / ESS_ENTRIES;
	s->lifetime_us = options->lifetime_us;
	s->workers = options->workers;
	s->seed = options->seed;
	s->bytes = bytes;
	rte_spinlock_init(&s->row_lock);
	rte_spinlock_init(&s->serial_lock);
	for (unsigned i = 0; i < s->workers; i++)
		worker_init(&s->worker[i], s);
	rc = allocate(s, options->socket, err);
	if (rc < 0) {
		rte_free(s);
		return rc;
	}
	*out = s;
	return 0;
}

void
spx_ess_free(struct spx_ess *s)
{
	if (s == NULL)
		return;
	rte_free(s->bucket);
	rte_free(s);
}

struct spx_ess_worker *
spx_ess_worker(struct spx_ess *s, unsigned index)
{
	return &s->worker[index];
}

const struct spx_ess *
spx_ess_store(const struct spx_ess_worker *worker)
{
	return worker->store;
}

int
spx_ess_set_quota(struct spx_ess *s, uint16_t port, uint64_t per_second, struct spx_error *err)
{
	if (port >= SPX_PORTS_MAX)
		return spx_error(err, -EINVAL, "port %u: ports are 0 to %u", port, SPX_PORTS_MAX - 1);
	if (per_second > SPX_ESS_QUOTA_MAX)
		return spx_error(err, -EINVAL,
			"a quota of %" PRIu64 " creations a second: it is at most %" PRIu64
			", 0 for no limit",
			per_second, SPX_ESS_QUOTA_MAX);
	ess_store(&s->quota[port], per_second);
	return 0;
}

/* ---- for any thread -------------------------------------------------------------------------------- */

/* Places were given out in the order of birth: of the last `used` ones those before some place have expired,
 * those from it on live. */
static uint64_t
count_live(const struct spx_ess *s, uint64_t now_us)
{
	const uint64_t given = ess_load(&s->given), used = RTE_MIN(given, (uint64_t)s->capacity);
	const uint64_t next = ess_load(&s->next);
	uint64_t live = 0, beyond = used + 1;

	while (beyond - live > 1) {
		uint64_t middle = live + (beyond - live) / 2;
		uint64_t place = (next + s->capacity - middle) % s->capacity;

		if (ess_live(s, ess_load(&s->entry[place].birth), now_us))
			live = middle;
		else
			beyond = middle;
	}
	return live;
}

void
spx_ess_stats(const struct spx_ess *s, uint64_t now_us, struct spx_ess_stats *stats)
{
	*stats = (struct spx_ess_stats){.capacity = s->capacity,
		.lifetime_us = s->lifetime_us,
		.bytes = s->bytes,
		.live = count_live(s, now_us)};
	for (unsigned i = 0; i < s->workers; i++) {
		const struct spx_ess_worker *w = &s->worker[i];

		stats->created += ess_load(&w->created);
		stats->commits += ess_load(&w->commits);
		stats->refused_full += ess_load(&w->refused_full);
		stats->refused_quota += ess_load(&w->refused_quota);
		stats->conflicts += ess_load(&w->conflicts);
		stats->serial += ess_load(&w->serial);
	}
	stats->expired = stats->created - RTE_MIN(stats->created, stats->live);
}
