/* rule add, del, load, show. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "app/spxctl/rule.h"
#include "app/spxctl/show.h"
#include "app/spxctl/words.h"
#include "lib/rules/rules.h"

static const struct spx_word forms[] = {{"add"}, {"delete"}, {"load"}, {"show"}, {NULL}};
enum form { ADD, DELETE, LOAD, SHOW };

/* Calls, without a limit of time (compiling many rules takes some), and prints the result: as JSON, or the
 * order that it has with `done`. */
static int
change(struct spx_ctl *ctl, const char *method, json_t *params, const char *done)
{
	json_t *result;
	int status = spx_ctl_call(ctl, method, params, 0, &result);

	if (status != SPX_CTL_OK)
		return status;
	if (ctl->given & SPX_CTL_JSON)
		spx_ctl_print_json(result);
	else
		printf("rule %" PRId64 " %s, generation %" PRId64 "\n",
			(int64_t)spx_member_number(result, "order"), done,
			(int64_t)spx_member_number(result, "generation"));
	json_decref(result);
	return SPX_CTL_OK;
}

static int
rule_add(struct spx_ctl *ctl, int n, char **word)
{
	struct spx_error err;
	json_t *params;

	if (spx_rule_words(n, word, &params, &err) != 0)
		return spx_ctl_usage("%s", err.text);
	return change(ctl, "rule.add", params, "added");
}

static int
rule_delete(struct spx_ctl *ctl, int n, char **word)
{
	struct spx_error err;
	uint64_t order;

	if (n > 1)
		return spx_ctl_usage("rule del: \"%s\" is too much; one ORDER expected", word[1]);
	if (spx_word_number(
		    "rule del: ORDER", n == 0 ? NULL : word[0], 1, SPX_RULE_ORDER_MAX, &order, &err) != 0)
		return spx_ctl_usage("%s", err.text);
	return change(ctl, "rule.delete", json_pack("{s:I}", "order", (json_int_t)order), "deleted");
}

/* ---- load ------------------------------------------------------------------------------------------ */

static int
rule_load(struct spx_ctl *ctl, int n, char **word)
{
	static const struct spx_word action[] = {{"action"}, {NULL}};
	struct spx_error err;
	json_t *params, *text, *result;
	int status;

	if (n == 0)
		return spx_ctl_usage("rule load: FILE is missing (\"-\" is standard input)");
	if (n > 1 && spx_word_find("rule load FILE", action, sizeof(action[0]), word[1], &err) < 0)
		return spx_ctl_usage("%s", err.text);
	if (n == 2 || n > 3)
		return spx_ctl_usage("rule load: one NAME behind \"action\" expected");
	text = spx_ctl_read_text(word[0], "a rule file in JSON or ClassBench's format");
	if (text == NULL)
		return SPX_CTL_FAILED;
	params = json_pack("{s:s, s:o, s:s*}", "name", strcmp(word[0], "-") == 0 ? "standard input" : word[0],
		"text", text, "action", n == 3 ? word[2] : NULL);
	if (params == NULL)
		return spx_ctl_usage("rule load: FILE and NAME have to be UTF-8");
	status = spx_ctl_call(ctl, "rule.load", params, 0, &result);
	if (status != SPX_CTL_OK)
		return status;
	if (ctl->given & SPX_CTL_JSON)
		spx_ctl_print_json(result);
	else
		printf("%" PRId64 " rules loaded, generation %" PRId64 "\n",
			(int64_t)spx_member_number(result, "rules"),
			(int64_t)spx_member_number(result, "generation"));
	if (!(ctl->given & SPX_CTL_JSON) && spx_member_number(result, "flags_ignored") > 0)
		printf("the flags column of %" PRId64 " rules was ignored\n",
			(int64_t)spx_member_number(result, "flags_ignored"));
	json_decref(result);
	return SPX_CTL_OK;
}

int
spx_ctl_rule(struct spx_ctl *ctl, int n, char **word)
{
	struct spx_error err;
	int form = spx_word_find("rule", forms, sizeof(forms[0]), word[0], &err);

	if (form < 0)
		return spx_ctl_usage("%s", err.text);
	if (form == ADD)
		return rule_add(ctl, n - 1, word + 1);
	if (form == DELETE)
		return rule_delete(ctl, n - 1, word + 1);
	if (form == LOAD)
		return rule_load(ctl, n - 1, word + 1);
	return n > 1 ? spx_ctl_usage("rule show: \"%s\" is too much", word[1]) : spx_show_one(ctl, "rules");
}
