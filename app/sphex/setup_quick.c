/* Setups from the command line: the quick start, and what --config FILE is changed by; see setup.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/sphex/options.h"
#include "app/sphex/setup.h"

#define CAPTURE_MBUFS 1024

static int
replace_text(char **into, const char *text, struct spx_error *err)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return spx_error(err, -ENOMEM, "out of memory");
	free(*into);
	*into = copy;
	return 0;
}

/* What the command line says of any setup; after its actions. */
static int
override(struct spx_setup *setup, const struct spx_options *options, struct spx_error *err)
{
	int rc = 0;

	if (options->seconds > 0)
		setup->seconds = options->seconds;
	if (options->cache != NULL)
		rc = spx_setup_cache_option(setup, options->cache, err);
	if (rc == 0 && options->control != NULL)
		rc = spx_setup_control_option(setup, options->control, err);
	return rc != 0 || options->report == NULL ? rc : replace_text(&setup->report, options->report, err);
}

static int
add_ports(
	struct spx_setup *setup, const struct spx_options *options, const char *trace, struct spx_error *err)
{
	bool capture = spx_options_out_is_capture(options);
	struct spx_setup_port *in, *out;
	int rc;

	in = spx_setup_add_port(setup, "in", "replay");
	if (in == NULL)
		return spx_error(err, -ENOMEM, "out of memory");
	in->passes = options->passes;
	in->speed = options->speed;
	rc = replace_text(&in->file, trace, err);
	if (rc != 0)
		return rc;

	/* A pool smaller than the rings towards the disk: the replay waits for mbufs, and no packet is lost.
	 */
	if (capture)
		setup->mbufs = CAPTURE_MBUFS;
	out = spx_setup_add_port(setup, "out", capture ? "capture" : "ethdev");
	if (out == NULL)
		return spx_error(err, -ENOMEM, "out of memory");
	out->verify_checksum = false; /* nothing comes in there */
	return replace_text(capture ? &out->file : &out->device, options->out, err);
}

static int
add_actions(struct spx_setup *setup, const struct spx_options *options, struct spx_error *err)
{
	struct spx_setup_action *forward = spx_setup_add_action(setup, "forward");
	uint32_t id = setup->n_actions - 1;

	if (forward == NULL)
		return spx_error(err, -ENOMEM, "out of memory");
	forward->action.verdict = SPX_VERDICT_FORWARD;
	forward->action.flags = SPX_ACTION_COUNT;
	forward->action.port = spx_setup_find_port(setup, "out");
	if (options->rules != NULL)
		return spx_setup_read_rules(setup, options->rules, id, err);
	setup->action[0].action = forward->action;
	setup->action[0].action.flags &= (uint8_t)~SPX_ACTION_COUNT; /* the port's counters say as much */
	return 0;
}

int
spx_setup_quick(
	struct spx_setup *setup, const struct spx_options *options, const char *trace, struct spx_error *err)
{
	int rc = spx_setup_init(setup);

	if (rc != 0)
		return spx_error(err, rc, "out of memory");
	setup->hugepages = options->hugepages;
	setup->workers = options->workers;
	setup->worker_idle = options->idle;
	setup->burst = options->burst;
	setup->cache.flood_guard = 0; /* a trace at top speed has no time of its own */
	rc = add_ports(setup, options, trace, err);
	if (rc == 0)
		rc = add_actions(setup, options, err);
	return rc != 0 ? rc : override(setup, options, err);
}

int
spx_setup_configured(struct spx_setup *setup, const struct spx_options *options, struct spx_error *err)
{
	int rc = spx_setup_init(setup);

	if (rc != 0)
		return spx_error(err, rc, "out of memory");
	rc = spx_setup_read(setup, options->config, err);
	return rc != 0 ? rc : override(setup, options, err);
}
