/* Slow methods: a thread each, so that whoever waits for a grace period or for packets holds nobody up. The
 * result comes back to the server's thread, which answers. See server.h.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "app/sphex/server_internal.h"

static void *
job_thread(void *arg)
{
	struct spx_job *job = arg;
	struct spx_server *server = job->server;

	job->code = spx_rpc_run(&job->request, &job->result);
	atomic_store(&job->done, true);
	spx_server_wake(server);
	return NULL;
}

/* All signals are for others. The CPUs are those of the server's thread. */
static int
start_thread(struct spx_job *job)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&job->thread, NULL, job_thread, job);
	if (rc == 0)
		pthread_setname_np(job->thread, "spx-request");
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

static struct spx_job *
free_slot(struct spx_server *server)
{
	for (unsigned i = 0; i < SPX_JOBS_MAX; i++)
		if (server->job[i].client == NULL)
			return &server->job[i];
	return NULL;
}

int
spx_job_start(struct spx_client *client, struct spx_request *request)
{
	struct spx_server *server = client->server;
	struct spx_job *job = free_slot(server);
	int rc;

	if (server->ending)
		return spx_error(
			&request->err, SPX_RPC_BUSY, "%s: the appliance is stopping", request->method->name);
	if (job == NULL)
		return spx_error(&request->err, SPX_RPC_BUSY,
			"%s: %u requests that may wait are under way already; try again",
			request->method->name, SPX_JOBS_MAX);
	job->server = server;
	job->client = client;
	job->result = NULL;
	job->request = *request;
	job->request.call.cancelled = &job->cancelled;
	atomic_store(&job->cancelled, client->fd < 0);
	atomic_store(&job->done, false);
	rc = start_thread(job);
	if (rc != 0) {
		job->client = NULL;
		return spx_error(&request->err, SPX_RPC_BUSY, "%s: no thread for it (%s); try again",
			request->method->name, strerror(rc));
	}
	client->job = job;
	return 0;
}

static void
finish(struct spx_job *job)
{
	struct spx_client *client = job->client;
	char *answer;

	pthread_join(job->thread, NULL);
	if (client->fd >= 0 && !job->request.silent) {
		answer = spx_rpc_answer(&job->request, job->code, job->result);
		if (answer != NULL)
			spx_client_send(client, answer, strlen(answer));
		else
			spx_client_hang_up(client);
		free(answer);
	}
	json_decref(job->result);
	spx_rpc_free(&job->request);
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
