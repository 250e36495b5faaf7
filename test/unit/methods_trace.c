/* trace of a running appliance: what it is asked, and when it is refused. */
#include <criterion/criterion.h>
#include <errno.h>

#include "app/sphex/tracer.h"
#include "test/unit/methods_running.h"

static struct running r;

static void
start(void)
{
	running_start(&r);
}

static void
end(void)
{
	running_end(&r);
}

TestSuite(methods_trace, .init = start, .fini = end, .timeout = 60);

Test(methods_trace, seconds)
{
	json_t *result = running_call(&r, spx_method_trace, "{\"filter\": \"udp port 7\", \"seconds\": 0.1}");

	cr_expect_eq(json_integer_value(json_object_get(result, "traced")), 0);
	json_decref(result);
	running_refuses(&r, spx_method_trace, "{\"seconds\": 0}", -EINVAL,
		"seconds: is 0; a number from 0.1 to 3600 expected");
	running_refuses(&r, spx_method_trace, "{\"seconds\": 3600.5}", -EINVAL,
		"seconds: is 3600.5; a number from 0.1 to 3600 expected");
	running_refuses(&r, spx_method_trace, "{\"seconds\": \"1\"}", -EINVAL,
		"seconds: is \"1\"; a number from 0.1 to 3600 expected");
}

/* The second is refused before anything is made for it, so it does not even hear that its filter is none. */
Test(methods_trace, one_at_a_time)
{
	struct spx_error err = {""};
	struct spx_call call = {.app = r.app, .method = "trace", .fd = -1, .err = &err};
	struct spx_tracer *tracer;
	json_t *result = NULL;

	cr_assert_eq(spx_tracer_create(1, "udp port 7", 2, &tracer, NULL), 0);
	cr_assert_eq(spx_watch_add_tracer(r.app, tracer, NULL), 0);
	call.params = json_pack("{s:s}", "filter", "no filter");
	cr_expect_eq(spx_method_trace(&call, &result), -EBUSY);
	cr_expect_str_eq(err.text, "a trace is under way: wait for its end");
	json_decref(call.params);
	spx_watch_remove_tracer(r.app, tracer);
	spx_tracer_free(tracer);
	result = running_call(&r, spx_method_trace, "{\"count\": 2}");
	cr_expect_eq(json_integer_value(json_object_get(result, "traced")), 2);
	json_decref(result);
}
