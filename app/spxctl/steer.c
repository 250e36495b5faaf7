/* steer add, del, show: what xdp ports take from the kernel. */
#include <errno.h>
#include <stdio.h>

#include "app/spxctl/show.h"
#include "app/spxctl/words.h"

static const struct spx_word forms[] = {{"add"}, {"delete"}, {"show"}, {NULL}};
enum form { ADD, DELETE, SHOW };

static const struct spx_word keys[] = {{"everything"}, {"udp"}, {"prefix"}, {NULL}};
enum key { EVERYTHING, UDP, PREFIX };

/* ---- what there is --------------------------------------------------------------------------------------
 */

/* A row for each thing that a port takes. */
static void
add_rows(struct spx_table *table, const json_t *port)
{
	const json_t *steer = json_object_get(port, "steer"), *one;
	const char *name = spx_member_text(port, "port");
	const int before = (int)spx_table_rows(table);
	size_t i;

	if (json_is_true(json_object_get(steer, "everything"))) {
		spx_table_text(table, name);
		spx_table_text(table, "everything");
	}
	json_array_foreach (json_object_get(steer, "udp_ports"), i, one) {
		spx_table_text(table, name);
		spx_table_format(table, "udp %d", (int)json_integer_value(one));
	}
	json_array_foreach (json_object_get(steer, "prefixes"), i, one) {
		const char *prefix = json_string_value(one);

		spx_table_text(table, name);
		spx_table_format(table, "prefix %s", prefix == NULL ? "-" : prefix);
	}
	if ((int)spx_table_rows(table) == before) {
		spx_table_text(table, name);
		spx_table_text(table, "nothing");
	}
}

int
spx_show_steer(const struct spx_ctl *ctl, const json_t *result)
{
	const json_t *port, *ports = spx_member_array(result, "ports");
	struct spx_table *table;
	size_t i;

	(void)ctl;
	if (ports == NULL)
		return SPX_CTL_FAILED;
	table = spx_table_new("port,takes");
	json_array_foreach (ports, i, port)
		add_rows(table, port);
	spx_table_finish(table, "no port has the driver xdp");
	return SPX_CTL_OK;
}

static void
print_port(const json_t *result)
{
	struct spx_table *table = spx_table_new("port,takes");

	add_rows(table, result);
	spx_table_print(table, stdout);
	spx_table_free(table);
}

/* ---- changes --------------------------------------------------------------------------------------------
 */

/* One key with its value, if it has one, to a "steer" object. Returns the words taken, or -EINVAL. */
static int
add_target(const char *what, json_t *steer, int n, char **word, struct spx_error *err)
{
	char number_of[32];
	uint64_t port;
	int key = spx_word_find(what, keys, sizeof(keys[0]), word[0], err);

	if (key < 0)
		return key;
	if (key == EVERYTHING) {
		json_object_set_new(steer, "everything", json_true());
		return 1;
	}
	if (key == PREFIX) {
		if (n < 2)
			return spx_error(
				err, -EINVAL, "%s: prefix is missing; one as 10.0.0.0/8 expected", what);
		if (json_array_append_new(json_object_get(steer, "prefixes"), json_string(word[1])) != 0)
			return spx_error(err, -EINVAL, "%s: a prefix has to be UTF-8", what);
		return 2;
	}
	snprintf(number_of, sizeof(number_of), "%s: udp", what);
	if (spx_word_number(number_of, n < 2 ? NULL : word[1], 1, UINT16_MAX, &port, err) != 0)
		return -EINVAL;
	json_array_append_new(json_object_get(steer, "udp_ports"), json_integer((json_int_t)port));
	return 2;
}

static int
change(struct spx_ctl *ctl, const char *what, const char *method, int n, char **word)
{
	struct spx_error err;
	json_t *steer;
	int taken = 0;

	if (n == 0)
		return spx_ctl_usage("%s: PORT is missing", what);
	if (n == 1)
		return spx_ctl_usage("%s: \"everything\", \"udp N\" or \"prefix PREFIX\" expected", what);
	steer = spx_ctl_memory(json_pack("{s:[], s:[]}", "udp_ports", "prefixes"));
	for (int i = 1; i < n; i += taken) {
		taken = add_target(what, steer, n - i, word + i, &err);
		if (taken < 0) {
			json_decref(steer);
			return spx_ctl_usage("%s", err.text);
		}
	}
	return spx_ctl_change(
		ctl, method, json_pack("{s:s, s:o}", "port", word[0], "steer", steer), print_port);
}

int
spx_ctl_steer(struct spx_ctl *ctl, int n, char **word)
{
	struct spx_error err;
	int form = spx_word_find("steer", forms, sizeof(forms[0]), word[0], &err);

	if (form < 0)
		return spx_ctl_usage("%s", err.text);
	if (form == SHOW)
		return n > 1 ? spx_ctl_usage("steer show: \"%s\" is too much", word[1])
			     : spx_show_one(ctl, "steer");
	return form == ADD ? change(ctl, "steer add", "steer.add", n - 1, word + 1)
			   : change(ctl, "steer del", "steer.delete", n - 1, word + 1);
}
