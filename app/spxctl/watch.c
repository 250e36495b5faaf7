/* watch: rates, again and again. On a terminal the tables are written over in place; elsewhere they follow
 * one another, with --json an object on a line each. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/spxctl/rates.h"
#include "app/spxctl/screen.h"
#include "app/spxctl/show.h"
#include "app/spxctl/since.h"
#include "app/spxctl/words.h"

#define INTERVAL_MIN 0.1 /* seconds: more often is of no use to a reader */
#define THINGS_MAX   4u
#define FLOWS_MAX    1000 /* asked for, to know those of the interval before */

/* One of the things watched. */
struct watched {
	const struct spx_rates *rates;
	const char *method;
	json_t *now, *before; /* results */
	json_t *last;         /* their difference */
};

struct watch {
	struct watched thing[THINGS_MAX];
	unsigned n;
	struct spx_screen screen;
	bool terminal;
};

/* ---- asking ---------------------------------------------------------------------------------------- */

static bool
is_flows(const struct watched *thing)
{
	return strcmp(thing->rates->name, "flows") == 0;
}

static int
ask_all(struct spx_ctl *ctl, struct watch *watch)
{
	for (unsigned i = 0; i < watch->n; i++) {
		struct watched *thing = &watch->thing[i];
		int status;

		json_decref(thing->before);
		thing->before = thing->now;
		thing->now = NULL;
		status = spx_ctl_ask(ctl, thing->method,
			is_flows(thing) ? json_pack("{s:i}", "count", FLOWS_MAX) : NULL, &thing->now);
		if (status != SPX_CTL_OK) {
			thing->now = NULL;
			return status;
		}
	}
	return SPX_CTL_OK;
}

static void
subtract_all(struct watch *watch)
{
	for (unsigned i = 0; i < watch->n; i++) {
		struct watched *thing = &watch->thing[i];

		json_decref(thing->last);
		thing->last = spx_ctl_memory(json_deep_copy(thing->now));
		if (is_flows(thing))
			spx_rates_flows_since(thing->last, thing->before);
		else
			spx_since(thing->last, thing->before);
	}
}

static double
seconds_of(const json_t *result)
{
	return json_number_value(json_object_get(result, "seconds"));
}

/* ---- showing --------------------------------------------------------------------------------------- */

static struct spx_table *
table_of(const struct watched *thing)
{
	return thing->rates->table(thing->now, thing->last, seconds_of(thing->last));
}

/* All tables, in memory that the caller frees. */
static char *
tables(const struct spx_ctl *ctl, const struct watch *watch)
{
	size_t length;
	char *text = NULL;
	FILE *out = spx_ctl_memory(open_memstream(&text, &length));
	struct spx_table *head = spx_table_new("sphex,>PID,>seconds,>interval");

	spx_table_text(head, spx_member_text(ctl->client.hello, "version"));
	spx_table_number(head, json_object_get(ctl->client.hello, "pid"));
	spx_table_format(head, "%.0f", seconds_of(watch->thing[0].now));
	spx_table_format(head, "%.1f", seconds_of(watch->thing[0].last));
	spx_table_print(head, out);
	spx_table_free(head);
	for (unsigned i = 0; i < watch->n; i++) {
		struct spx_table *table = table_of(&watch->thing[i]);

		if (spx_table_rows(table) > 0) {
			putc('\n', out);
			spx_table_print(table, out);
		}
		spx_table_free(table);
	}
	fclose(out);
	return spx_ctl_memory(text);
}

static void
show_tables(const struct spx_ctl *ctl, struct watch *watch)
{
	char *text = tables(ctl, watch);
	unsigned rows, columns;

	if (watch->terminal) {
		spx_screen_size(&rows, &columns);
		spx_screen_show(&watch->screen, text, rows, columns, stdout);
	} else {
		printf("%s\n", text);
		fflush(stdout);
	}
	free(text);
}

/* {"seconds": since the start, "ports": what show.ports has, of the interval, ...} */
static void
show_json(const struct watch *watch)
{
	json_t *line = json_pack("{s:f}", "seconds", seconds_of(watch->thing[0].now));

	for (unsigned i = 0; i < watch->n; i++)
		json_object_set(line, watch->thing[i].rates->name, watch->thing[i].last);
	spx_ctl_print_json_line(line);
	json_decref(line);
}

/* ---- the command ----------------------------------------------------------------------------------- */

static void
watch_add(struct watch *watch, const struct spx_rates *rates)
{
	const struct spx_show *show = spx_shows;

	while (strcmp(show->name, rates->name) != 0)
		show++;
	watch->thing[watch->n++] = (struct watched){.rates = rates, .method = show->method};
}

/* What the words say; nothing: an overview. */
static int
choose(struct watch *watch, int n, char **word)
{
	static const char *const overview[] = {"ports", "stages", "drops"};
	struct spx_error err;
	int i;

	if (n > 1)
		return spx_ctl_usage(
			"watch: \"%s\" is too much; one thing to watch, or none, expected", word[1]);
	for (unsigned k = 0; n == 0 && k < RTE_DIM(overview); k++)
		watch_add(watch, &spx_rates[spx_word_find(
					 "watch", spx_rates, sizeof(spx_rates[0]), overview[k], &err)]);
	if (n == 0)
		return SPX_CTL_OK;
	i = spx_word_find("watch", spx_rates, sizeof(spx_rates[0]), word[0], &err);
	if (i < 0)
		return spx_ctl_usage("%s", err.text);
	watch_add(watch, &spx_rates[i]);
	return SPX_CTL_OK;
}

static void
add_seconds(struct timespec *t, double seconds)
{
	t->tv_sec += (time_t)seconds;
	t->tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
	if (t->tv_nsec >= 1000000000L) {
		t->tv_nsec -= 1000000000L;
		t->tv_sec++;
	}
}

/* Until the count is reached, or nothing can be printed any more, which main() says. */
static int
watch_on(struct spx_ctl *ctl, struct watch *watch)
{
	struct timespec next;
	int status = ask_all(ctl, watch);

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (uint64_t i = 0; status == SPX_CTL_OK && !ferror(stdout) && (ctl->count == 0 || i < ctl->count);
		i++) {
		add_seconds(&next, ctl->interval);
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
		status = ask_all(ctl, watch);
		if (status != SPX_CTL_OK)
			break;
		subtract_all(watch);
		if (ctl->given & SPX_CTL_JSON)
			show_json(watch);
		else
			show_tables(ctl, watch);
	}
	return status;
}

int
spx_ctl_watch(struct spx_ctl *ctl, int n, char **word)
{
	struct watch watch = {.terminal = isatty(STDOUT_FILENO)};
	int status;

	if (ctl->interval < INTERVAL_MIN)
		return spx_ctl_usage("watch: --interval: %g; seconds from %g to 3600 expected", ctl->interval,
			INTERVAL_MIN);
	status = choose(&watch, n, word);
	if (status == SPX_CTL_OK)
		status = watch_on(ctl, &watch);
	for (unsigned i = 0; i < watch.n; i++) {
		json_decref(watch.thing[i].now);
		json_decref(watch.thing[i].before);
		json_decref(watch.thing[i].last);
	}
	return status;
}
