/* route add, del, replace, show, find, load. A route is written as in a route file; its words go to the
 * appliance as they are, which knows the ports. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/spxctl/show.h"
#include "app/spxctl/text.h"
#include "app/spxctl/words.h"

#define LINE_MAX_BYTES 2048 /* 16 paths take 1,600 */

static const struct spx_word forms[] = {
	{"add"}, {"delete"}, {"replace"}, {"show"}, {"find"}, {"load"}, {NULL}};
enum form { ADD, DELETE, REPLACE, SHOW, FIND, LOAD };

/* What the result calls the route, what became of it, and since which generation. */
static void
say(const json_t *result, const char *member, const char *done)
{
	char line[LINE_MAX_BYTES];
	const char *route = spx_member_text(result, member);

	snprintf(line, sizeof(line), "%s", route == NULL ? "-" : route);
	spx_clean(line);
	printf("route %s %s, generation %" PRId64 "\n", line, done,
		(int64_t)spx_member_number(result, "generation"));
}

static void
say_added(const json_t *result)
{
	say(result, "route", "added");
}

static void
say_in_force(const json_t *result)
{
	say(result, "route", "in force");
}

static void
say_deleted(const json_t *result)
{
	say(result, "prefix", "deleted");
}

/* The words with spaces between. Returns params, or NULL. */
static json_t *
line_of(int n, char **word)
{
	char line[LINE_MAX_BYTES] = "";
	size_t used = 0;

	for (int i = 0; i < n && used < sizeof(line); i++)
		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s", i > 0 ? " " : "", word[i]);
	return json_pack("{s:s}", "route", line);
}

static int
route_change(struct spx_ctl *ctl, enum form form, int n, char **word)
{
	if (n == 0 && form == DELETE)
		return spx_ctl_usage("route del: PREFIX is missing");
	if (n == 0)
		return spx_ctl_usage("route %s: a route such as \"10.0.0.0/8 via 192.0.2.2\" is missing",
			forms[form].name);
	if (form == DELETE)
		return spx_ctl_change(ctl, "route.delete", line_of(n, word), say_deleted);
	return form == ADD ? spx_ctl_change(ctl, "route.add", line_of(n, word), say_added)
			   : spx_ctl_change(ctl, "route.replace", line_of(n, word), say_in_force);
}

static void
print_found(const json_t *result)
{
	const json_t *route = json_object_get(result, "route");
	char line[LINE_MAX_BYTES];

	if (!json_is_object(route)) {
		puts("no route");
		return;
	}
	snprintf(line, sizeof(line), "%s",
		spx_member_text(route, "route") == NULL ? "-" : spx_member_text(route, "route"));
	spx_clean(line);
	puts(line);
}

static int
route_find(struct spx_ctl *ctl, int n, char **word)
{
	if (n != 1)
		return n == 0 ? spx_ctl_usage("route find: ADDRESS is missing")
			      : spx_ctl_usage("route find: \"%s\" is too much", word[1]);
	return spx_ctl_change(ctl, "route.find", json_pack("{s:s}", "address", word[0]), print_found);
}

static void
print_loaded(const json_t *result)
{
	printf("%" PRId64 " routes loaded, %" PRId64 " deleted, generation %" PRId64 "\n",
		(int64_t)spx_member_number(result, "routes"), (int64_t)spx_member_number(result, "deleted"),
		(int64_t)spx_member_number(result, "generation"));
}

static int
route_load(struct spx_ctl *ctl, int n, char **word)
{
	static const struct spx_word replace[] = {{"replace"}, {NULL}};
	struct spx_error err;
	json_t *text;

	if (n == 0)
		return spx_ctl_usage("route load: FILE is missing (\"-\" is standard input)");
	if (n > 1 && spx_word_find("route load FILE", replace, sizeof(replace[0]), word[1], &err) < 0)
		return spx_ctl_usage("%s", err.text);
	if (n > 2)
		return spx_ctl_usage("route load: \"%s\" is too much", word[2]);
	text = spx_ctl_read_text(word[0], "a route file");
	if (text == NULL)
		return SPX_CTL_FAILED;
	return spx_ctl_change(ctl, "route.load",
		json_pack("{s:s, s:o, s:b}", "name", strcmp(word[0], "-") == 0 ? "standard input" : word[0],
			"text", text, "replace", n == 2),
		print_loaded);
}

int
spx_ctl_route(struct spx_ctl *ctl, int n, char **word)
{
	struct spx_error err;
	int form = spx_word_find("route", forms, sizeof(forms[0]), word[0], &err);

	if (form < 0)
		return spx_ctl_usage("%s", err.text);
	if (form == FIND)
		return route_find(ctl, n - 1, word + 1);
	if (form == LOAD)
		return route_load(ctl, n - 1, word + 1);
	if (form != SHOW)
		return route_change(ctl, (enum form)form, n - 1, word + 1);
	return n > 1 ? spx_ctl_usage("route show: \"%s\" is too much", word[1]) : spx_show_one(ctl, "routes");
}
