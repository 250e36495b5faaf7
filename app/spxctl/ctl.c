/* Messages, JSON, and calls that say themselves what went wrong: what every command uses; see ctl.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "app/spxctl/ctl.h"
#include "app/spxctl/text.h"

#define MESSAGE_MAX    2048
#define ANSWER_SECONDS 30 /* for methods that read counters: much more than a busy control thread needs */

/* ---- messages -------------------------------------------------------------------------------------- */

/* Line feeds stay: lists have some of ours, and what is not ours was cleaned before. */
static void
say(char *text)
{
	char *line;

	fflush(stdout);
	fputs("spxctl: ", stderr);
	while ((line = strsep(&text, "\n")) != NULL) {
		spx_clean(line);
		fprintf(stderr, "%s\n", line);
	}
}

int
spx_ctl_failed(const char *format, ...)
{
	char text[MESSAGE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	say(text);
	return SPX_CTL_FAILED;
}

int
spx_ctl_usage(const char *format, ...)
{
	char text[MESSAGE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	say(text);
	return SPX_CTL_USAGE;
}

void *
spx_ctl_memory(void *memory)
{
	if (memory == NULL) {
		spx_ctl_failed("no memory");
		exit(SPX_CTL_FAILED);
	}
	return memory;
}

void
spx_ctl_print_json(const json_t *document)
{
	json_dumpf(document, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9));
	putchar('\n');
}

void
spx_ctl_print_json_line(const json_t *document)
{
	json_dumpf(document, stdout, JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9));
	putchar('\n');
	fflush(stdout);
}

/* ---- the appliance --------------------------------------------------------------------------------- */

int
spx_ctl_connect(struct spx_ctl *ctl)
{
	char path[SPX_CLIENT_PATH_MAX];
	struct spx_error err;
	int fd;

	if (ctl->client.fd >= 0)
		return SPX_CTL_OK;
	fd = spx_find(ctl->socket, path, &err);
	if (fd == -EINVAL)
		return spx_ctl_usage("%s", err.text);
	if (fd < 0 || spx_client_open(&ctl->client, fd, path, &err) != 0)
		return spx_ctl_failed("%s", err.text);
	return SPX_CTL_OK;
}

int
spx_ctl_call(struct spx_ctl *ctl, const char *method, json_t *params, double timeout, json_t **result)
{
	struct spx_error err;
	int status = spx_ctl_connect(ctl);

	if (status != SPX_CTL_OK) {
		json_decref(params);
		return status;
	}
	if (spx_client_call(&ctl->client, method, params, -1, timeout, result, &err) != 0)
		return spx_ctl_failed("%s", err.text);
	if (json_is_object(*result))
		return SPX_CTL_OK;
	json_decref(*result);
	return spx_ctl_failed("%s: the appliance answered with what is no object", method);
}

int
spx_ctl_change(struct spx_ctl *ctl, const char *method, json_t *params, void (*print)(const json_t *result))
{
	json_t *result;
	int status;

	if (params == NULL)
		return spx_ctl_usage("%s: words in UTF-8 expected", method);
	status = spx_ctl_call(ctl, method, params, 0, &result);
	if (status != SPX_CTL_OK)
		return status;
	if (ctl->given & SPX_CTL_JSON)
		spx_ctl_print_json(result);
	else
		print(result);
	json_decref(result);
	return SPX_CTL_OK;
}

int
spx_ctl_ask(struct spx_ctl *ctl, const char *method, json_t *params, json_t **result)
{
	return spx_ctl_call(ctl, method, params, ANSWER_SECONDS, result);
}
