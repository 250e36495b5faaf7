/* sphex: the command. Reads what is asked for, starts DPDK once, makes one run for each trace or for the
 * configuration, and reports.
 *
 * Exit status: 0 all went well, 1 something failed at run time (a trace, a port, the report), 2 a mistake in
 * the command line, the configuration or the rules.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/sphex/options.h"
#include "app/sphex/report.h"
#include "app/sphex/telemetry.h"

enum { EXIT_RUN = 1, EXIT_MISTAKE = 2 };

/* What the runs of this process leave behind. */
struct outcome {
	json_t *reports; /* array, one object per run */
	bool failed;
	bool interrupted; /* by a signal: no further run */
};

static void
complain(const struct spx_error *err)
{
	fprintf(stderr, "sphex: %s\n", err->text);
}

/* Notes in the report that a run did not take place or ended badly. */
static void
note_failure(struct outcome *outcome, json_t *report, const char *file, const struct spx_error *err)
{
	outcome->failed = true;
	complain(err);
	if (report == NULL) {
		report = json_object();
		if (file != NULL)
			json_object_set_new(report, "file", spx_report_string(file));
		json_array_append_new(outcome->reports, report);
	}
	json_object_set_new(report, "error", spx_report_string(err->text));
}

/* Signals that end a run are for the control thread, so every other thread is born with them blocked. Outside
 * of a run they end the program as usual: a report into a pipe that nobody reads can be given up. */
static void
block_signals(int how)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(how, &signals, NULL);
}

/* One run, from open ports to closed ports. */
static void
run(const struct spx_setup *setup, const char *file, bool live, struct outcome *outcome)
{
	struct spx_appliance *app;
	struct spx_report report;
	struct spx_error err = {""};
	json_t *json;
	int r;

	if (spx_appliance_create(setup, &app, &err) < 0) {
		note_failure(outcome, NULL, file, &err);
		return;
	}
	spx_telemetry_begin(app);
	r = spx_appliance_run(app, live, &err);
	spx_telemetry_end();
	block_signals(SIG_UNBLOCK);
	outcome->interrupted = r > 0;
	if (r < 0) {
		note_failure(outcome, NULL, file, &err);
		spx_appliance_free(app, NULL);
		block_signals(SIG_BLOCK);
		return;
	}
	spx_report_take(app, &report);
	spx_report_text(&report, app, stdout);
	json = spx_report_json(&report, app, file);
	json_array_append_new(outcome->reports, json);
	if (spx_report_check(&report, &err) < 0)
		note_failure(outcome, json, file, &err);
	if (spx_appliance_free(app, &err) < 0)
		note_failure(outcome, json, file, &err);
	fflush(stdout);
	block_signals(SIG_BLOCK);
}

/* A configuration, or the quick start for one trace. 0 or an exit status. */
static int
prepare(struct spx_setup *setup, const struct spx_options *options, const char *trace)
{
	struct spx_error err = {""};
	int r = trace != NULL ? spx_setup_quick(setup, options, trace, &err)
			      : spx_setup_configured(setup, options, &err);

	if (r == 0 && (r = spx_eal_check(setup, &err)) < 0 && options->config != NULL)
		spx_error_at(&err, r, "%s", options->config);
	if (r < 0) {
		complain(&err);
		spx_setup_free(setup);
		return EXIT_MISTAKE;
	}
	return 0;
}

static int
write_report(const struct spx_options *options, const char *path, const struct outcome *outcome)
{
	const json_t *document = json_array_size(outcome->reports) == 1 && options->n_traces <= 1
					 ? json_array_get(outcome->reports, 0)
					 : outcome->reports;
	struct spx_error err;

	if (path == NULL || spx_report_write(document, path, &err) == 0)
		return 0;
	complain(&err);
	return EXIT_RUN;
}

/* The runs for all traces, or the one of the configuration. The setup is that of the first. */
static void
run_all(struct spx_setup *setup, const struct spx_options *options, struct outcome *outcome)
{
	for (size_t i = 0; i < RTE_MAX(options->n_traces, 1u) && !outcome->interrupted; i++) {
		const char *trace = options->n_traces > 0 ? options->traces[i] : NULL;

		if (i > 0) {
			free(setup->port[0].file);
			setup->port[0].file = strdup(trace);
		}
		if (options->n_traces > 1)
			printf("%s%s\n", i > 0 ? "\n" : "", trace);
		run(setup, trace, !options->quiet, outcome);
	}
}

static int
start_and_run(const struct spx_options *options)
{
	struct spx_setup setup;
	struct spx_error err;
	int status = prepare(&setup, options, options->n_traces > 0 ? options->traces[0] : NULL);

	if (status != 0)
		return status;
	if (options->check) {
		printf("%s: the configuration is right: %u ports, %u actions, %zu rules\n", options->config,
			setup.n_ports, setup.n_actions, setup.rules.n);
	} else if (block_signals(SIG_BLOCK), signal(SIGPIPE, SIG_IGN), spx_eal_start(&setup, &err) < 0) {
		complain(&err);
		status = EXIT_RUN;
	} else {
		struct outcome outcome = {.reports = json_array()};

		run_all(&setup, options, &outcome);
		status = write_report(options, setup.report, &outcome);
		if (fflush(stdout) != 0 || ferror(stdout)) {
			fputs("sphex: cannot write to standard output\n", stderr);
			status = EXIT_RUN;
		}
		if (outcome.failed)
			status = EXIT_RUN;
		json_decref(outcome.reports);
		spx_eal_stop();
	}
	spx_setup_free(&setup);
	return status;
}

int
main(int argc, char *argv[])
{
	struct spx_options options;
	struct spx_error err;
	int r = spx_options_parse(&options, argc, argv, &err);
	int status = 0;

	if (r < 0) {
		complain(&err);
		status = EXIT_MISTAKE;
	} else if (r == 0) {
		status = start_and_run(&options);
	}
	spx_options_free(&options);
	return status;
}
