/* stop: the appliance drains and ends; the connection ends with it. */
#include <errno.h>
#include <inttypes.h>

#include "app/spxctl/show.h"

#define DRAIN_SECONDS 60

/* Events that this connection might get are passed over. */
static int
wait_for_end(struct spx_ctl *ctl)
{
	struct spx_error err;
	json_t *event;
	int r;

	while ((r = spx_client_event(&ctl->client, DRAIN_SECONDS, &event, &err)) == 0)
		json_decref(event);
	if (r == -ECONNRESET)
		return SPX_CTL_OK;
	if (r == -ETIMEDOUT)
		return spx_ctl_failed("the appliance is still draining after %d s", DRAIN_SECONDS);
	return spx_ctl_failed("%s", err.text);
}

int
spx_ctl_stop(struct spx_ctl *ctl, int n, char **word)
{
	bool wait = !(ctl->given & SPX_CTL_NO_WAIT), json = ctl->given & SPX_CTL_JSON;
	json_t *result;
	int status;

	if (n > 0)
		return spx_ctl_usage("stop: \"%s\" is too much", word[0]);
	status = spx_ctl_ask(ctl, "stop", NULL, &result);
	if (status != SPX_CTL_OK)
		return status;
	if (json)
		spx_ctl_print_json(result);
	json_decref(result);
	if (wait)
		status = wait_for_end(ctl);
	if (status == SPX_CTL_OK && !json)
		printf("sphex (PID %" PRId64 ") %s\n", (int64_t)spx_member_number(ctl->client.hello, "pid"),
			wait ? "has stopped" : "stops");
	return status;
}
