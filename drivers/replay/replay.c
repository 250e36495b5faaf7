/* A port that plays a trace into the appliance.
 *
 * At open the trace is read once: each packet becomes a record in the index of the worker it belongs to
 * (dealt by flow hash, so a flow stays with one worker and in order) with the time it is due. rx_burst then
 * walks the index and copies packets from the mapped file into mbufs. A packet cut by the snap length is
 * filled with zeros to its original length. One that is longer than the port's largest frame is delivered one
 * byte too long, so that parse drops it by name (oversize). When the pool is empty nothing is lost: the
 * packet is delivered at a later poll.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_memcpy.h>

#include "drivers/port.h"
#include "lib/net/net.h"
#include "lib/trace/trace.h"

#define ETHERNET_HEADER 14u
#define SYNC_CYCLES_LOG 31 /* the clock is corrected every 2^31 cycles, about once a second */

/* One packet of the trace. 32 bytes: two to a cache line. */
struct record {
	const uint8_t *data;
	uint64_t due;       /* ns after the start of a pass; 0 at top speed */
	uint32_t captured;  /* bytes to copy from data */
	uint32_t length;    /* bytes of the frame to deliver */
	uint16_t ethertype; /* != 0: a synthetic Ethernet header goes before data; it counts in length */
};
static_assert(sizeof(struct record) == 32, "two records to a cache line");

/* One worker's share. */
struct replay_queue {
	struct record *record;
	size_t n, room;
	size_t next;      /* record to deliver next */
	uint64_t pass;    /* passes done */
	uint64_t no_mbuf; /* polls that found the pool empty */
	struct spx_clock clock;
	bool started;
	atomic_bool finished;
} __rte_cache_aligned;

struct replay {
	struct spx_trace *trace;
	struct spx_error damage; /* where the trace is damaged */
	int damaged;             /* 0 or negative errno */
	uint64_t packets;
	uint64_t pass_ns; /* duration of a pass in replay time */
	_Atomic uint64_t
		start;   /* replay clock zero, CLOCK_MONOTONIC_RAW ns; 0 = no queue has been polled yet */
	uint64_t passes; /* 0 = no limit */
	struct replay_queue queue[SPX_WORKERS_MAX];
};

/* ---- open: reading the index ----------------------------------------------------------------------- */

static int
queue_append(struct replay_queue *q, const struct record *record)
{
	if (q->n == q->room) {
		size_t room = q->room == 0 ? 1024 : q->room * 2;
		struct record *grown = realloc(q->record, room * sizeof(*grown));

		if (grown == NULL)
			return -ENOMEM;
		q->record = grown;
		q->room = room;
	}
	q->record[q->n++] = *record;
	return 0;
}

static struct record
make_record(const struct spx_trace_packet *packet, uint32_t max_frame, uint64_t due)
{
	uint32_t header = packet->ethertype != 0 ? ETHERNET_HEADER : 0;
	uint64_t length = (uint64_t)packet->length + header;

	length = RTE_MIN(length, (uint64_t)max_frame + 1); /* one more than allowed says oversize */
	return (struct record){
		.data = packet->data,
		.due = due,
		.captured = RTE_MIN(packet->captured, (uint32_t)length - header),
		.length = (uint32_t)length,
		.ethertype = packet->ethertype,
	};
}

/* The worker a packet belongs to. A payload without link header has no Ethernet frame to hash in place, so
 * one is put together on the stack. */
static uint16_t
deal(const struct spx_port *p, const struct spx_trace_packet *packet)
{
	uint8_t frame[128] = {0};
	uint32_t captured;

	if (p->rx_queues == 1)
		return 0;
	if (packet->ethertype == 0)
		return (uint16_t)(spx_net_flow_hash(
					  packet->data, packet->captured, packet->length, p->options.seed) %
				  p->rx_queues);
	captured = RTE_MIN(packet->captured, (uint32_t)sizeof(frame) - ETHERNET_HEADER);
	frame[12] = (uint8_t)(packet->ethertype >> 8);
	frame[13] = (uint8_t)packet->ethertype;
	memcpy(frame + ETHERNET_HEADER, packet->data, captured);
	return (uint16_t)(spx_net_flow_hash(frame, captured + ETHERNET_HEADER,
				  packet->length + ETHERNET_HEADER, p->options.seed) %
			  p->rx_queues);
}

/* Reads the whole trace into the index. Damage is kept for close: what came before it is replayed. */
static int
read_index(struct spx_port *p, struct replay *s, struct spx_error *err)
{
	bool timed = p->options.speed > 0;
	struct spx_schedule schedule;
	struct spx_trace_packet packet;
	struct record record;
	int r;

	spx_schedule_init(&schedule, timed ? p->options.speed : 1.0);
	while ((r = spx_trace_next(s->trace, &packet, &s->damage)) > 0) {
		record = make_record(
			&packet, p->options.max_frame, timed ? spx_schedule_due(&schedule, packet.time) : 0);
		if (queue_append(&s->queue[deal(p, &packet)], &record) < 0)
			return spx_error(err, -ENOMEM, "%s: no memory for an index of more than %lu packets",
				p->options.file, s->packets);
		s->packets++;
	}
	s->damaged = r;
	if (timed && s->packets > 0) {
		spx_schedule_next_pass(&schedule, s->packets);
		s->pass_ns = schedule.offset;
	}
	return 0;
}

/* ---- running --------------------------------------------------------------------------------------- */

/* Replay time of this queue in ns. The first queue that is polled sets zero for all. */
static uint64_t
replay_now(struct replay *s, struct replay_queue *q)
{
	uint64_t tsc = rte_rdtsc(), now, zero = 0;

	if (unlikely(!q->started)) {
		spx_clock_init(&q->clock);
		q->started = true;
		tsc = q->clock.tsc;
	} else if (unlikely((tsc - q->clock.tsc) >> SYNC_CYCLES_LOG != 0)) {
		spx_clock_sync(&q->clock);
		tsc = q->clock.tsc;
	}
	now = spx_clock_ns(&q->clock, tsc);
	if (unlikely(s->start == 0))
		atomic_compare_exchange_strong(&s->start, &zero, now);
	zero = s->start;
	return now > zero ? now - zero : 0;
}

/* How many of the next `n` records are due. */
static uint16_t
count_due(struct replay *s, struct replay_queue *q, uint16_t n)
{
	uint64_t now = replay_now(s, q), begun = q->pass * s->pass_ns;
	uint16_t due = 0;

	while (due < n && begun + q->record[q->next + due].due <= now)
		due++;
	return due;
}

/* Builds the frame of a record in a fresh mbuf. */
static inline void
fill(struct rte_mbuf *m, const struct record *record, uint16_t port)
{
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	uint32_t at = 0;

	if (unlikely(record->ethertype != 0)) {
		memset(frame, 0, ETHERNET_HEADER);
		frame[12] = (uint8_t)(record->ethertype >> 8);
		frame[13] = (uint8_t)record->ethertype;
		at = ETHERNET_HEADER;
	}
	rte_memcpy(frame + at, record->data, record->captured);
	at += record->captured;
	if (at < record->length)
		memset(frame + at, 0, record->length - at);
	m->data_len = (uint16_t)record->length;
	m->pkt_len = record->length;
	m->port = port;
}

static uint16_t
replay_rx_burst(struct spx_port *p, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct replay *s = p->state;
	struct replay_queue *q = &s->queue[queue];

	if (atomic_load_explicit(&q->finished, memory_order_relaxed))
		return 0;
	n = (uint16_t)RTE_MIN((size_t)n, q->n - q->next);
	if (s->pass_ns != 0)
		n = count_due(s, q, n);
	if (n == 0)
		return 0;
	if (unlikely(rte_pktmbuf_alloc_bulk(p->options.pool, pkts, n) != 0)) {
		__atomic_store_n(&q->no_mbuf, q->no_mbuf + 1, __ATOMIC_RELAXED);
		return 0;
	}
	for (uint16_t i = 0; i < n; i++)
		fill(pkts[i], &q->record[q->next + i], p->id);
	q->next += n;
	if (q->next == q->n) {
		q->next = 0;
		q->pass++;
		if (q->pass == s->passes)
			atomic_store(&q->finished, true);
	}
	return n;
}

static bool
replay_finished(const struct spx_port *p)
{
	struct replay *s = p->state;

	for (uint16_t q = 0; q < p->rx_queues; q++)
		if (!atomic_load(&s->queue[q].finished))
			return false;
	return true;
}

static void
replay_stats(struct spx_port *p, struct spx_port_stats *stats)
{
	struct replay *s = p->state;

	*stats = (struct spx_port_stats){0};
	for (uint16_t q = 0; q < p->rx_queues; q++)
		stats->no_mbuf += __atomic_load_n(&s->queue[q].no_mbuf, __ATOMIC_RELAXED);
}

static void
free_replay(struct replay *s)
{
	for (unsigned q = 0; q < SPX_WORKERS_MAX; q++)
		free(s->queue[q].record);
	spx_trace_close(s->trace);
	free(s);
}

static int
replay_close(struct spx_port *p, struct spx_error *err)
{
	struct replay *s = p->state;
	int r = s->damaged;

	if (r < 0)
		spx_error(err, r, "%s", s->damage.text);
	free_replay(s);
	return r;
}

static int
replay_open(struct spx_port *p, struct spx_error *err)
{
	struct replay *s = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*s));
	int r;

	if (s == NULL)
		return spx_error(err, -ENOMEM, "no memory");
	memset(s, 0, sizeof(*s));
	s->passes = p->options.passes;
	p->rx_queues = p->options.workers;
	r = spx_trace_open(p->options.file, &s->trace, err);
	if (r < 0) {
		free(s);
		return r;
	}
	r = read_index(p, s, err);
	if (r < 0) {
		free_replay(s);
		return r;
	}
	if (spx_trace_skipped(s->trace) > 0)
		spx_log(SPX_LOG_WARNING,
			"%s: %lu packets left out: their link type carries neither Ethernet nor IP",
			p->options.file, spx_trace_skipped(s->trace));
	for (uint16_t q = 0; q < p->rx_queues; q++)
		s->queue[q].finished = s->queue[q].n == 0;
	p->state = s;
	return 0;
}

const struct spx_port_ops spx_replay_ops = {
	.name = "replay",
	.open = replay_open,
	.rx_burst = replay_rx_burst,
	.stats = replay_stats,
	.finished = replay_finished,
	.close = replay_close,
};
