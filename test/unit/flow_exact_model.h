/* The naive side of flow_exact_pair.h: what a cache should do, done to the model alone. */
#ifndef SPX_TEST_FLOW_EXACT_MODEL_H
#define SPX_TEST_FLOW_EXACT_MODEL_H

#include "test/unit/flow_exact_pair.h"

/* The flow if it is resident, of whatever generation; or NULL. */
struct pair_flow *model_find(const struct pair *p, uint32_t id);

/* What the cache should tell of a flow. */
void model_record(const struct pair *p, const struct pair_flow *flow, enum spx_flow_end end,
	struct spx_flow_record *record);

/* The flow ends, and its record is expected. */
void model_end(struct pair *p, struct pair_flow *flow, enum spx_flow_end end);

/* Action of a flow in the generation in force. */
uint32_t model_action(const struct pair *p, uint32_t id);

/* The flow enters, or is renewed. */
void model_insert(struct pair *p, uint32_t id, uint32_t packets, uint32_t bytes);

#endif
