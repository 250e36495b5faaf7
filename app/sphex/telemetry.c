/* The results of show.* as DPDK's telemetry sends them; see telemetry.h.
 *
 * Telemetry knows whole numbers, text, and containers in them: what is a ratio or a time is left out. Its
 * callbacks get no argument and run on threads of DPDK's, one for each client; so the appliance is a variable
 * of this file, behind a lock that a callback holds while it looks at it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include <rte_telemetry.h>

#include "app/sphex/methods.h"
#include "app/sphex/telemetry.h"

static struct {
	pthread_mutex_t lock;
	struct spx_appliance *app; /* that runs, or NULL */
	bool registered;           /* commands stay for the life of the process */
} telemetry = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- JSON to telemetry ----------------------------------------------------------------------------- */

/* What is no number and no text is left out. */
static void
add_plain(struct rte_tel_data *dict, const char *key, const json_t *value)
{
	if (json_is_integer(value))
		rte_tel_data_add_dict_u64(dict, key, (uint64_t)json_integer_value(value));
	else if (json_is_string(value))
		rte_tel_data_add_dict_string(dict, key, json_string_value(value));
}

static void fill_dict(struct rte_tel_data *dict, json_t *object);

/* An object inside becomes a container, which telemetry frees when it has sent it. */
static void
add_object(struct rte_tel_data *dict, const char *key, json_t *object)
{
	struct rte_tel_data *inner = rte_tel_data_alloc();

	if (inner == NULL)
		return;
	fill_dict(inner, object);
	if (rte_tel_data_add_dict_container(dict, key, inner, 0) != 0)
		rte_tel_data_free(inner);
}

static void
fill_dict(struct rte_tel_data *dict, json_t *object)
{
	const char *key;
	json_t *value;

	rte_tel_data_start_dict(dict);
	json_object_foreach (object, key, value) {
		if (json_is_object(value))
			add_object(dict, key, value);
		else
			add_plain(dict, key, value);
	}
}

/* Telemetry's arrays hold no objects: they become a container each, under what they have at `key`, or, where
 * that may have characters that telemetry takes for no name (key NULL), under their number. */
static void
fill_from_array(struct rte_tel_data *dict, const json_t *objects, const char *key)
{
	size_t i;
	json_t *object;

	rte_tel_data_start_dict(dict);
	json_array_foreach (objects, i, object) {
		char number[24];

		snprintf(number, sizeof(number), "%zu", i);
		add_object(
			dict, key == NULL ? number : json_string_value(json_object_get(object, key)), object);
	}
}

/* ---- commands -------------------------------------------------------------------------------------- */

typedef int (*method)(struct spx_call *call, json_t **result);

/* The result of a method; NULL when no appliance runs. */
static json_t *
ask(method run)
{
	struct spx_error err;
	struct spx_call call = {.method = "telemetry", .fd = -1, .role = SPX_ROLE_READER, .err = &err};
	json_t *result = NULL;

	pthread_mutex_lock(&telemetry.lock);
	call.app = telemetry.app;
	if (call.app != NULL && run(&call, &result) != 0)
		result = NULL;
	pthread_mutex_unlock(&telemetry.lock);
	return result;
}

/* Sends what the result of a method has under `part_key`; of an array each element under its `key`. */
static int
answer(method run, const char *part_key, const char *key, struct rte_tel_data *data)
{
	json_t *result = ask(run), *part = json_object_get(result, part_key);

	if (json_is_array(part))
		fill_from_array(data, part, key);
	else if (json_is_object(part))
		fill_dict(data, part);
	json_decref(result);
	return part == NULL ? -ENODEV : 0;
}

#define COMMAND(name, key)                                                                                   \
	static int name(const char *command, const char *parameters, struct rte_tel_data *data)              \
	{                                                                                                    \
		(void)command;                                                                               \
		(void)parameters;                                                                            \
		return answer(spx_method_show_##name, #name, key, data);                                     \
	}

COMMAND(ports, NULL)
COMMAND(stages, "name")
COMMAND(drops, "reason")
COMMAND(cache, NULL)

static void
answer_for(struct spx_appliance *app)
{
	pthread_mutex_lock(&telemetry.lock);
	telemetry.app = app;
	pthread_mutex_unlock(&telemetry.lock);
}

void
spx_telemetry_begin(struct spx_appliance *app)
{
	if (!telemetry.registered) {
		rte_telemetry_register_cmd("/sphex/ports", ports, "Returns the ports and their counters.");
		rte_telemetry_register_cmd(
			"/sphex/stages", stages, "Returns the stages of the packets' way.");
		rte_telemetry_register_cmd("/sphex/drops", drops, "Returns packets by drop reason.");
		rte_telemetry_register_cmd("/sphex/cache", cache, "Returns what the flow caches did.");
		telemetry.registered = true;
	}
	answer_for(app);
}

void
spx_telemetry_end(void)
{
	answer_for(NULL);
}
