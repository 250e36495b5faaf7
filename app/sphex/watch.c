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

static int
refuse_second_trace(struct spx_error *err)
{
	return spx_error(err, -EBUSY, "a trace is under way: wait for its end");
}

/* Puts one more in force, a tracer or a tap. */
static int
add_one(struct spx_appliance *app, struct spx_tracer *tracer, struct spx_tap *tap, struct spx_error *err)
{
	struct spx_watch *next;
	int r = 0;

	pthread_mutex_lock(&app->watching.lock);
	next = copy_now(app);
	if (next == NULL)
		r = spx_error(err, -ENOMEM, "no memory");
	else if (tracer != NULL && next->tracer != NULL)
		r = refuse_second_trace(err);
	else if (tap != NULL && next->n_taps == SPX_TAPS_MAX)
		r = spx_error(err, -EBUSY, "%u captures are under way: stop one of them", SPX_TAPS_MAX);
	else if (tracer != NULL)
		next->tracer = tracer;
	else
		next->tap[next->n_taps++] = tap;
	if (r == 0)
		publish(app, next);
	else
		free(next);
	pthread_mutex_unlock(&app->watching.lock);
	return r;
}

int
spx_watch_may_trace(struct spx_appliance *app, struct spx_error *err)
{
	bool traced;

	pthread_mutex_lock(&app->watching.lock);
	traced = app->watching.now != NULL && app->watching.now->tracer != NULL;
	pthread_mutex_unlock(&app->watching.lock);
	return traced ? refuse_second_trace(err) : 0;
}

int
spx_watch_add_tracer(struct spx_appliance *app, struct spx_tracer *tracer, struct spx_error *err)
{
	return add_one(app, tracer, NULL, err);
}

int
spx_watch_add_tap(struct spx_appliance *app, struct spx_tap *tap, struct spx_error *err)
{
	return add_one(app, NULL, tap, err);
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
