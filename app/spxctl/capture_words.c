/* What to capture; see capture.h. */
#include <errno.h>
#include <string.h>

#include "app/spxctl/capture.h"
#include "app/spxctl/words.h"

enum word { PORT, IN, OUT, BOTH, DROPS, FILTER, SNAP, COUNT };

static const struct spx_word words[] = {
	[PORT] = {"port"},
	[IN] = {"in"},
	[OUT] = {"out"},
	[BOTH] = {"both"},
	[DROPS] = {"drops"},
	[FILTER] = {"filter"},
	[SNAP] = {"snap"},
	[COUNT] = {"count"},
	{NULL},
};

#define SNAP_MAX 262144u /* bytes: as tcpdump has it */

enum { RECEIVE = 1, TRANSMIT = 2, DROP = 4 };

/* A key that takes a value. */
static int
set_value(json_t *params, enum word key, const char *text, struct spx_error *err)
{
	char what[32];
	uint64_t number;
	json_t *value;
	int r;

	snprintf(what, sizeof(what), "capture start: %s", words[key].name);
	if (text == NULL)
		return spx_error(err, -EINVAL, "%s has no value", what);
	if (json_object_get(params, words[key].name) != NULL)
		return spx_error(err, -EINVAL, "%s is given twice", what);
	if (key == SNAP || key == COUNT) {
		r = spx_word_number(what, text, 0, key == SNAP ? SNAP_MAX : INT64_MAX, &number, err);
		if (r != 0)
			return r;
		value = json_integer((json_int_t)number);
	} else {
		value = json_string(text);
	}
	return json_object_set_new(params, words[key].name, value) == 0
		       ? 0
		       : spx_error(err, -EINVAL, "%s: the value is no UTF-8", what);
}

/* Nothing said: both ways; "drops" alone: only them. */
static void
set_points(json_t *params, unsigned points)
{
	json_t *list = json_array();

	if (points == 0)
		points = RECEIVE | TRANSMIT;
	if (points & RECEIVE)
		json_array_append_new(list, json_string("receive"));
	if (points & TRANSMIT)
		json_array_append_new(list, json_string("transmit"));
	if (points & DROP)
		json_array_append_new(list, json_string("drop"));
	json_object_set_new(params, "points", list);
}

static int
read_words(int n, char *const *word, json_t *params, struct spx_error *err)
{
	unsigned points = 0;

	for (int i = 0; i < n; i++) {
		int key = spx_word_find("capture start", words, sizeof(words[0]), word[i], err);
		int r = 0;

		if (key < 0)
			return key;
		if (key == IN)
			points |= RECEIVE;
		else if (key == OUT)
			points |= TRANSMIT;
		else if (key == BOTH)
			points |= RECEIVE | TRANSMIT;
		else if (key == DROPS)
			points |= DROP;
		else
			r = set_value(params, (enum word)key, ++i < n ? word[i] : NULL, err);
		if (r != 0)
			return r;
	}
	set_points(params, points);
	return 0;
}

/* FILE is the last word, so that it may be called "in". */
int
spx_capture_words(int n, char *const *word, json_t **params, const char **file, struct spx_error *err)
{
	int r;

	if (n == 0)
		return spx_error(err, -EINVAL, "capture start: FILE is missing (\"-\" is standard output)");
	*file = word[n - 1];
	*params = json_object();
	r = read_words(n - 1, word, *params, err);
	if (r == 0 && json_object_set_new(*params, "file",
			      json_string(strcmp(*file, "-") == 0 ? "standard output" : *file)) != 0)
		r = spx_error(err, -EINVAL, "capture start: the name of FILE is no UTF-8");
	if (r != 0)
		json_decref(*params);
	return r;
}
