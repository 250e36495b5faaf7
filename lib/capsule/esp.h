/* The five instructions of ESP (Calvert, Griffioen, Wen, "Lightweight Network Support for Scalable End-to-End
 * Services", SIGCOMM 2002), natively: transactions on the ephemeral state store, with their operands in the
 * capsule's scratchpad.
 *
 * Part of lib/capsule, which parses capsules of kind "ESP instruction" and hands bursts of them here. The
 * same five exist as programs; both agree packet for packet. Everything is unsigned, modulo 2^64. Operand i
 * is word i of the scratchpad, in network order. A value is the first eight bytes of a public entry (w0; w1
 * the next eight), big-endian. get of a key that is not there is nothing; put creates with a new lifetime, or
 * overwrites without extending it.
 *
 *   COUNT(C, T)                   x = get(C) or 0; put(C, x + 1); forward if x + 1 <= T
 *   COMPARE(V, val) op            e = get(V); if nothing or val op e: put(V, val), forward
 *   COLLECT(C, V, val) op         c = get(C), nothing: fault 16; c = 0: drop; v = get(V), nothing: val, else
 *                                 val op v; put(C, c - 1), put(V, v); c - 1 = 0: val := v, forward
 *   RCHLD(B, id)                  B.w0 |= bit id; B was nothing: B.w1 = id + 1; forward if B was nothing or
 *                                 B.w1 = id + 1, with id := node id mod 64
 *   RCOLLECT(B, D, V, id, val) op B nothing or without id: fault 16; id in D already: if D = B then id :=
 * node id mod 64, val := get(V) or 0, forward; else D |= bit id, V as in COLLECT, and D = B: the same forward
 *
 * and drop where nothing says forward. What is refused, in this order: an unknown instruction or operator
 * (fault 1), too few words, or an id of 64 and more (2), two equal keys (9); by the store: full (3), the
 * port's quota (7). A fault changes neither store nor scratchpad.
 */
#ifndef SPX_CAPSULE_ESP_H
#define SPX_CAPSULE_ESP_H

#include "lib/ess/ess.h"

enum spx_esp_instruction {
	SPX_ESP_COUNT = 1,
	SPX_ESP_COMPARE,
	SPX_ESP_COLLECT,
	SPX_ESP_RCHLD,
	SPX_ESP_RCOLLECT,
	SPX_ESP_END /* one beyond */
};

enum spx_esp_compare_operator {
	SPX_ESP_LT = 1, /* val op e: the packet's value is less than the stored one */
	SPX_ESP_LE,
	SPX_ESP_GT,
	SPX_ESP_GE,
	SPX_ESP_EQ,
	SPX_ESP_NE,
	SPX_ESP_COMPARE_END
};

enum spx_esp_collect_operator {
	SPX_ESP_SUM = 1,
	SPX_ESP_MIN,
	SPX_ESP_MAX,
	SPX_ESP_AND,
	SPX_ESP_OR,
	SPX_ESP_COLLECT_END
};

/* What becomes of the packet: 0, 1...255 the fault code, or drop. */
enum {
	SPX_ESP_FORWARD = 0,
	SPX_ESP_FAULT_PROGRAM = 1,
	SPX_ESP_FAULT_BOUNDS = 2,
	SPX_ESP_FAULT_FULL = 3,
	SPX_ESP_FAULT_QUOTA = 7,
	SPX_ESP_FAULT_TWICE = 9,
	SPX_ESP_FAULT_NOTHING = 16, /* COLLECT, RCOLLECT: there is nothing to collect for */
	SPX_ESP_DROP = 256
};

/* One capsule. The scratchpad lies in the packet, at any address. */
struct spx_esp_capsule {
	uint8_t *scratch;
	uint16_t port;   /* that it came in by */
	uint16_t result; /* SPX_ESP_...: filled by the run */
	uint8_t words;   /* of the scratchpad, 8 bytes each */
	uint8_t instruction;
	uint8_t op; /* operator, 0 where there is none */
};

/* Runs n capsules, each as a transaction, in their order, after fetching the entries of all of them. The
 * worker's thread. `node` is the node id. */
void spx_esp_run_bulk(struct spx_ess_worker *worker, uint64_t node, uint64_t now_us,
	struct spx_esp_capsule capsule[], unsigned n);

#endif
