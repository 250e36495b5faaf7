/* States of the appliance that a person should hear of: a port that is gone, a thread that stands still, a
 * ring, pool or table that is full.
 *
 * The control thread looks ten times a second, at counters and devices only; no packet waits for it. A line
 * is said when a state begins and when it ends, and one that comes and goes is not said again for ten
 * seconds; what is counted is said at once and then every ten seconds while it goes on, with how much it was.
 */
#ifndef SPX_CONDITIONS_H
#define SPX_CONDITIONS_H

#include "lib/base/base.h"

struct spx_appliance;

/* Where lines go: the log, and whoever has subscribed. */
typedef void (*spx_condition_say)(void *arg, enum spx_log_level level, const char *text);

/* A counter that should stand still. */
struct spx_condition_counter {
	uint64_t said; /* of it, so far */
	uint64_t next; /* no line before this time, ns */
};

/* A state that begins and ends. */
struct spx_condition_state {
	bool said;     /* as it is, to who reads the lines */
	uint64_t next; /* its begin is not said before this time, ns */
};

/* A worker or the slow path, which makes no turns of its loop when it was stopped or its CPU is given to
 * others. */
struct spx_condition_thread {
	uint64_t polls; /* at the last look */
	uint64_t moved; /* when they had last changed, ns */
	uint64_t quiet; /* ns since then in which this was looked at: what nobody saw counts little */
	bool still;
	uint64_t stalls; /* times that it stood still for a second or more */
};

struct spx_condition_worker {
	struct spx_condition_thread thread;
	bool full; /* that its flow cache is full has been said */
};

struct spx_conditions {
	spx_condition_say say;
	void *arg;
	uint64_t looked; /* time of the last look, ns; 0: none yet */
	uint64_t passed; /* ns from the look before to that one, at most two looks' worth */
	struct spx_condition_worker worker[SPX_WORKERS_MAX];
	struct spx_condition_thread slowpath;
	struct spx_condition_counter drop[SPX_DROP_COUNT];
	struct spx_condition_counter missed[SPX_PORTS_MAX], no_mbuf[SPX_PORTS_MAX], queue[SPX_PORTS_MAX];
	struct spx_condition_counter mirror, records;
	struct spx_condition_state down[SPX_PORTS_MAX], no_mbuf_free;
};

/* Looks, at most every 100 ms, and says what there is to say; sets `down` of ports. now_ns: spx_now_ns.
 * Control thread, while workers run. */
void spx_conditions_look(struct spx_conditions *c, struct spx_appliance *app, uint64_t now_ns);

#endif
