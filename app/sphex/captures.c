/* Which captures there are; see captures.h. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "app/sphex/appliance.h"
#include "app/sphex/server.h"
#include "app/sphex/watch.h"

/* ---- what subscribers are told --------------------------------------------------------------------- */

/* Also on the writer's thread, when a capture has ended by itself. */
static void
tell_end(void *arg, const struct spx_tap_stats *stats)
{
	const struct spx_capture *capture = arg;
	const char *why = stats->error == 0 ? "" : spx_tap_error_text(stats->error);

	spx_server_say(capture->app->server, SPX_EVENT_capture, "capture %u ended: %s%s%lu packets, %lu lost",
		capture->id, why, stats->error == 0 ? "" : "; ", stats->packets, stats->lost);
}

/* ---- places: under the lock ------------------------------------------------------------------------ */

static bool
has_ended(const struct spx_capture *capture)
{
	struct spx_tap_stats stats;

	if (capture->state != SPX_CAPTURE_THERE)
		return false;
	spx_tap_stats(capture->tap, &stats);
	return stats.ended;
}

/* A free place, else the one that began first of those whose captures have ended; NULL when there is none. */
static struct spx_capture *
take_place(struct spx_captures *captures, bool *replaces)
{
	struct spx_capture *place = NULL;

	for (unsigned i = 0; i < SPX_TAPS_MAX; i++) {
		struct spx_capture *c = &captures->capture[i];

		if (c->state == SPX_CAPTURE_NONE) {
			place = c;
			break;
		}
		if (has_ended(c) && (place == NULL || c->id < place->id))
			place = c;
	}
	*replaces = place != NULL && place->state == SPX_CAPTURE_THERE;
	if (place != NULL)
		place->state = SPX_CAPTURE_CHANGING;
	return place;
}

/* The capture with this id; the only one for id 0. */
static struct spx_capture *
find(struct spx_captures *captures, uint32_t id, unsigned *n)
{
	struct spx_capture *found = NULL;

	*n = 0;
	for (unsigned i = 0; i < SPX_TAPS_MAX; i++) {
		struct spx_capture *c = &captures->capture[i];

		if (c->state != SPX_CAPTURE_THERE)
			continue;
		++*n;
		if (id == 0 || c->id == id)
			found = c;
	}
	return id == 0 && *n > 1 ? NULL : found;
}

static void
set_state(struct spx_captures *captures, struct spx_capture *capture, enum spx_capture_state state)
{
	pthread_mutex_lock(&captures->lock);
	capture->state = state;
	pthread_mutex_unlock(&captures->lock);
}

/* ---- begin and end --------------------------------------------------------------------------------- */

static void
end(struct spx_capture *capture, struct spx_tap_stats *stats)
{
	spx_watch_remove_tap(capture->app, capture->tap);
	(void)spx_tap_free(capture->tap, stats);
	if (!stats->ended) /* else the writer has told it */
		tell_end(capture, stats);
}

static int
begin(struct spx_capture *capture, const struct spx_tap_options *wanted, struct spx_error *err)
{
	struct spx_appliance *app = capture->app;
	const struct spx_setup *setup = app->setup;
	const char *names[SPX_PORTS_MAX];
	struct spx_tap_options options = *wanted;
	struct spx_tap_stats stats;
	int r;

	options.n_ports = setup->n_ports;
	options.port_name = names;
	options.on_end = tell_end;
	options.arg = capture;
	for (uint16_t p = 0; p < setup->n_ports; p++) {
		names[p] = setup->port[p].name;
		options.max_frame = RTE_MAX(options.max_frame, setup->port[p].max_frame);
	}
	r = spx_tap_create(&options, &capture->tap, err);
	if (r < 0)
		return r;
	spx_server_say(app->server, SPX_EVENT_capture, "capture %u to %s began", capture->id, wanted->file);
	r = spx_watch_add_tap(app, capture->tap, err);
	if (r < 0)
		end(capture, &stats);
	return r;
}

int
spx_captures_start(
	struct spx_appliance *app, const struct spx_tap_options *options, uint32_t *id, struct spx_error *err)
{
	struct spx_captures *captures = &app->captures;
	struct spx_capture *place;
	struct spx_tap_stats stats;
	bool replaces;
	int r;

	pthread_mutex_lock(&captures->lock);
	place = take_place(captures, &replaces);
	pthread_mutex_unlock(&captures->lock);
	if (place == NULL) {
		close(options->fd);
		return spx_error(err, -EBUSY,
			"%u captures are under way, as many as there can be: stop one of them", SPX_TAPS_MAX);
	}
	if (replaces)
		end(place, &stats);
	pthread_mutex_lock(&captures->lock);
	*id = ++captures->last_id;
	pthread_mutex_unlock(&captures->lock);
	place->id = *id;
	place->app = app;
	r = begin(place, options, err);
	set_state(captures, place, r == 0 ? SPX_CAPTURE_THERE : SPX_CAPTURE_NONE);
	return r;
}

int
spx_captures_stop(struct spx_appliance *app, uint32_t *id, struct spx_tap_stats *stats, struct spx_error *err)
{
	struct spx_captures *captures = &app->captures;
	struct spx_capture *capture;
	unsigned n;

	pthread_mutex_lock(&captures->lock);
	capture = find(captures, *id, &n);
	if (capture != NULL) {
		capture->state = SPX_CAPTURE_CHANGING;
		*id = capture->id;
	}
	pthread_mutex_unlock(&captures->lock);
	if (capture == NULL && n == 0)
		return spx_error(err, -ENOENT, "there is no capture");
	if (capture == NULL && *id != 0)
		return spx_error(
			err, -ENOENT, "there is no capture %u; show.captures lists those there are", *id);
	if (capture == NULL)
		return spx_error(err, -EINVAL,
			"\"id\" is missing, and there are %u captures; show.captures lists them", n);
	end(capture, stats);
	set_state(captures, capture, SPX_CAPTURE_NONE);
	return 0;
}

void
spx_captures_each(
	struct spx_appliance *app, void (*show)(void *arg, uint32_t id, const struct spx_tap *tap), void *arg)
{
	struct spx_captures *captures = &app->captures;

	pthread_mutex_lock(&captures->lock);
	for (unsigned i = 0; i < SPX_TAPS_MAX; i++)
		if (captures->capture[i].state == SPX_CAPTURE_THERE)
			show(arg, captures->capture[i].id, captures->capture[i].tap);
	pthread_mutex_unlock(&captures->lock);
}

void
spx_captures_stop_all(struct spx_appliance *app)
{
	for (unsigned i = 0; i < SPX_TAPS_MAX; i++) {
		uint32_t id = app->captures.capture[i].id;
		struct spx_tap_stats stats;

		if (app->captures.capture[i].state != SPX_CAPTURE_THERE)
			continue;
		(void)spx_captures_stop(app, &id, &stats, NULL);
		if (stats.error != 0)
			spx_log(SPX_LOG_WARNING,
				"capture %u is not complete: %s; %lu packets written, %lu lost", id,
				spx_tap_error_text(stats.error), stats.packets, stats.lost);
	}
}
