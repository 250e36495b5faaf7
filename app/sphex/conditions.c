/* What is not as it should be; see conditions.h. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "app/sphex/report_internal.h"

#define LOOK_NS  UINT64_C(100000000)
#define STILL_NS UINT64_C(1000000000)  /* a worker without a turn for so long stands still */
#define AGAIN_NS UINT64_C(10000000000) /* between two lines of one counter, two begins of one state */

static void __attribute__((format(printf, 3, 4)))
say(const struct spx_conditions *c, enum spx_log_level level, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	c->say(c->arg, level, text);
}

/* How much of a counter is to be said now; 0: nothing. */
static uint64_t
unsaid(struct spx_condition_counter *counter, uint64_t value, uint64_t now)
{
	uint64_t more = value - counter->said;

	if (more == 0 || now < counter->next)
		return 0;
	counter->said = value;
	counter->next = now + AGAIN_NS;
	return more;
}

/* Whether the state has to be said now: that it began, or, as `is` is false, that it ended. */
static bool
unsaid_state(struct spx_condition_state *state, bool is, uint64_t now)
{
	if (is == state->said || (is && now < state->next))
		return false;
	state->said = is;
	if (is)
		state->next = now + AGAIN_NS;
	return true;
}

/* ---- ports -----------------------------------------------------------------------------------------------
 */

static void
look_at_port(struct spx_conditions *c, struct spx_appliance *app, uint16_t p, uint64_t now)
{
	struct spx_port *port = &app->port[p];
	struct spx_port_stats stats = spx_report_port_stats(app, p);
	const char *name = app->setup->port[p].name;
	const bool disabled = atomic_load(&app->disabled) & spx_set_one(p);
	bool up = !disabled && (port->ops->up == NULL || port->ops->up(port));
	uint64_t n;

	if (up == atomic_load(&port->down)) {
		atomic_store(&port->down, !up);
		__atomic_store_n(&app->ports_up,
			up ? app->ports_up | spx_set_one(p) : app->ports_up & ~spx_set_one(p),
			__ATOMIC_RELAXED);
	}
	if (unsaid_state(&c->down[p], !up, now)) {
		if (up)
			say(c, SPX_LOG_INFO, "port %s is up again", name);
		else if (disabled)
			say(c, SPX_LOG_INFO,
				"port %s is down, as a client said; packets for it are dropped (port_down)",
				name);
		else
			say(c, SPX_LOG_WARNING,
				"port %s is down: its device is gone or has no link; packets for it are "
				"dropped "
				"(port_down)",
				name);
	}
	if ((n = unsaid(&c->missed[p], stats.missed, now)) > 0)
		say(c, SPX_LOG_WARNING,
			"port %s: its device missed %" PRIu64
			" packets: workers came too late for its queues",
			name, n);
	/* A replay that finds no mbuf waits and loses nothing. */
	if (port->ops->finished == NULL && (n = unsaid(&c->no_mbuf[p], stats.no_mbuf, now)) > 0)
		say(c, SPX_LOG_WARNING,
			"port %s: no mbuf for received packets, %" PRIu64
			" times: all %u are in use; raise memory.mbufs",
			name, n, app->setup->mbufs);
}

/* That a queue is full is what it is for, and worth to know. */
static void
look_at_queue(struct spx_conditions *c, const struct spx_appliance *app, uint16_t p, uint64_t now)
{
	struct spx_queue_options options;
	struct spx_queue_stats stats;
	uint64_t n;

	if (app->queue[p] == NULL)
		return;
	spx_queue_stats(app->queue[p], &stats);
	if ((n = unsaid(&c->queue[p], stats.dropped_packets, now)) == 0)
		return;
	spx_queue_options(app->queue[p], &options);
	say(c, SPX_LOG_INFO,
		"port %s: %" PRIu64 " packets dropped as queue_full: its queue holds %u packets or %" PRIu64
		" bytes",
		app->setup->port[p].name, n, options.limit_packets, options.limit_bytes);
}

/* ---- threads ---------------------------------------------------------------------------------------------
 */

/* `turns`: counter of them. `who` is it, and what does it mean for others when it makes none. */
static void
look_at_turns(struct spx_conditions *c, struct spx_condition_thread *t, const uint64_t *turns,
	const char *who, const char *means, uint64_t now)
{
	uint64_t polls = __atomic_load_n(turns, __ATOMIC_RELAXED);

	if (polls != t->polls || t->moved == 0) {
		if (t->still)
			say(c, SPX_LOG_INFO, "%s goes on after %.1f s", who, (double)(now - t->moved) / 1e9);
		t->still = false;
		t->polls = polls;
		t->moved = now;
		t->quiet = 0;
	} else if ((t->quiet += c->passed) >= STILL_NS && !t->still) {
		t->still = true;
		t->stalls++;
		say(c, SPX_LOG_WARNING,
			"%s stands still: no turn for %.1f s; %s, changes of rules wait for it", who,
			(double)(now - t->moved) / 1e9, means);
	}
}

static void
look_at_worker(struct spx_conditions *c, const struct spx_appliance *app, uint16_t i, uint64_t now)
{
	char who[16];

	snprintf(who, sizeof(who), "worker %u", i);
	look_at_turns(c, &c->worker[i].thread, &app->worker[i]->counters.polls, who,
		"its ports are not served", now);
}

/* Flows that take the places of others are no loss, so that is said once. */
static void
look_at_cache(struct spx_conditions *c, const struct spx_appliance *app, uint16_t i)
{
	struct spx_flow_exact_stats exact[SPX_FLOW_FAMILIES];
	struct spx_flow_approximate_stats filters;

	if (c->worker[i].full)
		return;
	spx_flow_stats(app->worker[i]->cache, exact, &filters);
	for (unsigned f = 0; f < SPX_FLOW_FAMILIES && !c->worker[i].full; f++) {
		if (exact[f].ended[SPX_FLOW_END_evicted] + exact[f].refused == 0)
			continue;
		c->worker[i].full = true;
		say(c, SPX_LOG_INFO,
			"worker %u: more IPv%c flows than its flow cache has room for (%" PRIu64
			"): some go to the rules; cache.entries can be larger",
			i, f == SPX_FLOW_IPV4 ? '4' : '6', exact[f].entries);
	}
}

/* The threads were not there at all: after SIGSTOP, or on a machine that is asleep. It may have been this
 * thread alone, on a CPU with too much to do; so no thread is taken for one that stands still, nor for one
 * that does not. */
static void
look_at_time(struct spx_conditions *c, uint16_t n_workers, uint64_t now)
{
	if (c->looked != 0 && now - c->looked >= STILL_NS) {
		say(c, SPX_LOG_WARNING,
			"the appliance stood still for %.1f s: what devices missed meanwhile is counted as "
			"missed",
			(double)(now - c->looked) / 1e9);
		for (uint16_t i = 0; i < n_workers; i++)
			c->worker[i].thread.stalls++;
	}
	c->passed = c->looked == 0 ? 0 : RTE_MIN(now - c->looked, 2 * LOOK_NS);
	c->looked = now;
}

/* ---- packet buffers --------------------------------------------------------------------------------------
 */

static void
look_at_pool(struct spx_conditions *c, const struct spx_appliance *app, uint64_t now)
{
	bool none = rte_mempool_avail_count(app->pool) == 0;

	if (!unsaid_state(&c->no_mbuf_free, none, now))
		return;
	if (none)
		say(c, SPX_LOG_WARNING,
			"no mbuf is free: all %u are in use, and ports receive nothing; raise memory.mbufs",
			app->setup->mbufs);
	else
		say(c, SPX_LOG_INFO, "mbufs are free again");
}

/* ---- counters --------------------------------------------------------------------------------------------
 */

static void
look_at_counters(struct spx_conditions *c, const struct spx_report *report, uint64_t now)
{
	static const enum spx_drop full[] = {SPX_DROP_tx_full, SPX_DROP_handover_full,
		SPX_DROP_punt_ring_full, SPX_DROP_inject_ring_full, SPX_DROP_port_down,
		SPX_DROP_neighbour_failed, SPX_DROP_neighbour_full};
	uint64_t n;

	for (unsigned i = 0; i < RTE_DIM(full); i++) {
		enum spx_drop d = full[i];

		n = unsaid(&c->drop[d], report->workers.drops[d] + report->slowpath.drops[d], now);
		if (n > 0)
			say(c, SPX_LOG_WARNING, "%" PRIu64 " packets dropped as %s: %s", n, spx_drop_name(d),
				spx_drop_text(d));
	}
	if ((n = unsaid(&c->mirror, report->workers.uncloned, now)) > 0)
		say(c, SPX_LOG_WARNING,
			"%" PRIu64 " mirror copies not made: no mbuf was free; raise memory.mbufs", n);
	if ((n = unsaid(&c->records, report->cache.lost.flows, now)) > 0)
		say(c, SPX_LOG_WARNING,
			"%" PRIu64 " records of ended flows lost: the ring to the slow path was full; raise "
			"slowpath.flow_ring",
			n);
}

void
spx_conditions_look(struct spx_conditions *c, struct spx_appliance *app, uint64_t now_ns)
{
	struct spx_report report;

	if (now_ns - c->looked < LOOK_NS)
		return;
	look_at_time(c, app->n_workers, now_ns);
	for (uint16_t p = 0; p < app->n_ports; p++) {
		look_at_port(c, app, p, now_ns);
		look_at_queue(c, app, p, now_ns);
	}
	for (uint16_t i = 0; i < app->n_workers; i++) {
		look_at_worker(c, app, i, now_ns);
		look_at_cache(c, app, i);
	}
	look_at_turns(
		c, &c->slowpath, &app->slowpath.counters.polls, "the slow path", "exceptions wait", now_ns);
	look_at_pool(c, app, now_ns);
	spx_report_take(app, &report);
	look_at_counters(c, &report, now_ns);
}
