// SPDX-License-Identifier: GPL-2.0
/* The table of rows, good frames cut short, and frames in several buffers. */
#include <stdlib.h>
#include <string.h>

#include "tests/packet/check.h"
#include "tests/packet/suites.h"

#define SPLIT_LAST 200 /* bytes of a frame in which every split is tried */

/* Large, and used by one suite at a time. */
static struct frame frame;

void suite_model(void)
{
	for (int id = 0; id < TEST_PROFILES; id++) {
		struct tables tables = {0};

		profile_tables(&test_profile[id], &tables);
		for (size_t i = 0; i < rows; i++) {
			struct model_verdict verdict;

			if (row[i].profile != (enum test_profile_id)id)
				continue;
			row_build(&row[i], &frame);
			verdict = model_judge(frame.data, frame.length, &tables);
			if (!check(model_equal(&verdict, &row[i].expect), "model: %s",
				   row[i].name)) {
				verdict_print("expected", &row[i].expect);
				verdict_print("model", &verdict);
				frame_print(&frame);
			}
		}
		tables_free(&tables);
	}
}

/* Runs `frame` once; prints what happened if that is not what was expected. */
static bool as_expected(struct runner *runner, size_t linear, const struct model_verdict *expect)
{
	struct outcome outcome;
	int err = runner_run(runner, &frame, linear, expect->port, &outcome);

	if (err) {
		note("BPF_PROG_TEST_RUN of %zu bytes, %zd of them linear: %s", frame.length,
		     (ssize_t)linear, strerror(-err));
		return false;
	}
	if (!outcome.odd && model_equal(&outcome.verdict, expect))
		return true;
	if (linear != RUN_WHOLE)
		note("%zu bytes in the linear part", linear);
	verdict_print("expected", expect);
	outcome_print("program", &outcome);
	frame_print(&frame);
	return false;
}

static void run_row(struct runner *runner, const struct row *this)
{
	bool good = true;

	row_build(this, &frame);
	if (!runner_takes(runner, &frame, RUN_WHOLE)) {
		skip("this kernel runs no frame of that length", "%s", this->name);
		return;
	}
	check(as_expected(runner, RUN_WHOLE, &this->expect), "%s", this->name);

	if (!runner->filter.frags) {
		skip("this kernel has no xdp.frags", "%s, split", this->name);
		return;
	}
	for (size_t k = runner->least; good && k < frame.length && k <= SPLIT_LAST; k++)
		good = as_expected(runner, k, &this->expect);
	check(good, "%s, split at every byte", this->name);
}

/* Puts the profile's tables in place; false, with a failed check, if it cannot. */
static bool start(struct runner *runner, enum test_profile_id id)
{
	struct tables tables = {0};
	int err;

	profile_tables(&test_profile[id], &tables);
	err = runner_switch(runner, &tables);
	tables_free(&tables);
	if (err)
		check(false, "switch to profile %s: %s", test_profile[id].name, strerror(-err));
	return !err;
}

static void finish(struct runner *runner, const char *what)
{
	check(runner_settled(runner), "%s: nothing else was counted", what);
}

void suite_rows(struct runner *runner)
{
	for (int id = 0; id < TEST_PROFILES; id++) {
		if (!start(runner, (enum test_profile_id)id))
			continue;
		for (size_t i = 0; i < rows; i++)
			if (row[i].profile == (enum test_profile_id)id)
				run_row(runner, &row[i]);
		finish(runner, test_profile[id].name);
	}
}

/*
 * Good frames, all of which pass. A cut within the packet makes it malformed while its lengths tell
 * of more; with the lengths corrected it is malformed as long as `need` bytes behind IP are not
 * there, which is the whole upper header.
 */
static const struct {
	const char *name;
	struct frame_spec spec;
	size_t need;
	struct model_verdict expect;
} good_frame[] = {
	{"TCP, IPv4",
	 {.family = 4, .protocol = 6, .port = 25, .payload = 5},
	 20,
	 {MODEL_PASS, MODEL_PASS_PORT, PC_PORT(PC_TCP, 25)}},
	{"TCP with options, IPv4 with options, a tag, a trailer",
	 {.family = 4,
	  .protocol = 6,
	  .port = 25,
	  .options = 3,
	  .doff = 8,
	  .tags = 1,
	  .payload = 9,
	  .trailer = 7},
	 32,
	 {MODEL_PASS, MODEL_PASS_PORT, PC_PORT(PC_TCP, 25)}},
	{"UDP, IPv4, two tags",
	 {.family = 4, .protocol = 17, .port = 53, .tags = 2, .payload = 12},
	 8,
	 {MODEL_PASS, MODEL_PASS_PORT, PC_PORT(PC_UDP, 53)}},
	{"first fragment of TCP, IPv4",
	 {.family = 4,
	  .protocol = 6,
	  .port = 25,
	  .fragment = FRAGMENT_MORE,
	  .doff = 6,
	  .payload = 8},
	 24,
	 {MODEL_PASS, MODEL_PASS_PORT, PC_PORT(PC_TCP, 25)}},
	{"echo, IPv4 with the most options",
	 {.family = 4, .protocol = 1, .type = 8, .options = 10, .payload = 4},
	 8,
	 {MODEL_PASS, MODEL_PASS_ICMP, -1}},
	{"TCP, IPv6",
	 {.family = 6, .protocol = 6, .port = 25, .payload = 5},
	 20,
	 {MODEL_PASS, MODEL_PASS_PORT, PC_PORT(PC_TCP, 25)}},
	{"TCP with options behind four extension headers and two tags",
	 {.family = 6,
	  .protocol = 6,
	  .port = 25,
	  .doff = 7,
	  .tags = 2,
	  .exts = 4,
	  .ext = {{0}, {43, 2}, {44}, {60, 1}},
	  .payload = 3,
	  .trailer = 5},
	 28,
	 {MODEL_PASS, MODEL_PASS_PORT, PC_PORT(PC_TCP, 25)}},
	{"UDP behind eight extension headers",
	 {.family = 6,
	  .protocol = 17,
	  .port = 53,
	  .exts = 8,
	  .ext = {{0}, {60}, {60}, {43}, {60, 1}, {60}, {44, .more = true}, {60}},
	  .payload = 6},
	 8,
	 {MODEL_PASS, MODEL_PASS_PORT, PC_PORT(PC_UDP, 53)}},
	{"neighbour solicitation, a tag",
	 {.family = 6, .protocol = 58, .type = 135, .hop_limit = 255, .tags = 1, .payload = 16},
	 8,
	 {MODEL_PASS, MODEL_PASS_ICMP, -1}},
};

static const struct model_verdict malformed = {MODEL_DROP, MODEL_MALFORMED, -1};

/* In one buffer, and with the least that the kernel takes in the linear part. */
static bool as_expected_both(struct runner *runner, const struct model_verdict *expect)
{
	if (!as_expected(runner, RUN_WHOLE, expect))
		return false;
	if (frame.length <= runner->least || !runner_takes(runner, &frame, runner->least))
		return true;
	return as_expected(runner, runner->least, expect);
}

static bool cut_everywhere(struct runner *runner, const struct frame_spec *spec, size_t need,
			   const struct model_verdict *expect, bool fit)
{
	size_t whole, enough;

	frame_build(spec, &frame);
	whole = frame.length;
	enough = fit ? frame.upper + need : frame.end;
	for (size_t length = RUN_FRAME_MIN; length <= whole; length++) {
		frame_build(spec, &frame);
		frame_cut(&frame, length);
		if (fit)
			frame_fit(&frame, spec->family);
		if (!as_expected_both(runner, length < enough ? &malformed : expect))
			return false;
	}
	return true;
}

void suite_cuts(struct runner *runner)
{
	if (!start(runner, OPEN))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(good_frame); i++) {
		check(cut_everywhere(runner, &good_frame[i].spec, good_frame[i].need,
				     &good_frame[i].expect, false),
		      "cut at every byte: %s", good_frame[i].name);
		check(cut_everywhere(runner, &good_frame[i].spec, good_frame[i].need,
				     &good_frame[i].expect, true),
		      "cut at every byte, lengths corrected: %s", good_frame[i].name);
	}
	finish(runner, "cuts");
}

/* Payloads whose frames end at, before and after the ends of pages and of what TEST_RUN takes. */
static void run_lengths(struct runner *runner, int family, uint16_t port,
			const struct model_verdict *expect)
{
	static const size_t length[] = {60,
					1514,
					3519,
					3520,
					3521,
					3522,
					4096,
					7615,
					7616,
					7617,
					9014,
					16384,
					32768,
					65535,
					65536,
					70000,
					RUN_FRAME_MAX - 1,
					RUN_FRAME_MAX};
	struct frame_spec spec = {.family = family, .protocol = 6, .port = port};
	size_t least = 14 + (family == 4 ? 20 : 40) + 20;

	for (size_t i = 0; i < ARRAY_SIZE(length); i++) {
		spec.payload = length[i] - (length[i] < least ? length[i] : least);
		spec.big = spec.payload + least - (family == 4 ? 14 : 54) > 65535;
		frame_build(&spec, &frame);
		if (runner_takes(runner, &frame, RUN_WHOLE))
			check(as_expected_both(runner, expect), "IPv%d frame of %zu bytes, %s",
			      family, frame.length, model_action_name[expect->action]);
		else
			skip("this kernel runs no frame of that length", "IPv%d frame of %zu bytes",
			     family, frame.length);
	}
}

/*
 * The end of the linear part, or of the first page of frags, moved over each byte of the headers.
 */
static void run_straddling(struct runner *runner)
{
	static const struct model_verdict expect = {MODEL_PASS, MODEL_PASS_PORT,
						    PC_PORT(PC_TCP, 22)};
	struct frame_spec spec = {.family = 6,
				  .protocol = 6,
				  .port = 22,
				  .doff = 10,
				  .payload = 40,
				  .source = "2001:db8:a::1",
				  .exts = 4,
				  .tags = 1,
				  .ext = {{0}, {60, 255}, {60, 240}, {44, .more = true}}};
	bool good = true;

	frame_build(&spec, &frame);
	for (size_t k = runner->least; good && k <= RUN_LINEAR_MAX; k++)
		good = as_expected(runner, k, &expect);
	check(good, "upper header across the end of a page, at every byte");

	/*
	 * 3520 linear bytes at most: the chain ends there, and one more word a time moves it over.
	 */
	spec.ext[2].length = 155;
	for (spec.tags = 0; good && spec.tags <= 2; spec.tags++) {
		for (uint8_t more = 0; good && more < 30; more++) {
			spec.ext[0].length = more;
			frame_build(&spec, &frame);
			good = as_expected(runner, RUN_WHOLE, &expect);
		}
	}
	check(good, "upper header across the end of the full linear part");
}

void suite_buffers(struct runner *runner)
{
	static const struct model_verdict pass = {MODEL_PASS, MODEL_PASS_PORT, PC_PORT(PC_TCP, 80)};
	static const struct model_verdict drop = {MODEL_DROP, MODEL_UNLISTED, PC_PORT(PC_TCP, 81)};

	if (!start(runner, GROUPS))
		return;
	for (int family = 4; family <= 6; family += 2) {
		run_lengths(runner, family, 80, &pass);
		run_lengths(runner, family, 81, &drop);
	}
	if (runner->filter.frags)
		run_straddling(runner);
	else
		skip("this kernel has no xdp.frags", "upper header across the end of a page");
	finish(runner, "buffers");
}
