/* Slow methods: a thread each, so that whoever waits for a grace period or for packets, or asks for
 * megabytes, holds nobody up. The answer comes back to the server's thread, which sends it. See server.h.
 */
#include <stdlib.h>
#include <string.h>

#include "app/sphex/server_internal.h"

static void *
job_thread(void *arg)
{
	struct spx_job *job = arg;
	struct spx_server *server = job->server;
	struct spx_request *request = &job->request;
	json_t *result;
	int code = spx_rpc_run(request, &result);

	if (!request->silent)
		job->answer = spx_rpc_answer(request, code, result);
	json_decref(result);
	spx_server_discard(server, request->call.fd);
	request->call.fd = -1;
	spx_rpc_free(request);
	atomic_store(&job->done, true);
	spx_server_wake(server);
	return NULL;
}

static struct spx_job *
free_slot(struct spx_server *server)
{
	for (unsigned i = 0; i < SPX_JOBS_MAX; i++)
		if (server->job[i].client == NULL)
			return &server->job[i];
	return NULL;
}

/* 0, or what stands in the way of another one. */
static int
check_room(const struct spx_client *client, struct spx_request *request)
{
	const struct spx_server *server = client->server;
	unsigned all = 0, readers = 0;

	for (unsigned i = 0; i < SPX_JOBS_MAX; i++)
		if (server->job[i].client != NULL) {
			all++;
			readers += server->job[i].client->role == SPX_ROLE_READER;
		}
	if (server->ending)
		return spx_error(
			&request->err, SPX_RPC_BUSY, "%s: the appliance is stopping", request->method->name);
	if (all == SPX_JOBS_MAX)
		return spx_error(&request->err, SPX_RPC_BUSY,
			"%s: %u requests that may wait are under way already; try again",
			request->method->name, SPX_JOBS_MAX);
	if (client->role == SPX_ROLE_READER && readers >= SPX_JOBS_READERS)
		return spx_error(&request->err, SPX_RPC_BUSY,
			"%s: %u requests of readers that may wait are under way already; try again",
			request->method->name, SPX_JOBS_READERS);
	return 0;
}

int
spx_job_start(struct spx_client *client, struct spx_request *request)
{
	struct spx_server *server = client->server;
	struct spx_job *job;
	int rc = check_room(client, request);

	if (rc != 0)
		return rc;
	job = free_slot(server);
	job->server = server;
	job->client = client;
	job->answer = NULL;
	job->request = *request;
	job->request.call.cancelled = &job->cancelled;
	atomic_store(&job->cancelled, client->fd < 0);
	atomic_store(&job->done, false);
	rc = spx_server_thread(&job->thread, "spx-request", job_thread, job);
	if (rc != 0) {
		job->client = NULL;
		return spx_error(&request->err, SPX_RPC_BUSY, "%s: no thread for it (%s); try again",
			request->method->name, strerror(-rc));
	}
	client->job = job;
	return 0;
}

static void
finish(struct spx_job *job)
{
	struct spx_client *client = job->client;

	pthread_join(job->thread, NULL);
	if (client->fd >= 0 && job->answer != NULL)
		spx_client_send(client, job->answer, strlen(job->answer));
	else if (client->fd >= 0 && !job->request.silent)
		spx_client_hang_up(client); /* no memory */
	free(job->answer);
	client->job = NULL;
	job->client = NULL;
}

void
spx_jobs_finish(struct spx_server *server)
{
	for (unsigned i = 0; i < SPX_JOBS_MAX; i++)
		if (server->job[i].client != NULL && atomic_load(&server->job[i].done))
			finish(&server->job[i]);
}
