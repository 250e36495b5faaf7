/* spxctl: words that may be abbreviated, and the words of rules and captures as parameters. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/spxctl/capture.h"
#include "app/spxctl/rule.h"
#include "app/spxctl/words.h"

static const struct spx_word table[] = {{"capture"}, {"clear"}, {"show"}, {"showcase"}, {"stop"}, {NULL}};

static int
find(const char *word, struct spx_error *err)
{
	return spx_word_find("command", table, sizeof(table[0]), word, err);
}

Test(ctl_words, beginnings)
{
	struct spx_error err;

	cr_assert_eq(find("capture", &err), 0);
	cr_assert_eq(find("ca", &err), 0);
	cr_assert_eq(find("cl", &err), 1);
	cr_assert_eq(find("st", &err), 4);
	cr_assert_eq(find("show", &err), 2, "a whole word is not ambiguous");
	cr_assert_eq(find("showc", &err), 3);
	cr_assert_eq(find("c", &err), -EINVAL);
	cr_assert_str_eq(err.text, "command: \"c\" is ambiguous; one of \"capture\", \"clear\" expected");
	cr_assert_eq(find("captures", &err), -EINVAL, "longer than the word");
	cr_assert_eq(find("", &err), -EINVAL);
	cr_assert_eq(find(NULL, &err), -EINVAL);
	cr_assert(strstr(err.text, "missing") != NULL, "%s", err.text);
}

Test(ctl_words, nearest)
{
	struct spx_error err;

	cr_assert_eq(find("claer", &err), -EINVAL);
	cr_assert(strstr(err.text, "\"claer\" is unknown") != NULL, "%s", err.text);
	cr_assert(strstr(err.text, "did you mean \"clear\"?") != NULL, "%s", err.text);
}

Test(ctl_words, numbers)
{
	struct spx_error err;
	uint64_t n;
	double s;

	cr_assert_eq(spx_word_number("N", "10", 1, 10, &n, &err), 0);
	cr_assert_eq(n, 10);
	cr_assert_eq(spx_word_number("N", "11", 1, 10, &n, &err), -EINVAL);
	cr_assert_eq(spx_word_number("N", "0", 1, 10, &n, &err), -EINVAL);
	cr_assert_eq(spx_word_number("N", "-1", 0, UINT64_MAX, &n, &err), -EINVAL);
	cr_assert_eq(spx_word_number("N", "1x", 0, 10, &n, &err), -EINVAL);
	cr_assert_eq(spx_word_number("N", "18446744073709551616", 0, UINT64_MAX, &n, &err), -EINVAL);
	cr_assert_eq(spx_word_number("N", NULL, 0, 10, &n, &err), -EINVAL);
	cr_assert_str_eq(err.text, "N is missing; a whole number from 0 to 10 expected");
	cr_assert_eq(spx_word_seconds("S", "0.5", 0.1, 10, &s, &err), 0);
	cr_assert_eq(s, 0.5);
	cr_assert_eq(spx_word_seconds("S", "nan", 0.1, 10, &s, &err), -EINVAL);
	cr_assert_eq(spx_word_seconds("S", "1s", 0.1, 10, &s, &err), -EINVAL);
	cr_assert_eq(spx_word_seconds("S", "", 0, 10, &s, &err), -EINVAL);
}

/* ---- rules ----------------------------------------------------------------------------------------- */

/* Splits a line at blanks; returns the words' number. */
static int
split(char *line, char *word[16])
{
	int n = 0;

	for (char *w = strtok(line, " "); w != NULL; w = strtok(NULL, " "))
		word[n++] = w;
	return n;
}

static void
check_json(json_t *params, const char *expected)
{
	char *text = json_dumps(params, JSON_COMPACT);

	cr_assert_str_eq(text, expected);
	free(text);
	json_decref(params);
}

static void
check_rule(const char *words, const char *expected)
{
	char line[256], *word[16];
	struct spx_error err;
	json_t *params;

	strcpy(line, words);
	cr_assert_eq(spx_rule_words(split(line, word), word, &params, &err), 0, "%s: %s", words, err.text);
	check_json(params, expected);
}

static void
check_rule_mistake(const char *words, const char *message)
{
	char line[256], *word[16];
	struct spx_error err;
	json_t *params;

	strcpy(line, words);
	cr_assert_eq(spx_rule_words(split(line, word), word, &params, &err), -EINVAL, "%s", words);
	cr_assert(strstr(err.text, message) != NULL, "%s: %s", words, err.text);
}

Test(ctl_words, rule)
{
	check_rule("order 100 proto udp dport 53 action web",
		"{\"rule\":{\"match\":{\"proto\":\"udp\",\"dport\":53},\"order\":100,\"action\":\"web\"}}");
	check_rule("action web", "{\"rule\":{\"match\":{},\"action\":\"web\"}}");
	check_rule("pro 17 act 7", "{\"rule\":{\"match\":{\"proto\":17},\"action\":\"7\"}}");
	check_rule("src 10.0.0.0/8 dst 2001:db8::1 sport 1-9 vlan 5 port 1 ether 0x806 fam ipv4 action a",
		"{\"rule\":{\"match\":{\"src\":\"10.0.0.0/"
		"8\",\"dst\":\"2001:db8::1\",\"sport\":\"1-9\",\"vlan\":5,"
		"\"port\":\"1\",\"ethertype\":\"0x806\",\"family\":\"ipv4\"},\"action\":\"a\"}}");
	check_rule("dport 99999999999999999999 action a",
		"{\"rule\":{\"match\":{\"dport\":\"99999999999999999999\"},\"action\":\"a\"}}");
}

Test(ctl_words, rule_mistakes)
{
	check_rule_mistake("proto udp", "\"action NAME\" is missing");
	check_rule_mistake("", "\"action NAME\" is missing");
	check_rule_mistake("action", "action has no value");
	check_rule_mistake("dport 1 dport 2 action a", "dport is given twice");
	check_rule_mistake("action a action b", "action is given twice");
	check_rule_mistake("s 10.0.0.1 action a", "one of \"src\", \"sport\" expected");
	check_rule_mistake("dprot 1 action a", "did you mean \"dport\"?");
	check_rule_mistake("dport 1 action \xff", "no UTF-8");
}

/* ---- captures -------------------------------------------------------------------------------------- */

static void
check_capture(const char *words, const char *expected)
{
	char line[256], *word[16];
	struct spx_error err;
	const char *file;
	json_t *params;
	int n;

	strcpy(line, words);
	n = split(line, word);
	cr_assert_eq(spx_capture_words(n, word, &params, &file, &err), 0, "%s: %s", words, err.text);
	cr_assert_eq(file, word[n - 1]);
	check_json(params, expected);
}

static void
check_capture_mistake(const char *words, const char *message)
{
	char line[256], *word[16];
	struct spx_error err;
	const char *file;
	json_t *params;

	strcpy(line, words);
	cr_assert_eq(spx_capture_words(split(line, word), word, &params, &file, &err), -EINVAL, "%s", words);
	cr_assert(strstr(err.text, message) != NULL, "%s: %s", words, err.text);
}

Test(ctl_words, capture)
{
	check_capture("f", "{\"points\":[\"receive\",\"transmit\"],\"file\":\"f\"}");
	check_capture("in", "{\"points\":[\"receive\",\"transmit\"],\"file\":\"in\"}");
	check_capture("in f", "{\"points\":[\"receive\"],\"file\":\"f\"}");
	check_capture("out f", "{\"points\":[\"transmit\"],\"file\":\"f\"}");
	check_capture("drops f", "{\"points\":[\"drop\"],\"file\":\"f\"}");
	check_capture("both drops -",
		"{\"points\":[\"receive\",\"transmit\",\"drop\"],\"file\":\"standard output\"}");
	check_capture("in out f", "{\"points\":[\"receive\",\"transmit\"],\"file\":\"f\"}");
	check_capture("port out filter udp snap 64 count 9 f",
		"{\"port\":\"out\",\"filter\":\"udp\",\"snap\":64,\"count\":9,\"points\":[\"receive\","
		"\"transmit\"],"
		"\"file\":\"f\"}");
}

Test(ctl_words, capture_mistakes)
{
	check_capture_mistake("", "FILE is missing");
	check_capture_mistake("snap f", "snap has no value");
	check_capture_mistake("snap x f", "a whole number from 0 to 262144 expected");
	check_capture_mistake("filter udp filter tcp f", "filter is given twice");
	check_capture_mistake("udp f", "\"udp\" is unknown");
	check_capture_mistake("filter \xff f", "no UTF-8");
}
