/* Lists what would have been right and finds the nearest of it; see choices.h. */
#include <stdio.h>
#include <string.h>

#include "app/sphex/choices.h"

#define LISTED   16u /* names shown: a configuration may have thousands of actions */
#define WORD_MAX 40u /* longer words are near to nothing */

/* Edits between a and b, each at most WORD_MAX long: insert, delete, replace, swap of neighbours (Damerau's
 * distance in its "optimal string alignment" form). row[0] is the row being filled, row[1] and row[2] the two
 * above it. */
static unsigned
edit_distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	unsigned rows[3][WORD_MAX + 1], *row[3] = {rows[0], rows[1], rows[2]};

	for (size_t j = 0; j <= m; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *oldest = row[2];

		row[2] = row[1];
		row[1] = row[0];
		row[0] = oldest;
		row[0][0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			bool same = a[i - 1] == b[j - 1];
			unsigned best = RTE_MIN(row[0][j - 1], row[1][j]) + 1;

			best = RTE_MIN(best, row[1][j - 1] + !same);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = RTE_MIN(best, row[2][j - 2] + 1);
			row[0][j] = best;
		}
	}
	return row[0][m];
}

void
spx_choices_init(struct spx_choices *choices, const char *word)
{
	size_t length = word == NULL ? 0 : strlen(word);

	/* One edit in a short word, one in three characters of a longer one: more is another word. */
	*choices = (struct spx_choices){.distance = (unsigned)RTE_MAX(length / 3, (size_t)1) + 1};
	if (length > 0 && length <= WORD_MAX)
		choices->word = word;
}

void
spx_choices_add(struct spx_choices *choices, const char *name)
{
	size_t used = strlen(choices->list);

	if (choices->n < LISTED)
		snprintf(choices->list + used, sizeof(choices->list) - used, "%s\"%s\"",
			choices->n > 0 ? ", " : "", name);
	else if (choices->n == LISTED)
		snprintf(choices->list + used, sizeof(choices->list) - used, ", ...");
	choices->n++;

	if (choices->word != NULL && strlen(name) <= WORD_MAX) {
		unsigned distance = edit_distance(choices->word, name);

		if (distance < choices->distance) {
			choices->distance = distance;
			choices->nearest = name;
		}
	}
}

const char *
spx_choices_text(struct spx_choices *choices)
{
	const char *near = choices->nearest;

	if (choices->n == 0)
		return "nothing expected";
	snprintf(choices->text, sizeof(choices->text), "%s%s expected%s%s%s", choices->n > 1 ? "one of " : "",
		choices->list, near != NULL ? ", did you mean \"" : "", near != NULL ? near : "",
		near != NULL ? "\"?" : "");
	return choices->text;
}
