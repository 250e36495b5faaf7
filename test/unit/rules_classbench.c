/* The ClassBench reader: what it accepts, and for each mistake where it says it is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "lib/rules/rules.h"

#define RULE "@10.0.0.0/8\t192.0.2.1/32\t0 : 65535\t80 : 80\t0x06/0xFF\t0x0000/0x0000\t\n"

static int
parse(const char *text, struct spx_rule_list *list, size_t *flags, struct spx_error *err)
{
	return spx_rules_parse_classbench("set", text, strlen(text), 1, 7, list, flags, err);
}

static void
accepts(const char *text, size_t rules)
{
	struct spx_rule_list list = {0};
	struct spx_error err = {0};

	cr_expect_eq(parse(text, &list, NULL, &err), 0, "%s: %s", text, err.text);
	cr_expect_eq(list.n, rules, "%s", text);
	for (size_t i = 0; i < list.n; i++)
		cr_expect_eq(spx_rule_check(&list.rule[i], &err), 0, "%s: %s", text, err.text);
	spx_rule_list_free(&list);
}

/* Refused at set:line:column with a text that contains `word`. */
static void
refuses(const char *text, const char *where, const char *word)
{
	struct spx_rule_list list = {0};
	struct spx_error err = {0};

	cr_expect_eq(parse(text, &list, NULL, &err), -EINVAL, "%s", text);
	cr_expect_eq(strncmp(err.text, where, strlen(where)), 0, "%s: %s, not %s", text, err.text, where);
	cr_expect_not_null(strstr(err.text, word), "%s: %s", text, err.text);
	cr_expect_eq(list.n, 0);
	spx_rule_list_free(&list);
}

Test(rules_classbench, every_column)
{
	struct spx_rule_list list = {0};
	struct spx_error err;
	size_t flags;
	const struct spx_match *m;

	cr_assert_eq(parse("@1.2.3.4/30\t255.254.253.252/31\t1 : 2\t3 : 65535\t0x11/0xFF\t0x1000/0x1000\t\n"
			   "@0.0.0.0/0 0.0.0.0/0 0 : 65535 0 : 65535 0x06/0x00 0x0000/0x0000\n",
			     &list, &flags, &err),
		0);
	cr_assert_eq(list.n, 2);
	cr_expect_eq(flags, 1);
	m = &list.rule[0].match;
	cr_expect_eq(list.rule[0].order, 1);
	cr_expect_eq(list.rule[1].order, 2);
	cr_expect_eq(list.rule[0].action, 7);
	cr_expect_eq(m->family, SPX_FAMILY_IPV4);
	cr_expect_arr_eq(m->sip, ((uint8_t[16]){1, 2, 3, 4}), 16);
	cr_expect_eq(m->sip_length, 30);
	cr_expect_arr_eq(m->dip, ((uint8_t[16]){255, 254, 253, 252}), 16);
	cr_expect_eq(m->dip_length, 31);
	cr_expect(m->sport_low == 1 && m->sport_high == 2 && m->dport_low == 3 && m->dport_high == 65535);
	cr_expect(m->fields == SPX_MATCH_PROTO && m->proto == 0x11);
	cr_expect_eq(list.rule[1].match.fields, 0, "mask 0x00 is any protocol");
	spx_rule_list_free(&list);
}

Test(rules_classbench, bits_beyond_the_prefix_are_cleared)
{
	struct spx_rule_list list = {0};

	cr_assert_eq(parse("@255.255.255.255/9 255.255.255.255/0 0 : 1 0 : 1 6/255", &list, NULL, NULL), 0);
	cr_expect_arr_eq(list.rule[0].match.sip, ((uint8_t[16]){255, 128}), 16);
	cr_expect_arr_eq(list.rule[0].match.dip, ((uint8_t[16]){0}), 16);
	spx_rule_list_free(&list);
}

Test(rules_classbench, layouts)
{
	accepts("", 0);
	accepts("\n\r\n  \n# comment @\n\t# another", 0);
	accepts(RULE RULE, 2);
	accepts("@1.1.1.1/1 2.2.2.2/2 0 : 1 0 : 1 0x06/0xFF\r\n" RULE "\n" RULE, 3);
	accepts("  @1.1.1.1/1\t \t2.2.2.2/2  0:1   0:  1\t6/0xff", 1);
	accepts("@1.1.1.1/1 2.2.2.2/2 0 : 1 0 : 1 0X1f/0XfF 0/0", 1);
}

Test(rules_classbench, appends_behind_what_is_there)
{
	struct spx_rule_list list = {0};

	cr_assert_eq(spx_rules_parse_classbench("a", RULE, strlen(RULE), 1, 1, &list, NULL, NULL), 0);
	cr_assert_eq(
		spx_rules_parse_classbench("b", RULE RULE, 2 * strlen(RULE), 100, 2, &list, NULL, NULL), 0);
	cr_assert_eq(list.n, 3);
	cr_expect_eq(list.rule[1].order, 100);
	cr_expect_eq(list.rule[2].order, 101);
	cr_expect_eq(list.rule[2].action, 2);
	/* A mistake in a later line takes back the earlier ones. */
	cr_expect_eq(parse(RULE "@", &list, NULL, NULL), -EINVAL);
	cr_expect_eq(list.n, 3);
	spx_rule_list_free(&list);
}

Test(rules_classbench, mistakes)
{
	refuses("10.0.0.0/8 1.1.1.1/32 0 : 1 0 : 1 6/255", "set:1:1: ", "starts with @");
	refuses(RULE "  x", "set:2:3: ", "starts with @");
	refuses("@", "set:1:2: ", "four numbers");
	refuses("@256.0.0.0/8", "set:1:2: ", "0 to 255");
	refuses("@10.0.0/8", "set:1:8: ", "dots");
	refuses("@10.0.0.x/8", "set:1:9: ", "four numbers");
	refuses("@10.0.0.0 1.1.1.1/1", "set:1:10: ", "prefix length");
	refuses("@10.0.0.0/33 ", "set:1:11: ", "0 to 32");
	refuses("@10.0.0.0/ ", "set:1:11: ", "0 to 32");
	refuses("@99999999999999999999.0.0.0/8", "set:1:2: ", "0 to 255");
	refuses("@1.1.1.1/1", "set:1:11: ", "white space");
	refuses("@1.1.1.1/1@2.2.2.2/2", "set:1:11: ", "white space");
	refuses("@1.1.1.1/1 @2.2.2.2/2", "set:1:12: ", "four numbers");
	refuses("@::1/1 ", "set:1:2: ", "four numbers");
	refuses("@1.1.1.1/1 2.2.2.2/2 0 : 65536", "set:1:26: ", "0 to 65535");
	refuses("@1.1.1.1/1 2.2.2.2/2 -1 : 5", "set:1:22: ", "0 to 65535");
	refuses("@1.1.1.1/1 2.2.2.2/2 0 - 5", "set:1:24: ", "low : high");
	refuses("@1.1.1.1/1 2.2.2.2/2 5 : 4 0 : 1 6/255", "set:1:22: ", "lower port");
	refuses("@1.1.1.1/1 2.2.2.2/2 4 : 5 0 : 1", "set:1:33: ", "white space");
	refuses("@1.1.1.1/1 2.2.2.2/2 4 : 5 0 : 1 \n", "set:1:34: ", "0x06/0xFF");
	refuses("@1.1.1.1/1 2.2.2.2/2 4 : 5 0 : 1 0x/0xff", "set:1:34: ", "0x06/0xFF");
	refuses("@1.1.1.1/1 2.2.2.2/2 4 : 5 0 : 1 0x100/0xff", "set:1:34: ", "0x06/0xFF");
	refuses("@1.1.1.1/1 2.2.2.2/2 4 : 5 0 : 1 0x06", "set:1:38: ", "0x06/0xFF");
	refuses("@1.1.1.1/1 2.2.2.2/2 4 : 5 0 : 1 0x06/0x0f", "set:1:34: ", "neither 0xFF");
	refuses("@1.1.1.1/1 2.2.2.2/2 4 : 5 0 : 1 0x06/0xffx", "set:1:43: ", "flags");
	refuses("@1.1.1.1/1 2.2.2.2/2 4 : 5 0 : 1 0x06/0xff flags", "set:1:44: ", "value/mask");
	refuses("@1.1.1.1/1 2.2.2.2/2 4 : 5 0 : 1 0x06/0xff 0x10000/0x1", "set:1:44: ", "16 bits");
	refuses("@1.1.1.1/1 2.2.2.2/2 4 : 5 0 : 1 0x06/0xff 0/0 0", "set:1:48: ", "goes on");
}

Test(rules_classbench, bytes_that_are_no_text)
{
	struct spx_rule_list list = {0};
	struct spx_error err;
	static const char zeros[8] = {0};

	cr_expect_eq(spx_rules_parse_classbench("z", zeros, sizeof(zeros), 1, 0, &list, NULL, &err), -EINVAL);
	cr_expect_eq(strncmp(err.text, "z:1:1: ", 7), 0, "%s", err.text);
	cr_expect_eq(spx_rules_parse_classbench("f", "\xff\xfe@", 3, 1, 0, &list, NULL, &err), -EINVAL);
	spx_rule_list_free(&list);
}

Test(rules_classbench, long_line)
{
	char text[1100];
	struct spx_rule_list list = {0};
	struct spx_error err;

	memset(text, ' ', sizeof(text));
	cr_expect_eq(spx_rules_parse_classbench("l", text, 1024, 1, 0, &list, NULL, &err), 0);
	cr_expect_eq(spx_rules_parse_classbench("l", text, 1025, 1, 0, &list, NULL, &err), -EINVAL);
	cr_expect_not_null(strstr(err.text, "l:1:1025: "), "%s", err.text);
}

Test(rules_classbench, orders_run_out)
{
	struct spx_rule_list list = {0};
	struct spx_error err;

	cr_expect_eq(
		spx_rules_parse_classbench("o", RULE, strlen(RULE), SPX_RULE_ORDER_MAX, 0, &list, NULL, &err),
		0);
	cr_expect_eq(spx_rules_parse_classbench(
			     "o", RULE RULE, 2 * strlen(RULE), SPX_RULE_ORDER_MAX, 0, &list, NULL, &err),
		-EINVAL);
	cr_expect_not_null(strstr(err.text, "o:2:1: "), "%s", err.text);
	cr_expect_eq(spx_rules_parse_classbench("o", RULE, strlen(RULE), 0, 0, &list, NULL, &err), -EINVAL);
	spx_rule_list_free(&list);
}

Test(rules_classbench, files)
{
	char path[] = "/tmp/spx_classbench_XXXXXX";
	int fd = mkstemp(path);
	struct spx_rule_list list = {0};
	struct spx_error err;
	size_t flags = 99;

	cr_assert_geq(fd, 0);
	for (int i = 0; i < 2000; i++) /* more than the first buffer holds */
		cr_assert_eq(write(fd, RULE, strlen(RULE)), (ssize_t)strlen(RULE));
	cr_expect_eq(spx_rules_read_classbench(path, 1, 0, &list, &flags, &err), 0, "%s", err.text);
	cr_expect_eq(list.n, 2000);
	cr_expect_eq(flags, 0);
	cr_assert_eq(write(fd, "@x", 2), 2);
	cr_expect_eq(spx_rules_read_classbench(path, 1, 0, &list, NULL, &err), -EINVAL);
	cr_expect_not_null(strstr(err.text, ":2001:2: "), "%s", err.text);
	cr_expect_eq(list.n, 2000);
	close(fd);
	unlink(path);
	cr_expect_eq(spx_rules_read_classbench(path, 1, 0, &list, NULL, &err), -ENOENT);
	cr_expect_not_null(strstr(err.text, path), "%s", err.text);
	cr_expect_eq(spx_rules_read_classbench("/", 1, 0, &list, NULL, &err), -EISDIR);
	cr_expect_eq(spx_rules_read_classbench("/dev/zero", 1, 0, &list, NULL, &err), -EFBIG);
	spx_rule_list_free(&list);
}
