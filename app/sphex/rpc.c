/* One line of the control protocol: JSON-RPC 2.0, which method, its answer; see rpc.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/sphex/choices.h"
#include "app/sphex/report.h"
#include "app/sphex/rpc.h"

/* ---- what is asked ----------------------------------------------------------------------------------- */

static bool
is_id(const json_t *id)
{
	return json_is_string(id) || json_is_number(id) || json_is_null(id);
}

/* The envelope has nothing but what JSON-RPC has: a misspelt key would go unnoticed. */
static int
refuse_unknown_keys(struct spx_request *request)
{
	static const char *const keys[] = {"jsonrpc", "method", "params", "id"};
	struct spx_choices choices;
	const char *key;
	json_t *value;

	json_object_foreach (request->root, key, value) {
		bool known = false;

		spx_choices_init(&choices, key);
		for (size_t i = 0; i < RTE_DIM(keys); i++) {
			known = known || strcmp(key, keys[i]) == 0;
			spx_choices_add(&choices, keys[i]);
		}
		if (!known)
			return spx_error(&request->err, SPX_RPC_NO_REQUEST,
				"\"%.32s\" is no key of a request; %s", key, spx_choices_text(&choices));
	}
	return 0;
}

/* 0, or SPX_RPC_NO_REQUEST; the id is known before anything else is refused. */
static int
read_envelope(struct spx_request *request)
{
	const json_t *root = request->root;
	json_t *id = json_object_get(root, "id");
	const char *version = json_string_value(json_object_get(root, "jsonrpc"));

	if (json_is_array(root))
		return spx_error(&request->err, SPX_RPC_NO_REQUEST,
			"a batch; requests one by one expected, each an object on a line of its own");
	if (!json_is_object(root))
		return spx_error(
			&request->err, SPX_RPC_NO_REQUEST, "no object; a request of JSON-RPC 2.0 expected");
	if (id != NULL && !is_id(id))
		return spx_error(&request->err, SPX_RPC_NO_REQUEST,
			"\"id\" is no string, number or null; one of them expected");
	request->id = id;
	if (version == NULL || strcmp(version, "2.0") != 0)
		return spx_error(&request->err, SPX_RPC_NO_REQUEST, "\"jsonrpc\": \"2.0\" is missing");
	request->call.method = json_string_value(json_object_get(root, "method"));
	if (request->call.method == NULL)
		return spx_error(&request->err, SPX_RPC_NO_REQUEST,
			"\"method\" is missing or no string; a method's name expected, such as \"hello\"");
	return refuse_unknown_keys(request);
}

static int
find_method(struct spx_request *request)
{
	struct spx_choices choices;

	for (const struct spx_method *m = spx_methods; m->name != NULL; m++)
		if (strcmp(m->name, request->call.method) == 0) {
			request->method = m;
			return 0;
		}
	spx_choices_init(&choices, request->call.method);
	for (const struct spx_method *m = spx_methods; m->name != NULL; m++)
		spx_choices_add(&choices, m->name);
	return spx_error(&request->err, SPX_RPC_NO_METHOD, "\"%.48s\" is no method; %s", request->call.method,
		spx_choices_text(&choices));
}

static int
read_params(struct spx_request *request)
{
	struct spx_call *call = &request->call;
	json_t *params = json_object_get(request->root, "params");

	if (params != NULL && !json_is_object(params))
		return spx_error(&request->err, SPX_RPC_PARAMS,
			"%s: params: is no object; an object expected, parameters by name", call->method);
	call->params = params;
	return 0;
}

int
spx_rpc_read(struct spx_request *request, const char *line, size_t length)
{
	json_error_t why;
	int code;

	request->call.err = &request->err;
	request->root = json_loadb(line, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
	if (request->root == NULL)
		return spx_error(
			&request->err, SPX_RPC_NO_JSON, "no valid JSON: byte %d: %s", why.position, why.text);
	code = read_envelope(request);
	if (code != 0)
		return code;
	request->silent = json_object_get(request->root, "id") == NULL;
	code = find_method(request);
	if (code != 0)
		return code;
	if (request->method->role > request->call.role)
		return spx_error(&request->err, SPX_RPC_ROLE,
			"%s: not for readers; an operator expected: root, the user that sphex runs as, or "
			"one of "
			"control.operators",
			request->method->name);
	return read_params(request);
}

/* ---- what is answered -------------------------------------------------------------------------------- */

int
spx_rpc_run(struct spx_request *request, json_t **result)
{
	int rc;

	request->call.err = &request->err; /* it may have moved since it was read */
	*result = NULL;
	rc = request->method->run(&request->call, result);
	if (rc >= 0)
		return 0;
	if (request->err.text[0] == '\0')
		spx_error(&request->err, rc, "%s: %s", request->method->name, strerror(-rc));
	request->failed = -rc;
	return rc == -EINVAL ? SPX_RPC_PARAMS : SPX_RPC_FAILED;
}

/* {"code": ..., "message": ..., "data": {"errno": "EEXIST"}}, or NULL. */
static json_t *
error_object(const struct spx_request *request, int code)
{
	const char *name = code == SPX_RPC_FAILED ? strerrorname_np(request->failed) : NULL;
	json_t *o = json_pack("{s:i, s:o}", "code", code, "message", spx_report_string(request->err.text));

	if (o != NULL && name != NULL)
		json_object_set_new(o, "data", json_pack("{s:s}", "errno", name));
	return o;
}

char *
spx_rpc_answer(const struct spx_request *request, int code, const json_t *result)
{
	const size_t flags = JSON_COMPACT | JSON_ENCODE_ANY;
	json_t *error = code == 0 ? NULL : error_object(request, code);
	char *id = request->id == NULL ? strdup("null")
				       : json_dumps(request->id, flags | JSON_REAL_PRECISION(17));
	char *body, *line = NULL;

	if (code == 0 && result == NULL)
		body = strdup("null");
	else
		body = json_dumps(code == 0 ? result : error, flags | JSON_REAL_PRECISION(9));
	if (id != NULL && body != NULL &&
		asprintf(&line, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"%s\":%s}\n", id,
			code == 0 ? "result" : "error", body) < 0)
		line = NULL;
	free(body);
	free(id);
	json_decref(error);
	return line;
}

void
spx_rpc_free(struct spx_request *request)
{
	if (request->call.fd >= 0)
		close(request->call.fd);
	request->call.fd = -1;
	json_decref(request->root);
	request->root = NULL;
}

int
spx_call_read(struct spx_call *call, const struct spx_keys *keys, void *into)
{
	json_t *params = call->params != NULL ? json_incref(call->params) : json_object();
	int rc;

	if (params == NULL)
		return spx_error(call->err, -ENOMEM, "%s: out of memory", call->method);
	rc = spx_read_value(call->app->setup, call->method, "params", params, keys, into, call->err);
	json_decref(params);
	return rc;
}
