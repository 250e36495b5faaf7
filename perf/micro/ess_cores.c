/* The second core of ess.scale.2cores: a thread that works when it is told to. */
#include <errno.h>
#include <sched.h>
#include <time.h>

#include <rte_pause.h>

#include "perf/micro/ess.h"

static uint64_t
own_time_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void *
other_core(void *state)
{
	struct ess_bench *s = state;

	while (sem_wait(&s->order) == 0 && s->ordered != 0) {
		uint64_t start = own_time_ns();

		ess_bench_work(&s->core[1], s->ordered);
		s->took_ns = own_time_ns() - start;
		sem_post(&s->finished);
	}
	return NULL;
}

/* Half of the operations each, whole bursts. The frame sees this thread's time: it becomes that of the slower
 * one of the two. */
void
ess_cores_both(void *state, uint64_t ops)
{
	struct ess_bench *s = state;
	const uint64_t half = ops / 2 / BENCH_BURST * BENCH_BURST, start = own_time_ns();

	if (!s->other_runs) {
		ess_bench_work(&s->core[0], half);
		ess_bench_work(&s->core[1], ops - half);
		return;
	}
	s->ordered = ops - half;
	sem_post(&s->order);
	ess_bench_work(&s->core[0], half);
	sem_wait(&s->finished);
	while (own_time_ns() - start < s->took_ns)
		rte_pause();
}

/* Twice one core: half of the operations. */
void
ess_cores_one(void *state, uint64_t ops)
{
	ess_bench_work(&((struct ess_bench *)state)->core[0], ops / 2);
}

/* A core that this thread does not run on, or -1. */
static int
another_core(void)
{
	cpu_set_t one;

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (cpu != sched_getcpu() && sched_setaffinity(0, sizeof(one), &one) == 0)
			return cpu;
	}
	return -1;
}

/* The thread inherits the core it is started on. */
int
ess_cores_start(struct ess_bench *s, struct spx_error *err)
{
	cpu_set_t mine;
	int rc = sched_getaffinity(0, sizeof(mine), &mine);

	if (rc != 0 || another_core() < 0)
		return spx_error(err, -ENODEV, "it takes two cores");
	sem_init(&s->order, 0, 0);
	sem_init(&s->finished, 0, 0);
	rc = pthread_create(&s->other, NULL, other_core, s);
	if (rc == 0)
		s->other_runs = true;
	if (sched_setaffinity(0, sizeof(mine), &mine) != 0 || rc != 0)
		return spx_error(err, -EIO, "the second core's thread does not start");
	return 0;
}

void
ess_cores_stop(struct ess_bench *s)
{
	if (!s->other_runs)
		return;
	s->ordered = 0;
	sem_post(&s->order);
	pthread_join(s->other, NULL);
}
