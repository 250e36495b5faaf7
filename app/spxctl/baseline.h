/* The user's own baseline: what "clear" remembers, so that "show" counts from then on. */
#ifndef SPX_CTL_BASELINE_H
#define SPX_CTL_BASELINE_H

#include <jansson.h>

#include "lib/base/base.h"

/* The baseline for the appliance that says `hello` (new reference): {"instance", "time": seconds of the
 * epoch, "results": {method: result}}; NULL when there is none, or none that can be read: then numbers count
 * from the start. */
json_t *spx_baseline_load(const json_t *hello);

/* Keeps the results (given away) as of now. 0 with *baseline as spx_baseline_load gives it, or a negative
 * errno with the message. */
int spx_baseline_save(const json_t *hello, json_t *results, json_t **baseline, struct spx_error *err);

/* 0, -ENOENT when there was none, or another negative errno with the message. */
int spx_baseline_remove(const json_t *hello, struct spx_error *err);

/* "2026-11-28 08:43:08" of the local time into text. */
void spx_baseline_time(const json_t *baseline, char text[32]);

#endif
