/* Names of drop reasons, stages, exceptions: they are counters, report keys and trace words at once. */
#include <string.h>

#include <criterion/criterion.h>

#include "lib/base/base.h"

/* Lower case, digits and underscores: fit for a JSON key, a counter and a C identifier. */
static bool
is_key(const char *name)
{
	return name[0] >= 'a' && name[0] <= 'z' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

/* The name function of one of the enums, whose values are 0...count-1. */
#define CHECK_NAMES(name_of, count)                                                                          \
	for (unsigned i = 0; i < (count); i++) {                                                             \
		cr_assert_not_null(name_of(i), #name_of " %u", i);                                           \
		cr_assert(is_key(name_of(i)), #name_of " %u: '%s'", i, name_of(i));                          \
		for (unsigned j = 0; j < i; j++)                                                             \
			cr_assert_str_neq(                                                                   \
				name_of(i), name_of(j), #name_of " %u and %u: '%s'", i, j, name_of(i));      \
	}

Test(base_names, are_unique_keys)
{
	CHECK_NAMES(spx_drop_name, SPX_DROP_COUNT);
	CHECK_NAMES(spx_stage_name, SPX_STAGE_COUNT);
	CHECK_NAMES(spx_exception_name, SPX_EXCEPTION_COUNT);
}

Test(base_names, belong_to_their_enum)
{
	cr_assert_str_eq(spx_drop_name(SPX_DROP_oversize), "oversize");
	cr_assert_str_eq(spx_drop_name(SPX_DROP_stopping), "stopping");
	cr_assert_str_eq(spx_stage_name(SPX_STAGE_receive), "receive");
	cr_assert_str_eq(spx_stage_name(SPX_STAGE_punt), "punt");
	cr_assert_str_eq(spx_exception_name(SPX_EXCEPTION_ttl), "ttl");
}

Test(base_names, exception_texts_are_there)
{
	for (unsigned i = 0; i < SPX_EXCEPTION_COUNT; i++)
		cr_assert_geq(strlen(spx_exception_text(i)), 10, "%s", spx_exception_name(i));
	cr_assert_str_eq(spx_exception_text(SPX_EXCEPTION_rule), "a rule said punt");
}

/* The text completes "dropped because ...". */
Test(base_names, drop_texts_are_sentences_of_their_own)
{
	for (unsigned i = 0; i < SPX_DROP_COUNT; i++) {
		const char *text = spx_drop_text(i);

		cr_assert_not_null(text);
		cr_assert_geq(strlen(text), 10, "%s: '%s'", spx_drop_name(i), text);
		cr_assert(text[strlen(text) - 1] != '.', "%s", text);
		for (unsigned j = 0; j < i; j++)
			cr_assert_str_neq(text, spx_drop_text(j));
	}
}
