/* The command line, and the setups made of it. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/sphex/options.h"

#define ARGS_MAX  32
#define LONG_NAME "012345678901234567890123456789012345678901234567890123456789"

/* Splits a line at blanks into argv and parses it. `line` keeps the words. */
static int
parse(struct spx_options *options, char *line, struct spx_error *err)
{
	char *argv[ARGS_MAX + 1] = {(char *)"sphex"};
	int argc = 1;

	for (char *word = strtok(line, " "); word != NULL && argc < ARGS_MAX; word = strtok(NULL, " "))
		argv[argc++] = word;
	err->text[0] = '\0';
	return spx_options_parse(options, argc, argv, err);
}

Test(options, defaults_of_the_quick_start)
{
	char line[] = "--trace a.pcap";
	struct spx_options o;
	struct spx_error err;

	cr_assert_eq(parse(&o, line, &err), 0, "%s", err.text);
	cr_expect(o.n_traces == 1 && o.passes == 1 && o.seconds == 0 && o.speed == 0 && o.workers == 1);
	cr_expect(o.burst == 32 && o.idle == SPX_IDLE_SPIN && o.hugepages == SPX_HUGEPAGES_AUTO);
	cr_expect(o.config == NULL && o.rules == NULL && o.report == NULL && !o.quiet && !o.check);
	cr_expect_str_eq(o.out, "net_null0,no-rx=1");
	spx_options_free(&o);
}

Test(options, every_option_of_the_quick_start)
{
	char line[] =
		"--trace a.pcap b.pcap --rules r --trace=c.pcap --seconds 2.5 --report o.json --workers 3 "
		"--speed 0.5 --idle sleep --burst 64 --out net_null1,size=60 --hugepages off --quiet";
	struct spx_options o;
	struct spx_error err;

	cr_assert_eq(parse(&o, line, &err), 0, "%s", err.text);
	cr_assert_eq(o.n_traces, 3);
	cr_expect_str_eq(o.traces[0], "a.pcap");
	cr_expect_str_eq(o.traces[1], "b.pcap");
	cr_expect_str_eq(o.traces[2], "c.pcap");
	cr_expect(o.seconds == 2.5 && o.passes == 0, "with --seconds the passes have no end");
	cr_expect(o.workers == 3 && o.speed == 0.5 && o.idle == SPX_IDLE_SLEEP && o.burst == 64 && o.quiet);
	cr_expect_eq(o.hugepages, SPX_HUGEPAGES_OFF);
	cr_expect_str_eq(o.rules, "r");
	cr_expect_str_eq(o.report, "o.json");
	cr_expect_str_eq(o.out, "net_null1,size=60");
	spx_options_free(&o);
}

Test(options, configuration)
{
	char line[] = "--config c.json --check --seconds 7 --report o.json --quiet";
	struct spx_options o;
	struct spx_error err;

	cr_assert_eq(parse(&o, line, &err), 0, "%s", err.text);
	cr_expect_str_eq(o.config, "c.json");
	cr_expect(o.check && o.seconds == 7 && o.quiet && o.n_traces == 0);
	spx_options_free(&o);
}

Test(options, passes_and_speed)
{
	char line[] = "--speed top --passes 0 --trace a -- -b";
	struct spx_options o;
	struct spx_error err;

	cr_expect_eq(parse(&o, line, &err), -EINVAL, "a trace that looks like an option");
	spx_options_free(&o);

	strcpy(line, "--speed top --passes 0 --trace a -- b");
	cr_assert_eq(parse(&o, line, &err), 0, "%s", err.text);
	cr_expect(o.passes == 0 && o.speed == 0 && o.n_traces == 2);
	spx_options_free(&o);
}

Test(options, mistakes)
{
	static const struct {
		const char *line, *starts, *says;
	} table[] = {
		{"", "nothing to do", "--trace FILE or --config FILE expected"},
		{"--passes 3", "nothing to do", "--trace FILE"},
		{"--trace", "--trace: has no value", "one expected"},
		{"--trace --passes 3", "--trace: is \"--passes\"", "a name expected"},
		{"a.pcap", "\"a.pcap\": belongs to no option", "directly after --trace"},
		{"--trace a --quiet b", "\"b\": belongs to no option", "directly after --trace"},
		{"--trace a --passes 1 --seconds 1", "--passes: excludes --seconds", "one of the two"},
		{"--trace a --passes -1", "--passes: is \"-1\"", "an integer from 0 to 1000000000000"},
		{"--trace a --passes 1x", "--passes: is \"1x\"", "an integer from 0"},
		{"--trace a --passes 99999999999999999999", "--passes: is", "an integer from 0"},
		{"--trace a --seconds 0", "--seconds: is \"0\"", "a number from 0.001 to 1000000000"},
		{"--trace a --seconds nan", "--seconds: is \"nan\"", "a number from 0.001"},
		{"--trace a --seconds inf", "--seconds: is \"inf\"", "a number from 0.001"},
		{"--trace a --speed fast", "--speed: is \"fast\"",
			"\"top\" or a factor from 0.001 to 1000000"},
		{"--trace a --speed 0", "--speed: is \"0\"", "\"top\" or a factor"},
		{"--trace a --workers 0", "--workers: is \"0\"", "an integer from 1 to 32"},
		{"--trace a --workers 33", "--workers: is \"33\"", "an integer from 1 to 32"},
		{"--trace a --burst 65", "--burst: is \"65\"", "an integer from 1 to 64"},
		{"--trace a --idle slep", "--idle: is \"slep\"", "did you mean \"sleep\"?"},
		{"--trace a --hugepages yes", "--hugepages: is \"yes\"", "one of \"auto\", \"on\", \"off\""},
		{"--trace a --cache", "--cache: has no value", "one expected"},
		{"--trace a --control", "--control: has no value", "one expected"},
		{"--config c --control --quiet", "--control: is \"--quiet\"", "a name expected"},
		{"--config c --control " LONG_NAME LONG_NAME, "--control: has 120 bytes",
			"a path of at most 107, or \"none\", expected"},
		{"--config c --cache excat", "--cache: mode: is \"excat\"", "did you mean \"exact\"?"},
		{"--trace a b --out o.pcapng", "--out: is \"o.pcapng\"", "one trace expected"},
		{"--trace a --check", "--check: there is no configuration", "--config FILE expected"},
		{"--config c --workers 2", "--workers: belongs to the quick start", "said in the file"},
		{"--config c --trace a", "--trace: belongs to the quick start", "said in the file"},
		{"--trace a --ruels r", "--ruels: is no option", "did you mean \"rules\"?"},
		{"--trace a --ruels=r", "--ruels=r: is no option", "did you mean \"rules\"?"},
		{"--trace a --quiet=1", "--quiet: has a value", "none expected"},
		{"--trace a -q", "-q: is no option", "only long ones expected"},
		{"--trace a --s 1", "--s: is no option", "\"speed\""},
	};
	struct spx_options o;
	struct spx_error err;

	for (size_t i = 0; i < RTE_DIM(table); i++) {
		char *line = strdup(table[i].line);

		cr_expect_eq(parse(&o, line, &err), -EINVAL, "%s", table[i].line);
		cr_expect_eq(strncmp(err.text, table[i].starts, strlen(table[i].starts)), 0, "%s: %s",
			table[i].line, err.text);
		cr_expect_not_null(strstr(err.text, table[i].says), "%s: %s", table[i].line, err.text);
		cr_expect_not_null(strstr(err.text, "--help"), "%s: %s", table[i].line, err.text);
		cr_expect_null(strchr(err.text, '\n'), "%s: one line", table[i].line);
		spx_options_free(&o);
		free(line);
	}
}

static void
redirect_output(void)
{
	cr_redirect_stdout();
}

/* What --help printed, freed by the caller. */
static char *
output(const char *option)
{
	char line[32], *text = malloc(16384);
	FILE *printed = cr_get_redirected_stdout();
	struct spx_options o;
	struct spx_error err;
	size_t n;

	snprintf(line, sizeof(line), "%s", option);
	cr_expect_eq(parse(&o, line, &err), 1, "%s", err.text);
	spx_options_free(&o);
	fflush(stdout);
	fclose(stdout);
	n = fread(text, 1, 16383, printed);
	text[n] = '\0';
	return text;
}

/* Each option is explained, and the lines fit a terminal. */
Test(options, help_names_every_option, .init = redirect_output)
{
	static const char *const names[] = {"--trace FILE", "--config FILE", "--check", "--passes N",
		"--seconds N", "--rules FILE", "--out DEVICE|FILE", "--speed top|FACTOR", "--workers N",
		"--cache MODE[:KEY=VALUE,...]", "--control PATH|none", "--burst N", "--idle spin|sleep",
		"--hugepages auto|on|off", "--report OUT.json", "--quiet", "--help", "--version"};
	char *text = output("--help");

	for (size_t i = 0; i < RTE_DIM(names); i++)
		cr_expect_not_null(strstr(text, names[i]), "%s", names[i]);
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
		cr_expect_leq(strlen(line), 100, "%s", line);
	free(text);
}

Test(options, version, .init = redirect_output)
{
	char *text = output("--version");

	cr_expect_eq(strncmp(text, "sphex ", 6), 0, "%s", text);
	free(text);
}

/* ---- setups ---------------------------------------------------------------------------------------- */

static int
quick(struct spx_setup *setup, const char *words, struct spx_error *err)
{
	char *line = strdup(words);
	struct spx_options o;
	int rc;

	cr_assert_eq(parse(&o, line, err), 0, "%s", err->text);
	rc = spx_setup_quick(setup, &o, o.traces[0], err);
	spx_options_free(&o);
	free(line);
	return rc;
}

Test(quick, forwards_everything_without_rules)
{
	struct spx_setup s;
	struct spx_error err;

	cr_assert_eq(quick(&s,
			     "--trace t.pcap --seconds 3 --speed 2 --workers 2 --burst 8 --idle sleep "
			     "--hugepages on --report r.json",
			     &err),
		0, "%s", err.text);
	cr_assert(s.n_ports == 2 && s.n_actions == 2 && s.rules.n == 0);
	cr_expect_str_eq(s.port[0].name, "in");
	cr_expect_str_eq(s.port[0].driver, "replay");
	cr_expect_str_eq(s.port[0].file, "t.pcap");
	cr_expect(s.port[0].passes == 0 && s.port[0].speed == 2);
	cr_expect_str_eq(s.port[1].name, "out");
	cr_expect_str_eq(s.port[1].driver, "ethdev");
	cr_expect_str_eq(s.port[1].device, "net_null0,no-rx=1");
	cr_expect(s.action[0].action.verdict == SPX_VERDICT_FORWARD && s.action[0].action.port == 1);
	cr_expect_eq(s.action[0].action.flags, 0);
	cr_expect(s.workers == 2 && s.burst == 8 && s.worker_idle == SPX_IDLE_SLEEP && s.seconds == 3);
	cr_expect_eq(s.hugepages, SPX_HUGEPAGES_ON);
	cr_expect_str_eq(s.report, "r.json");
	spx_setup_free(&s);
}

Test(quick, captures_into_a_file)
{
	struct spx_setup s;
	struct spx_error err;

	cr_assert_eq(quick(&s, "--trace t.pcap --out o.pcapng", &err), 0, "%s", err.text);
	cr_expect_str_eq(s.port[1].driver, "capture");
	cr_expect_str_eq(s.port[1].file, "o.pcapng");
	cr_expect_null(s.port[1].device);
	spx_setup_free(&s);
}

Test(quick, classbench_rules_forward_and_the_rest_is_dropped)
{
	struct spx_setup s;
	struct spx_error err;

	cr_assert_eq(quick(&s, "--trace t.pcap --rules config/examples/rules.classbench", &err), 0, "%s",
		err.text);
	cr_assert_eq(s.rules.n, 3);
	for (size_t i = 0; i < 3; i++)
		cr_expect(s.rules.rule[i].action == 1 && s.rules.rule[i].order == i + 1);
	cr_expect_str_eq(s.action[1].name, "forward");
	cr_expect(s.action[1].action.verdict == SPX_VERDICT_FORWARD && s.action[1].action.port == 1);
	cr_expect_eq(s.action[0].action.verdict, SPX_VERDICT_DROP);
	cr_expect_eq(s.action[0].action.flags, SPX_ACTION_NO_RULE);
	spx_setup_free(&s);
}

/* Writes a rule file and starts quickly with it. */
static int
quick_with_rules(struct spx_setup *setup, const char *rules, struct spx_error *err)
{
	char path[] = "/tmp/sphex_rules_XXXXXX", words[128];
	int fd = mkstemp(path), rc;

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, rules, strlen(rules)), (ssize_t)strlen(rules));
	close(fd);
	snprintf(words, sizeof(words), "--trace t.pcap --rules %s", path);
	rc = quick(setup, words, err);
	unlink(path);
	return rc;
}

Test(quick, json_rules_bring_their_actions)
{
	struct spx_setup s;
	struct spx_error err;

	cr_assert_eq(quick_with_rules(&s,
			     "\n {\"actions\":{\"deny\":{\"verdict\":\"drop\"},"
			     "\"back\":{\"verdict\":\"forward\",\"port\":\"out\",\"decrement_ttl\":true}},"
			     "\"rules\":{\"default\":\"forward\",\"list\":["
			     "{\"match\":{\"dport\":23,\"port\":\"in\"},\"action\":\"deny\"},"
			     "{\"match\":{\"dport\":24},\"action\":\"forward\"}]}}",
			     &err),
		0, "%s", err.text);
	cr_assert(s.n_actions == 4 && s.rules.n == 2);
	cr_expect(s.rules.rule[0].action == 2 && s.rules.rule[1].action == 1);
	cr_expect(s.action[3].action.port == 1 && s.action[3].action.flags == SPX_ACTION_DEC_TTL);
	cr_expect(s.action[0].action.verdict == SPX_VERDICT_FORWARD && s.action[0].action.port == 1);
	spx_setup_free(&s);
}

Test(quick, mistakes_in_rule_files)
{
	static const struct {
		const char *rules, *says;
	} table[] = {
		{"[]", ": $: is an array; an object expected: a rule file"},
		{"{\"rules\":{\"list\":[{\"match\":{},\"action\":\"forwrd\"}]}}",
			"did you mean \"forward\"?"},
		{"{\"actions\":{\"forward\":{\"verdict\":\"drop\"}},\"rules\":{}}",
			"$.actions.forward: is there already"},
		{"{\"ports\":[]}", "$.ports: is no key of a rule file; one of \"actions\", \"rules\""},
		{"{\"actions\":{}}", "$: \"rules\" is missing"},
		{"10.0.0.0/8 0.0.0.0/0 0 : 1 0 : 1 6/255\n", ":1:1"},
	};
	struct spx_setup s;
	struct spx_error err;

	for (size_t i = 0; i < RTE_DIM(table); i++) {
		cr_expect_eq(quick_with_rules(&s, table[i].rules, &err), -EINVAL, "%s", table[i].rules);
		cr_expect_not_null(strstr(err.text, table[i].says), "%s: %s", table[i].rules, err.text);
		spx_setup_free(&s);
	}
	cr_expect_eq(quick(&s, "--trace t.pcap --rules config/none", &err), -ENOENT, "%s", err.text);
	cr_expect_not_null(strstr(err.text, "config/none"), "%s", err.text);
	spx_setup_free(&s);
}

Test(configured, command_line_over_file)
{
	char line[] = "--config config/examples/replay.json --seconds 3 --report mine.json "
		      "--cache exact:entries=640";
	struct spx_setup s;
	struct spx_options o;
	struct spx_error err;

	cr_assert_eq(parse(&o, line, &err), 0, "%s", err.text);
	cr_assert_eq(spx_setup_configured(&s, &o, &err), 0, "%s", err.text);
	cr_expect_eq(s.seconds, 3);
	cr_expect_str_eq(s.report, "mine.json");
	cr_expect(s.cache.mode == SPX_FLOW_MODE_exact && s.cache.entries == 640 && s.cache.entries6 == 160);
	cr_expect_eq(s.rules.n, 6);
	spx_setup_free(&s);
	spx_options_free(&o);
}

Test(quick, cache_is_layered_without_a_flood_guard)
{
	struct spx_setup s;
	struct spx_error err;

	cr_assert_eq(quick(&s, "--trace t.pcap", &err), 0, "%s", err.text);
	cr_expect(s.cache.mode == SPX_FLOW_MODE_layered && s.cache.entries == 65536);
	cr_expect_eq(s.cache.flood_guard, 0);
	spx_setup_free(&s);
	cr_assert_eq(quick(&s, "--trace t.pcap --cache exact:flood_guard=5", &err), 0, "%s", err.text);
	cr_expect(s.cache.mode == SPX_FLOW_MODE_exact && s.cache.flood_guard == 5);
	spx_setup_free(&s);
}
