/* Words of the command line, which may be abbreviated as long as that is unambiguous. */
#ifndef SPX_CTL_WORDS_H
#define SPX_CTL_WORDS_H

#include "lib/base/base.h"

/* A word to choose from, first member of a larger table's elements or alone. The table ends with a NULL name.
 */
struct spx_word {
	const char *name;
};

/* Finds `word` in a table whose elements have `size` bytes: the whole name, or a beginning that only one name
 * has. Returns its index, or -EINVAL with a message that begins with `what` ("show") and lists what would be
 * right.
 */
int spx_word_find(const char *what, const void *table, size_t size, const char *word, struct spx_error *err);

/* A whole number of min...max; `what` for the message. 0 or -EINVAL. */
int spx_word_number(const char *what, const char *word, uint64_t min, uint64_t max, uint64_t *number,
	struct spx_error *err);

/* A whole number of 0...max, decimal or hexadecimal (0x2a). The same. */
int
spx_word_number64(const char *what, const char *word, uint64_t max, uint64_t *number, struct spx_error *err);

/* A number of seconds, such as 0.5, of min...max. 0 or -EINVAL. */
int spx_word_seconds(
	const char *what, const char *word, double min, double max, double *seconds, struct spx_error *err);

/* True for digits alone. */
bool spx_word_is_number(const char *word);

#endif
