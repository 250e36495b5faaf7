/* capture start, stop, show. A capture goes on in the appliance after this program has ended, unless it
 * writes to standard output, which is this program's. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "app/spxctl/capture.h"
#include "app/spxctl/show.h"
#include "app/spxctl/words.h"

#define ANSWER_SECONDS 30
#define LOOK_MS        200 /* how often it is asked whether a capture has ended */

static const struct spx_word forms[] = {{"start"}, {"stop"}, {"show"}, {NULL}};
enum form { START, STOP, SHOW };

static volatile sig_atomic_t interrupted;

static void
on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

/* ---- stop ------------------------------------------------------------------------------------------ */

/* Fails when not everything is in the file. */
static int
stop(struct spx_ctl *ctl, json_t *params, FILE *out)
{
	json_t *result;
	const char *error;
	int status = spx_ctl_ask(ctl, "capture.stop", params, &result);

	if (status != SPX_CTL_OK)
		return status;
	if (ctl->given & SPX_CTL_JSON && out == stdout)
		spx_ctl_print_json(result);
	else
		fprintf(out,
			"capture %" PRId64 ": %" PRId64 " packets, %" PRId64 " bytes, %" PRId64 " lost\n",
			(int64_t)spx_member_number(result, "id"),
			(int64_t)spx_member_number(result, "packets"),
			(int64_t)spx_member_number(result, "bytes"),
			(int64_t)spx_member_number(result, "lost"));
	error = spx_member_text(result, "error");
	if (error != NULL)
		status = spx_ctl_failed(
			"capture %" PRId64 " had ended: %s", (int64_t)spx_member_number(result, "id"), error);
	json_decref(result);
	return status;
}

static int
capture_stop(struct spx_ctl *ctl, int n, char **word)
{
	struct spx_error err;
	uint64_t id;

	if (n > 1)
		return spx_ctl_usage("capture stop: \"%s\" is too much; at most one ID expected", word[1]);
	if (n == 0)
		return stop(ctl, NULL, stdout);
	if (spx_word_number("capture stop: ID", word[0], 1, UINT32_MAX, &id, &err) != 0)
		return spx_ctl_usage("%s", err.text);
	return stop(ctl, json_pack("{s:I}", "id", (json_int_t)id), stdout);
}

/* ---- start ----------------------------------------------------------------------------------------- */

/* Sets *running: capture `id` is listed and has not ended. */
static int
look(struct spx_ctl *ctl, json_int_t id, bool *listed, bool *running)
{
	const json_t *capture;
	json_t *result;
	size_t i;
	int status = spx_ctl_ask(ctl, "show.captures", NULL, &result);

	*listed = *running = false;
	if (status != SPX_CTL_OK)
		return status;
	json_array_foreach (json_object_get(result, "captures"), i, capture) {
		if (spx_member_number(capture, "id") != id)
			continue;
		*listed = true;
		*running = !json_is_true(json_object_get(capture, "ended"));
	}
	json_decref(result);
	return SPX_CTL_OK;
}

/* Until the capture ends (its count, or nobody reads the pipe any more) or the user ends it. */
static int
stay(struct spx_ctl *ctl, json_int_t id)
{
	const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
	bool listed = true, running = true;
	int status = SPX_CTL_OK;

	while (status == SPX_CTL_OK && running && !interrupted) {
		nanosleep(&pause, NULL);
		status = look(ctl, id, &listed, &running);
	}
	return status == SPX_CTL_OK && listed ? stop(ctl, json_pack("{s:I}", "id", id), stderr) : status;
}

/* From before the request on, so that no capture is left behind that its user has ended. */
static void
catch_signals(void)
{
	const struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static int
start(struct spx_ctl *ctl, json_t *params, const char *file, struct spx_target *target)
{
	bool output = strcmp(file, "-") == 0;
	struct spx_error err;
	json_t *result = NULL;
	json_int_t id;
	int r;

	if (output)
		catch_signals();
	r = spx_client_call(&ctl->client, "capture.start", params, target->fd, ANSWER_SECONDS, &result, &err);
	if (r != 0) {
		spx_target_close(target, false, NULL);
		return spx_ctl_failed("%s", err.text);
	}
	r = spx_target_close(target, true, &err);
	id = spx_member_number(result, "id");
	if (ctl->given & SPX_CTL_JSON && !output)
		spx_ctl_print_json(result);
	else
		fprintf(output ? stderr : stdout, "capture %" PRId64 " to %s; %s ends it\n", (int64_t)id,
			output ? "standard output" : file, output ? "Ctrl-C" : "\"capture stop\"");
	json_decref(result);
	if (r != 0)
		return spx_ctl_failed("%s", err.text);
	return output ? stay(ctl, id) : SPX_CTL_OK;
}

static int
capture_start(struct spx_ctl *ctl, int n, char **word)
{
	struct spx_target target;
	struct spx_error err;
	const char *file;
	json_t *params;
	int r, status;

	if (spx_capture_words(n, word, &params, &file, &err) != 0)
		return spx_ctl_usage("%s", err.text);
	status = spx_ctl_connect(ctl);
	if (status == SPX_CTL_OK) {
		r = spx_target_open(&target, file, ctl->given & SPX_CTL_FORCE, &err);
		if (r == 0)
			return start(ctl, params, file, &target);
		status = r == -EINVAL ? spx_ctl_usage("%s", err.text) : spx_ctl_failed("%s", err.text);
	}
	json_decref(params);
	return status;
}

int
spx_ctl_capture(struct spx_ctl *ctl, int n, char **word)
{
	struct spx_error err;
	int form = spx_word_find("capture", forms, sizeof(forms[0]), word[0], &err);

	if (form < 0)
		return spx_ctl_usage("%s", err.text);
	if (form != START && ctl->given & SPX_CTL_FORCE)
		return spx_ctl_usage("capture %s has no option --force", forms[form].name);
	if (form == START)
		return capture_start(ctl, n - 1, word + 1);
	if (form == STOP)
		return capture_stop(ctl, n - 1, word + 1);
	return n > 1 ? spx_ctl_usage("capture show: \"%s\" is too much", word[1])
		     : spx_show_one(ctl, "captures");
}
