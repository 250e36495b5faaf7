/* Every mistake in setup_mistakes.json is refused with its JSON path and its remedy. An entry is a document
 * ("text"), or top-level keys laid over the good one ("with"; null takes a key away). */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/sphex/setup.h"

#define MISTAKES_FILE "test/unit/setup_mistakes.json" /* from the source root, where meson runs the tests */

/* The entry's document as text, freed by the caller. */
static char *
document_of(const json_t *base, json_t *entry)
{
	const char *text = json_string_value(json_object_get(entry, "text")), *key;
	json_t *document, *value;
	char *dumped;

	if (text != NULL)
		return strdup(text);
	document = json_copy((json_t *)base);
	json_object_foreach (json_object_get(entry, "with"), key, value) {
		if (json_is_null(value))
			json_object_del(document, key);
		else
			json_object_set(document, key, value);
	}
	dumped = json_dumps(document, 0);
	json_decref(document);
	return dumped;
}

/* "file: path: text", or "file:line:column: text" where path begins with a colon. */
static bool
names_place(const char *message, const char *path)
{
	char expected[256];

	if (path[0] == ':')
		snprintf(expected, sizeof(expected), "mistake.json%s", path);
	else
		snprintf(expected, sizeof(expected), "mistake.json: %s: ", path);
	return strncmp(message, expected, strlen(expected)) == 0;
}

static void
check_entry(const json_t *base, json_t *entry)
{
	const char *path = json_string_value(json_object_get(entry, "path"));
	char *text = document_of(base, entry);
	struct spx_setup setup;
	struct spx_error err = {""};
	json_t *words;
	size_t i;
	int rc;

	cr_assert_eq(spx_setup_init(&setup), 0);
	rc = spx_setup_parse(&setup, "mistake.json", text, strlen(text), &err);
	cr_expect_eq(rc, -EINVAL, "%s: returned %d", text, rc);
	cr_expect(names_place(err.text, path), "%s\n\tis not at %s", err.text, path);
	json_array_foreach (json_object_get(entry, "says"), i, words)
		cr_expect_not_null(strstr(err.text, json_string_value(words)), "%s\n\tdoes not say %s",
			err.text, json_string_value(words));
	spx_setup_free(&setup);
	free(text);
}

Test(setup_mistakes, each_is_named_with_path_and_remedy)
{
	json_error_t why;
	json_t *table = json_load_file(MISTAKES_FILE, 0, &why), *list, *entry;
	size_t i;

	cr_assert_not_null(table, "%s:%d: %s", MISTAKES_FILE, why.line, why.text);
	list = json_object_get(table, "mistakes");
	cr_assert_geq(json_array_size(list), 40);
	json_array_foreach (list, i, entry)
		check_entry(json_object_get(table, "base"), entry);
	json_decref(table);
}

/* What the mistakes are laid over is good itself. */
Test(setup_mistakes, base_is_good)
{
	json_t *table = json_load_file(MISTAKES_FILE, 0, NULL);
	char *text = json_dumps(json_object_get(table, "base"), 0);
	struct spx_setup setup;
	struct spx_error err = {""};

	cr_assert_eq(spx_setup_init(&setup), 0);
	cr_expect_eq(spx_setup_parse(&setup, "base", text, strlen(text), &err), 0, "%s", err.text);
	spx_setup_free(&setup);
	free(text);
	json_decref(table);
}
