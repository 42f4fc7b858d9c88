// SPDX-License-Identifier: GPL-2.0
/* A generation with a pending change: which one is active before its deadline and after. */
#include <errno.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "loader/base/clock.h"
#include "loader/compile/tables.h"
#include "loader/filter/confirm.h"
#include "loader/filter/generation.h"
#include "loader/filter/slots.h"
#include "tests/packet/check.h"
#include "tests/packet/suites.h"

#define LONG (1000 * PC_SECOND)

/* Of profile GROUPS, which lists 80/tcp and not 81/tcp. */
static const struct frame_spec to_web = {.family = 4, .protocol = 6, .port = 80};
static const struct frame_spec to_closed = {.family = 4, .protocol = 6, .port = 81};
static struct frame frame;

static bool passes(const struct runner *runner, const struct frame_spec *spec)
{
	frame_build(spec, &frame);
	return runner_fire(runner, &frame, RUN_WHOLE, 1) == XDP_PASS;
}

static bool set_deadline(const struct runner *runner, __u64 deadline)
{
	struct pc_generation *head =
		mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
		     runner->filter.current.generation, 0);

	if (head == MAP_FAILED)
		return false;
	__atomic_store_n(&head->deadline, deadline, __ATOMIC_SEQ_CST);
	munmap(head, (size_t)sysconf(_SC_PAGESIZE));
	return true;
}

/* Makes a generation of this profile under this policy. */
static int put(struct runner *runner, enum test_profile_id id, __u32 policy, bool confirm)
{
	struct tables tables = {0};
	int err;

	profile_tables(&test_profile[id], &tables);
	tables.generation->policy = policy;
	err = filter_switch(&runner->filter, &tables, "{}", confirm);
	tables_free(&tables);
	return err;
}

/* A pending generation under observe, step by step; meanwhile the fallback's slot is cleared. */
static int put_late(struct runner *runner, enum test_profile_id id)
{
	struct tables tables = {0};
	__u32 slot;
	int err;

	profile_tables(&test_profile[id], &tables);
	tables.generation->policy = PC_POLICY_OBSERVE;
	err = filter_prepare(&runner->filter, &tables, "{}", 0, true);
	tables_free(&tables);
	slot = err ? 0 : runner->filter.prepared.copy->fallback;
	if (!err)
		err = bpf_map_delete_elem(runner->filter.fd[FILTER_GENERATIONS], &slot);
	if (!err)
		err = filter_arm(&runner->filter, clock_boot() + LONG);
	if (!err)
		err = filter_commit(&runner->filter);
	if (!err)
		filter_finish(&runner->filter);
	return err;
}

static void judges(const struct runner *runner, bool fallback, const char *when)
{
	check(passes(runner, &to_web) && passes(runner, &to_closed) == fallback, "%s the %s judges",
	      when, fallback ? "fallback" : "new generation");
}

/* Its time of attach, its version, and until when UDP from before the attach is awaited. */
static void keeps_attach(struct runner *runner)
{
	struct pc_generation *old = runner->filter.current.copy;
	const struct pc_generation *now;
	__u64 number = old->number, began = clock_wall();

	old->grace = 4711;
	old->attached_at = 42;
	memcpy(old->program_version, "0.0.1", 6);
	if (!check(!put(runner, GROUPS, PC_POLICY_ENFORCE, false), "a swap"))
		return;
	now = runner->filter.current.copy;
	check(now->grace == 4711 && now->attached_at == 42 && now->number == number + 1 &&
		      !strcmp(now->program_version, "0.0.1"),
	      "a swap keeps what is of the attach, and counts on");
	check(now->made_at >= began && now->made_at <= clock_wall() && !now->deadline &&
		      !now->fallback,
	      "and is made now, for good");
}

/* The fallback's slot is emptied if no generation can fall back to it; otherwise it would stay in
 * memory. */
static void clears_slot(struct runner *runner)
{
	struct filter *filter = &runner->filter;
	struct tables tables = {0};
	bool parked;

	if (!check(!put(runner, GROUPS, PC_POLICY_ENFORCE, true) && slot_has_fallback(filter),
		   "one that is to be confirmed has a fallback"))
		return;
	set_deadline(runner, clock_boot() - 1);
	filter->current.copy->deadline = clock_boot() - 1;
	check(filter_confirm(filter) == -ETIME && slot_has_fallback(filter),
	      "past the deadline it cannot be confirmed");
	set_deadline(runner, clock_boot() + LONG);
	filter->current.copy->deadline = clock_boot() + LONG;
	check(!filter_confirm(filter) && !slot_has_fallback(filter) && !filter->fallback.copy,
	      "once confirmed it has none");
	check(!filter_confirm(filter), "nor to confirm");
	profile_tables(&test_profile[GROUPS], &tables);
	parked = !filter_prepare(filter, &tables, "{}", 0, true) && slot_has_fallback(filter);
	filter_undo(filter);
	check(parked && !slot_has_fallback(filter) && !filter->prepared.copy,
	      "nor after a change that is undone");
	tables_free(&tables);
	check(passes(runner, &to_web) && !passes(runner, &to_closed), "what was there judges on");
	check(!slot_put(filter, SLOT_FALLBACK, filter->current.generation) &&
		      !put(runner, GROUPS, PC_POLICY_ENFORCE, false) && !slot_has_fallback(filter),
	      "nor where a killed command left one");
}

void suite_deadline(struct runner *runner)
{
	if (!check(!put(runner, GROUPS, PC_POLICY_OBSERVE, false) &&
			   !put(runner, GROUPS, PC_POLICY_ENFORCE, true),
		   "a generation that is to be confirmed, and one that observes behind it"))
		return;
	judges(runner, false, "before the deadline is set");
	set_deadline(runner, clock_boot() + LONG);
	judges(runner, false, "before the deadline");
	set_deadline(runner, clock_boot() - 1);
	judges(runner, true, "past the deadline");
	set_deadline(runner, 1);
	judges(runner, true, "long past the deadline");
	set_deadline(runner, 0);
	judges(runner, false, "without a deadline");
	set_deadline(runner, clock_boot() + LONG);
	runner->filter.current.copy->deadline = clock_boot() + LONG;
	check(!filter_confirm(&runner->filter), "it is confirmed");
	judges(runner, false, "once confirmed");
	/* A packet that no generation filters passes: here the fallback is the one that drops. */
	if (!check(!put(runner, GROUPS, PC_POLICY_ENFORCE, false) && !put_late(runner, GROUPS),
		   "one that observes, whose fallback was cleared away meanwhile"))
		return;
	check(passes(runner, &to_closed), "before its deadline it judges");
	set_deadline(runner, clock_boot() - 1);
	check(passes(runner, &to_web) && !passes(runner, &to_closed),
	      "past its deadline the fallback judges");
	set_deadline(runner, clock_boot() + LONG);
	check(!filter_confirm(&runner->filter), "it is confirmed, too");
	keeps_attach(runner);
	clears_slot(runner);
	runner_zero(runner);
}
