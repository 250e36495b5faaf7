/* Files that go along with a request as text; see ctl.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/spxctl/ctl.h"

/* All of a file, and its length, or NULL with errno: EFBIG when it is longer than the appliance takes. */
static char *
read_all(FILE *file, size_t *length)
{
	char *text = spx_ctl_memory(malloc(SPX_CLIENT_SEND_MAX));

	*length = fread(text, 1, SPX_CLIENT_SEND_MAX, file);
	if (ferror(file) || *length == SPX_CLIENT_SEND_MAX) {
		errno = ferror(file) ? errno : EFBIG;
		free(text);
		return NULL;
	}
	return text;
}

json_t *
spx_ctl_read_text(const char *name, const char *expected)
{
	bool standard_input = strcmp(name, "-") == 0;
	FILE *file = standard_input ? stdin : fopen(name, "re");
	char *text;
	json_t *string;
	size_t length;

	if (file == NULL) {
		spx_ctl_failed("%s: %s", name, strerror(errno));
		return NULL;
	}
	text = read_all(file, &length);
	if (text == NULL)
		spx_ctl_failed("%s: %s", name,
			errno == EFBIG ? "longer than 8 MiB, the most that sphex takes" : strerror(errno));
	if (!standard_input)
		fclose(file);
	if (text == NULL)
		return NULL;
	string = memchr(text, '\0', length) == NULL ? json_stringn(text, length) : NULL;
	free(text);
	if (string == NULL)
		spx_ctl_failed("%s: no text in UTF-8; %s expected", name, expected);
	return string;
}
