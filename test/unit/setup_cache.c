/* "cache" of a configuration and --cache of the command line: sizes that follow from others, what comes over
 * what, and every mistake. The keys of a configuration are in setup_mistakes.json and everything.json too. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/sphex/setup.h"

#define REPLAY_PORT "{\"name\":\"in\",\"driver\":\"replay\",\"trace\":\"t.pcap\"}"

static int
parse(struct spx_setup *setup, const char *text, struct spx_error *err)
{
	err->text[0] = '\0';
	cr_assert_eq(spx_setup_init(setup), 0);
	return spx_setup_parse(setup, "text", text, strlen(text), err);
}

Test(cache, sizes_of_the_cache_follow_entries)
{
	static const struct {
		const char *cache;
		uint64_t entries, entries6, flows;
	} table[] = {
		{"{}", 65536, 16384, 131072},
		{"{\"entries\":1000}", 1000, 250, 2000},
		{"{\"entries\":16}", 16, 16, 32},
		{"{\"entries\":67108864}", 67108864, 16777216, 67108864},
		{"{\"entries\":1000,\"flows\":70000}", 1000, 250, 70000},
		{"{\"entries6\":99,\"entries\":1000}", 1000, 99, 2000},
		{"{\"flows\":20,\"mode\":\"approximate\",\"p\":1e-9}", 65536, 16384, 20},
	};
	char text[256];
	struct spx_setup s;
	struct spx_error err;

	for (size_t i = 0; i < RTE_DIM(table); i++) {
		snprintf(text, sizeof(text), "{\"ports\":[" REPLAY_PORT "],\"cache\":%s}", table[i].cache);
		cr_assert_eq(parse(&s, text, &err), 0, "%s", err.text);
		cr_expect(s.cache.entries == table[i].entries && s.cache.entries6 == table[i].entries6 &&
				  s.cache.flows == table[i].flows,
			"%s", table[i].cache);
		spx_setup_free(&s);
	}
}

/* A configuration of that mode with n actions; freed by the caller. */
static char *
with_actions(const char *mode, unsigned n)
{
	char *text;
	size_t length;
	FILE *f = open_memstream(&text, &length);

	fprintf(f, "{\"cache\":{\"mode\":\"%s\"},\"ports\":[" REPLAY_PORT "],\"actions\":{", mode);
	for (unsigned i = 0; i < n; i++)
		fprintf(f, "%s\"a%u\":{\"verdict\":\"drop\"}", i > 0 ? "," : "", i);
	fputs("}}", f);
	fclose(f);
	return text;
}

Test(cache, mode_approximate_has_a_filter_for_each_action)
{
	char *most = with_actions("approximate", 63), *more = with_actions("approximate", 64);
	struct spx_setup s;
	struct spx_error err;

	cr_expect_eq(parse(&s, most, &err), 0, "%s", err.text);
	cr_expect(s.n_actions == 64 && s.cache.mode == SPX_FLOW_MODE_approximate);
	spx_setup_free(&s);
	cr_expect_eq(parse(&s, more, &err), -EINVAL);
	cr_expect_eq(strncmp(err.text, "text: $.cache.mode: is \"approx", 30), 0, "%s", err.text);
	cr_expect_not_null(strstr(err.text, "at most 64 actions, or \"layered\", expected"), "%s", err.text);
	spx_setup_free(&s);
	free(most);
	free(more);
}

/* ---- --cache --------------------------------------------------------------------------------------- */

Test(cache, mistakes_in_the_option)
{
	static const struct {
		const char *text, *starts, *says;
	} table[] = {
		{"exct", "--cache: mode: is \"exct\"",
			"one of \"none\", \"exact\", \"layered\", \"approximate\" expected, did you mean "
			"\"exact\"?"},
		{"", "--cache: mode: is \"\"", "one of \"none\""},
		{"entries=16", "--cache: mode: is \"entries=16\"", "one of \"none\""},
		{"exact:", "--cache: an empty KEY=VALUE", "MODE:KEY=VALUE,... expected"},
		{"exact:ways", "--cache: \"ways\" is no KEY=VALUE", "MODE:KEY=VALUE"},
		{"exact:ways=4,", "--cache: an empty KEY=VALUE", "MODE:KEY=VALUE"},
		{"exact:=4", "--cache: \"=4\" is no KEY=VALUE", "MODE:KEY=VALUE"},
		{"exact:way=4", "--cache: way: is no key", "did you mean \"ways\"?"},
		{"exact:ways=17", "--cache: ways: is 17", "an integer from 1 to 16"},
		{"exact:ways=4,ways=4", "--cache: ways: is given twice", "once expected"},
		{"exact:mode=none", "--cache: mode: is given twice", "once expected"},
		{"exact:entries=64k", "--cache: entries: is \"64k\"", "an integer from 16 to 67108864"},
		{"exact:entries=1e3", "--cache: entries: is 1000.0", "an integer from 16"},
		{"exact:entries=0x40", "--cache: entries: is \"0x40\"", "an integer from"},
		{"exact:entries=99999999999999999999", "--cache: entries: is", "an integer from 16"},
		{"exact:entries=", "--cache: entries: is \"\"", "an integer from 16"},
		{"layered:p=2", "--cache: p: is 2", "a number from 1e-09 to 0.5"},
		{"layered:p=nan", "--cache: p: is \"nan\"", "a number from 1e-09"},
		{"layered:p=1e999", "--cache: p: is \"1e999\"", "a number from 1e-09"},
		{"layered:p.q=1", "--cache: [\"p.q\"]: is no key", "one of \"mode\""},
		{"layered:ageing=colt", "--cache: ageing: is \"colt\"", "mean \"cold\"?"},
		{"exa\tct", "--cache: has blanks", "MODE or MODE:KEY=VALUE,... expected"},
		{"ex\xe4"
		 "ct",
			"--cache: has blanks", "MODE or MODE:KEY=VALUE,... expected"},
	};
	struct spx_setup s;
	struct spx_error err;

	cr_assert_eq(spx_setup_init(&s), 0);
	for (size_t i = 0; i < RTE_DIM(table); i++) {
		cr_expect_eq(spx_setup_cache_option(&s, table[i].text, &err), -EINVAL, "%s", table[i].text);
		cr_expect_eq(strncmp(err.text, table[i].starts, strlen(table[i].starts)), 0, "%s: %s",
			table[i].text, err.text);
		cr_expect_not_null(strstr(err.text, table[i].says), "%s: %s", table[i].text, err.text);
		cr_expect_not_null(strstr(err.text, " (try --help)"), "%s: %s", table[i].text, err.text);
		cr_expect_null(strchr(err.text, '\n'), "%s: one line", table[i].text);
	}
	spx_setup_free(&s);
}

/* The setup of everything.json (exact, 4096, 512, 8 ways, 2000 flows) with --cache over it. */
static void
over_everything(struct spx_setup *setup, const char *cache)
{
	struct spx_error err;

	cr_assert_eq(spx_setup_init(setup), 0);
	cr_assert_eq(spx_setup_read(setup, "config/examples/everything.json", &err), 0, "%s", err.text);
	cr_assert_eq(spx_setup_cache_option(setup, cache, &err), 0, "%s", err.text);
}

Test(cache, every_key_of_the_option)
{
	struct spx_setup s;

	over_everything(&s, "approximate:entries=1024,entries6=17,ways=4,p=1e-6,flows=100,"
			    "ageing=double-buffered,idle_seconds=0.5,flood_guard=7");
	cr_expect(s.cache.mode == SPX_FLOW_MODE_approximate && s.cache.ways == 4 && s.cache.p == 1e-6);
	cr_expect(s.cache.entries == 1024 && s.cache.entries6 == 17 && s.cache.flows == 100);
	cr_expect(s.cache.ageing == SPX_FLOW_DOUBLE_BUFFERED && s.cache.idle_seconds == 0.5);
	cr_expect_eq(s.cache.flood_guard, 7);
	spx_setup_free(&s);
}

Test(cache, keys_that_are_not_given_stay)
{
	struct spx_setup s;

	over_everything(&s, "layered:ways=4");
	cr_expect(s.cache.mode == SPX_FLOW_MODE_layered && s.cache.ways == 4 && s.cache.p == 0.01);
	cr_expect(s.cache.entries == 4096 && s.cache.entries6 == 512 && s.cache.flows == 2000);
	cr_expect(s.cache.idle_seconds == 2.5 && s.cache.flood_guard == 5000);
	spx_setup_free(&s);
	over_everything(&s, "exact:entries=8000");
	cr_expect(s.cache.entries == 8000 && s.cache.entries6 == 2000 && s.cache.flows == 16000);
	spx_setup_free(&s);
	over_everything(&s, "none:flows=90,entries=8000");
	cr_expect(s.cache.entries == 8000 && s.cache.entries6 == 2000 && s.cache.flows == 90);
	cr_expect_eq(s.cache.mode, SPX_FLOW_MODE_none);
	spx_setup_free(&s);
}

Test(cache, option_approximate_with_too_many_actions)
{
	char *text = with_actions("exact", 64);
	struct spx_setup s;
	struct spx_error err;

	cr_assert_eq(parse(&s, text, &err), 0, "%s", err.text);
	cr_expect_eq(spx_setup_cache_option(&s, "approximate", &err), -EINVAL);
	cr_expect_eq(strncmp(err.text, "--cache: mode: is \"approx", 25), 0, "%s", err.text);
	cr_expect_not_null(strstr(err.text, "there are 65 with the default"), "%s", err.text);
	cr_expect_eq(spx_setup_cache_option(&s, "layered", &err), 0, "%s", err.text);
	spx_setup_free(&s);
	free(text);
}
