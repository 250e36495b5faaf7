/* ESP as its definition reads, on a list of entries: slow, and without a line of lib/. */
#ifndef SPX_TEST_ESP_MODEL_H
#define SPX_TEST_ESP_MODEL_H

#include "test/unit/ess_model.h"

struct esp_model_capsule {
	unsigned instruction, op, words;
	uint64_t word[8];
};

/* What becomes of the capsule: 0 forward, 256 drop, else the fault. Changes model and capsule. */
unsigned esp_model_run(struct model *m, uint64_t node, uint64_t now, struct esp_model_capsule *c);

#endif
