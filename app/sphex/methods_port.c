/* port.* and queue.*: ports and their queues while packets go by; see methods.h. */
#include <errno.h>
#include <time.h>

#include "app/sphex/methods.h"
#include "app/sphex/report_internal.h"

#define WAIT_MS 500u /* for the control thread to see it: it looks ten times a second */

/* ---- port.down, port.up -------------------------------------------------------------------------------- */

/* Returns when the control thread has seen the change; a port without link stays down whatever is said. */
static void
wait_until(const struct spx_call *call, const struct spx_port *port, bool down)
{
	const struct timespec ms = {.tv_nsec = 1000000};

	for (unsigned i = 0; i < WAIT_MS && atomic_load(&port->down) != down; i++) {
		if (call->cancelled != NULL && atomic_load(call->cancelled))
			return;
		nanosleep(&ms, NULL);
	}
}

static int
set_port(struct spx_call *call, const struct spx_keys *keys, bool down, json_t **result)
{
	struct spx_appliance *app = call->app;
	uint16_t p = SPX_NO_PORT;
	int r = spx_call_read(call, keys, &p);

	if (r != 0)
		return r;
	if (down)
		atomic_fetch_or(&app->disabled, spx_set_one(p));
	else
		atomic_fetch_and(&app->disabled, ~spx_set_one(p));
	wait_until(call, &app->port[p], down);
	return spx_call_give(call,
		json_pack("{s:s, s:s}", "port", app->setup->port[p].name, "link", spx_port_link(app, p)),
		result);
}

static const struct spx_field port_fields[] = {{"port", spx_read_port_sending, .required = true}};

int
spx_method_port_down(struct spx_call *call, json_t **result)
{
	static const struct spx_keys keys = SPX_KEYS("port.down", port_fields);

	return set_port(call, &keys, true, result);
}

int
spx_method_port_up(struct spx_call *call, json_t **result)
{
	static const struct spx_keys keys = SPX_KEYS("port.up", port_fields);

	return set_port(call, &keys, false, result);
}

const char *
spx_port_link(const struct spx_appliance *app, uint16_t p)
{
	if (atomic_load(&app->disabled) & spx_set_one(p))
		return "disabled";
	return atomic_load(&app->port[p].down) ? "down" : "up";
}

/* ---- queues -------------------------------------------------------------------------------------------- */

static json_t *
describe(const struct spx_appliance *app, uint16_t p)
{
	json_t *o = spx_report_queue(app, p);

	if (o != NULL)
		json_object_set_new(o, "port", json_string(app->setup->port[p].name));
	return o;
}

int
spx_method_show_queues(struct spx_call *call, json_t **result)
{
	json_t *a;
	int r = spx_call_read_nothing(call);

	if (r != 0)
		return r;
	a = json_array();
	for (uint16_t p = 0; p < call->app->n_ports; p++)
		if (call->app->queue[p] != NULL)
			json_array_append_new(a, describe(call->app, p));
	return spx_call_give(call, json_pack("{s:o}", "queues", a), result);
}

struct queue_change {
	uint16_t port;
	struct spx_queue_options options;
	bool has_rate, has_packets, has_bytes;
};

/* A key that is not given leaves its number as it is. 0 is a rate, so what is given has to be noted. */
static int
read_rate(const struct spx_place *at, const struct spx_field *field, void *into)
{
	struct queue_change *change = into;

	change->has_rate = true;
	return spx_read_u64(at, field, &change->options.rate_kbps);
}

static int
read_packets(const struct spx_place *at, const struct spx_field *field, void *into)
{
	struct queue_change *change = into;

	change->has_packets = true;
	return spx_read_u32(at, field, &change->options.limit_packets);
}

static int
read_bytes(const struct spx_place *at, const struct spx_field *field, void *into)
{
	struct queue_change *change = into;

	change->has_bytes = true;
	return spx_read_u64(at, field, &change->options.limit_bytes);
}

static int
set_queue(struct spx_call *call, const struct queue_change *change)
{
	struct spx_queue *queue = call->app->queue[change->port];
	struct spx_queue_options options;

	if (queue == NULL)
		return spx_error(call->err, -ENOENT,
			"port %s has no queue: it needs \"queue\" in the configuration from the start",
			call->app->setup->port[change->port].name);
	spx_queue_options(queue, &options);
	if (change->has_rate)
		options.rate_kbps = change->options.rate_kbps;
	if (change->has_packets)
		options.limit_packets = change->options.limit_packets;
	if (change->has_bytes)
		options.limit_bytes = change->options.limit_bytes;
	return spx_queue_set(queue, &options, call->err);
}

int
spx_method_queue_set(struct spx_call *call, json_t **result)
{
	static const struct spx_field fields[] = {
		{"port", spx_read_port_sending, offsetof(struct queue_change, port), .required = true},
		{"rate_kbps", read_rate, .max = SPX_QUEUE_RATE_MAX},
		{"limit_packets", read_packets, .min = 1, .max = SPX_QUEUE_PACKETS_MAX},
		{"limit_bytes", read_bytes, .min = SPX_QUEUE_BYTES_MIN, .max = SPX_QUEUE_BYTES_MAX},
	};
	static const struct spx_keys keys = SPX_KEYS("queue.set", fields);
	struct queue_change change = {.port = SPX_NO_PORT};
	int r = spx_call_read(call, &keys, &change);

	if (r == 0 && (r = set_queue(call, &change)) != 0)
		spx_call_refuse(call, r);
	return r != 0 ? r : spx_call_give(call, describe(call->app, change.port), result);
}
