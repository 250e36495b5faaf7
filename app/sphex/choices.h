/* "One of these was expected, did you mean that one?": the remedy in messages about words.
 *
 * Used by the configuration reader (keys, drivers, names of ports and actions) and by the command line.
 */
#ifndef SPX_CHOICES_H
#define SPX_CHOICES_H

#include "lib/base/base.h"

struct spx_choices {
	const char *word;    /* what was written instead; NULL when nothing was */
	const char *nearest; /* the choice fewest edits away, or NULL when none is near */
	unsigned distance;
	unsigned n;     /* choices offered so far */
	char list[512]; /* the first of them, quoted, with commas between */
	char text[640];
};

/* Starts with no choice. `word` and the names added must outlive `choices`. */
void spx_choices_init(struct spx_choices *choices, const char *word);
void spx_choices_add(struct spx_choices *choices, const char *name);

/* `one of "a", "b" expected, did you mean "a"?`, kept in choices->text; without any choice `nothing
 * expected`. */
const char *spx_choices_text(struct spx_choices *choices);

#endif
