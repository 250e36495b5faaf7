/* The file side of a capture: one thread that takes copies from the ring, writes them and gives them back.
 *
 * When the ring runs empty what was collected is flushed, so that who reads a pipe sees packets at once.
 * After `count` packets or a write error nothing more is written; the thread goes on emptying the ring until
 * the capture is stopped.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_lcore.h>

#include "app/sphex/tap_internal.h"

#define BURST      64u
#define IDLE_US    500u
#define PATIENCE_S 1u /* that a pipe is waited for at the beginning and at the end */

static const char *const drop_comments[SPX_DROP_COUNT] = {
#define DROP_COMMENT(name, stage, text) [SPX_DROP_##name] = "drop " #stage " " #name ": " text,
	SPX_DROP_REASONS(DROP_COMMENT)
#undef DROP_COMMENT
};

const char *
spx_tap_error_text(int error)
{
	if (error == -EPIPE)
		return "its reader has gone away";
	return error == -ETIMEDOUT ? "nobody reads the pipe" : strerror(-error);
}

static bool
give_up(void *arg)
{
	const struct spx_tap *tap = arg;
	uint64_t deadline = atomic_load(&tap->deadline);

	return deadline != 0 && rte_rdtsc() > deadline;
}

static void
set_deadline(struct spx_tap *tap)
{
	atomic_store(&tap->deadline, rte_rdtsc() + PATIENCE_S * rte_get_tsc_hz());
}

/* A packet dropped at its output port was on its way out; one dropped at the end could have been anywhere. */
static enum spx_capture_direction
direction(const struct spx_tap_copy *copy)
{
	const char *stage;

	if (copy->point == SPX_TAP_receive)
		return SPX_CAPTURE_INBOUND;
	if (copy->point == SPX_TAP_transmit)
		return SPX_CAPTURE_OUTBOUND;
	stage = spx_drop_stage(copy->reason);
	if (strcmp(stage, "transmit") == 0)
		return SPX_CAPTURE_OUTBOUND;
	return strcmp(stage, "stop") == 0 || strcmp(stage, "inject") == 0 ? SPX_CAPTURE_UNKNOWN
									  : SPX_CAPTURE_INBOUND;
}

static int
append(struct spx_tap *tap, struct rte_mbuf *m)
{
	const struct spx_tap_copy *copy = rte_mbuf_to_priv(m);
	const struct spx_capture_packet packet = {
		.data = rte_pktmbuf_read(m, 0, m->pkt_len, tap->frame),
		.captured = m->pkt_len,
		.length = copy->length,
		.time = spx_wall_clock_ns(&tap->clock, copy->time),
		.interface = copy->port,
		.direction = direction(copy),
		.comment = copy->point == SPX_TAP_drop ? drop_comments[copy->reason]
						       : spx_tap_point_name(copy->point),
	};

	return spx_capture_file_write(tap->file, &packet);
}

static void
end(struct spx_tap *tap)
{
	struct spx_tap_stats stats;

	if (atomic_exchange(&tap->ended, true) || tap->options.on_end == NULL)
		return;
	spx_tap_stats(tap, &stats);
	tap->options.on_end(tap->options.arg, &stats);
}

/* What has been written; after an error, everything else that was taken is lost. */
static void
publish(struct spx_tap *tap, int error)
{
	struct spx_capture_written written = spx_capture_file_written(tap->file);

	atomic_store(&tap->packets, written.packets);
	atomic_store(&tap->bytes, written.bytes);
	if (error != 0) {
		atomic_store(&tap->unwritten, tap->taken - written.packets);
		atomic_store(&tap->error, error);
	}
	if (error != 0 || (tap->options.count != 0 && written.packets == tap->options.count))
		end(tap);
}

static void *
writer(void *arg)
{
	struct spx_tap *tap = arg;
	void *copies[BURST];
	int error = 0;

	for (;;) {
		bool stop =
			atomic_load(&tap->deadline) != 0; /* before looking: nothing comes after it is set */
		unsigned n = rte_ring_sc_dequeue_burst(tap->ring, copies, BURST, NULL);

		spx_wall_clock_update(&tap->clock);
		for (unsigned i = 0; i < n; i++)
			if (error == 0)
				error = append(tap, copies[i]);
		tap->taken += n;
		if (n < BURST)
			error = spx_capture_file_flush(tap->file);
		publish(tap, error);
		rte_pktmbuf_free_bulk((struct rte_mbuf **)copies, n);
		if (n == 0 && stop)
			return NULL;
		if (n == 0)
			usleep(IDLE_US);
	}
}

/* The header is written at once: a file that takes nothing is an error now, not later. */
static int
begin_file(struct spx_tap *tap, const char *const *port_name, struct spx_error *err)
{
	const struct spx_tap_options *o = &tap->options;
	const struct spx_capture_options options = {.name = o->file,
		.interface = port_name,
		.n_interfaces = o->n_ports,
		.snap = o->snap,
		.give_up = give_up,
		.arg = tap};
	int rc = spx_capture_file_attach(o->fd, &options, &tap->file, err);

	if (rc < 0)
		return rc;
	set_deadline(tap);
	rc = spx_capture_file_flush(tap->file);
	atomic_store(&tap->deadline, 0);
	if (rc == 0)
		return 0;
	(void)spx_capture_file_close(tap->file);
	return spx_error(err, rc, "%s: cannot be written: %s", o->file, spx_tap_error_text(rc));
}

int
spx_tap_writer_start(struct spx_tap *tap, const char *const *port_name, struct spx_error *err)
{
	sigset_t all, before;
	int rc = begin_file(tap, port_name, err);

	if (rc < 0)
		return rc;
	spx_wall_clock_init(&tap->clock);
	sigfillset(&all); /* the thread inherits it: signals are the control thread's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = rte_ctrl_thread_create(&tap->writer, "spx-tap", NULL, writer, tap);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc == 0)
		return 0;
	(void)spx_capture_file_close(tap->file);
	return spx_error(
		err, rc, "%s: cannot start the writer thread (%s)", tap->options.file, strerror(-rc));
}

int
spx_tap_writer_stop(struct spx_tap *tap)
{
	set_deadline(tap);
	pthread_join(tap->writer, NULL);
	return spx_capture_file_close(tap->file);
}
