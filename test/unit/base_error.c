/* Error texts: formatting, prefixes, truncation. */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "lib/base/base.h"

Test(base_error, formats_and_returns_the_code)
{
	struct spx_error err;

	cr_assert_eq(spx_error(&err, -EINVAL, "line %d: %s", 7, "what"), -EINVAL);
	cr_assert_str_eq(err.text, "line 7: what");
}

Test(base_error, at_puts_the_place_before)
{
	struct spx_error err;

	spx_error(&err, -ENOENT, "not there");
	cr_assert_eq(spx_error_at(&err, -EINVAL, "file %s", "a.json"), -EINVAL);
	cr_assert_str_eq(err.text, "file a.json: not there");
	spx_error_at(&err, -EINVAL, "outer");
	cr_assert_str_eq(err.text, "outer: file a.json: not there");
}

Test(base_error, takes_no_error_struct)
{
	cr_assert_eq(spx_error(NULL, -ENOMEM, "%d", 1), -ENOMEM);
	cr_assert_eq(spx_error_at(NULL, -ENOMEM, "%d", 1), -ENOMEM);
}

/* Text of others (names in files) may be an argument, and is not a format. */
Test(base_error, percent_in_an_argument_stays)
{
	struct spx_error err;

	spx_error(&err, -EINVAL, "name %s", "%s%n%d");
	spx_error_at(&err, -EINVAL, "file %s", "%n");
	cr_assert_str_eq(err.text, "file %n: name %s%n%d");
}

Test(base_error, truncates_with_a_terminating_zero)
{
	struct {
		struct spx_error err;
		char guard[16];
	} s;
	char longer[2 * sizeof(s.err.text)];

	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = 0;
	memset(&s, '#', sizeof(s));

	spx_error(&s.err, -EINVAL, "%s", longer);
	cr_assert_eq(strlen(s.err.text), sizeof(s.err.text) - 1);

	spx_error_at(&s.err, -EINVAL, "place");
	cr_assert_eq(strlen(s.err.text), sizeof(s.err.text) - 1);
	cr_assert_eq(strncmp(s.err.text, "place: xxx", 10), 0);

	spx_error_at(&s.err, -EINVAL, "%s", longer);
	cr_assert_eq(strlen(s.err.text), sizeof(s.err.text) - 1);
	for (unsigned i = 0; i < sizeof(s.guard); i++)
		cr_assert_eq(s.guard[i], '#');
}
