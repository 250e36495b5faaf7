/* Who looks at packets: published to the threads and taken back; see watch.h. */
#include <errno.h>
#include <stdlib.h>

#include <rte_rcu_qsbr.h>

#include "app/sphex/appliance.h"

/* Puts `next` in force, NULL for an empty one, and returns when nobody reads the one before. */
static void
publish(struct spx_appliance *app, struct spx_watch *next)
{
	const struct spx_watch *before = app->watching.now;

	if (next != NULL && next->tracer == NULL && next->n_taps == 0) {
		free(next);
		next = NULL;
	}
	if (next != NULL) {
		next->wants = next->tracer != NULL ? SPX_WATCH_TRACE : 0;
		for (uint16_t i = 0; i < next->n_taps; i++)
			next->wants |= spx_tap_options(next->tap[i])->points;
	}
	atomic_store_explicit(&app->watching.now, next, memory_order_release);
	rte_rcu_qsbr_synchronize(app->qsbr, RTE_QSBR_THRID_INVALID);
	free((void *)(uintptr_t)before);
}

/* A copy of what is in force, to change. Under the lock. */
static struct spx_watch *
copy_now(const struct spx_appliance *app)
{
	struct spx_watch *copy = calloc(1, sizeof(*copy));

	if (copy != NULL && app->watching.now != NULL)
		*copy = *app->watching.now;
	return copy;
}

int
spx_watch_add_tracer(struct spx_appliance *app, struct spx_tracer *tracer, struct spx_error *err)
{
	struct spx_watch *next;
	int r = 0;

	pthread_mutex_lock(&app->watching.lock);
	next = copy_now(app);
	if (next == NULL) {
		r = spx_error(err, -ENOMEM, "no memory");
	} else if (next->tracer != NULL) {
		free(next);
		r = spx_error(err, -EBUSY, "a trace is under way: wait for its end");
	} else {
		next->tracer = tracer;
		publish(app, next);
	}
	pthread_mutex_unlock(&app->watching.lock);
	return r;
}

int
spx_watch_add_tap(struct spx_appliance *app, struct spx_tap *tap, struct spx_error *err)
{
	struct spx_watch *next;
	int r = 0;

	pthread_mutex_lock(&app->watching.lock);
	next = copy_now(app);
	if (next == NULL) {
		r = spx_error(err, -ENOMEM, "no memory");
	} else if (next->n_taps == SPX_TAPS_MAX) {
		free(next);
		r = spx_error(err, -EBUSY, "%u captures are under way: stop one of them", SPX_TAPS_MAX);
	} else {
		next->tap[next->n_taps++] = tap;
		publish(app, next);
	}
	pthread_mutex_unlock(&app->watching.lock);
	return r;
}

/* Takes one of them out. What looks must not be freed while it looks: there is nothing sensible to do without
 * the few bytes of memory. */
static void
remove_one(struct spx_appliance *app, const struct spx_tracer *tracer, const struct spx_tap *tap)
{
	struct spx_watch *next;
	uint16_t n = 0;

	pthread_mutex_lock(&app->watching.lock);
	next = copy_now(app);
	if (next == NULL)
		abort();
	if (tracer != NULL)
		next->tracer = NULL;
	for (uint16_t i = 0; i < next->n_taps; i++)
		if (next->tap[i] != tap)
			next->tap[n++] = next->tap[i];
	next->n_taps = n;
	publish(app, next);
	pthread_mutex_unlock(&app->watching.lock);
}

void
spx_watch_remove_tracer(struct spx_appliance *app, struct spx_tracer *tracer)
{
	remove_one(app, tracer, NULL);
}

void
spx_watch_remove_tap(struct spx_appliance *app, struct spx_tap *tap)
{
	remove_one(app, NULL, tap);
}
