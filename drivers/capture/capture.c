/* A port that writes what is sent to it into a pcapng file.
 *
 * The packet loop makes no system calls, so tx_burst only stamps the packets and puts them on a ring; a
 * thread of the port's own writes them out and frees them. When the ring is full, or after a write error,
 * tx_burst takes no more and the worker counts the packets as tx_full.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_ring.h>

#include "drivers/port.h"
#include "lib/trace/trace.h"

#define RING_SIZE   4096u /* packets waiting for the disk */
#define WRITE_BURST 64u
#define IDLE_US     500u
#define FRAME_MAX   65536u

struct capture {
	struct rte_ring *ring;
	struct spx_capture_file *file;
	pthread_t writer;
	atomic_bool stop;            /* set by close: write what is there, then end */
	atomic_int failed;           /* first write error, negative errno */
	struct spx_wall_clock clock; /* the writer's */
	uint64_t lost;               /* taken from the ring but not written because of it; writer's */
	uint8_t frame[FRAME_MAX];    /* a packet of several segments, put together */
};

static uint16_t
capture_tx_burst(struct spx_port *p, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct capture *c = p->state;
	uint64_t now;

	(void)queue;
	if (atomic_load_explicit(&c->failed, memory_order_relaxed) != 0)
		return 0;
	now = rte_rdtsc();
	for (uint16_t i = 0; i < n; i++)
		spx_meta(pkts[i])->time = now;
	return (uint16_t)rte_ring_sp_enqueue_burst(c->ring, (void *const *)pkts, n, NULL);
}

/* Writes one packet; after the first error only counts what is lost. */
static void
write_packet(struct capture *c, struct rte_mbuf *m, uint32_t snap)
{
	uint32_t most = snap != 0 && snap < FRAME_MAX ? snap : FRAME_MAX;
	uint32_t captured = RTE_MIN(m->pkt_len, most);
	const struct spx_capture_packet packet = {.data = rte_pktmbuf_read(m, 0, captured, c->frame),
		.captured = captured,
		.length = m->pkt_len,
		.time = spx_wall_clock_ns(&c->clock, spx_meta(m)->time)};
	int r = atomic_load(&c->failed);

	if (r == 0)
		r = spx_capture_file_write(c->file, &packet);
	if (r < 0) {
		atomic_store(&c->failed, r);
		__atomic_store_n(&c->lost, c->lost + 1, __ATOMIC_RELAXED);
	}
}

static void *
writer(void *arg)
{
	struct spx_port *p = arg;
	struct capture *c = p->state;
	void *pkts[WRITE_BURST];

	for (;;) {
		bool stop = atomic_load(&c->stop); /* before looking: nothing comes after it is set */
		unsigned n = rte_ring_sc_dequeue_burst(c->ring, pkts, WRITE_BURST, NULL);

		spx_wall_clock_update(&c->clock);
		for (unsigned i = 0; i < n; i++) {
			write_packet(c, pkts[i], p->options.snap);
			rte_pktmbuf_free(pkts[i]);
		}
		if (n == 0 && stop)
			return NULL;
		if (n == 0)
			usleep(IDLE_US);
	}
}

static void
free_capture(struct capture *c)
{
	rte_ring_free(c->ring);
	free(c);
}

static int
capture_open(struct spx_port *p, struct spx_error *err)
{
	struct capture *c = calloc(1, sizeof(*c));
	char name[RTE_RING_NAMESIZE];
	int r;

	if (c == NULL)
		return spx_error(err, -ENOMEM, "no memory");
	snprintf(name, sizeof(name), "capture_%u", p->id);
	c->ring = rte_ring_create(name, RING_SIZE, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (c->ring == NULL) {
		free(c);
		return spx_error(
			err, -ENOMEM, "no memory for the capture ring (%s)", rte_strerror(rte_errno));
	}
	r = spx_capture_file_create(p->options.file, p->options.name, p->options.snap, &c->file, err);
	if (r < 0) {
		free_capture(c);
		return r;
	}
	spx_wall_clock_init(&c->clock);
	p->state = c;
	p->tx_queues = 1;
	r = rte_ctrl_thread_create(&c->writer, "spx-capture", NULL, writer, p);
	if (r < 0) {
		spx_capture_file_close(c->file);
		free_capture(c);
		return spx_error(err, r, "cannot start the writer thread (%s)", strerror(-r));
	}
	return 0;
}

static void
capture_stats(struct spx_port *p, struct spx_port_stats *stats)
{
	struct capture *c = p->state;

	*stats = (struct spx_port_stats){.errors = __atomic_load_n(&c->lost, __ATOMIC_RELAXED)};
}

static int
capture_close(struct spx_port *p, struct spx_error *err)
{
	struct capture *c = p->state;
	int r;

	atomic_store(&c->stop, true);
	pthread_join(c->writer, NULL);
	r = spx_capture_file_close(c->file);
	if (c->lost > 0)
		spx_log(SPX_LOG_WARNING, "port %s: %lu packets were not written", p->options.name, c->lost);
	free_capture(c);
	return r < 0 ? spx_error(err, r, "%s: %s; the file is not complete", p->options.file, strerror(-r))
		     : 0;
}

const struct spx_port_ops spx_capture_ops = {
	.name = "capture",
	.open = capture_open,
	.tx_burst = capture_tx_burst,
	.stats = capture_stats,
	.close = capture_close,
};
