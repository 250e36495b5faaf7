/* How the configuration is read: places in a JSON document, and tables of the keys an object may have.
 *
 * A table row says key, reader, and where the value goes; the same table refuses unknown keys and reports
 * missing ones, so what is read and what is allowed cannot differ. setup_document.c, setup_ports.c,
 * setup_actions.c, setup_rules.c, setup_match.c, setup_cache.c, setup_control.c, setup_xdp.c and
 * setup_routes.c hold the tables, setup_running.c those of a rule file that a running appliance is given;
 * setup_reader.c and setup_values.c the machinery.
 */
#ifndef SPX_SETUP_READER_H
#define SPX_SETUP_READER_H

#include <jansson.h>

#include "app/sphex/setup.h"

/* One document being read. */
struct spx_document {
	struct spx_setup *setup; /* filled */
	const char *name;        /* of the file, in messages */
	const char *folder; /* relative file names count from here, with trailing slash or empty; NULL: the
			     * text comes from memory, file names stay as they are and no file is opened */
	const char *root;   /* what paths in messages begin with: "$", "params", or "" for the bare key */
	json_t *actions;    /* action name -> id; NULL: searched in the setup */
	struct spx_error *err;
};

/* A value and where it stands. Lives on the stack of the function that reads its parent. */
struct spx_place {
	struct spx_document *document;
	const struct spx_place *parent; /* NULL: the whole document */
	const char *key;                /* in an object; NULL: element `index` of an array */
	size_t index;
	json_t *value;
};

struct spx_keys;

struct spx_field {
	const char *key;
	int (*read)(const struct spx_place *at, const struct spx_field *field, void *into);
	size_t offset;               /* `into` is the object's struct and this */
	int64_t min, max;            /* numbers */
	const char *const *words;    /* spx_read_word: ends with NULL */
	const struct spx_keys *keys; /* spx_read_section: of the object inside */
	uint8_t flag;                /* flag readers: the bit */
	uint8_t kinds;               /* kinds of object that have this key, as bits; 0 = all */
	bool required;
};

/* The keys of an object. One table serves objects of several kinds (the ports of all drivers): `kind`
 * is the bit of the one at hand, or SPX_KIND_UNKNOWN while it cannot be told. */
struct spx_keys {
	const char *what; /* "a replay port" */
	const struct spx_field *field;
	size_t n;
	uint8_t kind;
};

#define SPX_KIND_UNKNOWN UINT8_MAX

#define SPX_KEYS(name, fields)                                                                               \
	{                                                                                                    \
		.what = (name), .field = (fields), .n = RTE_DIM(fields), .kind = SPX_KIND_UNKNOWN            \
	}

/* The JSON path, such as $.ports[1].driver. Printable whatever the keys are; cut to size. */
void spx_place_path(const struct spx_place *at, char *path, size_t size);

/* "file: path: message". Returns -EINVAL. */
int spx_mistake(const struct spx_place *at, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "file: path: is VALUE; EXPECTED expected". Returns -EINVAL. */
int spx_unexpected(const struct spx_place *at, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct spx_place spx_place_key(const struct spx_place *at, const char *key);
struct spx_place spx_place_index(const struct spx_place *at, size_t index);

/* Reads an object by its table into the struct at `into`. 0 or a negative errno with message. */
int spx_read_object(const struct spx_place *at, const struct spx_keys *keys, void *into);

/* The same for a value that is no part of a configuration but may name ports and actions of `setup`, which is
 * not changed: messages begin with `name`, paths with `root`. */
int spx_read_value(const struct spx_setup *setup, const char *name, const char *root, json_t *value,
	const struct spx_keys *keys, void *into, struct spx_error *err);

/* Readers of single values, for tables. Each says what it writes at `into`. */
int spx_read_u16(const struct spx_place *at, const struct spx_field *field, void *into);    /* uint16_t */
int spx_read_u32(const struct spx_place *at, const struct spx_field *field, void *into);    /* uint32_t */
int spx_read_u64(const struct spx_place *at, const struct spx_field *field, void *into);    /* uint64_t */
int spx_read_int(const struct spx_place *at, const struct spx_field *field, void *into);    /* int */
int spx_read_number(const struct spx_place *at, const struct spx_field *field, void *into); /* double */
int spx_read_bool(const struct spx_place *at, const struct spx_field *field, void *into);   /* bool */
int spx_read_flag(const struct spx_place *at, const struct spx_field *field, void *into); /* bit of uint8_t */
int spx_read_word(const struct spx_place *at, const struct spx_field *field, void *into); /* enum: index */
int
spx_read_name(const struct spx_place *at, const struct spx_field *field, void *into); /* char[SPX_NAME_MAX] */
int spx_read_text(const struct spx_place *at, const struct spx_field *field, void *into); /* char *, owned */
int spx_read_file(const struct spx_place *at, const struct spx_field *field, void *into); /* char *, owned */
int spx_read_section(const struct spx_place *at, const struct spx_field *field, void *into); /* object */
int
spx_read_nothing(const struct spx_place *at, const struct spx_field *field, void *into); /* read elsewhere */

/* Index of the string `value` in `words` (ends with NULL), or their number when it is none of them. */
unsigned spx_word_index(const json_t *value, const char *const *words);

/* True when the word may name a port or an action: letters, digits, '_', '-', '.', at most 31 bytes. */
bool spx_name_valid(const char *name);

int spx_no_memory(const struct spx_place *at); /* -ENOMEM with message */

/* Sections, for the table of the whole document; `into` is not used: they fill document->setup. */
int spx_read_ports(const struct spx_place *at, const struct spx_field *field, void *into);
int spx_read_actions(const struct spx_place *at, const struct spx_field *field, void *into);
int spx_read_rules(const struct spx_place *at, const struct spx_field *field, void *into);

/* The parts of "rules": the word of enum spx_classifier; the list, appended to document->setup->rules. */
int spx_read_classifier(const struct spx_place *at, const struct spx_field *field, void *into);
int spx_read_rule_list(const struct spx_place *at, const struct spx_field *field, void *into);

/* One rule with match and action into struct spx_rule; order 0 when none is given. */
int spx_read_rule(const struct spx_place *at, const struct spx_field *field, void *into);

/* A definition of "actions", whatever its name. */
int spx_read_action(const struct spx_place *at, struct spx_action *action);

/* "cache" into struct spx_setup_cache. After the actions. */
int spx_read_cache(const struct spx_place *at, const struct spx_field *field, void *into);

/* "control" into struct spx_setup_control. */
int spx_read_control(const struct spx_place *at, const struct spx_field *field, void *into);

/* An IPv4 or IPv6 prefix without bits beyond its length: address in network order, IPv4 in its first four
 * bytes (of 16, zero before). */
int spx_read_prefix(const struct spx_place *at, uint8_t address[16], uint8_t *length, bool *ipv6);

/* "interface" and "steer" of an xdp port; char *, owned, and its struct spx_setup_port. */
int spx_read_interface(const struct spx_place *at, const struct spx_field *field, void *into);
int spx_steer_default(const struct spx_place *at, struct spx_setup_port *port); /* everything */
int spx_read_steer(const struct spx_place *at, const struct spx_field *field, void *into);

/* "routes" and "neighbours": they fill document->setup. "addresses" of a port, its struct spx_setup_port. */
int spx_read_routes(const struct spx_place *at, const struct spx_field *field, void *into);
int spx_read_neighbours(const struct spx_place *at, const struct spx_field *field, void *into);
int spx_read_addresses(const struct spx_place *at, const struct spx_field *field, void *into);

/* An address with the length of its prefix; a route, a line of a route file, appended to `list`
 * as a change. */
int spx_read_address(const struct spx_place *at, uint16_t port, struct spx_address *address);
int
spx_read_route(const struct spx_place *at, enum spx_route_operation operation, struct spx_route_list *list);

/* Keys of struct spx_setup_neighbour: an element of "neighbours", and what it is known by, without "mac". */
extern const struct spx_keys spx_neighbour_keys, spx_neighbour_name_keys;

/* Six hexadecimal bytes with colons, nothing else. */
bool spx_parse_mac(const char *text, uint8_t mac[6]);

/* The bytes of a file of at most 16 MiB (freed by the caller). 0 or a negative errno with message. */
int spx_setup_load(const char *path, char **text, size_t *length, struct spx_error *err);

/* "match" of a rule into struct spx_match. */
int spx_read_match(const struct spx_place *at, const struct spx_field *field, void *into);

bool spx_port_receives(const struct spx_setup_port *port);
bool spx_port_sends(const struct spx_setup_port *port);

/* Name of a port that sends or receives; uint16_t port id. */
int spx_read_port_sending(const struct spx_place *at, const struct spx_field *field, void *into);
int spx_read_port_receiving(const struct spx_place *at, const struct spx_field *field, void *into);

/* Name of any port; uint16_t port id. */
int spx_read_port(const struct spx_place *at, const struct spx_field *field, void *into);

/* Name of an action; uint32_t action id. */
int spx_read_action_id(const struct spx_place *at, const struct spx_field *field, void *into);

/* Name of a protocol as "proto" of a match has it; NULL when it has none. */
const char *spx_proto_name(uint8_t proto);

/* Words of `family` of a match, by enum spx_family; of a classifier, by enum spx_classifier; of a verdict, by
 * enum spx_verdict; and so on. Each ends with NULL. */
extern const char *const spx_family_words[], *const spx_classifier_words[], *const spx_verdict_words[];
extern const char *const spx_hugepages_words[], *const spx_idle_words[], *const spx_ageing_words[];
extern const char *const spx_reverse_path_words[], *const spx_xdp_mode_words[];

/* Reads a whole text by table into document->setup. 0 or a negative errno with message. */
int spx_read_document(
	struct spx_document *document, const struct spx_keys *keys, const char *text, size_t length);

#endif
