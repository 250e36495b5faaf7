/* "control" of the configuration and --control of the command line; see setup_reader.h. */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/sphex/setup_reader.h"

#define PATH_ROOM     (sizeof(((struct sockaddr_un *)0)->sun_path) - 1) /* bytes of a socket's path */
#define OPERATORS_MAX 256u
#define UID_HIGHEST   4294967294 /* the one above means "no user" */

static const char *const reader_words[] = {"anyone", "none", NULL}; /* enum spx_readers */

static int
read_socket(const struct spx_place *at, const struct spx_field *field, void *into)
{
	struct spx_setup_control *control = into;
	const char *text = json_string_value(at->value);
	int rc;

	control->off = text != NULL && strcmp(text, "none") == 0;
	if (control->off)
		return 0;
	rc = spx_read_file(at, field, &control->socket);
	if (rc == 0 && strlen(control->socket) > PATH_ROOM)
		return spx_mistake(at, "names a path of %zu bytes; at most %zu expected",
			strlen(control->socket), PATH_ROOM);
	return rc;
}

/* 0 with *uid, or a negative errno: -ENOENT when no user has the name. */
static int
find_user(const char *name, uid_t *uid)
{
	char text[16384]; /* of the entry; more than any sensible one has */
	struct passwd entry, *found;
	int rc = getpwnam_r(name, &entry, text, sizeof(text), &found);

	if (found == NULL)
		return rc == 0 ? -ENOENT : -rc;
	*uid = entry.pw_uid;
	return 0;
}

/* A number, also as text, or a name. */
static int
read_operator(const struct spx_place *at, uid_t *uid)
{
	const char *text = json_string_value(at->value);
	int64_t number = json_is_integer(at->value) ? json_integer_value(at->value) : -1;

	if (text != NULL && text[0] != '\0' && strlen(text) <= 10 &&
		strspn(text, "0123456789") == strlen(text))
		number = strtoll(text, NULL, 10);
	if (number >= 0 && number <= UID_HIGHEST) {
		*uid = (uid_t)number;
		return 0;
	}
	if (text == NULL || text[0] == '\0')
		return spx_unexpected(at, "a user's name, or number from 0 to %ld, expected", UID_HIGHEST);
	if (find_user(text, uid) != 0)
		return spx_unexpected(at,
			"the name of a user of this machine, or number from 0 to %ld, expected", UID_HIGHEST);
	return 0;
}

static int
read_operators(const struct spx_place *at, const struct spx_field *field, void *into)
{
	struct spx_setup_control *control = into;
	size_t n = json_array_size(at->value);
	int rc = 0;

	(void)field;
	if (!json_is_array(at->value) || n > OPERATORS_MAX)
		return spx_unexpected(
			at, "an array of at most %u names or numbers of users expected", OPERATORS_MAX);
	free(control->operators);
	control->n_operators = 0;
	control->operators = calloc(n + 1, sizeof(control->operators[0]));
	if (control->operators == NULL)
		return spx_no_memory(at);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct spx_place place = spx_place_index(at, i);

		rc = read_operator(&place, &control->operators[control->n_operators++]);
	}
	return rc;
}

static const struct spx_field control_fields[] = {
	{"socket", read_socket},
	{"operators", read_operators},
	{"readers", spx_read_word, offsetof(struct spx_setup_control, readers), .words = reader_words},
};
static const struct spx_keys control_keys = SPX_KEYS("\"control\"", control_fields);

int
spx_read_control(const struct spx_place *at, const struct spx_field *field, void *into)
{
	(void)field;
	return spx_read_object(at, &control_keys, into);
}

int
spx_setup_control_option(struct spx_setup *setup, const char *text, struct spx_error *err)
{
	struct spx_setup_control *control = &setup->control;
	char *copy = NULL;

	if (strlen(text) > PATH_ROOM)
		return spx_error(err, -EINVAL,
			"--control: has %zu bytes; a path of at most %zu, or \"none\", expected (try --help)",
			strlen(text), PATH_ROOM);
	control->off = strcmp(text, "none") == 0;
	if (!control->off && (copy = strdup(text)) == NULL)
		return spx_error(err, -ENOMEM, "out of memory");
	free(control->socket);
	control->socket = copy;
	return 0;
}
