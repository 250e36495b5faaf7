/* address and neighbour: add, del, show. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app/spxctl/show.h"
#include "app/spxctl/text.h"
#include "app/spxctl/words.h"

static const struct spx_word forms[] = {{"add"}, {"delete"}, {"show"}, {NULL}};
enum form { ADD, DELETE, SHOW };

/* What is said of an address: on which port, and for a neighbour its MAC address. */
static const struct spx_word keys[] = {{"dev"}, {"mac"}, {NULL}};
enum key { DEV, MAC, KEYS };

/* ADDRESS dev PORT [mac MAC] to params; `what` for messages. The first n_keys of the keys are needed. */
static int
read_words(const char *what, unsigned n_keys, int n, char **word, json_t **params, struct spx_error *err)
{
	const char *value[KEYS] = {NULL};

	if (n == 0)
		return spx_error(err, -EINVAL, "%s: ADDRESS is missing", what);
	for (int i = 1; i < n; i += 2) {
		int key = spx_word_find(what, keys, sizeof(keys[0]), word[i], err);

		if (key < 0)
			return key;
		if ((unsigned)key >= n_keys)
			return spx_error(err, -EINVAL, "%s: \"%s\" is too much", what, word[i]);
		if (i + 1 == n || value[key] != NULL)
			return spx_error(err, -EINVAL, "%s: one value of %s expected", what, keys[key].name);
		value[key] = word[i + 1];
	}
	for (unsigned key = 0; key < n_keys; key++)
		if (value[key] == NULL)
			return spx_error(err, -EINVAL, "%s: \"%s\" is missing", what,
				key == DEV ? "dev PORT" : "mac MAC");
	*params = json_pack("{s:s, s:s, s:s*}", "address", word[0], "port", value[DEV], "mac", value[MAC]);
	return 0;
}

static void
say(const char *what, const json_t *result, const char *done)
{
	const char *const keys_shown[] = {"address", "port"};
	char text[2][64];

	for (unsigned i = 0; i < 2; i++) {
		const char *value = spx_member_text(result, keys_shown[i]);

		snprintf(text[i], sizeof(text[i]), "%s", value == NULL ? "-" : value);
		spx_clean(text[i]);
	}
	printf("%s %s on port %s %s\n", what, text[0], text[1], done);
}

static void
say_address_added(const json_t *result)
{
	say("address", result, "added");
}

static void
say_address_deleted(const json_t *result)
{
	say("address", result, "deleted");
}

static void
say_neighbour_added(const json_t *result)
{
	say("neighbour", result, "added");
}

static void
say_neighbour_deleted(const json_t *result)
{
	say("neighbour", result, "deleted");
}

int
spx_ctl_address(struct spx_ctl *ctl, int n, char **word)
{
	struct spx_error err;
	json_t *params = NULL;
	int form = spx_word_find("address", forms, sizeof(forms[0]), word[0], &err);

	if (form < 0)
		return spx_ctl_usage("%s", err.text);
	if (form == SHOW)
		return n > 1 ? spx_ctl_usage("address show: \"%s\" is too much", word[1])
			     : spx_show_one(ctl, "addresses");
	if (read_words(form == ADD ? "address add" : "address del", 1, n - 1, word + 1, &params, &err) != 0)
		return spx_ctl_usage("%s", err.text);
	return form == ADD ? spx_ctl_change(ctl, "address.add", params, say_address_added)
			   : spx_ctl_change(ctl, "address.delete", params, say_address_deleted);
}

int
spx_ctl_neighbour(struct spx_ctl *ctl, int n, char **word)
{
	struct spx_error err;
	json_t *params = NULL;
	int form = spx_word_find("neighbour", forms, sizeof(forms[0]), word[0], &err);

	if (form < 0)
		return spx_ctl_usage("%s", err.text);
	if (form == SHOW)
		return n > 1 ? spx_ctl_usage("neighbour show: \"%s\" is too much", word[1])
			     : spx_show_one(ctl, "neighbours");
	if (read_words(form == ADD ? "neighbour add" : "neighbour del", form == ADD ? 2 : 1, n - 1, word + 1,
		    &params, &err) != 0)
		return spx_ctl_usage("%s", err.text);
	return form == ADD ? spx_ctl_change(ctl, "neighbour.add", params, say_neighbour_added)
			   : spx_ctl_change(ctl, "neighbour.delete", params, say_neighbour_deleted);
}
