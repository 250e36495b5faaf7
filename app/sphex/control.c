/* The control thread: waits for signals, serves clients of the control protocol, shows what goes on, decides
 * when to stop, and drains.
 *
 * It is no EAL lcore and touches no packet.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <rte_launch.h>
#include <rte_lcore.h>

#include "app/sphex/appliance_internal.h"
#include "app/sphex/guard_watch.h"
#include "app/sphex/live.h"
#include "app/sphex/server.h"

#define TICK_NS       2000000u /* between two looks at the state of things */
#define DRAIN_TICK_NS 200000u
#define SECOND_NS     1000000000u
#define DRAIN_NS      2000000000u /* a drain that takes longer leaves the rest behind, counted */
#define QUIET_LOOKS   3           /* looks in a row that found nothing before a drain is done */
#define FAREWELL_MS   200         /* for clients to read what waits for them at the end */

struct control {
	struct spx_appliance *app;
	bool live;
	int signals; /* signalfd */
	int signal;  /* that ended the run, or 0 */
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

/* Serves clients for so long. With `signals`, a file descriptor, returns at once when a signal has come:
 * true. */
static bool
serve(struct control *control, uint64_t ns, int signals)
{
	struct spx_server *server = control->app->server;
	struct pollfd wait[2] = {{.fd = signals, .events = POLLIN},
		{.fd = server == NULL ? -1 : spx_server_fd(server), .events = POLLIN}};
	uint64_t now = spx_now_ns(), end = now + ns;

	for (; now < end; now = spx_now_ns()) {
		const struct timespec left = {.tv_nsec = (long)(end - now)};

		if (ppoll(wait, RTE_DIM(wait), &left, NULL) <= 0)
			break;
		if (wait[0].revents != 0)
			return true;
		spx_server_poll(server, 0);
	}
	if (server != NULL)
		spx_server_poll(server, 0); /* what has its time, not its file descriptor */
	return false;
}

static void
drain(struct control *control)
{
	struct spx_appliance *app = control->app;
	uint64_t begun = spx_now_ns();

	atomic_store(&app->phase, SPX_PHASE_DRAIN);
	for (int looks = 0; looks < QUIET_LOOKS && spx_now_ns() - begun < DRAIN_NS;) {
		looks = spx_drain_quiet(app) ? looks + 1 : 0;
		serve(control, DRAIN_TICK_NS, -1);
	}
	/* Slow methods wait for what running threads do, so they end first. */
	if (app->server != NULL)
		spx_server_end_jobs(app->server);
	atomic_store(&app->phase, SPX_PHASE_STOP);
}

/* ---- the thread ------------------------------------------------------------------------------------ */

/* What the log says of the appliance's state, clients can learn too. */
static void __attribute__((format(printf, 3, 4)))
tell(const struct spx_appliance *app, enum spx_log_level level, const char *format, ...)
{
	struct spx_error line;
	va_list args;

	va_start(args, format);
	vsnprintf(line.text, sizeof(line.text), format, args);
	va_end(args);
	spx_log(level, "%s", line.text);
	spx_server_say(app->server, SPX_EVENT_condition, "%s", line.text);
}

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
			tell(app, SPX_LOG_WARNING,
				"worker %u: more than %lu new flows a second want the places of others: the "
				"flow cache lets few in until fewer come",
				i, app->setup->cache.flood_guard);
		else
			tell(app, SPX_LOG_INFO, "worker %u: fewer new flows: they enter the flow cache again",
				i);
	}
}

static void
say(void *arg, enum spx_log_level level, const char *text)
{
	tell(arg, level, "%s", text);
}

/* Waits for the end of the run: a signal, a client, the time, or the replays. */
static int
watch(struct control *control)
{
	const struct spx_appliance *app = control->app;
	uint64_t limit = (uint64_t)(app->setup->seconds * SECOND_NS), second = SECOND_NS;
	struct signalfd_siginfo signal;
	struct spx_live live;

	control->app->conditions = (struct spx_conditions){.say = say, .arg = control->app};
	spx_live_begin(&live);
	for (;;) {
		bool signalled = serve(control, TICK_NS, control->signals);
		uint64_t elapsed = spx_now_ns() - app->begun;

		watch_guards(control);
		spx_conditions_look(&control->app->conditions, control->app, spx_now_ns());
		if (signalled && read(control->signals, &signal, sizeof(signal)) == sizeof(signal))
			return (int)signal.ssi_signo;
		if (app->server != NULL && spx_server_stop_asked(app->server))
			return SIGTERM;
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
	drain(control);
	atomic_store(&app->slowpath.stop, true);
	return NULL;
}

/* A file descriptor that tells of the signals that end a run; they are blocked in every thread. */
static int
open_signals(struct spx_error *err)
{
	sigset_t signals;
	int fd;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd >= 0 ? fd : spx_error(err, -errno, "no signals (%s)", strerror(errno));
}

/* ---- the run --------------------------------------------------------------------------------------- */

/* The server and its socket. One that nobody named may be missing. */
static int
open_server(struct spx_appliance *app, struct spx_error *err)
{
	struct spx_error why;
	int r;

	if (app->setup->control.off)
		return 0;
	r = spx_server_create(app, &app->server, err);
	if (r < 0)
		return r;
	r = spx_server_listen(app->server, &why);
	if (r < 0 && app->setup->control.socket != NULL)
		return spx_error(err, r, "%s", why.text);
	if (r < 0)
		spx_log(SPX_LOG_WARNING, "%s; nobody can ask this instance anything (--control PATH)",
			why.text);
	else
		spx_log(SPX_LOG_INFO, "control socket %s", spx_server_path(app->server));
	return 0;
}

/* After everything has stopped: subscribers get the report, behind ends of captures that are posted. */
static void
close_server(struct spx_appliance *app)
{
	struct spx_report report;

	if (app->server == NULL)
		return;
	spx_report_take(app, &report);
	spx_server_post(app->server, SPX_EVENT_stop,
		json_pack("{s:o}", "report", spx_report_json(&report, app, NULL)));
	spx_server_close(app->server, FAREWELL_MS);
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

/* Everything at work, until it has stopped. */
static int
work(struct control *control, struct spx_error *err)
{
	struct spx_appliance *app = control->app;
	pthread_t thread;
	int r;

	app->begun = spx_now_ns(); /* before the workers run: they may be faster than this thread */
	r = launch_workers(app, err);
	if (r < 0)
		return r;
	r = rte_ctrl_thread_create(&thread, "spx-control", NULL, control_thread, control);
	if (r < 0) {
		spx_error(err, r, "the control thread does not start (%s)", strerror(-r));
		atomic_store(&app->phase, SPX_PHASE_STOP);
		app->ended = spx_now_ns();
	} else {
		spx_slowpath_run(&app->slowpath);
		pthread_join(thread, NULL);
	}
	rte_eal_mp_wait_lcore();
	spx_drain_drop_leftovers(app);
	spx_appliance_flush_caches(app);
	spx_captures_stop_all(app);
	close_server(app);
	return r;
}

int
spx_appliance_run(struct spx_appliance *app, bool live, struct spx_error *err)
{
	struct control control = {.app = app, .live = live, .signals = open_signals(err)};
	int r = control.signals;

	if (r < 0)
		return r;
	r = open_server(app, err);
	if (r == 0)
		r = work(&control, err);
	close(control.signals);
	return r < 0 ? r : control.signal;
}
