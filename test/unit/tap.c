/* Captures of a running appliance: what is copied, what is written, and that copies are written or lost,
 * never both and never neither. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "app/sphex/tap.h"
#include "lib/trace/trace.h"
#include "test/unit/eal.h"

#define ALL   (1u << SPX_TAP_receive | 1u << SPX_TAP_transmit | 1u << SPX_TAP_drop)
#define FRAME 60

static const char *const ports[] = {"in", "out"};
static char path[] = "/tmp/spx_tap.XXXXXX";
static struct rte_mempool *pool;

static void
start(void)
{
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	close(fd);
	test_eal_start();
	pool = rte_pktmbuf_pool_create("packets", 255, 0, sizeof(struct spx_meta), 2048, SOCKET_ID_ANY);
	cr_assert_not_null(pool);
}

/* No packet was touched, and no copy of the pool is missing. */
static void
finish(void)
{
	cr_assert_eq(rte_mempool_in_use_count(pool), 0);
	unlink(path);
}

TestSuite(tap, .init = start, .fini = finish, .timeout = 60);

static struct spx_tap_options
options(int fd)
{
	return (struct spx_tap_options){.file = "a file",
		.fd = fd,
		.port = SPX_NO_PORT,
		.points = ALL,
		.n_ports = RTE_DIM(ports),
		.port_name = ports,
		.max_frame = 1518};
}

static int
open_path(void)
{
	return open(path, O_WRONLY | O_TRUNC);
}

static struct spx_tap *
create(struct spx_tap_options o)
{
	struct spx_tap *tap = NULL;
	struct spx_error err = {""};

	cr_assert_eq(spx_tap_create(&o, &tap, &err), 0, "%s", err.text);
	return tap;
}

/* A UDP packet to this port. */
static struct rte_mbuf *
packet(uint16_t dport, uint16_t length)
{
	static const uint8_t head[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45, 0, 0, 46, 0, 0,
		0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 1, 1, 0x10, 0x00, 0, 0, 0, 26};
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	uint8_t *data;

	cr_assert_not_null(m);
	data = (uint8_t *)rte_pktmbuf_append(m, length);
	cr_assert_not_null(data);
	memset(data, 0, length);
	memcpy(data, head, sizeof(head));
	data[36] = (uint8_t)(dport >> 8);
	data[37] = (uint8_t)dport;
	return m;
}

/* As a worker does it: n packets at a point of a port. */
static void
see(struct spx_tap *tap, enum spx_tap_point point, uint16_t port, enum spx_drop reason, uint16_t dport,
	unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *m = packet(dport, FRAME), *copy = NULL;

		if (spx_tap_wants(tap, point, port))
			copy = spx_tap_copy(tap, m, point, port, reason);
		if (copy != NULL)
			spx_tap_put(tap, &copy, 1);
		rte_pktmbuf_free(m);
	}
}

static struct spx_tap_stats
stop(struct spx_tap *tap, int error)
{
	struct spx_tap_stats stats;

	cr_assert_eq(spx_tap_free(tap, &stats), error);
	cr_assert_eq(stats.error, error);
	cr_assert(stats.ended || error == 0);
	return stats;
}

/* Packets that the reader finds in the file; the last one in *last (data is gone). */
static unsigned
count_file(struct spx_trace_packet *last)
{
	struct spx_trace *trace;
	struct spx_error err = {""};
	unsigned n = 0;
	int rc;

	cr_assert_eq(spx_trace_open(path, &trace, &err), 0, "%s", err.text);
	while ((rc = spx_trace_next(trace, last, &err)) == 1)
		n++;
	cr_assert_eq(rc, 0, "%s", err.text);
	spx_trace_close(trace);
	return n;
}

static void
wait_ended(const struct spx_tap *tap, struct spx_tap_stats *stats)
{
	do {
		usleep(1000);
		spx_tap_stats(tap, stats);
	} while (!stats->ended);
}

static unsigned
occurrences(const char *text)
{
	static char data[1 << 16];
	int fd = open(path, O_RDONLY);
	ssize_t length = read(fd, data, sizeof(data));
	unsigned n = 0;

	close(fd);
	for (char *at = data; (at = memmem(at, (size_t)(data + length - at), text, strlen(text))) != NULL;
		at++)
		n++;
	return n;
}

Test(tap, points_and_comments)
{
	struct spx_tap *tap = create(options(open_path()));
	struct spx_trace_packet last;
	struct spx_tap_stats stats;
	struct timespec now;

	see(tap, SPX_TAP_receive, 0, 0, 53, 3);
	see(tap, SPX_TAP_transmit, 1, 0, 53, 2);
	see(tap, SPX_TAP_drop, 1, SPX_DROP_tx_full, 53, 4);
	clock_gettime(CLOCK_REALTIME, &now);
	stats = stop(tap, 0);
	cr_assert(stats.packets == 9 && stats.bytes == 9 * FRAME && stats.lost == 0);
	cr_assert_eq(count_file(&last), 9);
	cr_assert(last.length == FRAME && last.captured == FRAME);
	cr_assert_lt(llabs((long long)last.time - now.tv_sec * 1000000000LL - now.tv_nsec), 100000000);
	cr_assert_eq(occurrences("drop transmit tx_full: the output port took no more packets"), 4);
	/* "transmit" stands in the comments of drops, too. */
	cr_assert_eq(occurrences("receive"), 3);
	cr_assert_eq(occurrences("transmit"), 2 + 4);
}

Test(tap, wants)
{
	struct spx_tap_options o = options(open_path());
	struct spx_trace_packet last;
	struct spx_tap *tap;

	o.port = 1;
	o.points = 1u << SPX_TAP_receive | 1u << SPX_TAP_drop;
	o.filter = "udp port 53";
	tap = create(o);
	cr_assert(!spx_tap_wants(tap, SPX_TAP_receive, 0));
	cr_assert(spx_tap_wants(tap, SPX_TAP_receive, 1));
	cr_assert(spx_tap_wants(tap, SPX_TAP_drop, 1));
	cr_assert(!spx_tap_wants(tap, SPX_TAP_transmit, 1));
	see(tap, SPX_TAP_receive, 1, 0, 53, 2);
	see(tap, SPX_TAP_receive, 1, 0, 54, 3);
	see(tap, SPX_TAP_receive, 0, 0, 53, 4);
	cr_assert_str_eq(spx_tap_options(tap)->filter, "udp port 53");
	cr_assert_eq(stop(tap, 0).packets, 2);
	cr_assert_eq(count_file(&last), 2);
	/* Any port, but none that the file does not know. */
	o = options(open_path());
	tap = create(o);
	cr_assert(spx_tap_wants(tap, SPX_TAP_receive, 1));
	cr_assert(!spx_tap_wants(tap, SPX_TAP_receive, 2));
	cr_assert(!spx_tap_wants(tap, SPX_TAP_receive, SPX_NO_PORT));
	stop(tap, 0);
}

Test(tap, snap_and_segments)
{
	struct spx_tap_options o = options(open_path());
	struct rte_mbuf *m = packet(53, 1000), *copy;
	struct spx_trace_packet last;
	struct spx_tap_stats stats;
	struct spx_tap *tap;

	cr_assert_eq(rte_pktmbuf_chain(m, packet(53, 1200)), 0);
	o.snap = 1100;
	tap = create(o);
	copy = spx_tap_copy(tap, m, SPX_TAP_receive, 0, 0);
	spx_tap_put(tap, &copy, 1);
	stats = stop(tap, 0);
	cr_assert(stats.packets == 1 && stats.bytes == 1100);
	cr_assert_eq(count_file(&last), 1);
	cr_assert(last.captured == 1100 && last.length == 2200);
	/* All of it, though it is longer than the longest frame by more than the one byte: cut. */
	tap = create(options(open_path()));
	copy = spx_tap_copy(tap, m, SPX_TAP_receive, 0, 0);
	spx_tap_put(tap, &copy, 1);
	cr_assert_eq(stop(tap, 0).bytes, 1519);
	cr_assert_eq(count_file(&last), 1);
	cr_assert(last.captured == 1519 && last.length == 2200);
	cr_assert(m->pkt_len == 2200 && m->nb_segs == 2);
	rte_pktmbuf_free(m);
}

Test(tap, ends_after_count)
{
	struct spx_tap_options o = options(open_path());
	struct rte_mbuf *m = packet(53, FRAME), *copy[8];
	struct spx_trace_packet last;
	struct spx_tap_stats stats;
	struct spx_tap *tap;

	o.count = 5;
	tap = create(o);
	see(tap, SPX_TAP_receive, 0, 0, 53, 3);
	for (unsigned i = 0; i < RTE_DIM(copy); i++)
		copy[i] = spx_tap_copy(tap, m, SPX_TAP_receive, 0, 0);
	spx_tap_put(tap, copy, RTE_DIM(copy));
	cr_assert(!spx_tap_wants(tap, SPX_TAP_receive, 0));
	wait_ended(tap, &stats);
	cr_assert(stats.packets == 5 && stats.lost == 0 && stats.error == 0);
	see(tap, SPX_TAP_receive, 0, 0, 53, 3);
	/* A thread that has not noticed yet: what it puts goes back to the pool. */
	for (unsigned i = 0; i < 5000; i++) {
		cr_assert_not_null(copy[0] = spx_tap_copy(tap, m, SPX_TAP_receive, 0, 0));
		spx_tap_put(tap, copy, 1);
	}
	stats = stop(tap, 0);
	cr_assert(stats.packets == 5 && stats.lost == 0 && stats.ended);
	cr_assert_eq(count_file(&last), 5);
	rte_pktmbuf_free(m);
}

/* The pool has no copy left: counted, and the packet is as it was. A copy that is given back is counted
 * nowhere. */
Test(tap, pool_empty)
{
	static struct rte_mbuf *copy[5000];
	struct spx_tap *tap = create(options(open_path()));
	struct rte_mbuf *m = packet(53, FRAME);
	struct spx_tap_stats stats;
	unsigned n = 0;

	while (n < RTE_DIM(copy) && (copy[n] = spx_tap_copy(tap, m, SPX_TAP_receive, 0, 0)) != NULL)
		n++;
	cr_assert_eq(n, 4095);
	cr_assert_null(spx_tap_copy(tap, m, SPX_TAP_receive, 0, 0));
	cr_assert(rte_mbuf_refcnt_read(m) == 1 && m->pkt_len == FRAME);
	spx_tap_stats(tap, &stats);
	cr_assert_eq(stats.lost, 2);
	rte_pktmbuf_free_bulk(copy, n);
	stats = stop(tap, 0);
	cr_assert(stats.packets == 0 && stats.lost == 2);
	rte_pktmbuf_free(m);
}

/* A pipe that nobody reads: pipe, buffer and ring fill, the rest is lost; the end waits for a second. What
 * went into the pipe is what counts as written. */
Test(tap, pipe_that_nobody_reads)
{
	struct spx_tap *tap;
	struct rte_mbuf *m = packet(53, 1500), *copy;
	struct spx_tap_stats stats;
	unsigned copied = 0;
	struct timespec before, after;
	int fd[2];

	cr_assert_eq(pipe(fd), 0);
	tap = create(options(fd[1]));
	for (unsigned i = 0; i < 20000; i++) {
		copy = spx_tap_copy(tap, m, SPX_TAP_receive, 0, 0);
		copied++;
		if (copy != NULL)
			spx_tap_put(tap, &copy, 1);
	}
	clock_gettime(CLOCK_MONOTONIC, &before);
	stats = stop(tap, -ETIMEDOUT);
	clock_gettime(CLOCK_MONOTONIC, &after);
	cr_assert(after.tv_sec - before.tv_sec <= 2);
	cr_assert_gt(stats.packets, 10);
	cr_assert_lt(stats.packets, 100);
	cr_assert_eq(stats.bytes, 1500 * stats.packets);
	cr_assert_eq(stats.packets + stats.lost, copied);
	close(fd[0]);
	rte_pktmbuf_free(m);
}

/* The reader sees packets while the capture goes on; when it goes away the capture ends, without a signal. */
Test(tap, pipe)
{
	struct spx_tap *tap;
	struct spx_tap_stats stats;
	uint8_t data[4096];
	ssize_t n = 0;
	int fd[2];

	cr_assert_eq(pipe(fd), 0);
	tap = create(options(fd[1]));
	n = read(fd[0], data, sizeof(data)); /* the header is there at once */
	cr_assert_gt(n, 28);
	see(tap, SPX_TAP_receive, 0, 0, 53, 1);
	n = read(fd[0], data, sizeof(data));
	cr_assert_eq(n, 32 + FRAME + 12 + 8 + 4);
	close(fd[0]);
	see(tap, SPX_TAP_receive, 0, 0, 53, 7);
	wait_ended(tap, &stats);
	cr_assert_eq(stats.error, -EPIPE);
	stats = stop(tap, -EPIPE);
	cr_assert_eq(stats.packets, 1);
	cr_assert_eq(stats.lost + stats.packets, 8);
}

Test(tap, ring_full)
{
	static struct rte_mbuf *copy[4095];
	struct rte_mbuf *m = packet(53, FRAME);
	struct spx_tap_options o;
	struct spx_tap_stats stats;
	struct spx_tap *tap;
	int fd[2];

	cr_assert_eq(pipe(fd), 0);
	o = options(fd[1]);
	o.count = 4095; /* losses do not count */
	tap = create(o);
	for (unsigned i = 0; i < RTE_DIM(copy); i++)
		cr_assert_not_null(copy[i] = spx_tap_copy(tap, m, SPX_TAP_receive, 0, 0));
	spx_tap_put(tap, copy, RTE_DIM(copy));
	spx_tap_stats(tap, &stats);
	cr_assert_eq(stats.lost, 4095 - 2047);
	cr_assert(spx_tap_wants(tap, SPX_TAP_receive, 0));
	stats = stop(tap, -ETIMEDOUT); /* the pipe takes 64 KiB */
	cr_assert_eq(stats.packets + stats.lost, 4095);
	close(fd[0]);
	rte_pktmbuf_free(m);
}

/* An error at the start, with its descriptor closed. */
static void
refused(struct spx_tap_options o, int error, const char *text)
{
	struct spx_tap *tap = NULL;
	struct spx_error err = {""};

	cr_assert_eq(spx_tap_create(&o, &tap, &err), error, "%s", err.text);
	cr_assert_not_null(strstr(err.text, text), "%s", err.text);
	cr_assert_eq(fcntl(o.fd, F_GETFD), -1);
	cr_assert_null(tap);
}

Test(tap, mistakes)
{
	struct spx_tap_options o;
	int fd[2];

	refused(options(open("/dev/full", O_WRONLY)), -ENOSPC,
		"a file: cannot be written: No space left on device");
	refused(options(open(path, O_RDONLY)), -EBADF, "a file: cannot be written");
	o = options(open_path());
	o.filter = "udpp";
	refused(o, -EINVAL, "did you mean \"udp\"?");
	cr_assert_eq(pipe2(fd, O_NONBLOCK), 0);
	while (write(fd[1], path, sizeof(path)) > 0)
		;
	refused(options(fd[1]), -ETIMEDOUT, "a file: cannot be written: nobody reads the pipe");
	close(fd[0]);
	cr_assert_eq(spx_tap_free(NULL, NULL), 0);
}

Test(tap, four_at_once)
{
	struct spx_tap *tap[SPX_TAPS_MAX];

	for (unsigned i = 0; i < RTE_DIM(tap); i++) {
		tap[i] = create(options(open("/dev/null", O_WRONLY)));
		see(tap[i], SPX_TAP_receive, 0, 0, 53, i);
	}
	for (unsigned i = 0; i < RTE_DIM(tap); i++)
		cr_assert_eq(stop(tap[i], 0).packets, i);
}
