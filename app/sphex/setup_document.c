/* The whole configuration: its sections and how the text is got; see setup.h and setup_reader.h. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/sphex/setup_reader.h"

#define TEXT_MAX (16u << 20) /* bytes of a configuration */
#define CPU_MAX  1023        /* highest CPU number of a cpu_set_t */

const char *const spx_hugepages_words[] = {"auto", "on", "off", NULL}; /* enum spx_hugepages */
const char *const spx_idle_words[] = {"spin", "sleep", NULL};          /* enum spx_idle */

/* One CPU for each worker; without "count" there are as many workers as CPUs. */
static int
read_cpus(const struct spx_place *at, const struct spx_field *field, void *into)
{
	struct spx_setup *setup = into;
	size_t n = json_array_size(at->value);

	if (json_object_get(at->parent->value, "count") == NULL && n >= 1 && n <= SPX_WORKERS_MAX)
		setup->workers = (uint16_t)n;
	if (!json_is_array(at->value))
		return spx_unexpected(at, "an array of CPU numbers expected");
	if (n != setup->workers)
		return spx_mistake(
			at, "has %zu CPUs; an array of %u expected, one for each worker", n, setup->workers);
	for (size_t i = 0; i < n; i++) {
		struct spx_place place = spx_place_index(at, i);
		int rc = spx_read_int(&place, field, &setup->worker_cpu[i]);

		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
read_ring(const struct spx_place *at, const struct spx_field *field, void *into)
{
	json_int_t entries = json_integer_value(at->value);

	if (!json_is_integer(at->value) || entries < field->min || entries > field->max ||
		(entries & (entries - 1)) != 0)
		return spx_unexpected(at, "a power of two from %d to %d expected, such as 1024",
			(int)field->min, (int)field->max);
	*(uint32_t *)into = (uint32_t)entries;
	return 0;
}

#define AT(member) offsetof(struct spx_setup, member)

static const struct spx_field memory_fields[] = {
	{"hugepages", spx_read_word, AT(hugepages), .words = spx_hugepages_words},
	{"megabytes", spx_read_u32, AT(memory_mb), .min = 64, .max = 1048576},
	{"mbufs", spx_read_u32, AT(mbufs), .min = 1024, .max = 16777216},
};
static const struct spx_keys memory_keys = SPX_KEYS("\"memory\"", memory_fields);

static const struct spx_field worker_fields[] = {
	{"count", spx_read_u16, AT(workers), .min = 1, .max = SPX_WORKERS_MAX},
	{"cpus", read_cpus, .max = CPU_MAX},
	{"idle", spx_read_word, AT(worker_idle), .words = spx_idle_words},
	{"burst", spx_read_u16, AT(burst), .min = 1, .max = SPX_BURST_MAX},
};
static const struct spx_keys worker_keys = SPX_KEYS("\"workers\"", worker_fields);

static const struct spx_field slowpath_fields[] = {
	{"cpu", spx_read_int, AT(slowpath_cpu), .max = CPU_MAX},
	{"exception_ring", read_ring, AT(exception_ring), .min = 16, .max = 1 << 20},
	{"inject_ring", read_ring, AT(inject_ring), .min = 16, .max = 1 << 20},
	{"flow_ring", read_ring, AT(flow_ring), .min = 16, .max = 1 << 20},
};
static const struct spx_keys slowpath_keys = SPX_KEYS("\"slowpath\"", slowpath_fields);

/* Ports before the actions that name them, actions before the rules that name these. */
static const struct spx_field setup_fields[] = {
	{"memory", spx_read_section, .keys = &memory_keys},
	{"workers", spx_read_section, .keys = &worker_keys},
	{"slowpath", spx_read_section, .keys = &slowpath_keys},
	{"hash_seed", spx_read_u64, AT(hash_seed), .max = INT64_MAX},
	{"seconds", spx_read_number, AT(seconds), .max = 1000000000},
	{"report", spx_read_file, AT(report)},
	{"ports", spx_read_ports, .required = true},
	{"local_port", spx_read_port_sending, AT(local_port)},
	{"actions", spx_read_actions},
	{"rules", spx_read_rules},
	{"routes", spx_read_routes},
	{"neighbours", spx_read_neighbours},
	{"cache", spx_read_cache, AT(cache)},
	{"control", spx_read_control, AT(control)},
};
static const struct spx_keys setup_keys = SPX_KEYS("a configuration", setup_fields);

/* A rule file of the quick start, which has its ports already. */
static const struct spx_field rule_file_fields[] = {
	{"actions", spx_read_actions},
	{"rules", spx_read_rules, .required = true},
};
static const struct spx_keys rule_file_keys = SPX_KEYS("a rule file", rule_file_fields);

/* name -> id of the actions that are there, the default aside. NULL for want of memory. */
static json_t *
index_actions(const struct spx_setup *setup)
{
	json_t *index = json_object();

	for (uint32_t i = 1; index != NULL && i < setup->n_actions; i++)
		if (json_object_set_new(index, setup->action[i].name, json_integer(i)) != 0) {
			json_decref(index);
			index = NULL;
		}
	return index;
}

/* jansson repeats what stood there, which may be anything. */
static const char *
printable(char *text)
{
	for (char *c = text; *c != '\0'; c++)
		if (!isascii(*c) || !isprint((unsigned char)*c))
			*c = '?';
	return text;
}

int
spx_read_document(struct spx_document *document, const struct spx_keys *keys, const char *text, size_t length)
{
	struct spx_place root = {.document = document};
	json_error_t why;
	int rc;

	root.value = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);
	if (root.value == NULL)
		return spx_error(document->err, -EINVAL, "%s:%d:%d: no valid JSON: %s", document->name,
			why.line, why.column, printable(why.text));
	document->actions = index_actions(document->setup);
	rc = document->actions == NULL ? spx_no_memory(&root) : spx_read_object(&root, keys, document->setup);
	json_decref(document->actions);
	json_decref(root.value);
	return rc;
}

int
spx_read_value(const struct spx_setup *setup, const char *name, const char *root, json_t *value,
	const struct spx_keys *keys, void *into, struct spx_error *err)
{
	/* Readers of sections, which fill the setup, are in no table that comes here. */
	struct spx_document document = {
		.setup = (struct spx_setup *)(uintptr_t)setup, .name = name, .root = root, .err = err};
	struct spx_place place = {.document = &document, .value = value};
	int rc;

	document.actions = index_actions(setup);
	rc = document.actions == NULL ? spx_no_memory(&place) : spx_read_object(&place, keys, into);
	json_decref(document.actions);
	return rc;
}

int
spx_setup_load(const char *path, char **text, size_t *length, struct spx_error *err)
{
	FILE *file = fopen(path, "re");
	int rc = 0;

	if (file == NULL)
		return spx_error(err, -errno, "%s: cannot be opened: %s", path, strerror(errno));
	*text = malloc(TEXT_MAX + 1);
	if (*text == NULL) {
		fclose(file);
		return spx_error(err, -ENOMEM, "%s: out of memory", path);
	}
	errno = 0;
	*length = fread(*text, 1, TEXT_MAX + 1, file);
	if (ferror(file))
		rc = spx_error(err, -errno, "%s: cannot be read: %s", path, strerror(errno));
	else if (*length > TEXT_MAX)
		rc = spx_error(err, -EINVAL, "%s: is larger than %u MiB; a smaller file expected", path,
			TEXT_MAX >> 20);
	fclose(file);
	if (rc != 0) {
		free(*text);
		*text = NULL;
	}
	return rc;
}

static int
read_file(struct spx_setup *setup, const struct spx_keys *keys, const char *path, struct spx_error *err)
{
	const char *slash = strrchr(path, '/');
	char *text = NULL, *folder;
	size_t length = 0;
	int rc = spx_setup_load(path, &text, &length, err);

	if (rc != 0)
		return rc;
	folder = strndup(path, slash == NULL ? 0 : (size_t)(slash - path) + 1);
	if (folder == NULL) {
		rc = spx_error(err, -ENOMEM, "%s: out of memory", path);
	} else {
		struct spx_document document = {
			.setup = setup, .name = path, .folder = folder, .root = "$", .err = err};

		rc = spx_read_document(&document, keys, text, length);
	}
	free(folder);
	free(text);
	return rc;
}

int
spx_setup_read(struct spx_setup *setup, const char *path, struct spx_error *err)
{
	return read_file(setup, &setup_keys, path, err);
}

int
spx_setup_parse(
	struct spx_setup *setup, const char *name, const char *text, size_t length, struct spx_error *err)
{
	struct spx_document document = {.setup = setup, .name = name, .root = "$", .err = err};

	return spx_read_document(&document, &setup_keys, text, length);
}

/* First character of the file that is no white space, or EOF; a file that cannot be opened is reported by
 * whoever reads it next. */
static int
first_character(const char *path)
{
	FILE *file = fopen(path, "re");
	int c = EOF;

	if (file != NULL) {
		do
			c = fgetc(file);
		while (c != EOF && isspace(c));
		fclose(file);
	}
	return c;
}

int
spx_setup_read_rules(struct spx_setup *setup, const char *path, uint32_t action, struct spx_error *err)
{
	size_t flags_ignored = 0;
	struct stat what;
	int first, rc;

	if (stat(path, &what) == 0 && !S_ISREG(what.st_mode))
		return spx_error(err, -EINVAL,
			"%s: is no regular file; a ClassBench or JSON rule file expected", path);
	first = first_character(path);
	if (first == '{' || first == '[')
		return read_file(setup, &rule_file_keys, path, err);
	rc = spx_rules_read_classbench(path, 1, action, &setup->rules, &flags_ignored, err);
	if (rc == 0 && flags_ignored > 0)
		spx_log(SPX_LOG_WARNING, "%s: the flags column of %zu rules is ignored", path, flags_ignored);
	return rc;
}
