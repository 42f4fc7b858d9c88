// SPDX-License-Identifier: GPL-2.0
/* Scenes through both programs and the model; and the limit of echo requests. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "loader/compile/tables.h"
#include "tests/packet/check.h"
#include "tests/packet/fixture.h"
#include "tests/packet/scenes.h"
#include "tests/packet/suites.h"

/* A static, because it is large; one suite at a time uses it. */
static struct frame frame;
static struct model_state state;

static void print_step(const struct scene_step *step, const struct model_verdict *model,
		       const struct outcome *outcome)
{
	verdict_print("expected", &step->expect);
	verdict_print("model", model);
	outcome_print("program", outcome);
	frame_print(&frame);
}

static bool play_frame(struct runner *runner, const struct scene_step *step,
		       const struct tables *tables)
{
	struct model_verdict model;
	struct outcome outcome;
	int err;

	if (step->out) {
		model = model_egress(frame.data, frame.length, false, tables, &state);
		err = runner_send(runner, &frame, &step->expect, &outcome);
	} else {
		model = model_judge(frame.data, frame.length, tables, &state);
		err = runner_run(runner, &frame, RUN_WHOLE, &step->expect, &outcome);
	}
	if (err) {
		note("BPF_PROG_TEST_RUN: %s", strerror(-err));
		return false;
	}
	if (!outcome.odd && model_equal(&outcome.verdict, &step->expect) &&
	    model_equal(&model, &step->expect))
		return true;
	print_step(step, &model, &outcome);
	return false;
}

static bool play(struct runner *runner, const struct scene_step *step, const struct tables *tables)
{
	bool good = true;

	frame_build(&step->spec, &frame);
	frame_patch(&frame, &step->patch);
	if (step->passed)
		fixture_elapse(runner, &state, step->passed);
	if (step->other_cpu && runner->cpus > 1)
		runner_move(runner, runner->cpu ? 0 : 1);
	for (unsigned int i = 0; good && i < (step->times ? step->times : 1); i++)
		good = play_frame(runner, step, tables);
	return good;
}

static bool play_through(struct runner *runner, const struct scene *this,
			 const struct tables *tables)
{
	bool good = true;

	fixture_state(&state);
	fixture_install(runner, &state);
	for (int i = 0; good && i < SCENE_STEPS && this->step[i].spec.family; i++) {
		good = play(runner, &this->step[i], tables);
		if (!good)
			note("in step %d", i + 1);
	}
	return good && fixture_holds(runner, &state);
}

static void play_scene(struct runner *runner, const struct scene *this, const struct tables *tables)
{
	bool good = play_through(runner, this, tables);
	int tries = 0;

	while (!good && fixture_retry(&tries))
		good = play_through(runner, this, tables);
	check(good, "%s", this->name);
}

void suite_scenes(struct runner *runner)
{
	for (int id = 0; id < TEST_PROFILES; id++) {
		struct tables tables = {0};

		profile_tables(&test_profile[id], &tables);
		if (check(!runner_switch(runner, &tables) && !fixture_refresh(),
			  "scenes of profile %s", test_profile[id].name))
			for (size_t i = 0; i < scenes; i++)
				if (scene[i].profile == (enum test_profile_id)id)
					play_scene(runner, &scene[i], &tables);
		tables_free(&tables);
	}
	if (runner->cpus < 2)
		skip("needs two CPUs", "scenes' steps on another CPU");
	runner_move(runner, 0);
	runner_zero(runner);
}

/* --- the echo limit --- */

/* How many of `count` frames pass, one right after the other. */
static unsigned int passing(struct runner *runner, unsigned int count)
{
	unsigned int passed = 0;

	while (count--)
		passed += runner_fire(runner, &frame, RUN_WHOLE, 1) == XDP_PASS;
	return passed;
}

static bool limit(struct runner *runner, unsigned int rate)
{
	struct tables tables = {0};
	int err;

	profile_tables(&test_profile[STATE], &tables);
	tables.generation->echo_interval = rate ? (__u32)(PC_SECOND / rate) : 0;
	err = runner_switch(runner, &tables);
	tables_free(&tables);
	return check(!err, "switch to %u echo requests a second", rate);
}

/* A CPU that has admitted none for a long time. */
static void forget(const struct runner *runner)
{
	__u64 zero[1024] = {0};
	__u32 key = 0;

	if (bpf_map_update_elem(runner->echo, &key, zero, BPF_ANY))
		note("echo: %s", strerror(errno));
}

static double seconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void test_rate(struct runner *runner, const struct frame_spec *spec, unsigned int rate,
		      const char *name)
{
	unsigned int first, next, due, left;
	double start, last; /* time before the frames that are counted, and before the last ones */

	if (!limit(runner, rate))
		return;
	frame_build(spec, &frame);
	forget(runner);
	start = seconds();
	first = passing(runner, 2 * rate + 50);
	last = seconds();
	next = passing(runner, 20);
	due = (unsigned int)((seconds() - start + 0.02) * rate) + 1; /* while the frames are run */
	check(first >= rate && first + next <= rate + due, "%u %s a second: %u and then %u pass",
	      rate, name, first, next);
	/* A guest that is slower than the limit gets everything that it saved up: that of a
	 * second. */
	left = first + next == 2 * rate + 70 ? rate : 0;
	check(runner_total(runner, PC_CELL_REASON + PC_REASON_ICMP).packets ==
		      2 * rate + 70 - first - next,
	      "%u %s a second: the others are dropped as icmp", rate, name);
	usleep(200000);
	next = passing(runner, rate);
	due = (unsigned int)((seconds() - last + 0.02) * rate) + 1;
	/* The clock moves in ticks of up to 10 ms. */
	check(next + 1 >= rate / 5 && next <= due + left, "%u %s a second: %u pass after 200 ms",
	      rate, name, next);
	if (runner->cpus < 2) {
		skip("needs two CPUs", "%u %s a second on another CPU", rate, name);
		return;
	}
	runner_move(runner, runner->cpu ? 0 : 1);
	start = seconds();
	next = passing(runner, rate + 20);
	due = (unsigned int)((seconds() - start + 0.02) * rate) + 1;
	check(next >= rate && next <= rate + due, "%u %s a second: %u pass on another CPU", rate,
	      name, next);
	runner_move(runner, runner->cpu ? 0 : 1);
}

/* Later fragments of a request that passed count as requests; fragments of other datagrams do
 * not. */
static void test_fragments(struct runner *runner, const struct frame_spec *first, bool limited,
			   const char *name)
{
	struct frame_spec spec = *first;
	unsigned int passed, due;
	double start;

	if (!limit(runner, 10))
		return;
	forget(runner);
	frame_build(&spec, &frame);
	start = seconds();
	passed = passing(runner, 1);
	if (spec.family == 4)
		spec.fragment = FRAGMENT_MORE | 100;
	else
		spec.ext[0].offset = 100;
	spec.bare = true;
	spec.payload = 8;
	frame_build(&spec, &frame);
	passed += passing(runner, 500);
	due = (unsigned int)((seconds() - start + 0.02) * 10) + 1;
	if (limited)
		check(passed >= 10 && passed <= 10 + due,
		      "10 requests a second: %u fragments of %s", passed, name);
	else
		check(passed == 501, "10 requests a second: all fragments of %s", name);
}

void suite_echo(struct runner *runner)
{
	static const struct frame_spec parts4 = {
		.family = 4, .protocol = 1, .type = 8, .fragment = FRAGMENT_MORE, .payload = 16};
	static const struct frame_spec parts6 = {.family = 6,
						 .protocol = 58,
						 .type = 128,
						 .exts = 1,
						 .ext = {{44, .more = true}},
						 .payload = 16};
	static const struct frame_spec other = {
		.family = 4, .protocol = 17, .port = 53, .fragment = FRAGMENT_MORE, .payload = 16};
	static const struct frame_spec echo4 = {.family = 4, .protocol = 1, .type = 8};
	static const struct frame_spec echo6 = {.family = 6, .protocol = 58, .type = 128};
	static const struct frame_spec neighbour = {
		.family = 6, .protocol = 58, .type = 135, .hop_limit = 255};

	test_rate(runner, &echo4, 100, "echo requests");
	test_rate(runner, &echo6, 1000, "IPv6 echo requests");
	test_rate(runner, &echo4, 1, "echo requests");
	frame_build(&neighbour, &frame);
	check(passing(runner, 500) == 500, "nothing else is limited: neighbour discovery");
	test_fragments(runner, &parts4, true, "an IPv4 request");
	test_fragments(runner, &parts6, true, "an IPv6 request");
	test_fragments(runner, &other, false, "a datagram to an open port");
	if (limit(runner, 0)) {
		frame_build(&echo4, &frame);
		check(passing(runner, 5000) == 5000, "no limit");
	}
	runner_zero(runner);
}

/* --- several interfaces of a network namespace --- */

static bool set_several(const struct runner *runner, bool several)
{
	struct pc_shared shared;
	__u32 zero = 0;
	int map = runner->filter.fd[FILTER_SHARED];

	if (bpf_map_lookup_elem(map, &zero, &shared))
		return false;
	shared.several = several;
	return !bpf_map_update_elem(map, &zero, &shared, BPF_ANY);
}

/* Whether the frame passes, and leaves a note that its answer must not be learned. */
static bool is_noted(const struct runner *runner, const struct frame_spec *spec)
{
	struct pc_came_in *table = runner->came_in;
	bool by_port = false, by_tuple = false;

	memset(table->by_port, 0, sizeof(table->by_port));
	memset(table->by_tuple, 0, sizeof(table->by_tuple));
	frame_build(spec, &frame);
	if (runner_fire(runner, &frame, RUN_WHOLE, 1) != XDP_PASS)
		return false;
	for (size_t i = 0; i < PC_CAME_CELLS; i++) {
		by_port |= table->by_port[i] != 0;
		by_tuple |= table->by_tuple[i] != 0;
	}
	return by_port && by_tuple;
}

/* The answer to a packet of an open UDP port may leave by another interface that has a filter. */
void suite_several(struct runner *runner)
{
	static const struct frame_spec udp = {
		.family = 4, .protocol = 17, .source_port = 7000, .port = 53};
	static const struct frame_spec udp6 = {
		.family = 6, .protocol = 17, .source_port = 7000, .port = 53};
	static const struct frame_spec tcp = {
		.family = 4, .protocol = 6, .source_port = 7000, .port = 25};
	struct tables tables = {0};
	bool several;

	profile_tables(&test_profile[STATE], &tables);
	if (!check(!runner_switch(runner, &tables), "a generation with open ports"))
		return;
	tables_free(&tables);
	several = set_several(runner, true);
	check(several && is_noted(runner, &udp) && is_noted(runner, &udp6),
	      "several interfaces: a datagram to an open port is noted");
	check(several && !is_noted(runner, &tcp),
	      "several interfaces: TCP to an open port is not, for it shows who began");
	several = set_several(runner, false);
	check(several && !is_noted(runner, &udp), "one interface: no packet to an open port is");
	runner_zero(runner);
}
