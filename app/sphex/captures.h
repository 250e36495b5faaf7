/* The captures of one appliance: begun, listed and stopped by id.
 *
 * methods_capture.c calls it for clients, control.c at the end of the run. The packet side is tap.h; who
 * makes it visible to workers is watch.h. Embedded in struct spx_appliance; a zeroed one with an initialised
 * lock is empty.
 */
#ifndef SPX_CAPTURES_H
#define SPX_CAPTURES_H

#include <pthread.h>

#include "app/sphex/tap.h"

struct spx_appliance;

enum spx_capture_state {
	SPX_CAPTURE_NONE,     /* the place is free */
	SPX_CAPTURE_CHANGING, /* one thread has it: the capture begins or ends */
	SPX_CAPTURE_THERE,    /* goes on, or has ended by itself and is still listed */
};

struct spx_capture {
	enum spx_capture_state state;
	uint32_t id; /* 1, 2, ...; never used twice */
	struct spx_tap *tap;
	struct spx_appliance *app;
};

struct spx_captures {
	pthread_mutex_t lock; /* of states and ids; never held while something is waited for */
	uint32_t last_id;
	struct spx_capture capture[SPX_TAPS_MAX];
};

/* Begins a capture as the options say; the descriptor is taken in any case. Ports are filled in here, and so
 * is who is told of its end. When all places are taken, one whose capture has ended by itself is given up. 0
 * with *id, -EBUSY, or what spx_tap_create said. Waits for a grace period. Any thread outside the packet
 * loops. */
int spx_captures_start(struct spx_appliance *app, const struct spx_tap_options *options, uint32_t *id,
	struct spx_error *err);

/* Ends a capture, with everything in the file. *id 0: the only one there is; then it is filled in. 0,
 * -ENOENT, or -EINVAL when there are several; that the file has not got everything is in stats->error. The
 * same. */
int spx_captures_stop(
	struct spx_appliance *app, uint32_t *id, struct spx_tap_stats *stats, struct spx_error *err);

/* Calls show for each capture. The tap is valid during the call only. Any thread. */
void spx_captures_each(struct spx_appliance *app,
	void (*show)(void *arg, uint32_t id, const struct spx_tap *tap), void *arg);

/* Ends all of them; after workers and slow path have stopped, when no method runs any more. */
void spx_captures_stop_all(struct spx_appliance *app);

#endif
