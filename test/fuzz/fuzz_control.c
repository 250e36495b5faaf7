/* Fuzzes the control server: whatever an operator sends, in any cuts, with and without files, is answered by
 * lines of JSON-RPC, over an appliance whose workers do not run. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/sphex/server_internal.h"

/* Control characters that no JSON has: what is before is sent by itself. */
#define CUT           0x1c
#define CUT_WITH_FILE 0x1d

static const char text[] =
	"{\"memory\": {\"hugepages\": \"off\", \"megabytes\": 128, \"mbufs\": 2048}, \"hash_seed\": 1,"
	" \"slowpath\": {\"exception_ring\": 16, \"inject_ring\": 16, \"flow_ring\": 16},"
	" \"cache\": {\"entries\": 1024}, \"control\": {\"socket\": \"none\"}, \"ports\": ["
	"  {\"name\": \"in\", \"driver\": \"ethdev\", \"device\": \"net_null0\"},"
	"  {\"name\": \"out\", \"driver\": \"ethdev\", \"device\": \"net_null1,no-rx=1\"}],"
	" \"actions\": {\"web\": {\"verdict\": \"forward\", \"port\": \"out\"}, \"deny\": {\"verdict\": "
	"\"drop\"}},"
	" \"rules\": {\"classifier\": \"linear\", \"list\": [{\"match\": {\"dport\": 80}, \"action\": "
	"\"web\"}]}}";

static struct spx_setup setup;
static struct spx_appliance *app;
static int file;
static int client; /* its end of the connection */
static char *answers;
static size_t n_answers, room;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
end(void)
{
	spx_appliance_free(app, NULL);
	spx_setup_free(&setup);
	spx_eal_stop();
	close(file);
	free(answers);
}

/* DPDK once, the appliance too: what an input changes the next one finds. */
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct spx_error err;

	(void)argc;
	(void)argv;
	spx_log_set_level(SPX_LOG_ERROR);
	if (spx_setup_init(&setup) != 0 || spx_setup_parse(&setup, "fuzz", text, strlen(text), &err) != 0 ||
		spx_eal_start(&setup, &err) != 0 || spx_appliance_create(&setup, &app, &err) != 0 ||
		spx_server_create(app, &app->server, &err) != 0) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	app->begun = spx_now_ns();
	file = memfd_create("capture", MFD_CLOEXEC);
	atexit(end);
	return 0;
}

/* ---- the client -------------------------------------------------------------------------------------- */

/* Takes what has come, so that the client is never cut off. */
static void
receive(void)
{
	ssize_t n;

	do {
		if (room - n_answers < 65536) {
			room = 2 * room + 65536;
			answers = realloc(answers, room);
			if (answers == NULL)
				abort();
		}
		n = recv(client, answers + n_answers, room - n_answers, MSG_DONTWAIT);
		n_answers += n > 0 ? (size_t)n : 0;
	} while (n > 0);
}

static void
say(const uint8_t *data, size_t size, bool with_file)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = size};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c = (struct cmsghdr *)control;

	*c = (struct cmsghdr){
		.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
	memcpy(CMSG_DATA(c), &file, sizeof(file));
	if (with_file) {
		message.msg_control = control;
		message.msg_controllen = sizeof(control);
	}
	/* While a slow method is under way nothing is read, and what the socket does not take is lost. */
	if (size > 0)
		sendmsg(client, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	spx_server_poll(app->server, 0);
	receive();
}

/* Every line that came is an object of JSON-RPC. */
static void
check_answers(void)
{
	const char *line = answers, *newline;
	size_t left = n_answers;

	while (left > 0 && (newline = memchr(line, '\n', left)) != NULL) {
		json_t *answer = json_loadb(line, (size_t)(newline - line), JSON_REJECT_DUPLICATES, NULL);
		const char *version = json_string_value(json_object_get(answer, "jsonrpc"));

		if (version == NULL || strcmp(version, "2.0") != 0)
			abort();
		json_decref(answer);
		left -= (size_t)(newline + 1 - line);
		line = newline + 1;
	}
	n_answers = 0;
}

/* Until the server finds nothing to do: lines are carried out, or wait for a slow method. */
static void
settle(void)
{
	struct pollfd readable = {.fd = spx_server_fd(app->server), .events = POLLIN};

	while (poll(&readable, 1, 0) > 0) {
		spx_server_poll(app->server, 0);
		receive();
	}
}

/* Rules as they were, so that an input does what it does whichever came before. */
static void
restore_rules(uint64_t generation)
{
	if (app->config->rules_generation != generation &&
		spx_rule_table_set(app->rules, setup.rules.rule, setup.rules.n, NULL) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t generation = app->config->rules_generation;
	size_t begin = 0;
	int pair[2];

	if (ftruncate(file, 0) != 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		abort();
	client = pair[0];
	if (spx_server_add_client(app->server, pair[1], 0, 0, SPX_ROLE_OPERATOR) == NULL)
		abort();
	for (size_t i = 0; i < size; i++)
		if (data[i] == CUT || data[i] == CUT_WITH_FILE) {
			say(data + begin, i - begin, data[i] == CUT_WITH_FILE);
			begin = i + 1;
		}
	say(data + begin, size - begin, false);
	settle();
	check_answers();
	close(client); /* cancels what waits */
	while (app->server->n_clients > 0)
		spx_server_poll(app->server, 1);
	restore_rules(generation);
	return 0;
}
