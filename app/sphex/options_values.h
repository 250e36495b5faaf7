/* Values of command-line options: one function a type; used by options.c alone. Each returns 0, or -EINVAL
 * with a line that names the option (without dashes), its value and what would be right. */
#ifndef SPX_OPTIONS_VALUES_H
#define SPX_OPTIONS_VALUES_H

#include "lib/base/base.h"

int spx_option_integer(const char *option, const char *value, uint64_t min, uint64_t max, uint64_t *into,
	struct spx_error *err);
int
spx_option_u16(const char *option, const char *value, uint16_t max, uint16_t *into, struct spx_error *err);
int spx_option_seconds(const char *option, const char *value, double *into, struct spx_error *err);
int spx_option_speed(const char *option, const char *value, double *into, struct spx_error *err);

/* Index in words, which end with NULL. */
int spx_option_word(const char *option, const char *value, const char *const *words, unsigned *into,
	struct spx_error *err);

/* A file or device. One that begins with '-' is taken for the next option: its own value is missing. */
int spx_option_name(const char *option, const char *value, const char **into, struct spx_error *err);

#endif
