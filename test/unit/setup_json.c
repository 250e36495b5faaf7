/* Setups as JSON: what is written reads back as the same setup, for every example, every kind of match and
 * every quick start. */
#include <criterion/criterion.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "app/sphex/options.h"
#include "app/sphex/setup_json.h"
#include "app/sphex/setup_reader.h"
#include "test/unit/rules_model.h"

/* ---- matches --------------------------------------------------------------------------------------- */

static const char ports[] = "{\"ports\": [{\"name\": \"a\", \"driver\": \"replay\", \"trace\": \"t\"},"
			    " {\"name\": \"b\", \"driver\": \"replay\", \"trace\": \"u\"}], \"actions\": "
			    "{\"x\": {\"verdict\": \"drop\"}}}";

/* As the reader has it: an EtherType of IP is the family, a field that does not count is zero. */
static void
canonical(struct spx_match *m)
{
	if ((m->fields & SPX_MATCH_ETHERTYPE) != 0 && (m->ethertype == 0x0800 || m->ethertype == 0x86dd)) {
		m->family = m->ethertype == 0x0800 ? SPX_FAMILY_IPV4 : SPX_FAMILY_IPV6;
		m->fields &= (uint8_t)~SPX_MATCH_ETHERTYPE;
	} else if ((m->fields & SPX_MATCH_ETHERTYPE) != 0) {
		m->family = SPX_FAMILY_OTHER;
	}
	m->proto = m->fields & SPX_MATCH_PROTO ? m->proto : 0;
	m->vlan = m->fields & SPX_MATCH_VLAN ? m->vlan : 0;
	m->port = m->fields & SPX_MATCH_PORT ? m->port : 0;
	m->ethertype = m->fields & SPX_MATCH_ETHERTYPE ? m->ethertype : 0;
}

static void
read_back(struct spx_setup *setup, const struct spx_rule *rule, struct spx_rule *read)
{
	struct spx_error err = {""};
	struct spx_document document = {.setup = setup, .name = "text", .err = &err};
	struct spx_place root = {.document = &document, .value = spx_rule_json(setup, rule)};
	char *text = json_dumps(root.value, 0);

	cr_assert_not_null(text);
	json_decref(root.value);
	cr_assert_not_null(root.value = json_loads(text, 0, NULL));
	cr_assert_eq(spx_read_rule(&root, NULL, read), 0, "%s: %s", text, err.text);
	free(text);
	json_decref(root.value);
}

Test(setup_json, random_matches_read_back)
{
	struct spx_setup setup;
	struct spx_error err = {""};
	uint64_t random = 31;
	unsigned kinds = 0;

	cr_assert_eq(spx_setup_init(&setup), 0);
	cr_assert_eq(spx_setup_parse(&setup, "text", ports, strlen(ports), &err), 0, "%s", err.text);
	for (unsigned i = 0; i < 20000; i++) {
		struct spx_rule rule = {.order = i + 1, .action = 1}, read = {0};

		random_match(&random, &rule.match);
		rule.match.port %= setup.n_ports;
		if (i % 2 == 0)
			rule.match.proto = (uint8_t)spx_random(&random);
		read_back(&setup, &rule, &read);
		canonical(&rule.match);
		kinds |= 1u << rule.match.family | (unsigned)rule.match.fields << 4;
		cr_assert(read.order == rule.order && read.action == 1);
		cr_assert_arr_eq(&read.match, &rule.match, sizeof(rule.match));
	}
	cr_expect_eq(kinds, 0xff, "every family and field was there");
	spx_setup_free(&setup);
}

/* ---- setups ---------------------------------------------------------------------------------------- */

static void
expect_text(const char *a, const char *b)
{
	cr_expect((a == NULL) == (b == NULL));
	if (a != NULL && b != NULL)
		cr_expect_str_eq(a, b);
}

static void
expect_port(const struct spx_setup_port *a, const struct spx_setup_port *b)
{
	cr_expect_str_eq(a->name, b->name);
	cr_expect_str_eq(a->driver, b->driver);
	expect_text(a->device, b->device);
	expect_text(a->file, b->file);
	cr_expect(a->max_frame == b->max_frame && a->promiscuous == b->promiscuous);
	cr_expect(a->rx_descriptors == b->rx_descriptors && a->tx_descriptors == b->tx_descriptors);
	expect_text(a->interface, b->interface);
	cr_expect(a->mtu == b->mtu && a->reverse_path == b->reverse_path);
	cr_expect(a->queues == b->queues && a->mode == b->mode);
	cr_assert_eq(a->n_targets, b->n_targets);
	for (uint32_t i = 0; i < a->n_targets; i++)
		cr_expect_arr_eq(&a->target[i], &b->target[i], sizeof(a->target[i]));
	cr_expect_eq(a->queue.wanted, b->queue.wanted);
	cr_expect_arr_eq(&a->queue.options, &b->queue.options, sizeof(a->queue.options));
	cr_expect(a->passes == b->passes && a->speed == b->speed && a->snap == b->snap);
	if (strcmp(a->driver, "capture") != 0)
		cr_expect_eq(a->verify_checksum, b->verify_checksum);
}

static void
expect_scalars(const struct spx_setup *a, const struct spx_setup *b)
{
	cr_expect(a->hugepages == b->hugepages && a->memory_mb == b->memory_mb && a->mbufs == b->mbufs);
	cr_expect(a->workers == b->workers && a->worker_idle == b->worker_idle && a->burst == b->burst);
	cr_expect_arr_eq(a->worker_cpu, b->worker_cpu, sizeof(a->worker_cpu));
	cr_expect(a->slowpath_cpu == b->slowpath_cpu && a->exception_ring == b->exception_ring);
	cr_expect(a->inject_ring == b->inject_ring && a->flow_ring == b->flow_ring);
	cr_expect(a->cache.mode == b->cache.mode && a->cache.entries == b->cache.entries);
	cr_expect(a->cache.entries6 == b->cache.entries6 && a->cache.ways == b->cache.ways);
	cr_expect(a->cache.p == b->cache.p && a->cache.flows == b->cache.flows);
	cr_expect(a->cache.ageing == b->cache.ageing && a->cache.idle_seconds == b->cache.idle_seconds);
	cr_expect_eq(a->cache.flood_guard, b->cache.flood_guard);
	cr_expect(a->hash_seed == b->hash_seed && a->seconds == b->seconds);
	expect_text(a->report, b->report);
}

static void
expect_routes(const struct spx_setup *a, const struct spx_setup *b)
{
	cr_assert(a->n_addresses == b->n_addresses && a->routes.n == b->routes.n);
	for (size_t i = 0; i < a->n_addresses; i++)
		cr_expect_arr_eq(&a->address[i], &b->address[i], sizeof(a->address[i]));
	for (size_t i = 0; i < a->routes.n; i++)
		cr_expect_arr_eq(&a->routes.change[i], &b->routes.change[i], sizeof(a->routes.change[i]));
	cr_assert_eq(a->n_neighbours, b->n_neighbours);
	for (size_t i = 0; i < a->n_neighbours; i++)
		cr_expect_arr_eq(&a->neighbour[i], &b->neighbour[i], sizeof(a->neighbour[i]));
}

/* more: actions that the default needs to have a name. */
static void
expect_same(const struct spx_setup *a, const struct spx_setup *b, uint32_t more)
{
	expect_scalars(a, b);
	expect_routes(a, b);
	cr_assert_eq(a->n_ports, b->n_ports);
	for (uint16_t i = 0; i < a->n_ports; i++)
		expect_port(&a->port[i], &b->port[i]);
	cr_assert_eq(a->n_actions + more, b->n_actions);
	for (uint32_t i = 0; i < a->n_actions; i++) {
		cr_expect_str_eq(a->action[i].name, b->action[i].name);
		cr_expect_arr_eq(&a->action[i].action, &b->action[i].action, sizeof(a->action[i].action),
			"action %s", a->action[i].name);
	}
	cr_expect_eq(a->classifier, b->classifier);
	cr_assert_eq(a->rules.n, b->rules.n);
	for (size_t i = 0; i < a->rules.n; i++) {
		cr_expect_eq(a->rules.rule[i].order, b->rules.rule[i].order);
		cr_expect_eq(a->rules.rule[i].action, b->rules.rule[i].action);
		cr_expect_arr_eq(&a->rules.rule[i].match, &b->rules.rule[i].match, sizeof(struct spx_match));
	}
}

/* The setup that the JSON of this one is read as. */
static void
rewrite(const struct spx_setup *setup, struct spx_setup *again)
{
	json_t *document = spx_setup_json(setup, setup->rules.rule, setup->rules.n);
	char *text = json_dumps(document, 0);
	struct spx_error err = {""};

	cr_assert_not_null(text);
	cr_assert_eq(spx_setup_init(again), 0);
	cr_assert_eq(spx_setup_parse(again, "text", text, strlen(text), &err), 0, "%s: %s", err.text, text);
	free(text);
	json_decref(document);
}

static void
expect_round_trip(const struct spx_setup *setup, uint32_t more)
{
	struct spx_setup again, third;

	rewrite(setup, &again);
	expect_same(setup, &again, more);
	rewrite(&again, &third);
	expect_same(&again, &third, 0);
	spx_setup_free(&again);
	spx_setup_free(&third);
}

Test(setup_json, examples_read_back)
{
	struct spx_setup setup;
	struct spx_error err = {""};
	glob_t files;
	unsigned read = 0;

	cr_assert_eq(glob("config/examples/*.json", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		if (strstr(files.gl_pathv[i], "-rules") != NULL)
			continue;
		cr_assert_eq(spx_setup_init(&setup), 0);
		cr_assert_eq(spx_setup_read(&setup, files.gl_pathv[i], &err), 0, "%s", err.text);
		expect_round_trip(&setup, 0);
		spx_setup_free(&setup);
		read++;
	}
	cr_expect_geq(read, 4);
	globfree(&files);
}

static void
quick(struct spx_setup *setup, int argc, const char *argv[])
{
	struct spx_options options;
	struct spx_error err = {""};

	cr_assert_eq(spx_options_parse(&options, argc, (char **)(uintptr_t)argv, &err), 0, "%s", err.text);
	cr_assert_eq(spx_setup_quick(setup, &options, "trace.pcap", &err), 0, "%s", err.text);
	spx_options_free(&options);
}

Test(setup_json, a_quick_start_reads_back)
{
	const char *argv[] = {"sphex", "--trace", "trace.pcap", "--seconds", "2.5", "--workers", "2", NULL};
	struct spx_setup setup, again;

	quick(&setup, RTE_DIM(argv) - 1, argv);
	expect_round_trip(&setup, 1);
	rewrite(&setup, &again);
	cr_expect_str_eq(again.action[2].name, "unmatched");
	cr_expect_null(spx_setup_default(&setup), "forwards, and does not count as \"forward\" does");
	cr_expect_str_eq(spx_setup_default(&again), "unmatched");
	spx_setup_free(&setup);
	spx_setup_free(&again);
}

Test(setup_json, a_quick_start_with_rules_reads_back)
{
	const char *argv[] = {"sphex", "--trace", "trace.pcap", "--rules", "config/examples/demo-rules.json",
		"--out", "out.pcapng", "--speed", "0.25", "--cache", "approximate:p=0.0000123", "--report",
		"r", NULL};
	struct spx_setup setup;

	quick(&setup, RTE_DIM(argv) - 1, argv);
	cr_expect_str_eq(spx_setup_default(&setup), "forward");
	expect_round_trip(&setup, 0);
	spx_setup_free(&setup);
}

/* An action of that name does not stand in the way of the one that is added. */
Test(setup_json, a_default_without_action_gets_a_free_name)
{
	const char *argv[] = {"sphex", "--trace", "trace.pcap", NULL};
	struct spx_setup setup, again;

	quick(&setup, RTE_DIM(argv) - 1, argv);
	spx_setup_add_action(&setup, "unmatched")->action.verdict = SPX_VERDICT_PUNT;
	expect_round_trip(&setup, 1);
	rewrite(&setup, &again);
	cr_expect_str_eq(again.action[3].name, "unmatched_2");
	spx_setup_free(&setup);
	spx_setup_free(&again);
}

/* The demo's file is what the appliance that was started with it takes again, as it stands. */
Test(setup_json, the_file_of_the_start_is_taken_again)
{
	const char *argv[] = {
		"sphex", "--trace", "trace.pcap", "--rules", "config/examples/demo-rules.json", NULL};
	struct spx_rule_list rules = {0};
	struct spx_setup setup;
	struct spx_error err = {""};
	char text[8192];
	size_t length, flags_ignored;
	FILE *file = fopen("config/examples/demo-rules.json", "r");

	cr_assert_not_null(file);
	length = fread(text, 1, sizeof(text), file);
	fclose(file);
	quick(&setup, RTE_DIM(argv) - 1, argv);
	cr_assert_eq(spx_setup_parse_rules(
			     &setup, "demo", text, length, SPX_ACTION_NONE, &rules, &flags_ignored, &err),
		0, "%s", err.text);
	cr_assert_eq(rules.n, setup.rules.n);
	cr_expect_arr_eq(rules.rule, setup.rules.rule, rules.n * sizeof(rules.rule[0]));
	spx_rule_list_free(&rules);
	spx_setup_free(&setup);
}
