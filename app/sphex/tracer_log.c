/* The reader's side of a trace: events collected, put in order, and grouped by identical way; see tracer.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ring_elem.h>

#include "app/sphex/tracer_internal.h"

#define COLLECT 64u /* events taken from a ring at once */

struct spx_trace_log {
	struct spx_trace_event *event;
	size_t n, room;
	bool *ended; /* by number of the packet, less one */
	uint32_t n_ended, count;
	uint32_t session;
};

/* ---- collecting ------------------------------------------------------------------------------------------
 */

struct spx_trace_log *
spx_trace_log_create(const struct spx_tracer *t)
{
	struct spx_trace_log *log = calloc(1, sizeof(*log));

	if (log == NULL || (log->ended = calloc(t->count, sizeof(*log->ended))) == NULL) {
		free(log);
		return NULL;
	}
	log->count = t->count;
	log->session = t->session;
	return log;
}

void
spx_trace_log_free(struct spx_trace_log *log)
{
	if (log == NULL)
		return;
	free(log->event);
	free(log->ended);
	free(log);
}

static bool
is_end(const struct spx_trace_event *event)
{
	return event->kind == SPX_TRACE_drop || event->kind == SPX_TRACE_slowpath ||
	       (event->kind == SPX_TRACE_transmit && !event->transmit.handed_over);
}

static uint32_t
number_of(const struct spx_trace_event *event)
{
	return event->id & ((1u << SPX_TRACE_NUMBER_BITS) - 1);
}

static int
add(struct spx_trace_log *log, const struct spx_trace_event *event)
{
	uint32_t number = number_of(event);

	if (log->n == log->room) {
		size_t room = RTE_MAX(2 * log->room, (size_t)256);
		struct spx_trace_event *more = reallocarray(log->event, room, sizeof(*more));

		if (more == NULL)
			return -ENOMEM;
		log->event = more;
		log->room = room;
	}
	log->event[log->n++] = *event;
	if (is_end(event) && !log->ended[number - 1]) {
		log->ended[number - 1] = true;
		log->n_ended++;
	}
	return 0;
}

int
spx_trace_log_collect(struct spx_trace_log *log, struct spx_tracer *t)
{
	struct spx_trace_event events[COLLECT];
	int r = 0;

	for (unsigned i = 0; i < SPX_WATCH_THREADS; i++) {
		unsigned n = t->ring[i] == NULL ? 0 : COLLECT;

		while (n == COLLECT) {
			n = rte_ring_sc_dequeue_burst_elem(
				t->ring[i], events, sizeof(events[0]), COLLECT, NULL);
			for (unsigned e = 0; e < n && r == 0; e++)
				r = add(log, &events[e]);
		}
	}
	return r;
}

uint32_t
spx_trace_log_ended(const struct spx_trace_log *log)
{
	return log->n_ended;
}

/* ---- groups ----------------------------------------------------------------------------------------------
 */

/* By packet, then by time; the time stamps of different threads are of one clock. */
static int
in_order(const void *a, const void *b)
{
	const struct spx_trace_event *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	if (x->tsc != y->tsc)
		return x->tsc < y->tsc ? -1 : 1;
	return (x->kind > y->kind) - (x->kind < y->kind);
}

static json_t *
line_json(const struct spx_trace_event *e, const struct spx_trace_line *line, bool whole)
{
	bool saw = whole && line->saw[0] != '\0';

	if (saw && line->instead)
		return json_sprintf("%-9s %s", spx_trace_kind_name(e->kind), line->saw);
	return json_sprintf("%-9s %s%s%s", spx_trace_kind_name(e->kind), line->way, saw ? ", " : "",
		saw ? line->saw : "");
}

/* The n events of one packet as two arrays of lines. */
static void
lines_of_packet(const struct spx_trace_event *e, size_t n, const struct spx_trace_names *names, json_t *way,
	json_t *example)
{
	const struct spx_trace_frame *before = NULL;

	for (size_t i = 0; i < n; i++) {
		struct spx_trace_line line;

		spx_trace_line(&line, &e[i], names, before);
		if (e[i].kind == SPX_TRACE_parse && !e[i].parse.malformed)
			before = &e[i].parse.frame;
		json_array_append_new(way, line_json(&e[i], &line, false));
		json_array_append_new(example, line_json(&e[i], &line, true));
	}
}

/* Adds a packet to the group of its way, which `index` finds. */
static void
add_packet(json_t *groups, json_t *index, const struct spx_trace_event *e, size_t n,
	const struct spx_trace_names *names)
{
	json_t *way = json_array(), *example = json_array(), *group;
	char *key;

	lines_of_packet(e, n, names, way, example);
	key = json_dumps(way, JSON_COMPACT);
	group = json_object_get(index, key == NULL ? "" : key);
	if (group == NULL) {
		group = json_pack("{s:i, s:O, s:O}", "packets", 0, "way", way, "example", example);
		if (key != NULL)
			json_object_set(index, key, group);
		json_array_append_new(groups, group);
	}
	json_object_set_new(
		group, "packets", json_integer(json_integer_value(json_object_get(group, "packets")) + 1));
	json_decref(way);
	json_decref(example);
	free(key);
}

/* Most packets first. */
static int
by_packets(const void *a, const void *b)
{
	json_int_t x = json_integer_value(json_object_get(*(json_t *const *)a, "packets"));
	json_int_t y = json_integer_value(json_object_get(*(json_t *const *)b, "packets"));

	return (x < y) - (x > y);
}

/* The groups, which are taken, in a new array by size; as they are when there is no memory for it. */
static json_t *
sorted(json_t *groups)
{
	size_t n = json_array_size(groups);
	json_t **group = calloc(n + 1, sizeof(json_t *)), *out = json_array();

	for (size_t i = 0; i < n && group != NULL; i++)
		group[i] = json_array_get(groups, i);
	if (group == NULL || out == NULL) {
		free(group);
		json_decref(out);
		return groups;
	}
	qsort(group, n, sizeof(json_t *), by_packets);
	for (size_t i = 0; i < n; i++)
		json_array_append(out, group[i]);
	free(group);
	json_decref(groups);
	return out;
}

json_t *
spx_trace_log_groups(struct spx_trace_log *log, const struct spx_trace_names *names)
{
	json_t *groups = json_array(), *index = json_object();

	if (log->n > 0)
		qsort(log->event, log->n, sizeof(log->event[0]), in_order);
	for (size_t begin = 0, end; begin < log->n; begin = end) {
		for (end = begin + 1; end < log->n && log->event[end].id == log->event[begin].id; end++)
			;
		add_packet(groups, index, &log->event[begin], end - begin, names);
	}
	json_decref(index);
	return sorted(groups);
}
