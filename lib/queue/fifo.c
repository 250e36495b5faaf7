/* First in, first out, with a rate and limits; see queue.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/queue/queue.h"

#define BYTES_PER_KBIT 125u /* a second: 1000 bits */
#define HZ_MIN         1000u
#define HZ_MAX         UINT64_C(5000000000) /* with SPX_QUEUE_RATE_MAX and _LATE_MS, credit fits 63 bits */

struct spx_queue {
	/* written by whoever changes it */
	_Atomic uint64_t rate_kbps, limit_bytes;
	_Atomic uint32_t limit_packets;

	/* constant */
	uint32_t capacity; /* a power of two */
	uint64_t hz;
	uint64_t burst_ticks, late_ticks; /* what credit is limited to, in ticks at the rate */

	/* the owner's */
	uint64_t head __rte_cache_aligned; /* packets that have left; a place is that modulo capacity */
	uint64_t tail;                     /* packets that came in */
	uint64_t last;                     /* now, when credit was last added */
	uint64_t gain;                     /* units of credit a tick; 0: no rate */
	int64_t credit;                    /* in 1 / hz bytes; below 0: debt */
	struct spx_queue_stats stats;      /* read by any thread */

	struct rte_mbuf *ring[];
};

/* ---- life ------------------------------------------------------------------------------------------------
 */

static int
check(const struct spx_queue_options *o, uint32_t capacity, struct spx_error *err)
{
	if (o->rate_kbps > SPX_QUEUE_RATE_MAX)
		return spx_error(err, -EINVAL, "rate_kbps is %" PRIu64 "; 0 to %u expected", o->rate_kbps,
			SPX_QUEUE_RATE_MAX);
	if (o->limit_packets < 1 || o->limit_packets > capacity)
		return spx_error(err, -EINVAL, "limit_packets is %" PRIu32 "; 1 to %" PRIu32 " expected%s",
			o->limit_packets, capacity,
			capacity < SPX_QUEUE_PACKETS_MAX
				? ": a larger ring needs a larger limit_packets at the start"
				: "");
	if (o->limit_bytes < SPX_QUEUE_BYTES_MIN || o->limit_bytes > SPX_QUEUE_BYTES_MAX)
		return spx_error(err, -EINVAL, "limit_bytes is %" PRIu64 "; %u to %u expected",
			o->limit_bytes, SPX_QUEUE_BYTES_MIN, SPX_QUEUE_BYTES_MAX);
	return 0;
}

static void
publish(struct spx_queue *q, const struct spx_queue_options *o)
{
	atomic_store_explicit(&q->rate_kbps, o->rate_kbps, memory_order_relaxed);
	atomic_store_explicit(&q->limit_packets, o->limit_packets, memory_order_relaxed);
	atomic_store_explicit(&q->limit_bytes, o->limit_bytes, memory_order_relaxed);
}

int
spx_queue_create(const struct spx_queue_options *options, uint64_t hz, uint64_t now, struct spx_queue **out,
	struct spx_error *err)
{
	uint32_t capacity = RTE_MAX(rte_align32pow2(options->limit_packets), SPX_QUEUE_CAPACITY_MIN);
	struct spx_queue *q;
	size_t size;
	int r = check(options, SPX_QUEUE_PACKETS_MAX, err);

	if (r < 0)
		return r;
	if (hz < HZ_MIN || hz > HZ_MAX)
		return spx_error(err, -EINVAL, "a clock of %" PRIu64 " Hz; %u to %" PRIu64 " expected", hz,
			HZ_MIN, HZ_MAX);
	size = RTE_ALIGN_CEIL(sizeof(*q) + capacity * sizeof(struct rte_mbuf *), RTE_CACHE_LINE_SIZE);
	q = aligned_alloc(RTE_CACHE_LINE_SIZE, size);
	if (q == NULL)
		return spx_error(err, -ENOMEM, "no memory for a queue of %" PRIu32 " packets", capacity);
	memset(q, 0, size); /* and every page of it is there before the first packet */
	q->capacity = capacity;
	q->hz = hz;
	q->burst_ticks = hz * SPX_QUEUE_BURST_MS / 1000;
	q->late_ticks = hz * SPX_QUEUE_LATE_MS / 1000;
	q->last = now;
	q->gain = options->rate_kbps * BYTES_PER_KBIT;
	publish(q, options);
	*out = q;
	return 0;
}

void
spx_queue_free(struct spx_queue *q)
{
	free(q);
}

/* ---- any thread ------------------------------------------------------------------------------------------
 */

int
spx_queue_set(struct spx_queue *q, const struct spx_queue_options *options, struct spx_error *err)
{
	int r = check(options, q->capacity, err);

	if (r == 0)
		publish(q, options);
	return r;
}

void
spx_queue_options(const struct spx_queue *q, struct spx_queue_options *options)
{
	options->rate_kbps = atomic_load_explicit(&q->rate_kbps, memory_order_relaxed);
	options->limit_packets = atomic_load_explicit(&q->limit_packets, memory_order_relaxed);
	options->limit_bytes = atomic_load_explicit(&q->limit_bytes, memory_order_relaxed);
}

void
spx_queue_stats(const struct spx_queue *q, struct spx_queue_stats *stats)
{
	const uint64_t *from = (const uint64_t *)&q->stats;
	uint64_t *into = (uint64_t *)stats;

	for (size_t i = 0; i < sizeof(*stats) / sizeof(*into); i++)
		into[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

uint32_t
spx_queue_depth(const struct spx_queue *q)
{
	return (uint32_t)__atomic_load_n(&q->stats.packets, __ATOMIC_RELAXED);
}

uint32_t
spx_queue_capacity(const struct spx_queue *q)
{
	return q->capacity;
}

/* ---- credit ----------------------------------------------------------------------------------------------
 */

/* Credit for the time since the last call; then the rate now in force, with what it lets a queue save up. */
static void
refresh(struct spx_queue *q, uint64_t now)
{
	const uint64_t ticks = q->head == q->tail ? q->burst_ticks : q->late_ticks;
	const int64_t elapsed = (int64_t)(now - q->last);
	__int128 credit = q->credit;

	if (elapsed > 0) {
		credit += (__int128)elapsed * (int64_t)q->gain;
		q->last = now;
	}
	q->gain = atomic_load_explicit(&q->rate_kbps, memory_order_relaxed) * BYTES_PER_KBIT;
	q->credit = q->gain == 0 ? 0 : (int64_t)RTE_MIN(credit, (__int128)(q->gain * ticks));
}

static int64_t
cost(const struct spx_queue *q, uint64_t bytes)
{
	return q->gain == 0 ? 0 : (int64_t)(bytes * q->hz);
}

/* The credit that a packet needs to go. */
static int64_t
needs(const struct spx_queue *q, const struct rte_mbuf *m)
{
	return RTE_MIN(cost(q, m->pkt_len), (int64_t)(q->gain * q->burst_ticks));
}

/* ---- the owner -------------------------------------------------------------------------------------------
 */

static struct rte_mbuf **
place(struct spx_queue *q, uint64_t count)
{
	return &q->ring[count & (q->capacity - 1)];
}

static void
set(uint64_t *stat, uint64_t value)
{
	__atomic_store_n(stat, value, __ATOMIC_RELAXED);
}

uint16_t
spx_queue_enqueue(struct spx_queue *q, uint64_t now, struct rte_mbuf **pkts, uint16_t n)
{
	const uint32_t most_packets = atomic_load_explicit(&q->limit_packets, memory_order_relaxed);
	const uint64_t most_bytes = atomic_load_explicit(&q->limit_bytes, memory_order_relaxed);
	uint64_t bytes = q->stats.bytes, refused_bytes = 0;
	uint16_t refused = 0;

	if (q->head == q->tail)
		refresh(q, now); /* until now it was empty */
	for (uint16_t i = 0; i < n; i++) {
		uint32_t length = pkts[i]->pkt_len;

		if (q->tail - q->head >= most_packets || bytes + length > most_bytes) {
			refused_bytes += length;
			pkts[refused++] = pkts[i];
			continue;
		}
		bytes += length;
		*place(q, q->tail++) = pkts[i];
	}
	set(&q->stats.packets, q->tail - q->head);
	set(&q->stats.bytes, bytes);
	set(&q->stats.most_packets, RTE_MAX(q->stats.most_packets, q->stats.packets));
	set(&q->stats.most_bytes, RTE_MAX(q->stats.most_bytes, bytes));
	spx_count(&q->stats.dropped_packets, refused);
	spx_count(&q->stats.dropped_bytes, refused_bytes);
	return refused;
}

uint16_t
spx_queue_due(struct spx_queue *q, uint64_t now, struct rte_mbuf **pkts, uint16_t n)
{
	int64_t credit;
	uint16_t i;

	refresh(q, now);
	credit = q->credit;
	for (i = 0; i < n && q->head + i != q->tail; i++) {
		struct rte_mbuf *m = *place(q, q->head + i);

		if (credit < needs(q, m))
			break;
		credit -= cost(q, m->pkt_len);
		pkts[i] = m;
	}
	return i;
}

static void
forget(struct spx_queue *q, uint16_t n, uint64_t bytes)
{
	q->head += n;
	set(&q->stats.packets, q->tail - q->head);
	set(&q->stats.bytes, q->stats.bytes - bytes);
}

void
spx_queue_sent(struct spx_queue *q, uint16_t n, uint64_t bytes)
{
	q->credit -= cost(q, bytes);
	forget(q, n, bytes);
	spx_count(&q->stats.sent_packets, n);
	spx_count(&q->stats.sent_bytes, bytes);
}

uint16_t
spx_queue_remove(struct spx_queue *q, struct rte_mbuf **pkts, uint16_t n)
{
	uint64_t bytes = 0;
	uint16_t i;

	for (i = 0; i < n && q->head + i != q->tail; i++) {
		pkts[i] = *place(q, q->head + i);
		bytes += pkts[i]->pkt_len;
	}
	forget(q, i, bytes);
	return i;
}

uint64_t
spx_queue_wait(struct spx_queue *q, uint64_t now)
{
	int64_t missing;

	if (q->head == q->tail)
		return UINT64_MAX;
	refresh(q, now);
	missing = needs(q, *place(q, q->head)) - q->credit;
	return missing <= 0 ? 0 : ((uint64_t)missing + q->gain - 1) / q->gain;
}
