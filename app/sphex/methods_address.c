/* address.*, neighbour.*, and what they change: show.addresses, show.neighbours; see methods.h. */
#include <errno.h>
#include <string.h>

#include "app/sphex/methods.h"
#include "app/sphex/report_internal.h"
#include "app/sphex/setup_json.h"

/* ---- addresses ----------------------------------------------------------------------------------------- */

static int
read_address(const struct spx_place *at, const struct spx_field *field, void *into)
{
	struct spx_address *address = into;
	uint16_t port = address->port;

	(void)field;
	return spx_read_address(at, port, address);
}

static const struct spx_field address_fields[] = {
	{"port", spx_read_port_sending, offsetof(struct spx_address, port), .required = true},
	{"address", read_address, .required = true},
};

static json_t *
describe(const struct spx_setup *setup, const struct spx_address *address)
{
	return json_pack(
		"{s:s, s:o}", "port", setup->port[address->port].name, "address", spx_address_json(address));
}

/* An address is one of a single port with one prefix; to take it from another, or with another, is a mistake.
 */
static int
remove_address(struct spx_call *call, const struct spx_address *wanted)
{
	const struct spx_address *found;
	struct spx_address there = *wanted;
	char text[SPX_ROUTE_TEXT];

	pthread_mutex_lock(&call->app->latest.lock);
	found = spx_address_find(&call->app->latest.addresses, wanted->family, wanted->address);
	if (found != NULL)
		there = *found;
	pthread_mutex_unlock(&call->app->latest.lock);
	if (there.port != wanted->port)
		return spx_error(call->err, -ENOENT, "that is an address of port %s: name that",
			call->app->setup->port[there.port].name);
	if (there.length != wanted->length)
		return spx_error(call->err, -ENOENT, "that address has another prefix: give %s",
			spx_route_format(there.family, there.address, there.length, text));
	return spx_appliance_remove_address(call->app, wanted, call->err);
}

static int
change_address(struct spx_call *call, const struct spx_keys *keys, bool add, json_t **result)
{
	struct spx_address address = {.port = SPX_NO_PORT};
	json_t *shown;
	int r = spx_call_read(call, keys, &address);

	if (r != 0)
		return r;
	r = spx_call_needs_routing(call);
	if (r == 0)
		r = add ? spx_appliance_add_address(call->app, &address, call->err)
			: remove_address(call, &address);
	if (r != 0)
		return spx_call_refuse(call, r);
	shown = describe(call->app->setup, &address);
	json_object_set_new(shown, "generation", spx_report_number(atomic_load(&call->app->generation)));
	return spx_call_give(call, shown, result);
}

int
spx_method_address_add(struct spx_call *call, json_t **result)
{
	static const struct spx_keys keys = SPX_KEYS("address.add", address_fields);

	return change_address(call, &keys, true, result);
}

int
spx_method_address_delete(struct spx_call *call, json_t **result)
{
	static const struct spx_keys keys = SPX_KEYS("address.delete", address_fields);

	return change_address(call, &keys, false, result);
}

int
spx_method_show_addresses(struct spx_call *call, json_t **result)
{
	struct spx_address_list list = {0};
	json_t *a;
	int r = spx_call_read_nothing(call);

	if (r != 0)
		return r;
	r = spx_call_needs_routing(call);
	if (r == 0) {
		pthread_mutex_lock(&call->app->latest.lock);
		r = spx_address_list_copy(&call->app->latest.addresses, &list);
		pthread_mutex_unlock(&call->app->latest.lock);
		if (r != 0)
			spx_error(call->err, r, "out of memory");
	}
	if (r != 0)
		return spx_call_refuse(call, r);
	a = json_array();
	for (size_t i = 0; i < list.n; i++)
		json_array_append_new(a, describe(call->app->setup, &list.address[i]));
	spx_address_list_free(&list);
	return spx_call_give(call, json_pack("{s:o}", "addresses", a), result);
}

/* ---- neighbours ---------------------------------------------------------------------------------------- */

static json_t *
describe_neighbour(const struct spx_setup *setup, const struct spx_neighbour *neighbour)
{
	const bool known = spx_neighbour_word_usable(neighbour->word);
	char text[SPX_ROUTE_TEXT];

	return json_pack("{s:s, s:s, s:o, s:s}", "address",
		spx_route_format(neighbour->family, neighbour->address, UINT8_MAX, text), "port",
		setup->port[neighbour->port].name, "mac", known ? spx_mac_json(neighbour->mac) : json_null(),
		"state", spx_neighbour_state_name(neighbour->state));
}

int
spx_method_show_neighbours(struct spx_call *call, json_t **result)
{
	const struct spx_neighbours *table = call->app->neighbours;
	struct spx_neighbour neighbour;
	uint32_t capacity;
	json_t *a;
	int r = spx_call_read_nothing(call);

	if (r == 0 && (r = spx_call_needs_routing(call)) != 0)
		spx_call_refuse(call, r);
	if (r != 0)
		return r;
	capacity = spx_neighbour_capacity(table);
	a = json_array();
	for (uint32_t i = 0; i < capacity; i++)
		if (spx_neighbour_read(table, i, &neighbour))
			json_array_append_new(a, describe_neighbour(call->app->setup, &neighbour));
	return spx_call_give(call,
		json_pack("{s:o, s:o}", "neighbours", a, "capacity", spx_report_number(capacity)), result);
}

/* The table has one writer, so this is only a look: what is deleted meanwhile is gone as wished. */
static bool
is_there(const struct spx_neighbours *table, const struct spx_setup_neighbour *wanted)
{
	struct spx_neighbour neighbour;

	for (uint32_t i = 0; i < spx_neighbour_capacity(table); i++)
		if (spx_neighbour_read(table, i, &neighbour) && neighbour.family == wanted->family &&
			neighbour.port == wanted->port &&
			memcmp(neighbour.address, wanted->address, sizeof(wanted->address)) == 0)
			return true;
	return false;
}

/* The whole of the parameters is a neighbour as in a configuration. */
static int
change_neighbour(struct spx_call *call, bool add, json_t **result)
{
	struct spx_setup_neighbour neighbour = {.port = SPX_NO_PORT};
	json_t *shown;
	int r = spx_call_read(call, add ? &spx_neighbour_keys : &spx_neighbour_name_keys, &neighbour);

	if (r != 0)
		return r;
	r = spx_call_needs_routing(call);
	if (r == 0 && !add && !is_there(call->app->neighbours, &neighbour))
		r = spx_error(call->err, -ENOENT,
			"that is no neighbour on port %s: give one that show.neighbours has",
			call->app->setup->port[neighbour.port].name);
	if (r == 0)
		r = spx_slowpath_set_neighbour(&call->app->slowpath, &neighbour, add, call->err);
	if (r != 0)
		return spx_call_refuse(call, r);
	shown = spx_neighbour_json(call->app->setup, &neighbour);
	if (!add)
		json_object_del(shown, "mac");
	return spx_call_give(call, shown, result);
}

int
spx_method_neighbour_add(struct spx_call *call, json_t **result)
{
	return change_neighbour(call, true, result);
}

int
spx_method_neighbour_delete(struct spx_call *call, json_t **result)
{
	return change_neighbour(call, false, result);
}
