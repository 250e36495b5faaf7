/* Redrawing in place; see screen.h. A line that wrapped would take two, and the next text would not meet the
 * last. */
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "app/spxctl/screen.h"
#include "lib/base/base.h"

void
spx_screen_size(unsigned *rows, unsigned *columns)
{
	struct winsize size = {0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		size = (struct winsize){0};
	*rows = size.ws_row;
	*columns = size.ws_col;
}

/* Bytes of the first `columns` characters (UTF-8) of a line. */
static size_t
cut(const char *line, size_t length, unsigned columns)
{
	size_t n = 0;

	for (size_t i = 0; i < length; i++) {
		n += ((unsigned char)line[i] & 0xc0) != 0x80;
		if (columns > 0 && n > columns)
			return i;
	}
	return length;
}

void
spx_screen_show(struct spx_screen *screen, const char *text, unsigned rows, unsigned columns, FILE *out)
{
	if (screen->lines > 0)
		fprintf(out, "\033[%uA", screen->lines);
	screen->lines = 0;
	/* The line below the last is the cursor's. */
	while (*text != '\0' && (rows == 0 || screen->lines + 1 < rows)) {
		size_t length = strcspn(text, "\n");

		fprintf(out, "%.*s\033[K\n", (int)cut(text, length, columns), text);
		screen->lines++;
		text += length + (text[length] == '\n');
	}
	fputs("\033[J", out);
	fflush(out);
}
