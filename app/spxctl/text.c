/* Replaces what a terminal would obey; see text.h. */
#include <stdbool.h>
#include <string.h>

#include "app/spxctl/text.h"

/* Code points of two and three bytes that are no text: U+0080...U+009F, U+200E, U+200F, U+2028...U+202E,
 * U+2066...U+2069. */
static size_t
unprintable(const unsigned char *c)
{
	if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
		return 2;
	if (c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xa8 && c[2] <= 0xae)))
		return 3;
	if (c[0] == 0xe2 && c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9)
		return 3;
	return 0;
}

void
spx_clean(char *text)
{
	unsigned char *to = (unsigned char *)text;

	for (const unsigned char *c = to; *c != '\0';) {
		size_t length = unprintable(c);

		if (length == 0 && *c >= 0x20 && *c != 0x7f) {
			*to++ = *c++;
		} else {
			*to++ = '?';
			c += length > 0 ? length : 1;
		}
	}
	*to = '\0';
}

size_t
spx_columns(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}
