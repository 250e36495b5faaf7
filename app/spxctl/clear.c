/* clear: a baseline of the user's own. Nothing in the appliance is cleared; others see their numbers go on.
 */
#include <errno.h>

#include "app/spxctl/baseline.h"
#include "app/spxctl/show.h"

static int
undo(struct spx_ctl *ctl)
{
	struct spx_error err;
	int r = spx_baseline_remove(ctl->client.hello, &err);

	if (r == 0)
		printf("numbers count from the start again\n");
	else if (r == -ENOENT)
		printf("nothing to undo: numbers count from the start\n");
	else
		return spx_ctl_failed("%s", err.text);
	return SPX_CTL_OK;
}

/* The results of all counters there are, by method. */
static int
take_all(struct spx_ctl *ctl, json_t **results)
{
	*results = json_object();
	for (const struct spx_show *show = spx_shows; show->name != NULL; show++) {
		json_t *result;
		int status;

		if (!show->counters)
			continue;
		status = spx_ctl_ask(ctl, show->method, NULL, &result);
		if (status != SPX_CTL_OK) {
			json_decref(*results);
			return status;
		}
		json_object_set_new(*results, show->method, result);
	}
	return SPX_CTL_OK;
}

int
spx_ctl_clear(struct spx_ctl *ctl, int n, char **word)
{
	struct spx_error err;
	json_t *results, *baseline;
	char when[32];
	int status;

	if (n > 0)
		return spx_ctl_usage("clear: \"%s\" is too much", word[0]);
	status = spx_ctl_connect(ctl);
	if (status != SPX_CTL_OK)
		return status;
	if (ctl->given & SPX_CTL_UNDO)
		return undo(ctl);
	status = take_all(ctl, &results);
	if (status != SPX_CTL_OK)
		return status;
	if (spx_baseline_save(ctl->client.hello, results, &baseline, &err) != 0)
		return spx_ctl_failed("%s", err.text);
	spx_baseline_time(baseline, when);
	printf("your \"show\" counts from %s on (clear --undo: from the start)\n", when);
	json_decref(baseline);
	return SPX_CTL_OK;
}
