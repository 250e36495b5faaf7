/* "actions" of the configuration: names for struct spx_action; see setup_reader.h. */
#include <stdio.h>
#include <string.h>

#include "app/sphex/choices.h"
#include "app/sphex/setup_reader.h"

/* In the order of enum spx_verdict. */
const char *const spx_verdict_words[] = {"forward", "drop", "punt", "route", NULL};
static const char *const verdict_whats[] = {"an action that forwards", "an action that drops",
	"an action that punts", "an action that routes", "an action"};

#define VERDICTS 4u
#define FORWARD  (1u << SPX_VERDICT_FORWARD)

static int
read_verdict(const struct spx_place *at, const struct spx_field *field, void *into)
{
	unsigned verdict;
	int rc = spx_read_word(at, field, &verdict);

	if (rc == 0)
		((struct spx_action *)into)->verdict = (uint8_t)verdict;
	return rc;
}

bool
spx_parse_mac(const char *text, uint8_t mac[6])
{
	static const char shape[] = "xx:xx:xx:xx:xx:xx";

	if (strlen(text) != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; i < sizeof(shape) - 1; i++)
		if (shape[i] == ':' ? text[i] != ':' : strchr("0123456789abcdefABCDEF", text[i]) == NULL)
			return false;
	return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &mac[0], &mac[1], &mac[2], &mac[3],
		       &mac[4], &mac[5]) == 6;
}

static int
read_mac(const struct spx_place *at, const struct spx_field *field, void *into)
{
	struct spx_action *action = into;
	const char *text = json_string_value(at->value);
	uint8_t *mac = field->flag == SPX_ACTION_SET_DST_MAC ? action->dst_mac : action->src_mac;

	if (text == NULL || !spx_parse_mac(text, mac))
		return spx_unexpected(at, "an Ethernet address such as \"02:00:00:00:00:01\" expected");
	if (field->flag == SPX_ACTION_SET_SRC_MAC && (mac[0] & 1) != 0)
		return spx_unexpected(
			at, "a sender is no group: an address whose first byte is even expected");
	action->flags |= field->flag;
	return 0;
}

#define AT(member) offsetof(struct spx_action, member)

static const struct spx_field action_fields[] = {
	{"verdict", read_verdict, .words = spx_verdict_words, .required = true},
	{"port", spx_read_port_sending, AT(port), .kinds = FORWARD, .required = true},
	{"dst_mac", read_mac, .flag = SPX_ACTION_SET_DST_MAC, .kinds = FORWARD},
	{"src_mac", read_mac, .flag = SPX_ACTION_SET_SRC_MAC, .kinds = FORWARD},
	{"decrement_ttl", spx_read_flag, AT(flags), .flag = SPX_ACTION_DEC_TTL, .kinds = FORWARD},
	{"mirror", spx_read_port_sending, AT(mirror)},
	{"count", spx_read_flag, AT(flags), .flag = SPX_ACTION_COUNT},
};

/* Action 0 is "default" and is named by "rules"; the actions before may be those of a quick start. */
static int
check_name(const struct spx_place *at)
{
	if (!spx_name_valid(at->key))
		return spx_mistake(at, "is no name; 1 to %u letters, digits, '_', '-' or '.' expected",
			SPX_NAME_MAX - 1);
	if (strcmp(at->key, "default") == 0)
		return spx_mistake(at, "is the name of what happens when no rule matches; another name "
				       "expected, and \"default\" of \"rules\" saying it");
	if (json_object_get(at->document->actions, at->key) != NULL)
		return spx_mistake(at, "is there already; another name expected");
	return 0;
}

int
spx_read_action(const struct spx_place *at, struct spx_action *action)
{
	unsigned verdict = spx_word_index(json_object_get(at->value, "verdict"), spx_verdict_words);
	const struct spx_keys keys = {.what = verdict_whats[verdict],
		.field = action_fields,
		.n = RTE_DIM(action_fields),
		.kind = verdict == VERDICTS ? SPX_KIND_UNKNOWN : (uint8_t)(1u << verdict)};

	*action = (struct spx_action){.port = SPX_NO_PORT, .mirror = SPX_NO_PORT};
	return spx_read_object(at, &keys, action);
}

static int
add_action(const struct spx_place *at)
{
	struct spx_setup *setup = at->document->setup;
	struct spx_setup_action *action;
	int rc = check_name(at);

	if (rc != 0)
		return rc;
	action = spx_setup_add_action(setup, at->key);
	if (action == NULL)
		return spx_no_memory(at);
	rc = spx_read_action(at, &action->action);
	if (rc == 0 &&
		json_object_set_new(at->document->actions, at->key, json_integer(setup->n_actions - 1)) != 0)
		rc = spx_no_memory(at);
	return rc;
}

int
spx_read_actions(const struct spx_place *at, const struct spx_field *field, void *into)
{
	size_t room = SPX_ACTIONS_MAX - at->document->setup->n_actions;
	const char *name;
	json_t *value;

	(void)field;
	(void)into;
	if (!json_is_object(at->value))
		return spx_unexpected(at, "an object of actions by name expected");
	if (json_object_size(at->value) > room)
		return spx_mistake(
			at, "has %zu actions; at most %zu expected", json_object_size(at->value), room);
	json_object_foreach (at->value, name, value) {
		struct spx_place place = spx_place_key(at, name);
		int rc = add_action(&place);

		if (rc != 0)
			return rc;
	}
	return 0;
}

/* Of a document without index (one rule, one request) the setup is searched. */
static uint32_t
find_action(const struct spx_document *document, const char *name)
{
	const json_t *id = json_object_get(document->actions, name);

	if (document->actions == NULL)
		return spx_setup_find_action(document->setup, name);
	return id == NULL ? SPX_ACTION_NONE : (uint32_t)json_integer_value(id);
}

int
spx_read_action_id(const struct spx_place *at, const struct spx_field *field, void *into)
{
	const struct spx_setup *setup = at->document->setup;
	const char *name = json_string_value(at->value);
	uint32_t id = name == NULL ? SPX_ACTION_NONE : find_action(at->document, name);
	struct spx_choices choices;

	(void)field;
	if (id != SPX_ACTION_NONE) {
		*(uint32_t *)into = id;
		return 0;
	}
	spx_choices_init(&choices, name);
	for (uint32_t i = 1; i < setup->n_actions; i++)
		spx_choices_add(&choices, setup->action[i].name);
	if (choices.n == 0)
		return spx_unexpected(at, "no action is defined: add it to \"actions\"");
	return spx_unexpected(at, "the name of an action: %s", spx_choices_text(&choices));
}
