/* "cache" of the configuration and --cache of the command line: one table for both; see setup_reader.h. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/sphex/setup_reader.h"

#define ENTRIES_MIN 16
#define ENTRIES_MAX (1 << 26) /* 4 GiB of IPv4 flows for each worker */
#define P_MIN       1e-9
#define P_MAX       0.5

static const char *const mode_words[] = {
#define MODE_WORD(mode) #mode,
	SPX_FLOW_MODES(MODE_WORD)
#undef MODE_WORD
		NULL};
const char *const spx_ageing_words[] = {"cold", "double-buffered", NULL}; /* enum spx_flow_ageing */

static int
read_p(const struct spx_place *at, const struct spx_field *field, void *into)
{
	double p = json_number_value(at->value);

	(void)field;
	if (!json_is_number(at->value) || !(p >= P_MIN && p <= P_MAX))
		return spx_unexpected(at, "a number from %g to %g expected", P_MIN, P_MAX);
	*(double *)into = p;
	return 0;
}

#define AT(member) offsetof(struct spx_setup_cache, member)

static const struct spx_field cache_fields[] = {
	{"mode", spx_read_word, AT(mode), .words = mode_words},
	{"entries", spx_read_u64, AT(entries), .min = ENTRIES_MIN, .max = ENTRIES_MAX},
	{"entries6", spx_read_u64, AT(entries6), .min = ENTRIES_MIN, .max = ENTRIES_MAX},
	{"ways", spx_read_u16, AT(ways), .min = 1, .max = SPX_FLOW_WAYS_MAX},
	{"p", read_p, AT(p)},
	{"flows", spx_read_u64, AT(flows), .min = ENTRIES_MIN, .max = ENTRIES_MAX},
	{"ageing", spx_read_word, AT(ageing), .words = spx_ageing_words},
	{"idle_seconds", spx_read_number, AT(idle_seconds), .max = 1000000},
	{"flood_guard", spx_read_u64, AT(flood_guard), .max = 1000000000},
};
static const struct spx_keys cache_keys = SPX_KEYS("\"cache\"", cache_fields);

void
spx_setup_cache_size(struct spx_setup_cache *cache, uint64_t entries)
{
	cache->entries = entries;
	cache->entries6 = RTE_MAX(entries / 4, (uint64_t)ENTRIES_MIN);
	/* A double-buffered filter remembers half of its flows for certain. */
	cache->flows = RTE_MIN(2 * entries, (uint64_t)ENTRIES_MAX);
}

/* Mode approximate believes its filters, and in a double-buffered one mistakes stay as long as they are used.
 */
static void
choose_ageing(struct spx_setup_cache *cache, const char *mode)
{
	if (mode != NULL)
		cache->ageing = strcmp(mode, "approximate") == 0 ? SPX_FLOW_COLD : SPX_FLOW_DOUBLE_BUFFERED;
}

/* What follows from "entries" and "mode" comes before what is given itself. */
int
spx_read_cache(const struct spx_place *at, const struct spx_field *field, void *into)
{
	const struct spx_setup *setup = at->document->setup;
	struct spx_setup_cache *cache = into;
	const struct spx_place mode = spx_place_key(at, "mode");
	json_int_t entries = json_integer_value(json_object_get(at->value, "entries"));
	int rc;

	(void)field;
	if (entries > 0)
		spx_setup_cache_size(cache, (uint64_t)entries);
	choose_ageing(cache, json_string_value(json_object_get(at->value, "mode")));
	rc = spx_read_object(at, &cache_keys, cache);
	if (rc == 0 && cache->mode == SPX_FLOW_MODE_approximate && setup->n_actions > SPX_FLOW_ACTIONS_MAX)
		return spx_unexpected(&mode,
			"that has a filter for each action, and there are %u with the default; at most %u "
			"actions, or \"layered\", expected",
			setup->n_actions, SPX_FLOW_ACTIONS_MAX);
	return rc;
}

/* ---- --cache --------------------------------------------------------------------------------------- */

/* A value as a configuration would have it: an integer, a number, else a string. */
static json_t *
json_of(const char *value)
{
	char *end;
	long long integer;
	double number;

	errno = 0;
	integer = strtoll(value, &end, 10);
	if (errno == 0 && end != value && *end == '\0' && !isspace((unsigned char)value[0]))
		return json_integer(integer);
	number = strtod(value, &end);
	if (value[0] != '\0' && strspn(value, "0123456789.eE+-") == strlen(value) && *end == '\0' &&
		isfinite(number))
		return json_real(number);
	return json_string(value);
}

/* MODE[:KEY=VALUE,...] into the section "cache" of a configuration. Changes text. */
static int
fill_section(json_t *section, char *text, struct spx_error *err)
{
	char *list = strchr(text, ':');
	bool full;

	if (list != NULL)
		*list++ = '\0';
	full = json_object_set_new(section, "mode", json_string(text)) != 0;
	while (list != NULL && !full) {
		char *key = strsep(&list, ","), *value = strchr(key, '=');

		if (*key == '\0')
			return spx_error(err, -EINVAL,
				"--cache: an empty KEY=VALUE; MODE or MODE:KEY=VALUE,... expected");
		if (value == NULL || value == key)
			return spx_error(err, -EINVAL,
				"--cache: \"%s\" is no KEY=VALUE; MODE or MODE:KEY=VALUE,... expected", key);
		*value++ = '\0';
		if (json_object_get(section, key) != NULL)
			return spx_error(err, -EINVAL, "--cache: %s: is given twice; once expected", key);
		full = json_object_set_new(section, key, json_of(value)) != 0;
	}
	return full ? spx_error(err, -ENOMEM, "out of memory") : 0;
}

static bool
printable(const char *text)
{
	while (*text > ' ' && *text <= '~')
		text++;
	return *text == '\0';
}

static int
read_option(struct spx_setup *setup, char *text, struct spx_error *err)
{
	struct spx_document document = {.setup = setup, .name = "--cache", .root = "", .err = err};
	struct spx_place root = {.document = &document, .value = json_object()};
	int rc;

	if (root.value == NULL)
		return spx_no_memory(&root);
	rc = fill_section(root.value, text, err);
	if (rc == 0)
		rc = spx_read_cache(&root, NULL, &setup->cache);
	json_decref(root.value);
	return rc;
}

int
spx_setup_cache_option(struct spx_setup *setup, const char *text, struct spx_error *err)
{
	struct spx_error why;
	char *copy;
	int rc;

	if (!printable(text))
		return spx_error(err, -EINVAL,
			"--cache: has blanks or bytes beyond ASCII; MODE or MODE:KEY=VALUE,... expected (try "
			"--help)");
	copy = strdup(text);
	if (copy == NULL)
		return spx_error(err, -ENOMEM, "out of memory");
	rc = read_option(setup, copy, &why);
	free(copy);
	return rc == 0 ? 0 : spx_error(err, rc, "%s (try --help)", why.text);
}
