/* "control" of a configuration and --control of the command line. Mistakes are in setup_mistakes.json and
 * setup_options.c. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "app/sphex/options.h"

#define PORTS "\"ports\":[{\"name\":\"in\",\"driver\":\"replay\",\"trace\":\"t.pcap\"}]"

static void
parse(struct spx_setup *setup, const char *control)
{
	struct spx_error err;
	char text[256];

	snprintf(text, sizeof(text), "{" PORTS ",\"control\":%s}", control);
	cr_assert_eq(spx_setup_init(setup), 0);
	cr_assert_eq(spx_setup_parse(setup, "text", text, strlen(text), &err), 0, "%s", err.text);
}

Test(control, what_a_configuration_says)
{
	struct spx_setup s;

	parse(&s, "{\"socket\":\"s.sock\",\"operators\":[\"root\",7,\"4294967294\"]}");
	cr_expect_str_eq(s.control.socket, "s.sock");
	cr_expect(!s.control.off && s.control.readers == SPX_READERS_ANYONE);
	cr_assert_eq(s.control.n_operators, 3);
	cr_expect(s.control.operators[0] == 0 && s.control.operators[1] == 7);
	cr_expect_eq(s.control.operators[2], 4294967294);
	spx_setup_free(&s);

	parse(&s, "{\"socket\":\"none\",\"operators\":[]}");
	cr_expect(s.control.off && s.control.socket == NULL && s.control.n_operators == 0);
	spx_setup_free(&s);
}

/* The command line comes before the file. */
Test(control, what_the_command_line_says)
{
	struct spx_setup s;
	struct spx_error err;

	parse(&s, "{\"socket\":\"none\"}");
	cr_assert_eq(spx_setup_control_option(&s, "/tmp/x", &err), 0, "%s", err.text);
	cr_expect(!s.control.off);
	cr_expect_str_eq(s.control.socket, "/tmp/x");
	cr_assert_eq(spx_setup_control_option(&s, "none", &err), 0, "%s", err.text);
	cr_expect(s.control.off && s.control.socket == NULL);
	spx_setup_free(&s);
}

Test(control, the_quick_start_has_it_too)
{
	char *argv[] = {
		(char *)"sphex", (char *)"--trace", (char *)"t", (char *)"--control", (char *)"./s", NULL};
	struct spx_options o;
	struct spx_setup s;
	struct spx_error err;

	cr_assert_eq(spx_options_parse(&o, 5, argv, &err), 0, "%s", err.text);
	cr_assert_eq(spx_setup_quick(&s, &o, "t", &err), 0, "%s", err.text);
	cr_expect_str_eq(s.control.socket, "./s");
	spx_setup_free(&s);
	spx_options_free(&o);
}
