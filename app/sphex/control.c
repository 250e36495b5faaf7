/* The control thread: waits for signals, shows what goes on, decides when to stop, and drains.
 *
 * It is no EAL lcore and touches no packet.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include <rte_launch.h>
#include <rte_lcore.h>

#include "app/sphex/appliance.h"
#include "app/sphex/guard_watch.h"
#include "app/sphex/live.h"

#define TICK_NS     2000000 /* between two looks at the state of things */
#define SECOND_NS   1000000000u
#define DRAIN_NS    2000000000u /* a drain that takes longer leaves the rest behind, counted */
#define QUIET_LOOKS 3           /* looks in a row that found nothing before a drain is done */

struct control {
	struct spx_appliance *app;
	bool live;
	int signal; /* that ended the run, or 0 */
	struct spx_guard_watch guard[SPX_WORKERS_MAX];
};

/* True when the appliance has replays and all of them have ended. */
static bool
replays_finished(const struct spx_appliance *app)
{
	bool any = false;

	for (uint16_t p = 0; p < app->n_ports; p++) {
		const struct spx_port *port = &app->port[p];

		if (port->ops->finished == NULL)
			continue;
		if (!port->ops->finished(port))
			return false;
		any = true;
	}
	return any;
}

/* ---- draining -------------------------------------------------------------------------------------- */

/* True when no ring holds a packet and nobody has one in hand. */
static bool
quiet(const struct spx_appliance *app)
{
	if (!atomic_load(&app->slowpath.idle) || rte_ring_count(app->exception) > 0)
		return false;
	for (uint16_t i = 0; i < app->n_workers; i++) {
		if (!atomic_load(&app->worker[i]->drained) || rte_ring_count(app->worker[i]->inject) > 0)
			return false;
		for (uint16_t p = 0; p < app->n_ports; p++)
			if (app->handover[i][p] != NULL && rte_ring_count(app->handover[i][p]) > 0)
				return false;
	}
	return true;
}

static uint64_t
free_ring(struct spx_watcher *watcher, struct rte_ring *ring)
{
	uint64_t n = 0;
	void *m;

	for (; ring != NULL && rte_ring_sc_dequeue(ring, &m) == 0; n++) {
		struct rte_mbuf *pkt = m;

		if (spx_watched(watcher))
			spx_watch_drop(watcher, SPX_NO_PORT, &pkt, 1, SPX_DROP_stopping);
		rte_pktmbuf_free(pkt);
	}
	return n;
}

/* After everything has stopped: what is still in rings is dropped with its reason, on the side it belongs to.
 */
static void
drop_leftovers(struct spx_appliance *app)
{
	struct spx_watcher watcher = {.published = &app->watching.now, .thread = SPX_WATCH_CONTROL};
	uint64_t workers = 0, slow;

	spx_watch_turn(&watcher);
	slow = free_ring(&watcher, app->exception);
	for (uint16_t i = 0; i < app->n_workers; i++) {
		slow += free_ring(&watcher, app->worker[i]->inject);
		for (uint16_t p = 0; p < app->n_ports; p++)
			workers += free_ring(&watcher, app->handover[i][p]);
	}
	app->leftover.handed_out += workers;
	app->leftover.drops[SPX_DROP_stopping] += workers;
	app->slowpath.counters.drops[SPX_DROP_stopping] += slow;
	if (workers + slow > 0)
		spx_log(SPX_LOG_WARNING, "%lu packets were still in rings when the drain ended (stopping)",
			workers + slow);
}

static void
drain(struct spx_appliance *app)
{
	const struct timespec tick = {.tv_nsec = TICK_NS / 10};
	uint64_t begun = spx_now_ns();

	atomic_store(&app->phase, SPX_PHASE_DRAIN);
	for (int looks = 0; looks < QUIET_LOOKS && spx_now_ns() - begun < DRAIN_NS;) {
		looks = quiet(app) ? looks + 1 : 0;
		nanosleep(&tick, NULL);
	}
	atomic_store(&app->phase, SPX_PHASE_STOP);
}

/* ---- the thread ------------------------------------------------------------------------------------ */

/* Says when a worker's flood guard has begun, or ceased, to hold new flows off that would take the places of
 * others. */
static void
watch_guards(struct control *control)
{
	const struct spx_appliance *app = control->app;
	uint64_t now = spx_now_ns();

	for (uint16_t i = 0; i < app->n_workers; i++) {
		const struct spx_flow_counters *c = spx_flow_counters(app->worker[i]->cache);
		uint64_t off = __atomic_load_n(&c->guard_off, __ATOMIC_RELAXED);
		uint64_t on = __atomic_load_n(&c->guard_on, __ATOMIC_RELAXED);

		if (!spx_guard_watch(&control->guard[i], on, off, now))
			continue;
		if (control->guard[i].on)
			spx_log(SPX_LOG_WARNING,
				"worker %u: more than %lu new flows a second want the places of others: the "
				"flow cache lets few in until fewer come",
				i, app->setup->cache.flood_guard);
		else
			spx_log(SPX_LOG_INFO, "worker %u: fewer new flows: they enter the flow cache again",
				i);
	}
}

/* Waits for the end of the run: a signal, the time, or the replays. */
static int
watch(struct control *control)
{
	const struct timespec tick = {.tv_nsec = TICK_NS};
	const struct spx_appliance *app = control->app;
	uint64_t limit = (uint64_t)(app->setup->seconds * SECOND_NS), second = SECOND_NS;
	struct spx_live live;
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	spx_live_begin(&live);
	for (;;) {
		int signal = sigtimedwait(&signals, NULL, &tick);
		uint64_t elapsed = spx_now_ns() - app->begun;

		watch_guards(control);
		if (signal > 0)
			return signal;
		if (replays_finished(app) || (limit > 0 && elapsed >= limit))
			return 0;
		if (control->live && elapsed >= second) {
			spx_live_show(&live, app);
			second = elapsed - elapsed % SECOND_NS + SECOND_NS;
		}
	}
}

static void *
control_thread(void *arg)
{
	struct control *control = arg;
	struct spx_appliance *app = control->app;

	control->signal = watch(control);
	app->ended = spx_now_ns();
	drain(app);
	atomic_store(&app->slowpath.stop, true);
	return NULL;
}

/* Starts the workers; those that run when one does not are stopped. */
static int
launch_workers(struct spx_appliance *app, struct spx_error *err)
{
	for (uint16_t i = 0; i < app->n_workers; i++) {
		int r = rte_eal_remote_launch(spx_worker_run, app->worker[i], i + 1u);

		if (r < 0) {
			atomic_store(&app->phase, SPX_PHASE_STOP);
			rte_eal_mp_wait_lcore();
			return spx_error(err, r, "worker %u does not start (%s)", i, strerror(-r));
		}
	}
	return 0;
}

int
spx_appliance_run(struct spx_appliance *app, bool live, struct spx_error *err)
{
	struct control control = {.app = app, .live = live};
	pthread_t thread;
	int r;

	app->begun = spx_now_ns(); /* before the workers run: they may be faster than this thread */
	r = launch_workers(app, err);
	if (r < 0)
		return r;
	r = rte_ctrl_thread_create(&thread, "spx-control", NULL, control_thread, &control);
	if (r < 0) {
		spx_error(err, r, "the control thread does not start (%s)", strerror(-r));
		atomic_store(&app->phase, SPX_PHASE_STOP);
		app->ended = spx_now_ns();
	} else {
		spx_slowpath_run(&app->slowpath);
		pthread_join(thread, NULL);
	}
	rte_eal_mp_wait_lcore();
	drop_leftovers(app);
	spx_appliance_flush_caches(app);
	return r < 0 ? r : control.signal;
}
