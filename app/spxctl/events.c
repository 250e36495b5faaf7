/* events: what happens, as it happens. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "app/spxctl/show.h"
#include "app/spxctl/text.h"
#include "app/spxctl/words.h"

static const struct spx_word kinds[] = {{"condition"}, {"rules"}, {"capture"}, {"stop"}, {NULL}};

/* A stop has no text but the final report. */
static const char *
text_of(const json_t *event, char text[96])
{
	const char *own = spx_member_text(event, "text");
	const json_t *report = json_object_get(event, "report");

	if (own != NULL)
		return own;
	if (!json_is_object(report))
		return "";
	snprintf(text, 96, "received %" PRId64 ", transmitted %" PRId64 " packets",
		(int64_t)spx_member_number(report, "received"),
		(int64_t)spx_member_number(report, "transmitted"));
	return text;
}

static void
print_event(const struct spx_ctl *ctl, const json_t *event)
{
	const char *kind = spx_member_text(event, "kind");
	char *line, text[96];
	int r;

	if (ctl->given & SPX_CTL_JSON) {
		spx_ctl_print_json_line(event);
		return;
	}
	r = asprintf(&line, "%9.3f s  %-9s  %s", json_number_value(json_object_get(event, "seconds")),
		kind != NULL ? kind : "?", text_of(event, text));
	spx_clean(spx_ctl_memory(r < 0 ? NULL : line));
	puts(line);
	fflush(stdout);
	free(line);
}

/* Until the connection ends (the appliance has stopped when it said so before) or nothing can be printed any
 * more, which main() says. */
static int
print_events(struct spx_ctl *ctl)
{
	struct spx_error err;
	bool stopped = false;
	json_t *event;
	int r;

	while (!ferror(stdout)) {
		const char *kind;

		r = spx_client_event(&ctl->client, 0, &event, &err);
		if (r != 0)
			return r == -ECONNRESET && stopped ? SPX_CTL_OK : spx_ctl_failed("%s", err.text);
		kind = spx_member_text(event, "kind");
		stopped = stopped || (kind != NULL && strcmp(kind, "stop") == 0);
		print_event(ctl, event);
		json_decref(event);
	}
	return SPX_CTL_OK;
}

int
spx_ctl_events(struct spx_ctl *ctl, int n, char **word)
{
	json_t *wanted = json_array(), *result;
	struct spx_error err;
	int status;

	for (int i = 0; i < n; i++) {
		int kind = spx_word_find("events", kinds, sizeof(kinds[0]), word[i], &err);

		if (kind < 0) {
			json_decref(wanted);
			return spx_ctl_usage("%s", err.text);
		}
		json_array_append_new(wanted, json_string(kinds[kind].name));
	}
	/* Without "events", not with all kinds that are known here: a newer appliance may have more. */
	status = spx_ctl_ask(ctl, "subscribe", n > 0 ? json_pack("{s:O}", "events", wanted) : NULL, &result);
	json_decref(wanted);
	if (status != SPX_CTL_OK)
		return status;
	json_decref(result);
	return print_events(ctl);
}
