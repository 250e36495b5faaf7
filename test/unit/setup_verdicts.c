/* What the configuration reader says, for a test that is not written in C (setup_schema.py): each file named,
 * or without arguments each line of standard input as a document of its own, is answered by one line: "ok",
 * or the message. */
#include <stdio.h>
#include <stdlib.h>

#include "app/sphex/setup.h"

static void
answer(struct spx_setup *setup, int rc, const struct spx_error *err)
{
	puts(rc == 0 ? "ok" : err->text);
	spx_setup_free(setup);
}

int
main(int argc, char *argv[])
{
	struct spx_setup setup;
	struct spx_error err;
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	for (int i = 1; i < argc; i++)
		if (spx_setup_init(&setup) == 0)
			answer(&setup, spx_setup_read(&setup, argv[i], &err), &err);
	while (argc == 1 && (length = getline(&line, &room, stdin)) > 0)
		if (spx_setup_init(&setup) == 0)
			answer(&setup, spx_setup_parse(&setup, "line", line, (size_t)length, &err), &err);
	free(line);
	return 0;
}
