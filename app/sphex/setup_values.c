/* Readers of single JSON values, for the tables of keys; see setup_reader.h. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/sphex/choices.h"
#include "app/sphex/setup_reader.h"

static int
read_integer(const struct spx_place *at, const struct spx_field *field, int64_t *into)
{
	int64_t value = json_integer_value(at->value);

	if (!json_is_integer(at->value) || value < field->min || value > field->max)
		return spx_unexpected(
			at, "an integer from %" PRId64 " to %" PRId64 " expected", field->min, field->max);
	*into = value;
	return 0;
}

#define INTEGER_READER(name, type)                                                                           \
	int name(const struct spx_place *at, const struct spx_field *field, void *into)                      \
	{                                                                                                    \
		int64_t value = 0;                                                                           \
		int rc = read_integer(at, field, &value);                                                    \
                                                                                                             \
		if (rc == 0)                                                                                 \
			*(type *)into = (type)value;                                                         \
		return rc;                                                                                   \
	}

INTEGER_READER(spx_read_u16, uint16_t)
INTEGER_READER(spx_read_u32, uint32_t)
INTEGER_READER(spx_read_u64, uint64_t)
INTEGER_READER(spx_read_int, int)

int
spx_read_number(const struct spx_place *at, const struct spx_field *field, void *into)
{
	double value = json_number_value(at->value);

	if (!json_is_number(at->value) || value < (double)field->min || value > (double)field->max)
		return spx_unexpected(
			at, "a number from %" PRId64 " to %" PRId64 " expected", field->min, field->max);
	*(double *)into = value;
	return 0;
}

int
spx_read_bool(const struct spx_place *at, const struct spx_field *field, void *into)
{
	(void)field;
	if (!json_is_boolean(at->value))
		return spx_unexpected(at, "true or false expected");
	*(bool *)into = json_is_true(at->value);
	return 0;
}

int
spx_read_flag(const struct spx_place *at, const struct spx_field *field, void *into)
{
	uint8_t *flags = into;
	bool set = false;
	int rc = spx_read_bool(at, field, &set);

	if (rc == 0)
		*flags = set ? *flags | field->flag : *flags & ~field->flag;
	return rc;
}

unsigned
spx_word_index(const json_t *value, const char *const *words)
{
	const char *word = json_string_value(value);
	unsigned i = 0;

	while (words[i] != NULL && (word == NULL || strcmp(word, words[i]) != 0))
		i++;
	return i;
}

int
spx_read_word(const struct spx_place *at, const struct spx_field *field, void *into)
{
	unsigned index = spx_word_index(at->value, field->words);
	struct spx_choices choices;

	if (field->words[index] != NULL) {
		*(unsigned *)into = index; /* the type GCC and clang give an enum without negative values */
		return 0;
	}
	spx_choices_init(&choices, json_string_value(at->value));
	for (unsigned i = 0; i < index; i++)
		spx_choices_add(&choices, field->words[i]);
	return spx_unexpected(at, "%s", spx_choices_text(&choices));
}

bool
spx_name_valid(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < length; i++)
		if (!isascii(name[i]) || (!isalnum((unsigned char)name[i]) && strchr("_-.", name[i]) == NULL))
			return false;
	return length > 0 && length < SPX_NAME_MAX;
}

int
spx_read_name(const struct spx_place *at, const struct spx_field *field, void *into)
{
	const char *name = json_string_value(at->value);

	(void)field;
	if (name == NULL || !spx_name_valid(name))
		return spx_unexpected(
			at, "a name of 1 to %u letters, digits, '_', '-' or '.' expected", SPX_NAME_MAX - 1);
	snprintf(into, SPX_NAME_MAX, "%s", name);
	return 0;
}

/* The string at `at`, or NULL with a message when it is none, empty, too long or has control characters. */
static const char *
checked_text(const struct spx_place *at)
{
	const char *text = json_string_value(at->value);
	bool good = text != NULL && text[0] != '\0' && strlen(text) < PATH_MAX;

	for (const char *c = text; good && *c != '\0'; c++)
		good = (unsigned char)*c >= ' ' && *c != 0x7f;
	if (!good)
		spx_unexpected(
			at, "a string of 1 to %d bytes without control characters expected", PATH_MAX - 1);
	return good ? text : NULL;
}

static int
keep_text(const struct spx_place *at, char **into, const char *folder, const char *text)
{
	char *kept;

	if (asprintf(&kept, "%s%s", folder, text) < 0)
		return spx_no_memory(at);
	free(*into);
	*into = kept;
	return 0;
}

int
spx_read_text(const struct spx_place *at, const struct spx_field *field, void *into)
{
	const char *text = checked_text(at);

	(void)field;
	return text == NULL ? -EINVAL : keep_text(at, into, "", text);
}

int
spx_read_file(const struct spx_place *at, const struct spx_field *field, void *into)
{
	const char *text = checked_text(at);
	const char *folder = at->document->folder;

	(void)field;
	if (text == NULL)
		return -EINVAL;
	return keep_text(at, into, folder == NULL || text[0] == '/' ? "" : folder, text);
}

int
spx_read_section(const struct spx_place *at, const struct spx_field *field, void *into)
{
	return spx_read_object(at, field->keys, into);
}

int
spx_read_nothing(const struct spx_place *at, const struct spx_field *field, void *into)
{
	(void)at;
	(void)field;
	(void)into;
	return 0;
}
