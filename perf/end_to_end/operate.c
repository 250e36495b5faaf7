/* operate.overhead: what being looked at costs. The worker, packets and rules of path.forward.64k (path.h),
 * with one packet in a thousand dropped by a rule; value: with everything looking, peer: without.
 *
 * Looking is: 100 show calls a second, a capture of all drops, and every second a trace of a hundred packets
 * that match a filter, on threads beside the worker's, by the functions that the control protocol calls.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <rte_ether.h>

#include "app/sphex/methods.h"
#include "app/sphex/tracer.h"
#include "perf/end_to_end/path.h"

#define SHOW_NS     10000000 /* between two show calls */
#define TRACE_EVERY 100      /* show calls */
#define TRACED      100      /* packets of a trace */
#define DENIED      0.001    /* share of the packets */
#define TURNS       128      /* between two quiescent states */

struct operate {
	struct path *path;
	struct spx_port_ops ops; /* of the path, its rx_burst replacing what was dropped */
	uint64_t replaced;

	/* an appliance around the worker, as far as those look who look */
	struct spx_appliance app;
	struct spx_setup setup;
	struct spx_setup_port port;
	struct spx_tap *tap;

	pthread_t looker;
	atomic_bool looking, end, idle;
	uint64_t shows, traces, untraced; /* looker's */
};

/* ---- the worker's side -----------------------------------------------------------------------------------
 */

/* Packets go round, so what was dropped is built anew. */
static uint16_t
rx_replacing(struct spx_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct path *p = (struct path *)port;
	struct operate *o = p->context->state;
	uint64_t dropped = p->worker->counters.drops[SPX_DROP_rule_drop];
	uint16_t got = p->ops.rx_burst(port, queue, pkts, n);

	while (got < n && o->replaced < dropped && (pkts[got] = rte_pktmbuf_alloc(p->pool)) != NULL) {
		packets_build(pkts[got], &p->round.flow[p->next]);
		p->next = (p->next + 1) % p->round.n;
		got++;
		o->replaced++;
	}
	return got;
}

static void
forward(struct operate *o, uint64_t ops)
{
	struct rte_rcu_qsbr *qsbr = o->app.qsbr;
	struct path *p = o->path;
	uint64_t begun = p->worker->counters.received, turns = 0;

	rte_rcu_qsbr_thread_online(qsbr, 0);
	while (p->worker->counters.received - begun < ops && spx_worker_turn(p->worker) > 0) {
		path_cache_turn(p);
		if (++turns % TURNS == 0)
			rte_rcu_qsbr_quiescent(qsbr, 0);
	}
	rte_rcu_qsbr_thread_offline(qsbr, 0);
	p->offered += p->worker->counters.received - begun;
}

static void
unlooked(void *state, uint64_t ops)
{
	forward(state, ops);
}

static void
looked(void *state, uint64_t ops)
{
	const struct timespec moment = {.tv_nsec = 100000};
	struct operate *o = state;

	if (spx_watch_add_tap(&o->app, o->tap, NULL) < 0)
		return; /* check finds nothing captured */
	atomic_store(&o->looking, true);
	forward(o, ops);
	atomic_store(&o->looking, false);
	while (!atomic_load(&o->idle))
		nanosleep(&moment, NULL); /* this thread's time is measured, and it takes none */
	spx_watch_remove_tap(&o->app, o->tap);
}

/* ---- who looks -------------------------------------------------------------------------------------------
 */

static void
show(struct operate *o)
{
	static int (*const methods[])(struct spx_call *, json_t **) = {
		spx_method_show_drops, spx_method_show_stages, spx_method_show_ports, spx_method_show_cache};
	struct spx_error err;
	struct spx_call call = {.app = &o->app, .method = "show", .fd = -1, .err = &err};
	json_t *result = NULL;
	char *text = NULL;

	if (methods[o->shows++ % RTE_DIM(methods)](&call, &result) == 0)
		text = json_dumps(result, JSON_COMPACT);
	free(text);
	json_decref(result);
}

static void
trace(struct operate *o)
{
	const struct timespec look = {.tv_nsec = 1000000};
	struct spx_tracer *t;
	struct spx_trace_log *log;

	if (spx_tracer_create(TRACED, "udp", 1, &t, NULL) < 0)
		return;
	log = spx_trace_log_create(t);
	if (log != NULL && spx_watch_add_tracer(&o->app, t, NULL) == 0) {
		while (atomic_load(&o->looking) && spx_trace_log_ended(log) < TRACED) {
			nanosleep(&look, NULL);
			spx_trace_log_collect(log, t);
		}
		spx_watch_remove_tracer(&o->app, t);
		o->traces += spx_trace_log_ended(log) == TRACED;
		o->untraced += spx_tracer_lost(t);
	}
	spx_trace_log_free(log);
	spx_tracer_free(t);
}

static void *
looker(void *arg)
{
	const struct timespec pause = {.tv_nsec = SHOW_NS};
	struct operate *o = arg;

	while (!atomic_load(&o->end)) {
		atomic_store(&o->idle, false);
		if (atomic_load(&o->looking)) {
			if (o->shows % TRACE_EVERY == 0)
				trace(o);
			show(o);
		}
		atomic_store(&o->idle, true);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/* ---- life ------------------------------------------------------------------------------------------------
 */

static int
open_capture(struct operate *o, struct spx_error *err)
{
	const char *const names[] = {o->port.name};
	struct spx_tap_options options = {.file = "drops",
		.fd = memfd_create("drops", MFD_CLOEXEC),
		.port = SPX_NO_PORT,
		.points = 1 << SPX_TAP_drop,
		.n_ports = 1,
		.port_name = names,
		.max_frame = RTE_ETHER_MAX_LEN};

	return spx_tap_create(&options, &o->tap, err);
}

/* What show and trace read of an appliance, around the one worker. */
static int
wrap(struct operate *o, struct spx_error *err)
{
	size_t size = rte_rcu_qsbr_get_memsize(SPX_WATCH_THREADS);
	struct spx_worker *w = o->path->worker;

	snprintf(o->port.name, sizeof(o->port.name), "ours");
	snprintf(o->port.driver, sizeof(o->port.driver), "ethdev");
	o->setup.port = &o->port;
	o->setup.n_ports = o->app.n_ports = 1;
	o->setup.cache.mode = o->path->mode;
	o->app.setup = &o->setup;
	o->app.port[0] = o->path->port;
	o->app.worker[0] = w;
	o->app.n_workers = 1;
	o->app.exception = w->exception;
	o->app.begun = spx_now_ns();
	pthread_mutex_init(&o->app.watching.lock, NULL);
	w->watcher.published = &o->app.watching.now;
	w->inject = rte_ring_create("operate_inject", 64, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	o->app.qsbr = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(size, (size_t)RTE_CACHE_LINE_SIZE));
	if (w->inject == NULL || o->app.qsbr == NULL ||
		rte_rcu_qsbr_init(o->app.qsbr, SPX_WATCH_THREADS) != 0)
		return spx_error(err, -ENOMEM, "no memory for an appliance");
	rte_rcu_qsbr_thread_register(o->app.qsbr, 0);
	return 0;
}

static void
teardown(void *state)
{
	struct operate *o = state;

	if (o->looker != 0) {
		atomic_store(&o->end, true);
		pthread_join(o->looker, NULL);
	}
	if (o->tap != NULL)
		spx_tap_free(o->tap, NULL);
	if (o->path != NULL) {
		rte_ring_free(o->path->worker->inject);
		path_free(o->path);
	}
	pthread_mutex_destroy(&o->app.watching.lock);
	free(o->app.qsbr);
}

/* From now on the action whose share of the warm-up's packets is nearest to the one wanted drops. */
static void
deny(struct path *p)
{
	const double wanted = DENIED * (double)p->worker->counters.received;
	uint32_t nearest = 0;

	for (uint32_t i = 1; i < p->config->n_actions; i++)
		if (fabs((double)p->worker->action_counter[i].packets - wanted) <
			fabs((double)p->worker->action_counter[nearest].packets - wanted))
			nearest = i;
	p->config->action[nearest] = (struct spx_action){.verdict = SPX_VERDICT_DROP,
		.flags = SPX_ACTION_COUNT,
		.port = SPX_NO_PORT,
		.mirror = SPX_NO_PORT};
}

static int
setup(const struct bench *b, unsigned part, struct bench_context *c, struct spx_error *err)
{
	struct operate *o = c->state;
	bool counting = c->counting;
	int r;

	(void)part;
	c->counting = true; /* no reference loop here */
	r = path_create(b, c, &o->path, err);
	c->counting = counting;
	if (r < 0 || (r = path_cache_warm(o->path, err)) < 0)
		return r;
	deny(o->path);
	o->ops = o->path->ops;
	o->ops.rx_burst = rx_replacing;
	o->path->port.ops = &o->ops;
	r = wrap(o, err);
	if (r == 0)
		r = open_capture(o, err);
	if (r == 0 && pthread_create(&o->looker, NULL, looker, o) != 0)
		r = spx_error(err, -EAGAIN, "no thread to look");
	return r;
}

/* No packet was lost, and all who looked saw something. */
static int
check(void *state, struct spx_error *err)
{
	struct operate *o = state;
	struct path *p = o->path;
	const struct spx_counters *c = &p->worker->counters;
	const double share = (double)spx_counters_drops(c) / (double)p->offered;
	size_t length = strlen(p->context->note);
	struct spx_tap_stats stats;

	spx_tap_stats(o->tap, &stats);
	if (c->received != p->offered || c->transmitted + spx_counters_drops(c) != p->offered ||
		c->punted != 0)
		return spx_error(err, -EIO,
			"offered %" PRIu64 ", received %" PRIu64 ", transmitted %" PRIu64
			", dropped %" PRIu64,
			p->offered, c->received, c->transmitted, spx_counters_drops(c));
	if (share < 0.0005 || share > 0.002)
		return spx_error(err, -EIO, "%.2f in a thousand packets dropped, 1 expected", 1000 * share);
	if (!p->context->counting &&
		(o->shows == 0 || o->traces == 0 || stats.packets == 0 || o->untraced != 0))
		return spx_error(err, -EIO,
			"%" PRIu64 " shows, %" PRIu64 " traces, %" PRIu64 " packets captured, %" PRIu64
			" events lost",
			o->shows, o->traces, stats.packets, o->untraced);
	snprintf(p->context->note + length, sizeof(p->context->note) - length,
		"; %.2f in 1000 dropped, %" PRIu64 " shows, %" PRIu64 " traces, %" PRIu64
		" captured, %" PRIu64 " copies lost",
		1000 * share, o->shows, o->traces, stats.packets, stats.lost);
	return 0;
}

static const struct bench benches[] = {
	{.id = "operate.overhead",
		.unit = "M packets/s",
		.scale = BENCH_MEGA_PER_SECOND,
		.peer = "nobody looks",
		.size = 1 << 16,
		.variant = SPX_FLOW_MODE_layered,
		.state_size = sizeof(struct operate),
		.setup = setup,
		.ours = looked,
		.theirs = unlooked,
		.check = check,
		.teardown = teardown},
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv,
		&(struct bench_program){.bench = benches, .n = RTE_DIM(benches), .memory_mb = 512});
}
