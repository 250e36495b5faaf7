/* capsule: send ESP instructions into the network, and receive what comes. No appliance is asked: any machine
 * that a node forwards for can do this. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/spxctl/capsule.h"
#include "app/spxctl/words.h"

static const struct spx_word forms[] = {{"send"}, {"receive"}, {NULL}};
enum form { SEND, RECEIVE };

/* ---- send ------------------------------------------------------------------------------------------ */

/* A series under way. */
struct series {
	int fd;
	uint8_t bytes[SPX_CAPSULE_MAX + SPX_CTL_DATAGRAM_MAX]; /* the capsule */
	size_t length;
	uint64_t sent, refused, count;
	double next, interval, wait;
	json_t *answers;
};

/* What the options say of the capsule; the words have said the rest. */
static void
set_content(const struct spx_ctl *ctl, struct spx_capsule_content *content)
{
	if (ctl->given & SPX_CTL_EGRESS)
		content->flags |= SPX_CAPSULE_EGRESS;
	if ((ctl->given & SPX_CTL_INGRESS) || !(ctl->given & SPX_CTL_EGRESS))
		content->flags |= SPX_CAPSULE_INGRESS;
	if (ctl->given & SPX_CTL_LOCAL)
		content->flags |= SPX_CAPSULE_LOCAL;
	content->id = ctl->id;
	content->payload = ctl->payload;
	content->payload_length = ctl->payload != NULL ? strlen(ctl->payload) : 0;
}

/* A refusal that the host sent for an earlier capsule comes instead of this one's sending: again. */
static int
send_one(struct series *series)
{
	struct spx_error err;
	int r = spx_capsule_send(series->fd, series->bytes, series->length, &err);

	while (r == -ECONNREFUSED) {
		series->refused++;
		r = spx_capsule_send(series->fd, series->bytes, series->length, &err);
	}
	if (r != 0)
		return spx_ctl_failed("%s", err.text);
	series->sent++;
	series->next += series->interval;
	return SPX_CTL_OK;
}

/* Waits until `end` for one answer. 1: there was one, or a refusal; 0: there was none; -1 after a message. */
static int
hear(const struct spx_ctl *ctl, struct series *series, double end)
{
	static uint8_t buffer[SPX_CTL_DATAGRAM_MAX];
	struct sockaddr_storage from;
	ssize_t n = spx_capsule_receive(series->fd, end, buffer, &from);
	json_t *capsule;

	if (n == -ETIMEDOUT)
		return 0;
	if (n == -ECONNREFUSED) {
		series->refused++;
		return 1;
	}
	if (n < 0) {
		spx_ctl_failed("the network says of a capsule: %s", strerror((int)-n));
		return -1;
	}
	capsule = spx_capsule_json(buffer, (size_t)n, &from);
	json_array_append_new(series->answers, capsule);
	if (!(ctl->given & SPX_CTL_JSON)) {
		spx_capsule_print(capsule);
		fflush(stdout);
	}
	return 1;
}

/* Sends them all, listening all the while, and afterwards until each is answered or the time is over. */
static int
run_series(const struct spx_ctl *ctl, struct series *series)
{
	series->next = spx_capsule_now();
	while (series->sent < series->count) {
		double end;
		int heard, status = send_one(series);

		if (status != SPX_CTL_OK)
			return status;
		end = series->sent < series->count ? series->next : spx_capsule_now() + series->wait;
		do {
			if (series->sent == series->count &&
				json_array_size(series->answers) + series->refused >= series->sent)
				break;
			heard = hear(ctl, series, end);
			if (heard < 0)
				return SPX_CTL_FAILED;
		} while (heard > 0);
	}
	return SPX_CTL_OK;
}

static void
print_series(const struct spx_ctl *ctl, const struct series *series, const struct sockaddr_storage *to)
{
	char address[SPX_CTL_ADDRESS_MAX];
	json_t *document;

	spx_capsule_address(to, address);
	if (ctl->given & SPX_CTL_JSON) {
		document = json_pack("{s:s, s:I, s:I, s:I, s:O}", "host", address, "bytes",
			(json_int_t)series->length, "sent", (json_int_t)series->sent, "refused",
			(json_int_t)series->refused, "answers", series->answers);
		spx_ctl_print_json(document);
		json_decref(document);
		return;
	}
	printf("%" PRIu64 " sent to %s, %zu answered\n", series->sent, address,
		json_array_size(series->answers));
	if (series->refused > 0)
		printf("%" PRIu64 " reached %s, where nobody listens at UDP port %u\n", series->refused,
			address, SPX_CAPSULE_PORT);
}

static int
send_capsules(struct spx_ctl *ctl, int n, char **word)
{
	static struct series series;
	uint64_t scratch[SPX_CAPSULE_OPERANDS_MAX];
	struct spx_capsule_content content = {0};
	struct sockaddr_storage to;
	struct spx_error err;
	ssize_t length;
	int status;

	if (n == 0)
		return spx_ctl_usage("capsule send: HOST is missing; a name or an address expected");
	if (spx_capsule_words(n - 1, word + 1, &content, scratch, &err) != 0)
		return spx_ctl_usage("%s", err.text);
	set_content(ctl, &content);
	length = spx_capsule_write(&content, series.bytes, sizeof(series.bytes));
	if (length < 0)
		return spx_ctl_usage(
			"--payload: %zu bytes; a text that fits one packet expected", content.payload_length);
	series.length = (size_t)length;
	series.count = ctl->given & SPX_CTL_COUNT ? ctl->count : 1;
	series.interval = ctl->interval;
	series.wait = ctl->wait;
	series.fd = spx_capsule_connect(word[0], (uint16_t)ctl->port, &to, &err);
	if (series.fd < 0)
		return spx_ctl_failed("%s", err.text);
	series.answers = json_array();
	status = run_series(ctl, &series);
	if (status == SPX_CTL_OK)
		print_series(ctl, &series, &to);
	json_decref(series.answers);
	close(series.fd);
	return status;
}

/* ---- receive --------------------------------------------------------------------------------------- */

static int
receive_all(const struct spx_ctl *ctl, int fd)
{
	static uint8_t buffer[SPX_CTL_DATAGRAM_MAX];
	double end = ctl->given & SPX_CTL_WAIT ? spx_capsule_now() + ctl->wait : INFINITY;

	for (uint64_t i = 0; !(ctl->given & SPX_CTL_COUNT) || i < ctl->count; i++) {
		struct sockaddr_storage from;
		ssize_t n = spx_capsule_receive(fd, end, buffer, &from);
		json_t *capsule;

		if (n == -ETIMEDOUT)
			break;
		if (n < 0)
			return spx_ctl_failed("cannot receive (%s)", strerror((int)-n));
		capsule = spx_capsule_json(buffer, (size_t)n, &from);
		if (ctl->given & SPX_CTL_JSON)
			spx_ctl_print_json_line(capsule);
		else
			spx_capsule_print(capsule);
		json_decref(capsule);
		if (fflush(stdout) != 0)
			break;
	}
	return SPX_CTL_OK;
}

static int
receive_capsules(struct spx_ctl *ctl, int n, char **word)
{
	const unsigned wrong = SPX_CTL_INGRESS | SPX_CTL_EGRESS | SPX_CTL_LOCAL | SPX_CTL_ID |
			       SPX_CTL_PAYLOAD | SPX_CTL_INTERVAL;
	uint16_t port = ctl->given & SPX_CTL_PORT ? (uint16_t)ctl->port : SPX_CAPSULE_PORT;
	struct spx_error err;
	int fd, status;

	if (n > 0)
		return spx_ctl_usage("capsule receive: \"%s\" is too much", word[0]);
	if (ctl->given & wrong)
		return spx_ctl_usage(
			"capsule receive: --port, --count, --wait and --json are all that it has");
	fd = spx_capsule_listen(port, &err);
	if (fd < 0)
		return spx_ctl_failed("%s", err.text);
	fprintf(stderr, "spxctl: receiving at UDP port %u\n", port);
	status = receive_all(ctl, fd);
	close(fd);
	return status;
}

int
spx_ctl_capsule(struct spx_ctl *ctl, int n, char **word)
{
	struct spx_error err;
	int form = spx_word_find("capsule", forms, sizeof(forms[0]), word[0], &err);

	if (form < 0)
		return spx_ctl_usage("%s", err.text);
	return form == SEND ? send_capsules(ctl, n - 1, word + 1) : receive_capsules(ctl, n - 1, word + 1);
}
