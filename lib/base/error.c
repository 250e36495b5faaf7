/* Error texts: formatted once where the mistake is seen, prefixed by callers that know where it was. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/base.h"

int
spx_error(struct spx_error *err, int code, const char *format, ...)
{
	if (err != NULL) {
		va_list args;

		va_start(args, format);
		vsnprintf(err->text, sizeof(err->text), format, args);
		va_end(args);
	}
	return code;
}

int
spx_error_at(struct spx_error *err, int code, const char *format, ...)
{
	if (err != NULL) {
		struct spx_error was = *err;
		va_list args;
		size_t used;

		va_start(args, format);
		vsnprintf(err->text, sizeof(err->text), format, args);
		va_end(args);
		used = strlen(err->text);
		snprintf(err->text + used, sizeof(err->text) - used, ": %s", was.text);
	}
	return code;
}
