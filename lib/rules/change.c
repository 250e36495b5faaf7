/* Sets that differ by one rule from the set before: same base, one more rule in the overlay or one more bit
 * in the mask. The set before stays as it is, for readers may still use it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rules/rules_internal.h"

static bool
has_order(const struct spx_linear *linear, size_t position, uint32_t order)
{
	return position < linear->n && linear->rule[position].order == order;
}

int
spx_rules_with(const struct spx_rules *rules, const struct spx_rule *rule, struct spx_rules **out)
{
	const struct spx_linear *base = &rules->base->linear, *old = &rules->overlay;
	const size_t in_base = spx_linear_position(base, rule->order);
	const size_t place = spx_linear_position(old, rule->order);
	struct spx_rule *overlay;

	if (has_order(old, place, rule->order) ||
		(has_order(base, in_base, rule->order) && !spx_masked(rules->masked, (uint32_t)in_base)))
		return -EEXIST;
	overlay = reallocarray(NULL, old->n + 1, sizeof(*overlay));
	if (overlay == NULL)
		return -ENOMEM;
	if (place > 0)
		memcpy(overlay, old->rule, place * sizeof(*overlay));
	overlay[place] = *rule;
	if (place < old->n)
		memcpy(overlay + place + 1, old->rule + place, (old->n - place) * sizeof(*overlay));
	return spx_rules_derive(rules->base, overlay, old->n + 1, rules->masked, rules->n_masked, out);
}

static int
without_overlay_rule(const struct spx_rules *rules, size_t place, struct spx_rules **out)
{
	const struct spx_linear *old = &rules->overlay;
	struct spx_rule *overlay = NULL;

	if (old->n > 1) {
		overlay = reallocarray(NULL, old->n - 1, sizeof(*overlay));
		if (overlay == NULL)
			return -ENOMEM;
		memcpy(overlay, old->rule, place * sizeof(*overlay));
		memcpy(overlay + place, old->rule + place + 1, (old->n - 1 - place) * sizeof(*overlay));
	}
	return spx_rules_derive(rules->base, overlay, old->n - 1, rules->masked, rules->n_masked, out);
}

static int
without_base_rule(const struct spx_rules *rules, size_t position, struct spx_rules **out)
{
	const struct spx_linear *old = &rules->overlay;
	const size_t words = spx_mask_words(rules->base);
	struct spx_rule *overlay = NULL;
	uint64_t *masked = calloc(words, sizeof(*masked));
	int rc = -ENOMEM;

	if (old->n > 0)
		overlay = reallocarray(NULL, old->n, sizeof(*overlay));
	if (masked != NULL && (old->n == 0 || overlay != NULL)) {
		if (overlay != NULL)
			memcpy(overlay, old->rule, old->n * sizeof(*overlay));
		if (rules->masked != NULL)
			memcpy(masked, rules->masked, words * sizeof(*masked));
		masked[position / 64] |= UINT64_C(1) << (position % 64);
		rc = spx_rules_derive(rules->base, overlay, old->n, masked, rules->n_masked + 1, out);
	} else {
		free(overlay);
	}
	free(masked);
	return rc;
}

int
spx_rules_without(const struct spx_rules *rules, uint32_t order, struct spx_rules **out)
{
	const size_t place = spx_linear_position(&rules->overlay, order);
	const size_t position = spx_linear_position(&rules->base->linear, order);

	if (has_order(&rules->overlay, place, order))
		return without_overlay_rule(rules, place, out);
	if (has_order(&rules->base->linear, position, order) &&
		!spx_masked(rules->masked, (uint32_t)position))
		return without_base_rule(rules, position, out);
	return -ENOENT;
}

uint32_t
spx_rules_last_order(const struct spx_rules *rules)
{
	const struct spx_linear *base = &rules->base->linear, *overlay = &rules->overlay;
	uint32_t last = overlay->n == 0 ? 0 : overlay->rule[overlay->n - 1].order;
	size_t b = base->n;

	while (b > 0 && spx_masked(rules->masked, (uint32_t)b - 1))
		b--;
	return b == 0 ? last : RTE_MAX(last, base->rule[b - 1].order);
}

int
spx_rules_in_force(const struct spx_rules *rules, struct spx_rule **out, size_t *n)
{
	const struct spx_linear *base = &rules->base->linear, *overlay = &rules->overlay;
	struct spx_rule *rule = NULL;
	size_t o = 0;

	*n = spx_rules_count(rules);
	*out = NULL;
	if (*n == 0)
		return 0;
	rule = reallocarray(NULL, *n, sizeof(*rule));
	if (rule == NULL)
		return -ENOMEM;
	*out = rule;
	for (size_t b = 0; b < base->n; b++) {
		if (spx_masked(rules->masked, (uint32_t)b))
			continue;
		while (o < overlay->n && overlay->rule[o].order < base->rule[b].order)
			*rule++ = overlay->rule[o++];
		*rule++ = base->rule[b];
	}
	while (o < overlay->n)
		*rule++ = overlay->rule[o++];
	return 0;
}
