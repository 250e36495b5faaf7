/* Words to a rule; see rule.h. The keys are those of "match" in a configuration, with order and action. */
#include <errno.h>
#include <stdlib.h>

#include "app/spxctl/rule.h"
#include "app/spxctl/words.h"

static const struct key {
	const char *name;
	bool number; /* digits are a number, not a name or an address */
	bool match;  /* stands in "match", not beside it */
} keys[] = {
	{"order", true, false},
	{"family", false, true},
	{"src", false, true},
	{"dst", false, true},
	{"proto", true, true},
	{"sport", true, true},
	{"dport", true, true},
	{"vlan", true, true},
	{"port", false, true},
	{"ethertype", true, true},
	{"action", false, false},
	{NULL, false, false},
};

/* Numbers that JSON cannot hold go as texts: the appliance says what is wrong with them. */
static json_t *
value_of(const struct key *key, const char *word)
{
	if (key->number && spx_word_is_number(word)) {
		errno = 0;
		long long number = strtoll(word, NULL, 10);

		if (errno == 0)
			return json_integer(number);
	}
	return json_string(word);
}

static int
add_pair(json_t *rule, const char *name, const char *word, struct spx_error *err)
{
	int i = spx_word_find("rule add", keys, sizeof(keys[0]), name, err);
	const struct key *key = &keys[i < 0 ? 0 : i];
	json_t *into = key->match ? json_object_get(rule, "match") : rule;
	json_t *value;

	if (i < 0)
		return i;
	if (word == NULL)
		return spx_error(err, -EINVAL, "rule add: %s has no value", key->name);
	if (json_object_get(into, key->name) != NULL)
		return spx_error(err, -EINVAL, "rule add: %s is given twice", key->name);
	value = value_of(key, word);
	if (value == NULL)
		return spx_error(err, -EINVAL, "rule add: the value of %s is no UTF-8", key->name);
	json_object_set_new(into, key->name, value);
	return 0;
}

int
spx_rule_words(int n, char *const *word, json_t **params, struct spx_error *err)
{
	json_t *rule = json_pack("{s:{}}", "match");
	int r = 0;

	for (int i = 0; i < n && r == 0; i += 2)
		r = add_pair(rule, word[i], i + 1 < n ? word[i + 1] : NULL, err);
	if (r == 0 && json_object_get(rule, "action") == NULL)
		r = spx_error(err, -EINVAL,
			"rule add: \"action NAME\" is missing: what is to be done with what matches");
	if (r != 0) {
		json_decref(rule);
		return r;
	}
	*params = json_pack("{s:o}", "rule", rule);
	return *params != NULL ? 0 : spx_error(err, -ENOMEM, "no memory");
}
