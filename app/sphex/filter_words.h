/* The words of a packet filter, looked at before libpcap sees them; only filter.c calls it. */
#ifndef SPX_FILTER_WORDS_H
#define SPX_FILTER_WORDS_H

#include "lib/base/base.h"

/* Refuses a word that libpcap could take for the name of a host or network, which it would look up. `text` is
 * at most SPX_FILTER_TEXT_MAX long. 0, or -EINVAL with the word and what it might have been. Any thread. */
int spx_filter_check_words(const char *text, struct spx_error *err);

/* All words of filters on Ethernet, ending with NULL, for tests: first those of the language, then, after
 * *n_language, those that stand for numbers. */
const char *const *spx_filter_words(unsigned *n_language);

#endif
