/* show rules: all of them, page by page. */
#include <inttypes.h>

#include "app/spxctl/show.h"

#define PAGE  10000 /* rules asked for at once: the most that sphex gives */
#define TRIES 10    /* rules may change between two pages; then it begins again */

static int
ask_page(struct spx_ctl *ctl, json_int_t from, json_t **page)
{
	int status =
		spx_ctl_ask(ctl, "show.rules", json_pack("{s:I, s:i}", "from", from, "count", PAGE), page);

	if (status != SPX_CTL_OK)
		return status;
	if (json_is_array(json_object_get(*page, "list")))
		return SPX_CTL_OK;
	json_decref(*page);
	return spx_ctl_failed("the appliance's answer has no \"list\"");
}

/* Appends the pages after the first to it. *same becomes false when the rules changed meanwhile. */
static int
read_pages(struct spx_ctl *ctl, json_t *all, bool *same)
{
	json_int_t from = 0, next;
	json_t *page;
	int status;

	*same = true;
	while (*same && json_is_integer(json_object_get(all, "next"))) {
		next = spx_member_number(all, "next");
		if (next <= from)
			return spx_ctl_failed("the appliance's list of rules does not go on");
		from = next;
		status = ask_page(ctl, from, &page);
		if (status != SPX_CTL_OK)
			return status;
		*same = spx_member_number(page, "generation") == spx_member_number(all, "generation");
		json_array_extend(json_object_get(all, "list"), json_object_get(page, "list"));
		json_object_set(all, "next", json_object_get(page, "next"));
		json_decref(page);
	}
	return SPX_CTL_OK;
}

int
spx_show_all_rules(struct spx_ctl *ctl, json_t **result)
{
	for (unsigned i = 0; i < TRIES; i++) {
		bool same;
		int status = ask_page(ctl, 1, result);

		if (status != SPX_CTL_OK)
			return status;
		status = read_pages(ctl, *result, &same);
		if (status == SPX_CTL_OK && same)
			return SPX_CTL_OK;
		json_decref(*result);
		if (status != SPX_CTL_OK)
			return status;
	}
	return spx_ctl_failed("the rules change faster than they can be listed");
}

/* A match in the words of "rule add". */
static void
add_match(struct spx_table *table, const json_t *match)
{
	char text[512] = "";
	size_t used = 0;
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)match, key, value) {
		if (json_is_string(value))
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %s",
				used > 0 ? " " : "", key, json_string_value(value));
		else
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %" PRId64,
				used > 0 ? " " : "", key, (int64_t)json_integer_value(value));
		used = RTE_MIN(used, sizeof(text) - 1);
	}
	spx_table_text(table, used > 0 ? text : "everything");
}

int
spx_show_rules(const struct spx_ctl *ctl, const json_t *result)
{
	struct spx_table *table = spx_table_new(">order,match,action");
	const json_t *rule, *list = json_object_get(result, "list");
	size_t i;

	(void)ctl;
	json_array_foreach (list, i, rule) {
		spx_table_number(table, json_object_get(rule, "order"));
		add_match(table, json_object_get(rule, "match"));
		spx_table_text(table, spx_member_text(rule, "action"));
	}
	if (spx_table_rows(table) > 0)
		spx_table_print(table, stdout);
	spx_table_free(table);
	table = spx_table_new(">rules,classifier,default,>generation,>overlay,>masked,>compiles");
	spx_table_number(table, json_object_get(result, "rules"));
	spx_table_text(table, spx_member_text(result, "classifier"));
	spx_table_text(table, spx_member_text(json_object_get(result, "default"), "action"));
	spx_table_number(table, json_object_get(result, "generation"));
	spx_table_number(table, json_object_get(result, "overlay"));
	spx_table_number(table, json_object_get(result, "masked"));
	spx_table_number(table, json_object_get(result, "compiles"));
	if (i > 0)
		putchar('\n');
	spx_table_print(table, stdout);
	spx_table_free(table);
	return SPX_CTL_OK;
}
