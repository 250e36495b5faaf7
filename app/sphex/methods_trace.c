/* The method trace: waits until the ways of the next packets are known, and answers with them; see rpc.h. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "app/sphex/methods.h"
#include "app/sphex/tracer.h"

#define SECONDS_MIN 0.1
#define SECONDS_MAX 3600
#define LOOK_NS     1000000    /* between two looks at the rings */
#define LINGER_NS   1000000000 /* for the ends of ways that were begun: a packet may wait in a ring */

struct request {
	uint32_t count;
	char *filter;
	double seconds;
};

static int
read_seconds(const struct spx_place *at, const struct spx_field *field, void *into)
{
	double value = json_number_value(at->value);

	(void)field;
	if (!json_is_number(at->value) || value < SECONDS_MIN || value > SECONDS_MAX)
		return spx_unexpected(at, "a number from %g to %d expected", SECONDS_MIN, SECONDS_MAX);
	*(double *)into = value;
	return 0;
}

static const struct spx_field trace_fields[] = {
	{"count", spx_read_u32, offsetof(struct request, count), .min = 1, .max = SPX_TRACE_MAX},
	{"filter", spx_read_text, offsetof(struct request, filter)},
	{"seconds", read_seconds, offsetof(struct request, seconds)},
};
static const struct spx_keys trace_keys = SPX_KEYS("the parameters of trace", trace_fields);

static const char *
port_name(const void *arg, uint16_t port)
{
	const struct spx_setup *setup = arg;

	return port < setup->n_ports ? setup->port[port].name : "(none)";
}

static const char *
action_name(const void *arg, uint32_t action)
{
	const struct spx_setup *setup = arg;

	return action < setup->n_actions ? setup->action[action].name : "(none)";
}

/* Collects until all ways have ended, the time is over, or nobody wants them any more. 0 or -ENOMEM. */
static int
follow(const struct spx_call *call, const struct request *request, struct spx_tracer *t,
	struct spx_trace_log *log)
{
	const struct timespec look = {.tv_nsec = LOOK_NS};
	uint64_t end = spx_now_ns() + (uint64_t)(request->seconds * 1e9), chosen_at = 0;
	int r = 0;

	while (r == 0 && spx_now_ns() < end && spx_trace_log_ended(log) < request->count) {
		nanosleep(&look, NULL);
		r = spx_trace_log_collect(log, t);
		if (call->cancelled != NULL && atomic_load(call->cancelled))
			break;
		if (spx_tracer_chosen(t) < request->count)
			continue;
		if (chosen_at == 0)
			chosen_at = spx_now_ns();
		else if (spx_now_ns() - chosen_at > LINGER_NS)
			break;
	}
	return r;
}

static int
trace(struct spx_call *call, const struct request *request, struct spx_tracer *t, struct spx_trace_log *log,
	json_t **result)
{
	const struct spx_trace_names names = {port_name, action_name, call->app->setup};
	int r = spx_watch_add_tracer(call->app, t, call->err);

	if (r < 0)
		return r;
	r = follow(call, request, t, log);
	spx_watch_remove_tracer(call->app, t);
	if (r == 0)
		r = spx_trace_log_collect(log, t);
	if (r < 0)
		return spx_error(call->err, r, "no memory for the events of so many packets: ask for fewer");
	return spx_call_give(call,
		json_pack("{s:I, s:I, s:I, s:o}", "asked", (json_int_t)request->count, "traced",
			(json_int_t)spx_tracer_chosen(t), "lost", (json_int_t)spx_tracer_lost(t), "groups",
			spx_trace_log_groups(log, &names)),
		result);
}

int
spx_method_trace(struct spx_call *call, json_t **result)
{
	struct request request = {.count = 1, .seconds = 10};
	struct spx_tracer *t = NULL;
	struct spx_trace_log *log = NULL;
	int r = spx_call_read(call, &trace_keys, &request);

	if (r == 0)
		r = spx_watch_may_trace(call->app, call->err);
	if (r == 0)
		r = spx_tracer_create(request.count, request.filter, call->app->n_workers, &t, call->err);
	if (r == 0 && (log = spx_trace_log_create(t)) == NULL)
		r = spx_error(call->err, -ENOMEM, "no memory for %u packets: ask for fewer", request.count);
	if (r == 0)
		r = trace(call, &request, t, log, result);
	spx_trace_log_free(log);
	spx_tracer_free(t);
	free(request.filter);
	return r;
}
