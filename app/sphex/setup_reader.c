/* Places in a JSON document, messages about them, and objects read by table; see setup_reader.h. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/sphex/choices.h"
#include "app/sphex/setup_reader.h"

#define SHOWN 48 /* characters of a value or key that a message repeats */

static void
append(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + used, size - used, format, args);
	va_end(args);
}

/* The value as JSON, in ASCII whatever was in it, cut to SHOWN characters. */
static void
append_value(char *text, size_t size, const json_t *value)
{
	char *dump;

	if (json_is_object(value) || json_is_array(value)) {
		append(text, size, json_is_object(value) ? "an object" : "an array");
		return;
	}
	dump = json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(6));
	for (char *c = dump; c != NULL && *c != '\0'; c++)
		if (*c == 0x7f) /* the one control character that JSON lets stand */
			*c = '?';
	if (dump == NULL)
		append(text, size, "a value");
	else
		append(text, size, "%.*s%s", SHOWN, dump, strlen(dump) > SHOWN ? "..." : "");
	free(dump);
}

static void
append_key(char *path, size_t size, const char *key)
{
	json_t *quoted;

	if (spx_name_valid(key) && strpbrk(key, ".-") == NULL && !isdigit((unsigned char)key[0])) {
		append(path, size, "%s%s", path[0] == '\0' ? "" : ".", key);
		return;
	}
	quoted = json_string(key);
	append(path, size, "[");
	append_value(path, size, quoted);
	append(path, size, "]");
	json_decref(quoted);
}

void
spx_place_path(const struct spx_place *at, char *path, size_t size)
{
	if (at->parent == NULL) {
		snprintf(path, size, "%s", at->document->root);
		return;
	}
	spx_place_path(at->parent, path, size);
	if (at->key != NULL)
		append_key(path, size, at->key);
	else
		append(path, size, "[%zu]", at->index);
}

int
spx_mistake(const struct spx_place *at, const char *format, ...)
{
	char path[256], text[768];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	spx_place_path(at, path, sizeof(path));
	return spx_error(at->document->err, -EINVAL, "%s: %s%s%s", at->document->name, path,
		path[0] == '\0' ? "" : ": ", text);
}

int
spx_unexpected(const struct spx_place *at, const char *format, ...)
{
	char shown[SHOWN + 8] = "", text[704];
	va_list args;

	append_value(shown, sizeof(shown), at->value);
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return spx_mistake(at, "is %s; %s", shown, text);
}

int
spx_no_memory(const struct spx_place *at)
{
	return spx_error(at->document->err, -ENOMEM, "%s: out of memory", at->document->name);
}

struct spx_place
spx_place_key(const struct spx_place *at, const char *key)
{
	return (struct spx_place){
		.document = at->document, .parent = at, .key = key, .value = json_object_get(at->value, key)};
}

struct spx_place
spx_place_index(const struct spx_place *at, size_t index)
{
	return (struct spx_place){.document = at->document,
		.parent = at,
		.index = index,
		.value = json_array_get(at->value, index)};
}

static bool
has_key(const struct spx_keys *keys, const struct spx_field *field)
{
	return field->kinds == 0 || (field->kinds & keys->kind) != 0;
}

static const struct spx_field *
find_field(const struct spx_keys *keys, const char *key)
{
	for (size_t i = 0; i < keys->n; i++)
		if (has_key(keys, &keys->field[i]) && strcmp(keys->field[i].key, key) == 0)
			return &keys->field[i];
	return NULL;
}

/* Before anything is read: a misspelt key explains why another one is missing. */
static int
refuse_unknown_keys(const struct spx_place *at, const struct spx_keys *keys)
{
	const char *key;
	json_t *value;

	json_object_foreach (at->value, key, value) {
		struct spx_choices choices;
		struct spx_place unknown;

		if (find_field(keys, key) != NULL)
			continue;
		unknown = spx_place_key(at, key);
		spx_choices_init(&choices, key);
		for (size_t i = 0; i < keys->n; i++)
			if (has_key(keys, &keys->field[i]))
				spx_choices_add(&choices, keys->field[i].key);
		return spx_mistake(&unknown, "is no key of %s; %s", keys->what, spx_choices_text(&choices));
	}
	return 0;
}

static int
refuse_missing(const struct spx_place *at, const struct spx_keys *keys, const struct spx_field *field)
{
	struct spx_choices choices;

	if (field->words == NULL)
		return spx_mistake(at, "\"%s\" is missing; %s needs it", field->key, keys->what);
	spx_choices_init(&choices, NULL);
	for (unsigned i = 0; field->words[i] != NULL; i++)
		spx_choices_add(&choices, field->words[i]);
	return spx_mistake(at, "\"%s\" is missing; %s", field->key, spx_choices_text(&choices));
}

int
spx_read_object(const struct spx_place *at, const struct spx_keys *keys, void *into)
{
	int rc;

	if (!json_is_object(at->value))
		return spx_unexpected(at, "an object expected: %s", keys->what);
	rc = refuse_unknown_keys(at, keys);
	for (size_t i = 0; rc == 0 && i < keys->n; i++) {
		const struct spx_field *field = &keys->field[i];
		struct spx_place place = spx_place_key(at, field->key);

		if (!has_key(keys, field))
			continue;
		if (place.value != NULL)
			rc = field->read(&place, field, (char *)into + field->offset);
		else if (field->required)
			rc = refuse_missing(at, keys, field);
	}
	return rc;
}
