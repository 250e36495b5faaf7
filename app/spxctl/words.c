/* Abbreviations and numbers; see words.h. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/sphex/choices.h"
#include "app/spxctl/words.h"

static const char *
name_at(const void *table, size_t size, unsigned i)
{
	return ((const struct spx_word *)((const char *)table + i * size))->name;
}

int
spx_word_find(const char *what, const void *table, size_t size, const char *word, struct spx_error *err)
{
	struct spx_choices all, begin;
	unsigned found = 0;

	spx_choices_init(&all, word);
	spx_choices_init(&begin, NULL);
	for (unsigned i = 0; name_at(table, size, i) != NULL; i++) {
		const char *name = name_at(table, size, i);

		if (word != NULL && strcmp(name, word) == 0)
			return (int)i;
		spx_choices_add(&all, name);
		if (word != NULL && word[0] != '\0' && strncmp(name, word, strlen(word)) == 0) {
			spx_choices_add(&begin, name);
			found = i;
		}
	}
	if (word == NULL)
		return spx_error(err, -EINVAL, "%s: a word is missing; %s", what, spx_choices_text(&all));
	if (begin.n == 1)
		return (int)found;
	if (begin.n > 1)
		return spx_error(
			err, -EINVAL, "%s: \"%s\" is ambiguous; %s", what, word, spx_choices_text(&begin));
	return spx_error(err, -EINVAL, "%s: \"%s\" is unknown; %s", what, word, spx_choices_text(&all));
}

bool
spx_word_is_number(const char *word)
{
	return word[0] != '\0' && word[strspn(word, "0123456789")] == '\0';
}

int
spx_word_number(const char *what, const char *word, uint64_t min, uint64_t max, uint64_t *number,
	struct spx_error *err)
{
	if (word != NULL && spx_word_is_number(word)) {
		errno = 0;
		*number = strtoull(word, NULL, 10);
		if (errno == 0 && *number >= min && *number <= max)
			return 0;
	}
	return spx_error(err, -EINVAL, "%s%s%s%s; a whole number from %" PRIu64 " to %" PRIu64 " expected",
		what, word != NULL ? ": \"" : " is missing", word != NULL ? word : "",
		word != NULL ? "\"" : "", min, max);
}

int
spx_word_number64(const char *what, const char *word, uint64_t max, uint64_t *number, struct spx_error *err)
{
	bool hexadecimal = word != NULL && strncmp(word, "0x", 2) == 0;
	const char *digits = hexadecimal ? word + 2 : word;
	const char *set = hexadecimal ? "0123456789abcdefABCDEF" : "0123456789";

	if (word != NULL && digits[0] != '\0' && digits[strspn(digits, set)] == '\0') {
		errno = 0;
		*number = strtoull(digits, NULL, hexadecimal ? 16 : 10);
		if (errno == 0 && *number <= max)
			return 0;
	}
	return spx_error(err, -EINVAL,
		"%s%s%s%s; a whole number from 0 to %" PRIu64 ", such as 42 or 0x2a, expected", what,
		word != NULL ? ": \"" : " is missing", word != NULL ? word : "", word != NULL ? "\"" : "",
		max);
}

int
spx_word_seconds(
	const char *what, const char *word, double min, double max, double *seconds, struct spx_error *err)
{
	char *end;

	*seconds = strtod(word, &end);
	if (end != word && *end == '\0' && isfinite(*seconds) && *seconds >= min && *seconds <= max)
		return 0;
	return spx_error(err, -EINVAL, "%s: \"%s\"; seconds from %g to %g expected", what, word, min, max);
}
