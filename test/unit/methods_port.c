/* port.*, queue.set and show.queues of an appliance that runs. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "test/unit/methods_running.h"

static void
expect_link(struct running *r, unsigned port, const char *expected)
{
	json_t *result = running_call(r, spx_method_show_ports, NULL);
	json_t *shown = json_array_get(json_object_get(result, "ports"), port);

	cr_expect_str_eq(json_string_value(json_object_get(shown, "link")), expected);
	json_decref(result);
}

Test(methods_port, down_and_up)
{
	struct running r;

	running_start(&r);
	json_decref(running_call(&r, spx_method_port_down, "{\"port\": \"left\"}"));
	cr_expect(atomic_load(&r.app->port[1].down), "the workers know");
	cr_expect_eq(r.app->ports_up & spx_set_one(1), 0, "and the routes");
	expect_link(&r, 1, "disabled");
	expect_link(&r, 2, "up");
	json_decref(running_call(&r, spx_method_port_up, "{\"port\": \"left\"}"));
	cr_expect(!atomic_load(&r.app->port[1].down));
	cr_expect_neq(r.app->ports_up & spx_set_one(1), 0);
	expect_link(&r, 1, "up");
	running_refuses(&r, spx_method_port_down, "{\"port\": \"lft\"}", -EINVAL, "did you mean \"left\"?");
	running_refuses(&r, spx_method_port_down, "{}", -EINVAL, "\"port\" is missing");
	running_end(&r);
}

static void
expect_queue(const json_t *queue, json_int_t rate, json_int_t packets, json_int_t bytes)
{
	cr_expect_str_eq(json_string_value(json_object_get(queue, "port")), "left");
	cr_expect_eq(json_integer_value(json_object_get(queue, "rate_kbps")), rate);
	cr_expect_eq(json_integer_value(json_object_get(queue, "limit_packets")), packets);
	cr_expect_eq(json_integer_value(json_object_get(queue, "limit_bytes")), bytes);
}

Test(methods_port, queues)
{
	struct running r;
	json_t *result;

	running_start_routing(&r);
	result = running_call(&r, spx_method_show_queues, NULL);
	cr_assert_eq(json_array_size(json_object_get(result, "queues")), 1);
	expect_queue(json_array_get(json_object_get(result, "queues"), 0), 1000, 100, 1000000);
	json_decref(result);
	result = running_call(&r, spx_method_queue_set, "{\"port\": \"left\", \"rate_kbps\": 0}");
	expect_queue(result, 0, 100, 1000000);
	json_decref(result);
	result = running_call(&r, spx_method_queue_set,
		"{\"port\": \"left\", \"limit_packets\": 50, \"limit_bytes\": 20000}");
	expect_queue(result, 0, 50, 20000);
	json_decref(result);
	running_refuses(&r, spx_method_queue_set, "{\"port\": \"right\", \"rate_kbps\": 1}", -ENOENT,
		"port right has no queue");
	running_refuses(&r, spx_method_queue_set, "{\"port\": \"left\", \"rate_kbps\": -1}", -EINVAL,
		"from 0 to 100000000");
	running_refuses(&r, spx_method_queue_set, "{\"port\": \"left\", \"limit_packets\": 1048576}", -EINVAL,
		"limit_packets");
	running_end(&r);
}
