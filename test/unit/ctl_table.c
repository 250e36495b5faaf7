/* spxctl: what is printed. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "app/spxctl/screen.h"
#include "app/spxctl/table.h"
#include "app/spxctl/text.h"

/* Output of f(table, out) as a text; the caller frees it. */
static char *
printed(struct spx_table *table, void (*print)(const struct spx_table *table, FILE *out))
{
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	print(table, out);
	fclose(out);
	spx_table_free(table);
	return text;
}

static struct spx_table *
example(void)
{
	struct spx_table *table = spx_table_new("name,>packets,text");
	json_t *number = json_integer(1234567890);

	spx_table_text(table, "in");
	spx_table_number(table, number);
	spx_table_text(table, "");
	spx_table_text(table, "gr\xc3\xbc\xc3\x9f"
			      "e");
	spx_table_format(table, "%d", 7);
	spx_table_text(table, "a b");
	json_decref(number);
	return table;
}

Test(ctl_table, layout)
{
	char *text = printed(example(), spx_table_print);

	cr_assert_str_eq(text, "name      packets  text\n"
			       "in     1234567890  -\n"
			       "gr\xc3\xbc\xc3\x9f"
			       "e           7  a b\n");
	free(text);
}

Test(ctl_table, no_blanks_at_the_end)
{
	struct spx_table *table = spx_table_new("a,b");
	char *text;

	spx_table_text(table, "long");
	spx_table_format(table, "%s", "");
	text = printed(table, spx_table_print);
	cr_assert_str_eq(text, "a     b\nlong\n");
	free(text);
}

Test(ctl_table, many_rows)
{
	struct spx_table *table = spx_table_new("a,>b");

	for (int i = 0; i < 1000; i++) {
		spx_table_format(table, "%d", i);
		spx_table_number(table, NULL);
	}
	cr_assert_eq(spx_table_rows(table), 1000);
	spx_table_free(table);
}

/* ---- texts ----------------------------------------------------------------------------------------- */

static void
check_clean(const char *text, const char *expected)
{
	char copy[128];

	strcpy(copy, text);
	spx_clean(copy);
	cr_assert_str_eq(copy, expected);
}

Test(ctl_table, control_characters)
{
	check_clean("plain", "plain");
	check_clean("", "");
	check_clean("a\033[2Jb\x07\n\t\x7f", "a?[2Jb????");
	check_clean("\xc2\x9b"
		    "31m",
		"?31m");
	check_clean("\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x9d", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x9d");
	check_clean("\xe2\x80\xae"
		    "drowssap\xe2\x81\xa9\xe2\x80\xa8",
		"?drowssap??");
	check_clean("\xc2", "\xc2");
	check_clean("\xe2\x80", "\xe2\x80");
}

/* ---- screen ---------------------------------------------------------------------------------------- */

static char *
shown(struct spx_screen *screen, const char *lines, unsigned rows, unsigned columns)
{
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	spx_screen_show(screen, lines, rows, columns, out);
	fclose(out);
	return text;
}

Test(ctl_table, redrawn_in_place)
{
	struct spx_screen screen = {0};
	char *text = shown(&screen, "one\ntwo\n", 0, 0);

	cr_assert_str_eq(text, "one\033[K\ntwo\033[K\n\033[J");
	free(text);
	text = shown(&screen, "three\n", 0, 0);
	cr_assert_str_eq(text, "\033[2Athree\033[K\n\033[J");
	free(text);
}

Test(ctl_table, cut_to_the_terminal)
{
	struct spx_screen screen = {0};
	char *text = shown(&screen,
		"gr\xc3\xbc\xc3\x9f"
		"e\nb\nc\nd\n",
		3, 4);

	cr_assert_str_eq(text, "gr\xc3\xbc\xc3\x9f\033[K\nb\033[K\n\033[J");
	cr_assert_eq(screen.lines, 2);
	free(text);
}
