/* capture.* and show.captures, over captures.h; see methods.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/sphex/choices.h"
#include "app/sphex/methods.h"
#include "app/sphex/report_internal.h"

#define COUNT_MAX INT64_C(1000000000000)
#define SNAP_MAX  262144

/* ---- capture.start --------------------------------------------------------------------------------- */

/* Strings owned. */
struct request {
	char *file, *filter;
	uint16_t port;
	uint8_t points;
	uint32_t snap;
	uint64_t count;
};

static const char *const point_words[] = {
#define POINT_WORD(name) #name,
	SPX_TAP_POINTS(POINT_WORD)
#undef POINT_WORD
		NULL};

/* An array of points into a set. */
static int
read_points(const struct spx_place *at, const struct spx_field *field, void *into)
{
	uint8_t *points = into;

	*points = 0;
	if (!json_is_array(at->value) || json_array_size(at->value) == 0)
		return spx_unexpected(
			at, "an array of one or more of \"receive\", \"transmit\", \"drop\" expected");
	for (size_t i = 0; i < json_array_size(at->value); i++) {
		const struct spx_place place = spx_place_index(at, i);
		unsigned point;
		int r = spx_read_word(&place, field, &point);

		if (r != 0)
			return r;
		*points |= (uint8_t)(1u << point);
	}
	return 0;
}

#define AT(member) offsetof(struct request, member)

static const struct spx_field start_fields[] = {
	{"file", spx_read_text, AT(file), .required = true},
	{"port", spx_read_port, AT(port)},
	{"points", read_points, AT(points), .words = point_words},
	{"filter", spx_read_text, AT(filter)},
	{"snap", spx_read_u32, AT(snap), .max = SNAP_MAX},
	{"count", spx_read_u64, AT(count), .max = COUNT_MAX},
};
static const struct spx_keys start_keys = SPX_KEYS("capture.start", start_fields);

/* What came along can be written to, and is nothing that keeps a writer waiting but a pipe: a terminal that
 * was stopped would hold up the end of the run. */
static int
check_file(const struct spx_call *call)
{
	const char *kind = NULL;
	struct stat status;
	int flags;

	if (call->fd < 0)
		return spx_error(call->err, -EINVAL,
			"no open file came along; send one with the request (SCM_RIGHTS), as spxctl does");
	flags = fcntl(call->fd, F_GETFL);
	if (flags < 0 || fstat(call->fd, &status) != 0)
		return spx_error(call->err, -errno, "the file that came along: %s", strerror(errno));
	if (S_ISDIR(status.st_mode))
		kind = "is a directory";
	else if (S_ISSOCK(status.st_mode))
		kind = "is a socket";
	else if (S_ISBLK(status.st_mode))
		kind = "is a block device";
	else if (isatty(call->fd))
		kind = "is a terminal";
	else if ((flags & O_PATH) != 0 || (flags & O_ACCMODE) == O_RDONLY)
		kind = "is not open for writing";
	if (kind == NULL)
		return 0;
	return spx_error(call->err, -EINVAL,
		"the file that came along %s; a file or a pipe that is open for writing expected", kind);
}

static int
start(struct spx_call *call, const struct request *request, uint32_t *id)
{
	const struct spx_tap_options options = {.file = request->file,
		.fd = call->fd,
		.port = request->port,
		.points = request->points,
		.filter = request->filter,
		.snap = request->snap,
		.count = request->count};
	int r = check_file(call);

	if (r < 0)
		return r;
	call->fd = -1;
	return spx_captures_start(call->app, &options, id, call->err);
}

int
spx_method_capture_start(struct spx_call *call, json_t **result)
{
	struct request request = {
		.port = SPX_NO_PORT, .points = 1u << SPX_TAP_receive | 1u << SPX_TAP_transmit};
	uint32_t id = 0;
	int r = spx_call_read(call, &start_keys, &request);

	if (r == 0) {
		r = start(call, &request, &id);
		if (r < 0)
			spx_error_at(call->err, r, "%s", call->method);
	}
	free(request.file);
	free(request.filter);
	return r != 0 ? r : spx_call_give(call, json_pack("{s:I}", "id", (json_int_t)id), result);
}

/* ---- capture.stop ---------------------------------------------------------------------------------- */

/* The figures of a capture into its object, and what ended it. */
static json_t *
add_figures(json_t *capture, const struct spx_tap_stats *stats)
{
	json_t *figures = json_pack("{s:o, s:o, s:o, s:s?}", "packets", spx_report_number(stats->packets),
		"bytes", spx_report_number(stats->bytes), "lost", spx_report_number(stats->lost), "error",
		stats->error == 0 ? NULL : spx_tap_error_text(stats->error));

	if (capture == NULL || figures == NULL || json_object_update(capture, figures) != 0) {
		json_decref(capture);
		capture = NULL;
	}
	json_decref(figures);
	return capture;
}

int
spx_method_capture_stop(struct spx_call *call, json_t **result)
{
	static const struct spx_field fields[] = {{"id", spx_read_u32, 0, .min = 1, .max = UINT32_MAX}};
	static const struct spx_keys keys = SPX_KEYS("capture.stop", fields);
	struct spx_tap_stats stats;
	uint32_t id = 0;
	int r = spx_call_read(call, &keys, &id);

	if (r != 0)
		return r;
	r = spx_captures_stop(call->app, &id, &stats, call->err);
	if (r < 0)
		return spx_error_at(call->err, r, "%s", call->method);
	return spx_call_give(call, add_figures(json_pack("{s:I}", "id", (json_int_t)id), &stats), result);
}

/* ---- show.captures --------------------------------------------------------------------------------- */

struct list {
	const struct spx_setup *setup;
	json_t *captures; /* NULL: no memory */
};

static json_t *
points(uint8_t set)
{
	json_t *names = json_array();

	for (unsigned p = 0; p < SPX_TAP_POINT_COUNT; p++)
		if (set & 1u << p)
			json_array_append_new(names, json_string(spx_tap_point_name(p)));
	return names;
}

static void
show(void *arg, uint32_t id, const struct spx_tap *tap)
{
	const struct spx_tap_options *o = spx_tap_options(tap);
	struct list *list = arg;
	struct spx_tap_stats stats;
	json_t *capture;

	spx_tap_stats(tap, &stats);
	capture = json_pack("{s:I, s:s, s:s?, s:o, s:s?, s:I, s:b}", "id", (json_int_t)id, "file", o->file,
		"port", o->port == SPX_NO_PORT ? NULL : list->setup->port[o->port].name, "points",
		points(o->points), "filter", o->filter, "snap", (json_int_t)o->snap, "ended",
		(int)stats.ended);
	capture = add_figures(capture, &stats);
	if (list->captures != NULL &&
		(capture == NULL || json_array_append_new(list->captures, capture) != 0)) {
		json_decref(list->captures);
		list->captures = NULL;
	}
}

int
spx_method_show_captures(struct spx_call *call, json_t **result)
{
	struct list list = {.setup = call->app->setup};
	int r = spx_call_read_nothing(call);

	if (r != 0)
		return r;
	list.captures = json_array();
	spx_captures_each(call->app, show, &list);
	return spx_call_give(
		call, list.captures == NULL ? NULL : json_pack("{s:o}", "captures", list.captures), result);
}
