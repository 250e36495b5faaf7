/* Values of command-line options; see options_values.h. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/sphex/choices.h"
#include "app/sphex/options_values.h"

static int
refuse(const char *option, const char *value, const char *expected, struct spx_error *err)
{
	return spx_error(err, -EINVAL, "--%s: is \"%s\"; %s (try --help)", option, value, expected);
}

int
spx_option_integer(const char *option, const char *value, uint64_t min, uint64_t max, uint64_t *into,
	struct spx_error *err)
{
	bool digits = value[0] != '\0' && strspn(value, "0123456789") == strlen(value);
	char expected[96];

	errno = 0;
	*into = strtoull(value, NULL, 10);
	if (digits && errno == 0 && *into >= min && *into <= max)
		return 0;
	snprintf(expected, sizeof(expected), "an integer from %" PRIu64 " to %" PRIu64 " expected", min, max);
	return refuse(option, value, expected, err);
}

int
spx_option_u16(const char *option, const char *value, uint16_t max, uint16_t *into, struct spx_error *err)
{
	uint64_t number;
	int rc = spx_option_integer(option, value, 1, max, &number, err);

	if (rc == 0)
		*into = (uint16_t)number;
	return rc;
}

static bool
parse_number(const char *value, double max, double *into)
{
	char *end;

	*into = strtod(value, &end);
	return end != value && *end == '\0' && *into >= 0.001 && *into <= max; /* NaN is not */
}

int
spx_option_seconds(const char *option, const char *value, double *into, struct spx_error *err)
{
	if (parse_number(value, 1e9, into))
		return 0;
	return refuse(option, value, "a number from 0.001 to 1000000000 expected", err);
}

int
spx_option_speed(const char *option, const char *value, double *into, struct spx_error *err)
{
	if (strcmp(value, "top") == 0)
		*into = 0;
	else if (!parse_number(value, 1e6, into))
		return refuse(option, value, "\"top\" or a factor from 0.001 to 1000000 expected", err);
	return 0;
}

int
spx_option_word(const char *option, const char *value, const char *const *words, unsigned *into,
	struct spx_error *err)
{
	struct spx_choices choices;

	spx_choices_init(&choices, value);
	for (*into = 0; words[*into] != NULL; ++*into) {
		if (strcmp(value, words[*into]) == 0)
			return 0;
		spx_choices_add(&choices, words[*into]);
	}
	return refuse(option, value, spx_choices_text(&choices), err);
}

int
spx_option_name(const char *option, const char *value, const char **into, struct spx_error *err)
{
	if (value[0] == '\0' || value[0] == '-')
		return refuse(option, value, "a name expected (\"./-x\" for a file \"-x\")", err);
	*into = value;
	return 0;
}
