/* A naive ephemeral state store, a list that is searched from its beginning, and what tests of the real one
 * share. */
#ifndef SPX_TEST_ESS_MODEL_H
#define SPX_TEST_ESS_MODEL_H

#include <string.h>

#include <criterion/criterion.h>

#include "lib/ess/ess.h"

#define MODEL_MAX 64u

/* An assertion that costs nothing while it holds: Criterion's send a message each. */
#define HOLDS(condition, ...)                                                                                \
	do {                                                                                                 \
		if (!(condition))                                                                            \
			cr_assert_fail(#condition ": " __VA_ARGS__);                                         \
	} while (0)

struct model_entry {
	uint64_t key, birth;
	uint64_t value[4];
	unsigned class;
};

struct model {
	uint64_t lifetime;
	unsigned capacity, n;
	struct model_entry entry[MODEL_MAX];
};

/* The key's entry if it is there at `now`, or NULL. Entries that have expired are taken out. */
struct model_entry *model_find(struct model *m, uint64_t key, unsigned class, uint64_t now);

/* How many more entries there is room for at `now`. */
unsigned model_room(struct model *m, uint64_t now);

/* A new entry of zeros; there is room for it. */
struct model_entry *model_create(struct model *m, uint64_t key, unsigned class, uint64_t now);

/* A store of the model's size. */
struct spx_ess *ess_make(unsigned capacity, unsigned workers, uint64_t lifetime);

/* Creates the key, or overwrites it, with `value` in all words; what the commit says. */
int ess_put(struct spx_ess_worker *w, uint64_t key, enum spx_ess_class class, uint64_t value, uint64_t now);

/* Whether it is there; *value is the first word. */
bool ess_value(struct spx_ess *s, uint64_t key, enum spx_ess_class class, uint64_t now, uint64_t *value);

/* EAL has pinned the thread that starts others to one core: lets the calling one run on any. Without
 * Criterion, which leaks what it keeps for a thread. 0 or an error. */
int ess_on_any_core(void);

#endif
