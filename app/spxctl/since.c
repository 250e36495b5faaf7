/* Subtracts results of show.*; see since.h. Every whole number in them is a counter except those listed here.
 */
#include <string.h>

#include "app/spxctl/since.h"
#include "lib/base/base.h"

/* key NULL: all of that object. */
static const struct {
	const char *object, *key;
} gauges[] = {
	{"workers", "id"},
	{"exact", "resident"},
	{"exact", "entries"},
	{"exact", "bytes"},
	{"ipv4", NULL},
	{"ipv6", NULL},
	{"approximate", "flows"},
	{"approximate", "bytes"},
};

static bool
is_gauge(const char *object, const char *key)
{
	for (unsigned i = 0; i < RTE_DIM(gauges); i++)
		if (strcmp(object, gauges[i].object) == 0 &&
			(gauges[i].key == NULL || strcmp(key, gauges[i].key) == 0))
			return true;
	return false;
}

/* The element of `then` with the same name. */
static const json_t *
same_element(const json_t *element, const json_t *then)
{
	static const char *const names[] = {"name", "reason", "id"};
	const json_t *other;
	size_t i;

	for (unsigned n = 0; n < RTE_DIM(names); n++) {
		const json_t *name = json_object_get(element, names[n]);

		if (name == NULL)
			continue;
		json_array_foreach (then, i, other)
			if (json_equal(name, json_object_get(other, names[n])))
				return other;
		return NULL;
	}
	return NULL;
}

static void subtract(const char *object, json_t *now, const json_t *then);

static void
subtract_member(const char *object, const char *key, json_t *now, const json_t *then)
{
	json_int_t n = json_integer_value(now), before = json_integer_value(then);
	json_t *element;
	size_t i;

	if (json_is_integer(now) && json_is_integer(then) && !is_gauge(object, key))
		json_integer_set(now, n > before ? n - before : 0);
	else if (json_is_real(now) && strcmp(key, "seconds") == 0)
		json_real_set(now, json_real_value(now) - json_number_value(then));
	else if (json_is_object(now))
		subtract(key, now, then);
	json_array_foreach (now, i, element)
		subtract(key, element, same_element(element, then));
}

static void
subtract(const char *object, json_t *now, const json_t *then)
{
	const char *key;
	json_t *value, *ratio;
	double hits, misses;

	json_object_foreach (now, key, value)
		subtract_member(object, key, value, json_object_get(then, key));
	ratio = json_object_get(now, "hit_ratio");
	if (json_is_real(ratio)) {
		hits = json_number_value(json_object_get(now, "hits"));
		misses = json_number_value(json_object_get(now, "misses"));
		json_real_set(ratio, hits + misses > 0 ? hits / (hits + misses) : 0);
	}
}

void
spx_since(json_t *now, const json_t *then)
{
	subtract("", now, then);
}
