/* Methods about the server itself: hello, show.clients, subscribe, stop; see rpc.h. */
#include <unistd.h>

#include "app/sphex/choices.h"
#include "app/sphex/methods.h"
#include "app/sphex/report_internal.h"
#include "app/sphex/server_internal.h"

static const char *
role_name(enum spx_role role)
{
	return role == SPX_ROLE_OPERATOR ? "operator" : "reader";
}

static double
seconds_since(uint64_t ns)
{
	return (double)(spx_now_ns() - ns) / 1e9;
}

/* ---- hello ------------------------------------------------------------------------------------------- */

static int
read_protocol(const struct spx_place *at, const struct spx_field *field, void *into)
{
	(void)field;
	(void)into;
	if (!json_is_integer(at->value) || json_integer_value(at->value) != SPX_PROTOCOL)
		return spx_unexpected(at, "a version that is spoken expected: %d", SPX_PROTOCOL);
	return 0;
}

static const struct spx_field hello_fields[] = {{"protocol", read_protocol}};
static const struct spx_keys hello_keys = SPX_KEYS("hello", hello_fields);

int
spx_method_hello(struct spx_call *call, json_t **result)
{
	int unused = 0, rc = spx_call_read(call, &hello_keys, &unused);

	if (rc == 0)
		*result = json_pack("{s:i, s:s, s:s, s:i, s:s, s:f}", "protocol", SPX_PROTOCOL, "version",
			SPX_VERSION, "instance", call->client->server->instance, "pid", (int)getpid(), "role",
			role_name(call->role), "seconds", seconds_since(call->app->begun));
	return rc;
}

/* ---- show.clients ------------------------------------------------------------------------------------ */

static const struct spx_keys no_keys = {.what = "show.clients"};

int
spx_method_show_clients(struct spx_call *call, json_t **result)
{
	const struct spx_server *server = call->client->server;
	int unused = 0, rc = spx_call_read(call, &no_keys, &unused);
	json_t *clients;

	if (rc != 0)
		return rc;
	clients = json_array();
	for (unsigned i = 0; i < server->n_clients; i++) {
		const struct spx_client *c = server->client[i];

		if (c->fd >= 0)
			json_array_append_new(clients,
				json_pack("{s:I, s:I, s:s, s:o, s:f, s:b}", "uid", (json_int_t)c->uid, "pid",
					(json_int_t)c->pid, "role", role_name(c->role), "requests",
					spx_report_number(c->requests), "seconds", seconds_since(c->since),
					"events", c->events != 0));
	}
	*result = json_pack("{s:o, s:o, s:o, s:o, s:o}", "clients", clients, "accepted",
		spx_report_number(server->accepted), "refused", spx_report_number(server->refused), "cut_off",
		spx_report_number(server->cut_off), "malformed", spx_report_number(server->malformed));
	return 0;
}

/* ---- subscribe --------------------------------------------------------------------------------------- */

static int
read_event(const struct spx_place *at, unsigned *events)
{
	const char *word = json_string_value(at->value);
	struct spx_choices choices;

	spx_choices_init(&choices, word);
	for (unsigned e = 0; e < SPX_EVENT_COUNT; e++) {
		spx_choices_add(&choices, spx_event_name(e));
		if (word != NULL && strcmp(word, spx_event_name(e)) == 0) {
			*events |= 1u << e;
			return 0;
		}
	}
	return spx_unexpected(at, "%s", spx_choices_text(&choices));
}

static int
read_events(const struct spx_place *at, const struct spx_field *field, void *into)
{
	unsigned *events = into;
	int rc = 0;

	(void)field;
	if (!json_is_array(at->value))
		return spx_unexpected(at, "an array of kinds of events expected");
	*events = 0;
	for (size_t i = 0; rc == 0 && i < json_array_size(at->value); i++) {
		struct spx_place place = spx_place_index(at, i);

		rc = read_event(&place, events);
	}
	return rc;
}

static const struct spx_field subscribe_fields[] = {{"events", read_events}};
static const struct spx_keys subscribe_keys = SPX_KEYS("subscribe", subscribe_fields);

int
spx_method_subscribe(struct spx_call *call, json_t **result)
{
	unsigned events = (1u << SPX_EVENT_COUNT) - 1;
	int rc = spx_call_read(call, &subscribe_keys, &events);
	json_t *names;

	if (rc != 0)
		return rc;
	call->client->events = events;
	names = json_array();
	for (unsigned e = 0; e < SPX_EVENT_COUNT; e++)
		if (events & 1u << e)
			json_array_append_new(names, json_string(spx_event_name(e)));
	*result = json_pack("{s:o}", "events", names);
	return 0;
}

/* ---- stop -------------------------------------------------------------------------------------------- */

static const struct spx_keys stop_keys = {.what = "stop"};

int
spx_method_stop(struct spx_call *call, json_t **result)
{
	int unused = 0, rc = spx_call_read(call, &stop_keys, &unused);

	if (rc == 0) {
		call->client->server->stop_asked = true;
		*result = json_pack("{s:b}", "stopping", true);
	}
	return rc;
}
