/* Shared by rates.c and rates_flows.c only. */
#ifndef SPX_CTL_RATES_INTERNAL_H
#define SPX_CTL_RATES_INTERNAL_H

#include <string.h>

#include "app/sphex/human.h"
#include "app/spxctl/rates.h"
#include "app/spxctl/show.h"

/* Cells: count / seconds; and that of a member. */
void spx_rate(struct spx_table *table, double count, double seconds);
void spx_rate_of(struct spx_table *table, const json_t *last, const char *key, double seconds);

struct spx_table *spx_rates_flows(const json_t *total, const json_t *last, double seconds);

#endif
