/* "ports" of the configuration: one table for the ports of all drivers; see setup_reader.h. */
#include <string.h>

#include "app/sphex/choices.h"
#include "app/sphex/setup_reader.h"

enum { ETHDEV, XDP, REPLAY, CAPTURE, DRIVERS };

static const char *const driver_words[] = {"ethdev", "xdp", "replay", "capture", NULL};
static const char *const driver_whats[] = {
	"an ethdev port", "an xdp port", "a replay port", "a capture port", "a port"};

const char *const spx_xdp_mode_words[] = {"auto", "native", "generic", NULL};  /* enum spx_xdp_mode */
const char *const spx_reverse_path_words[] = {"off", "loose", "strict", NULL}; /* enum spx_reverse_path */

#define IN(driver) (1u << (driver))

bool
spx_port_receives(const struct spx_setup_port *port)
{
	return strcmp(port->driver, driver_words[CAPTURE]) != 0;
}

bool
spx_port_sends(const struct spx_setup_port *port)
{
	return strcmp(port->driver, driver_words[REPLAY]) != 0;
}

/* read_port has kept a known driver already; here an unknown one is refused. */
static int
read_driver(const struct spx_place *at, const struct spx_field *field, void *into)
{
	unsigned index;

	(void)into;
	return spx_read_word(at, field, &index);
}

static int
read_speed(const struct spx_place *at, const struct spx_field *field, void *into)
{
	const char *word = json_string_value(at->value);
	double factor = json_number_value(at->value);

	(void)field;
	if (word != NULL && strcmp(word, "top") == 0)
		factor = 0;
	else if (!json_is_number(at->value) || factor < 0.001 || factor > 1000000)
		return spx_unexpected(at, "\"top\" or a factor from 0.001 to 1000000 of the trace's own "
					  "times expected");
	*(double *)into = factor;
	return 0;
}

static int
read_queue(const struct spx_place *at, const struct spx_field *field, void *into)
{
	struct spx_setup_queue *queue = into;

	queue->wanted = true;
	return spx_read_object(at, field->keys, &queue->options);
}

#define AT(member) offsetof(struct spx_queue_options, member)

static const struct spx_field queue_fields[] = {
	{"rate_kbps", spx_read_u64, AT(rate_kbps), .max = SPX_QUEUE_RATE_MAX, .required = true},
	{"limit_packets", spx_read_u32, AT(limit_packets), .min = 1, .max = SPX_QUEUE_PACKETS_MAX},
	{"limit_bytes", spx_read_u64, AT(limit_bytes), .min = SPX_QUEUE_BYTES_MIN,
		.max = SPX_QUEUE_BYTES_MAX},
};
static const struct spx_keys queue_keys = SPX_KEYS("\"queue\"", queue_fields);

#undef AT
#define AT(member) offsetof(struct spx_setup_port, member)

static const struct spx_field port_fields[] = {
	{"driver", read_driver, .words = driver_words, .required = true},
	{"name", spx_read_name, AT(name), .required = true},
	{"device", spx_read_text, AT(device), .kinds = IN(ETHDEV), .required = true},
	{"interface", spx_read_interface, AT(interface), .kinds = IN(XDP), .required = true},
	{"queues", spx_read_u16, AT(queues), .max = SPX_WORKERS_MAX, .kinds = IN(XDP)},
	{"mode", spx_read_word, AT(mode), .words = spx_xdp_mode_words, .kinds = IN(XDP)},
	{"steer", spx_read_steer, .kinds = IN(XDP)},
	{"promiscuous", spx_read_bool, AT(promiscuous), .kinds = IN(ETHDEV) | IN(XDP)},
	{"rx_descriptors", spx_read_u16, AT(rx_descriptors), .max = 32768, .kinds = IN(ETHDEV)},
	{"tx_descriptors", spx_read_u16, AT(tx_descriptors), .max = 32768, .kinds = IN(ETHDEV)},
	{"trace", spx_read_file, AT(file), .kinds = IN(REPLAY), .required = true},
	{"passes", spx_read_u64, AT(passes), .max = 1000000000000, .kinds = IN(REPLAY)},
	{"speed", read_speed, AT(speed), .kinds = IN(REPLAY)},
	{"file", spx_read_file, AT(file), .kinds = IN(CAPTURE), .required = true},
	{"snap", spx_read_u32, AT(snap), .max = 262144, .kinds = IN(CAPTURE)},
	{"addresses", spx_read_addresses, .kinds = IN(ETHDEV) | IN(XDP)},
	{"mtu", spx_read_u16, AT(mtu), .min = 68, .max = 16362, .kinds = IN(ETHDEV) | IN(XDP)},
	{"reverse_path", spx_read_word, AT(reverse_path), .words = spx_reverse_path_words,
		.kinds = IN(ETHDEV) | IN(XDP)},
	{"queue", read_queue, AT(queue), .keys = &queue_keys, .kinds = IN(ETHDEV) | IN(CAPTURE)},
	{"max_frame", spx_read_u32, AT(max_frame), .min = 64, .max = 16384, .kinds = IN(ETHDEV) | IN(REPLAY)},
	{"max_frame", spx_read_u32, AT(max_frame), .min = 64, .max = SPX_XDP_FRAME_MAX, .kinds = IN(XDP)},
	{"verify_checksum", spx_read_bool, AT(verify_checksum), .kinds = IN(ETHDEV) | IN(XDP) | IN(REPLAY)},
};

/* Characters of the device's own name: what follows the first comma are its parameters. */
static size_t
device_length(const char *device)
{
	return device == NULL ? 0 : strcspn(device, ",");
}

/* Two ports on one device, or a capture over a file that another port has, destroy each other's work. */
static bool
same_source(const struct spx_setup_port *a, const struct spx_setup_port *b)
{
	size_t length = device_length(a->device);

	if (a->device != NULL && b->device != NULL)
		return length == device_length(b->device) && strncmp(a->device, b->device, length) == 0;
	if (a->interface != NULL && b->interface != NULL)
		return strcmp(a->interface, b->interface) == 0;
	if (a->file != NULL && b->file != NULL && (!spx_port_receives(a) || !spx_port_receives(b)))
		return strcmp(a->file, b->file) == 0;
	return false;
}

static int
check_against_earlier(const struct spx_place *at, const struct spx_setup_port *port)
{
	const struct spx_setup *setup = at->document->setup;
	struct spx_place name = spx_place_key(at, "name");

	for (const struct spx_setup_port *other = setup->port; other < port; other++) {
		if (strcmp(other->name, port->name) == 0)
			return spx_unexpected(&name, "a name that no port before it has expected");
		if (same_source(other, port))
			return spx_mistake(at, "uses the same %s as port \"%s\"; one of its own expected",
				port->device != NULL      ? "device"
				: port->interface != NULL ? "interface"
							  : "file",
				other->name);
	}
	return 0;
}

static int
read_port(const struct spx_place *at)
{
	unsigned driver = spx_word_index(json_object_get(at->value, "driver"), driver_words);
	const struct spx_keys keys = {.what = driver_whats[driver],
		.field = port_fields,
		.n = RTE_DIM(port_fields),
		.kind = driver == DRIVERS ? SPX_KIND_UNKNOWN : IN(driver)};
	struct spx_setup_port *port =
		spx_setup_add_port(at->document->setup, "", driver == DRIVERS ? "" : driver_words[driver]);
	int rc;

	if (port == NULL)
		return spx_no_memory(at);
	rc = driver == XDP ? spx_steer_default(at, port) : 0;
	if (rc == 0)
		rc = spx_read_object(at, &keys, port);
	return rc != 0 ? rc : check_against_earlier(at, port);
}

int
spx_read_ports(const struct spx_place *at, const struct spx_field *field, void *into)
{
	const struct spx_setup *setup = at->document->setup;
	size_t n = json_array_size(at->value);
	bool receives = false;

	(void)field;
	(void)into;
	if (!json_is_array(at->value))
		return spx_unexpected(at, "an array of ports expected");
	if (n < 1 || n > SPX_PORTS_MAX)
		return spx_mistake(at, "has %zu ports; an array of 1 to %u ports expected", n, SPX_PORTS_MAX);
	for (size_t i = 0; i < n; i++) {
		struct spx_place place = spx_place_index(at, i);
		int rc = read_port(&place);

		if (rc != 0)
			return rc;
		receives = receives || spx_port_receives(&setup->port[i]);
	}
	if (!receives)
		return spx_mistake(at, "no port receives; at least one ethdev, xdp or replay port expected");
	return 0;
}

static int
read_port_that(bool (*can)(const struct spx_setup_port *), const char *does, const struct spx_place *at,
	uint16_t *id)
{
	const struct spx_setup *setup = at->document->setup;
	const char *name = json_string_value(at->value);
	uint16_t found = name == NULL ? SPX_NO_PORT : spx_setup_find_port(setup, name);
	struct spx_choices choices;

	if (found != SPX_NO_PORT && can(&setup->port[found])) {
		*id = found;
		return 0;
	}
	spx_choices_init(&choices, name);
	for (unsigned i = 0; i < setup->n_ports; i++)
		if (can(&setup->port[i]))
			spx_choices_add(&choices, setup->port[i].name);
	if (choices.n == 0)
		return spx_unexpected(at, "no port of this configuration %s: add one to \"ports\"", does);
	if (found != SPX_NO_PORT)
		return spx_unexpected(at, "a %s port never %s, %s", setup->port[found].driver, does,
			spx_choices_text(&choices));
	return spx_unexpected(at, "the name of a port that %s: %s", does, spx_choices_text(&choices));
}

int
spx_read_port_sending(const struct spx_place *at, const struct spx_field *field, void *into)
{
	(void)field;
	return read_port_that(spx_port_sends, "sends", at, into);
}

int
spx_read_port_receiving(const struct spx_place *at, const struct spx_field *field, void *into)
{
	(void)field;
	return read_port_that(spx_port_receives, "receives", at, into);
}

static bool
is_there(const struct spx_setup_port *port)
{
	(void)port;
	return true;
}

int
spx_read_port(const struct spx_place *at, const struct spx_field *field, void *into)
{
	(void)field;
	return read_port_that(is_there, "is there", at, into);
}
