/* trace: the way of some packets through the appliance, identical ways together. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "app/spxctl/show.h"
#include "app/spxctl/text.h"
#include "app/spxctl/words.h"

#define PACKETS_MAX    10000u
#define ANSWER_SECONDS 10 /* more than the appliance may wait */

static void
print_lines(const json_t *lines)
{
	const json_t *line;
	size_t i;

	json_array_foreach (lines, i, line) {
		char *text = spx_ctl_memory(strdup(json_is_string(line) ? json_string_value(line) : "?"));

		spx_clean(text);
		printf("  %s\n", text);
		free(text);
	}
}

/* A packet that is alone in its group is shown with all that is known of it. */
static void
print_result(const json_t *result)
{
	json_int_t asked = spx_member_number(result, "asked"), traced = spx_member_number(result, "traced");
	const json_t *group;
	size_t i;

	json_array_foreach (json_object_get(result, "groups"), i, group) {
		json_int_t packets = spx_member_number(group, "packets");

		printf("%s%" PRId64 " packet%s:\n", i > 0 ? "\n" : "", (int64_t)packets,
			packets == 1 ? "" : "s");
		print_lines(json_object_get(group, packets == 1 ? "example" : "way"));
	}
	if (traced == 0)
		printf("no packet came that matches\n");
	else if (traced < asked)
		printf("\n%" PRId64 " of %" PRId64 " packets came\n", (int64_t)traced, (int64_t)asked);
	if (spx_member_number(result, "lost") > 0)
		printf("the way of %" PRId64 " packets was lost: they came faster than it could be noted\n",
			(int64_t)spx_member_number(result, "lost"));
}

/* The words with blanks between, for pcap; NULL when there are none. */
static char *
join(int n, char **word)
{
	size_t length;
	char *text = NULL;
	FILE *out;

	if (n == 0)
		return NULL;
	out = spx_ctl_memory(open_memstream(&text, &length));
	for (int i = 0; i < n; i++)
		fprintf(out, "%s%s", i > 0 ? " " : "", word[i]);
	fclose(out);
	return text;
}

int
spx_ctl_trace(struct spx_ctl *ctl, int n, char **word)
{
	struct spx_error err;
	double seconds = ctl->given & SPX_CTL_SECONDS ? ctl->seconds : 10;
	bool counted = n > 0 && spx_word_is_number(word[0]);
	json_t *params, *result;
	uint64_t count = 1;
	char *filter;
	int status;

	if (counted && spx_word_number("trace", word[0], 1, PACKETS_MAX, &count, &err) != 0)
		return spx_ctl_usage("%s", err.text);
	filter = join(n - counted, word + counted);
	params = json_pack(
		"{s:I, s:f, s:s*}", "count", (json_int_t)count, "seconds", seconds, "filter", filter);
	free(filter);
	if (params == NULL)
		return spx_ctl_usage("trace: the filter is no UTF-8");
	status = spx_ctl_call(ctl, "trace", params, seconds + ANSWER_SECONDS, &result);
	if (status != SPX_CTL_OK)
		return status;
	if (ctl->given & SPX_CTL_JSON)
		spx_ctl_print_json(result);
	else
		print_result(result);
	json_decref(result);
	return SPX_CTL_OK;
}
