/* port up, down; queue show, set. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "app/spxctl/show.h"
#include "app/spxctl/text.h"
#include "app/spxctl/words.h"

/* ---- port ---------------------------------------------------------------------------------------------- */

static void
print_port(const json_t *result)
{
	const char *port = spx_member_text(result, "port"), *link = spx_member_text(result, "link");
	char line[128];

	snprintf(line, sizeof(line), "port %s is %s", port == NULL ? "-" : port, link == NULL ? "-" : link);
	spx_clean(line);
	puts(line);
}

int
spx_ctl_port(struct spx_ctl *ctl, int n, char **word)
{
	static const struct spx_word forms[] = {{"up"}, {"down"}, {NULL}};
	struct spx_error err;
	int form = spx_word_find("port", forms, sizeof(forms[0]), word[0], &err);

	if (form < 0)
		return spx_ctl_usage("%s", err.text);
	if (n < 2)
		return spx_ctl_usage("port %s: NAME is missing", forms[form].name);
	if (n > 2)
		return spx_ctl_usage("port %s: \"%s\" is too much", forms[form].name, word[2]);
	return spx_ctl_change(
		ctl, form == 0 ? "port.up" : "port.down", json_pack("{s:s}", "port", word[1]), print_port);
}

/* ---- queue --------------------------------------------------------------------------------------------- */

static const struct key {
	const char *name;
	const char *member;
} keys[] = {{"rate", "rate_kbps"}, {"packets", "limit_packets"}, {"bytes", "limit_bytes"}, {NULL, NULL}};

static void
print_queue(const json_t *result)
{
	const char *port = spx_member_text(result, "port");
	char name[64];

	snprintf(name, sizeof(name), "%s", port == NULL ? "-" : port);
	spx_clean(name);
	printf("queue of port %s: rate %" PRId64 " kbit/s, at most %" PRId64 " packets, %" PRId64 " bytes\n",
		name, (int64_t)spx_member_number(result, "rate_kbps"),
		(int64_t)spx_member_number(result, "limit_packets"),
		(int64_t)spx_member_number(result, "limit_bytes"));
}

static int
add_pair(json_t *params, const char *name, const char *word, struct spx_error *err)
{
	uint64_t number;
	char what[32];
	int i = spx_word_find("queue set", keys, sizeof(keys[0]), name, err);

	if (i < 0)
		return i;
	if (json_object_get(params, keys[i].member) != NULL)
		return spx_error(err, -EINVAL, "queue set: %s is given twice", keys[i].name);
	snprintf(what, sizeof(what), "queue set: %s", keys[i].name);
	if (spx_word_number(what, word, 0, UINT32_MAX, &number, err) != 0)
		return -EINVAL;
	json_object_set_new(params, keys[i].member, json_integer((json_int_t)number));
	return 0;
}

static int
queue_set(struct spx_ctl *ctl, int n, char **word)
{
	struct spx_error err;
	json_t *params;
	int r = 0;

	if (n == 0)
		return spx_ctl_usage("queue set: PORT is missing");
	if (n == 1)
		return spx_ctl_usage(
			"queue set: nothing to set; \"rate\", \"packets\" or \"bytes\" expected");
	params = json_pack("{s:s}", "port", word[0]);
	for (int i = 1; params != NULL && i < n && r == 0; i += 2)
		r = add_pair(params, word[i], i + 1 < n ? word[i + 1] : NULL, &err);
	if (r == 0)
		return spx_ctl_change(ctl, "queue.set", params, print_queue);
	json_decref(params);
	return spx_ctl_usage("%s", err.text);
}

int
spx_ctl_queue(struct spx_ctl *ctl, int n, char **word)
{
	static const struct spx_word forms[] = {{"show"}, {"set"}, {NULL}};
	struct spx_error err;
	int form = spx_word_find("queue", forms, sizeof(forms[0]), word[0], &err);

	if (form < 0)
		return spx_ctl_usage("%s", err.text);
	if (form == 1)
		return queue_set(ctl, n - 1, word + 1);
	return n > 1 ? spx_ctl_usage("queue show: \"%s\" is too much", word[1]) : spx_show_one(ctl, "queues");
}
