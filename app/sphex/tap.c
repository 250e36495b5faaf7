/* Captures: their life, and the packet side; see tap.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_errno.h>

#include "app/sphex/tap_internal.h"

#define COPIES_MAX  4095u /* of a capture; one less than a power of two fits a mempool best */
#define COPIES_MIN  1023u
#define POOL_BYTES  (32u << 20) /* large frames: fewer copies, down to the least */
#define RING_SIZE   2048u       /* copies waiting for the writer; the others are in threads' hands */
#define CACHED      32u /* copies at hand of a worker, which others cannot have, up to half as many again */
#define NAME_FORMAT "sphex_tap_%u"

static const char *const point_names[SPX_TAP_POINT_COUNT] = {
#define POINT_NAME(name) [SPX_TAP_##name] = #name,
	SPX_TAP_POINTS(POINT_NAME)
#undef POINT_NAME
};

const char *
spx_tap_point_name(enum spx_tap_point point)
{
	return point_names[point];
}

/* ---- life ------------------------------------------------------------------------------------------ */

/* Its own strings. */
static int
copy_options(struct spx_tap *tap, const struct spx_tap_options *options)
{
	tap->options = *options;
	tap->options.port_name = NULL;
	tap->options.file = strdup(options->file);
	tap->options.filter = options->filter == NULL ? NULL : strdup(options->filter);
	return tap->options.file == NULL || (tap->options.filter == NULL && options->filter != NULL) ? -ENOMEM
												     : 0;
}

/* Pool and ring, with names that no other capture has. RTS: threads that share a CPU do not wait for one that
 * lost it in the middle of a put. */
static int
create_memory(struct spx_tap *tap, struct spx_error *err)
{
	static atomic_uint serial;
	const unsigned number = atomic_fetch_add(&serial, 1);
	const uint32_t size = RTE_ALIGN_CEIL(tap->keep + RTE_PKTMBUF_HEADROOM, 64u);
	const unsigned fit = RTE_MIN(POOL_BYTES / size, COPIES_MAX);
	const unsigned copies = RTE_MAX(fit, COPIES_MIN);
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), NAME_FORMAT, number);
	tap->pool = rte_pktmbuf_pool_create_by_ops(name, copies, CACHED, sizeof(struct spx_tap_copy),
		(uint16_t)RTE_MIN(size, (uint32_t)UINT16_MAX), SOCKET_ID_ANY, "ring_mt_rts");
	tap->ring = rte_ring_create(name, RING_SIZE, SOCKET_ID_ANY, RING_F_MP_RTS_ENQ | RING_F_SC_DEQ);
	if (tap->pool == NULL || tap->ring == NULL)
		return spx_error(err, -ENOMEM,
			"%s: no memory for %u copies of %u bytes (%s); keep less of each packet (snap), or "
			"raise "
			"memory.megabytes",
			tap->options.file, copies, size, rte_strerror(rte_errno));
	return 0;
}

static void
free_tap(struct spx_tap *tap)
{
	rte_ring_free(tap->ring);
	rte_mempool_free(tap->pool);
	spx_filter_free(tap->filter);
	free((char *)(uintptr_t)tap->options.file);
	free((char *)(uintptr_t)tap->options.filter);
	free(tap);
}

int
spx_tap_create(const struct spx_tap_options *options, struct spx_tap **out, struct spx_error *err)
{
	struct spx_tap *tap = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*tap));
	int rc;

	if (tap == NULL) {
		close(options->fd);
		return spx_error(err, -ENOMEM, "%s: no memory", options->file);
	}
	memset(tap, 0, sizeof(*tap));
	/* One byte more than the longest frame, so that one that is too long is seen to be. */
	tap->keep = RTE_MIN(options->snap != 0 ? options->snap : options->max_frame + 1, SPX_TAP_FRAME_MAX);
	tap->left = options->count == 0 ? UINT64_MAX : options->count;
	rc = copy_options(tap, options);
	if (rc < 0)
		spx_error(err, rc, "%s: no memory", options->file);
	if (rc == 0)
		rc = spx_filter_create(options->filter, &tap->filter, err);
	if (rc == 0)
		rc = create_memory(tap, err);
	if (rc < 0)
		close(options->fd);
	else
		rc = spx_tap_writer_start(tap, options->port_name, err);
	if (rc < 0) {
		free_tap(tap);
		return rc;
	}
	*out = tap;
	return 0;
}

int
spx_tap_free(struct spx_tap *tap, struct spx_tap_stats *stats)
{
	int error;

	if (tap == NULL)
		return 0;
	error = spx_tap_writer_stop(tap);
	if (stats != NULL) {
		spx_tap_stats(tap, stats);
		stats->error = error; /* closing can be the first to fail */
	}
	free_tap(tap);
	return error;
}

void
spx_tap_stats(const struct spx_tap *tap, struct spx_tap_stats *stats)
{
	*stats = (struct spx_tap_stats){
		.packets = atomic_load(&tap->packets),
		.bytes = atomic_load(&tap->bytes),
		.lost = atomic_load(&tap->lost) + atomic_load(&tap->unwritten),
		.ended = atomic_load(&tap->ended),
		.error = atomic_load(&tap->error),
	};
}

const struct spx_tap_options *
spx_tap_options(const struct spx_tap *tap)
{
	return &tap->options;
}

/* ---- packet side ----------------------------------------------------------------------------------- */

bool
spx_tap_wants(const struct spx_tap *tap, enum spx_tap_point point, uint16_t port)
{
	const struct spx_tap_options *o = &tap->options;

	return (o->points & 1u << point) != 0 && port < o->n_ports &&
	       (o->port == SPX_NO_PORT || o->port == port) &&
	       !atomic_load_explicit(&tap->ended, memory_order_relaxed) &&
	       atomic_load_explicit(&tap->left, memory_order_relaxed) != 0;
}

/* The bytes of a packet that are kept, or NULL. In place for a packet of one segment, which is the rule: of
 * what rte_pktmbuf_copy copies beside them the writer reads nothing. */
static struct rte_mbuf *
copy_bytes(const struct spx_tap *tap, const struct rte_mbuf *m)
{
	const uint16_t keep = (uint16_t)RTE_MIN(m->data_len, tap->keep);
	struct rte_mbuf *copy;
	char *bytes;

	if (m->nb_segs > 1)
		return rte_pktmbuf_copy(m, tap->pool, 0, tap->keep);
	copy = rte_pktmbuf_alloc(tap->pool);
	if (copy == NULL)
		return NULL;
	bytes = rte_pktmbuf_append(copy, keep);
	if (bytes == NULL) {
		rte_pktmbuf_free(copy);
		return NULL;
	}
	memcpy(bytes, rte_pktmbuf_mtod(m, const void *), keep);
	return copy;
}

struct rte_mbuf *
spx_tap_copy(struct spx_tap *tap, const struct rte_mbuf *m, enum spx_tap_point point, uint16_t port,
	enum spx_drop reason)
{
	struct rte_mbuf *copy;

	if (!spx_filter_match(tap->filter, m))
		return NULL;
	copy = copy_bytes(tap, m);
	if (copy == NULL) {
		atomic_fetch_add_explicit(&tap->lost, 1, memory_order_relaxed);
		return NULL;
	}
	*(struct spx_tap_copy *)rte_mbuf_to_priv(copy) = (struct spx_tap_copy){
		.time = rte_rdtsc(),
		.length = m->pkt_len,
		.port = port,
		.point = (uint8_t)point,
		.reason = (uint8_t)reason,
	};
	return copy;
}

/* How many of n may be put; they are taken off what is left. */
static unsigned
claim(struct spx_tap *tap, unsigned n)
{
	uint64_t left = atomic_load_explicit(&tap->left, memory_order_relaxed);
	uint64_t take;

	if (tap->options.count == 0)
		return n;
	do {
		take = RTE_MIN(left, (uint64_t)n);
	} while (!atomic_compare_exchange_weak(&tap->left, &left, left - take));
	return (unsigned)take;
}

void
spx_tap_put(struct spx_tap *tap, struct rte_mbuf **copies, unsigned n)
{
	unsigned may = claim(tap, n);
	unsigned put = rte_ring_enqueue_burst(tap->ring, (void *const *)copies, may, NULL);

	if (put < may) {
		atomic_fetch_add_explicit(&tap->lost, may - put, memory_order_relaxed);
		if (tap->options.count != 0)
			atomic_fetch_add(&tap->left, may - put);
	}
	if (put < n)
		rte_pktmbuf_free_bulk(copies + put, n - put);
}
