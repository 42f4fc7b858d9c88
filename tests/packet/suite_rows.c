// SPDX-License-Identifier: GPL-2.0
/* The table of rows, valid frames cut short, and frames in several buffers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/compile/tables.h"
#include "tests/packet/check.h"
#include "tests/packet/fixture.h"
#include "tests/packet/suites.h"

#define QUOTE_LAST 2047 /* offset of the last quote that is read */
#define SPLIT_LAST 200	/* bytes of a frame in which every split is tried */

/* A static, because it is large; one suite at a time uses it. */
static struct frame frame;

/* The state before a row, and after it in the model. */
static struct model_state fresh, after;

static void model_row(const struct row *this, const struct tables *tables)
{
	struct model_verdict verdict;

	row_build(this, &frame);
	fixture_state(&after);
	verdict = model_judge(frame.data, frame.length, tables, &after);
	if (check(model_equal(&verdict, &this->expect), "model: %s", this->name))
		return;
	verdict_print("expected", &this->expect);
	verdict_print("model", &verdict);
	frame_print(&frame);
}

void suite_model(void)
{
	for (int id = 0; id < TEST_PROFILES; id++) {
		struct tables tables = {0};

		profile_tables(&test_profile[id], &tables);
		for (size_t list = 0; list < ROW_LISTS; list++)
			for (size_t i = 0; i < row_list[list]->rows; i++)
				if (row_list[list]->row[i].profile == (enum test_profile_id)id)
					model_row(&row_list[list]->row[i], &tables);
		tables_free(&tables);
	}
}

/* Runs `frame` once; prints the result if it is not the expected one. */
static bool as_expected(struct runner *runner, size_t linear, const struct model_verdict *expect)
{
	struct outcome outcome;
	int err = runner_run(runner, &frame, linear, expect, &outcome);

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

static void start_again(struct runner *runner)
{
	fixture_install(runner, &fresh);
	after = fresh;
}

static bool run_once(struct runner *runner, size_t linear, const struct row *this,
		     const struct tables *tables)
{
	model_judge(frame.data, frame.length, tables, &after);
	return as_expected(runner, linear, &this->expect);
}

static bool run_whole(struct runner *runner, const struct row *this, const struct tables *tables)
{
	start_again(runner);
	return run_once(runner, RUN_WHOLE, this, tables) && fixture_holds(runner, &after);
}

static bool run_split(struct runner *runner, const struct row *this, const struct tables *tables)
{
	start_again(runner);
	for (size_t k = runner->least; k < frame.length && k <= SPLIT_LAST; k++) {
		if (fixture_stale())
			start_again(runner);
		if (!run_once(runner, k, this, tables))
			return false;
	}
	return fixture_holds(runner, &after);
}

static bool run_in_time(bool (*run)(struct runner *, const struct row *, const struct tables *),
			struct runner *runner, const struct row *this, const struct tables *tables)
{
	bool good = run(runner, this, tables);
	int tries = 0;

	while (!good && fixture_retry(&tries))
		good = run(runner, this, tables);
	return good;
}

static void run_row(struct runner *runner, const struct row *this, const struct tables *tables)
{
	row_build(this, &frame);
	if (!runner_takes(runner, &frame, RUN_WHOLE)) {
		skip("this kernel runs no frame of that length", "%s", this->name);
		return;
	}
	check(run_in_time(run_whole, runner, this, tables), "%s", this->name);
	if (runner->filter.frags)
		check(run_in_time(run_split, runner, this, tables), "%s, split at every byte",
		      this->name);
	else
		skip("this kernel has no xdp.frags", "%s, split", this->name);
}

/* Puts the profile's tables in place; false, with a failed check, if it cannot. */
static bool start(struct runner *runner, enum test_profile_id id, struct tables *tables)
{
	int err;

	profile_tables(&test_profile[id], tables);
	err = runner_switch(runner, tables) ? -EIO : fixture_refresh();
	fixture_state(&fresh);
	fixture_install(runner, &fresh);
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
		struct tables tables = {0};

		if (start(runner, (enum test_profile_id)id, &tables)) {
			for (size_t list = 0; list < ROW_LISTS; list++)
				for (size_t i = 0; i < row_list[list]->rows; i++)
					if (row_list[list]->row[i].profile ==
					    (enum test_profile_id)id)
						run_row(runner, &row_list[list]->row[i], &tables);
			finish(runner, test_profile[id].name);
		}
		tables_free(&tables);
	}
}

/* --- frames without an Ethernet header --- */

/*
 * Skips rows about Ethernet and tags, and those that end before IP. The offset up to which an
 * error's quote is read is counted from the start of the frame.
 */
static bool is_bare(const struct row *row)
{
	row_build(row, &frame);
	if (frame.quote > QUOTE_LAST && frame.quote <= QUOTE_LAST + frame.ip)
		return false;
	return row->spec.family && !row->spec.ethertype && !row->spec.tags &&
	       frame.length > frame.ip + RUN_FRAME_MIN && !row->patch[0].width;
}

static void run_bare(struct runner *runner, const struct row *this, const struct tables *tables)
{
	frame_bare(&frame);
	if (!runner_takes(runner, &frame, RUN_WHOLE)) {
		skip("this kernel runs no frame of that length", "bare: %s", this->name);
		return;
	}
	check(run_in_time(run_whole, runner, this, tables), "bare: %s", this->name);
	if (runner->filter.frags)
		check(run_in_time(run_split, runner, this, tables), "bare: %s, split at every byte",
		      this->name);
}

static const struct model_verdict open_port = {MODEL_PASS, MODEL_PASS_PORT, PC_PORT(PC_TCP, 25), 0};
static const struct model_verdict not_sound = {MODEL_DROP, MODEL_MALFORMED, -1, 0};

/* IPv6 to an open port with first bytes that may be those of a VLAN tag, and what they mean to IP
 * and to GRE.
 */
static const struct tagged {
	const char *name;
	uint32_t first;	  /* bytes 0 to 3 */
	size_t payload;	  /* behind TCP */
	bool gre_refuses; /* a tag as far as GRE is concerned */
} tagged[] = {
	{"a flow label as large as IPv4's ethertype", 0x60000800, 4, false},
	{"VLAN 0 with IPv4 behind it", 0x60000800, 0x4000, true},
	{"VLAN 0 with IPv4 behind it, its last length", 0x60000800, 0x4fff - 20, true},
	{"longer than a header of IPv4 would begin", 0x60000800, 0x5000, false},
	{"VLAN 0 with IPv6 behind it", 0x600086dd, 0x6000, true},
	{"a flow label as large as IPv6's ethertype", 0x600086dd, 4, false},
	{"VLAN 0 with a tag behind it", 0x60008100, 4, true},
	{"VLAN 0 with a service tag behind it", 0x600088a8, 4, true},
	{"a flow label next to a tag's", 0x60018100, 4, false},
	{"a traffic class", 0x60100800, 0x4000, false},
	{"VLAN 256, which is not delivered", 0x61000800, 0x4000, false},
};

static void run_tagged(struct runner *runner, const struct tagged *this)
{
	struct frame_spec spec = {.family = 6, .protocol = 6, .port = 25, .payload = this->payload};
	bool gre = runner->kind == PC_FRAME_GRE;
	struct frame_patch first = {FROM_IP, 0, 4, this->first};

	frame_build(&spec, &frame);
	frame_patch(&frame, &first);
	frame_bare(&frame);
	if (runner_takes(runner, &frame, RUN_WHOLE))
		check(as_expected(runner, RUN_WHOLE,
				  gre && this->gre_refuses ? &not_sound : &open_port),
		      "%s: %s", gre ? "GRE" : "IP", this->name);
	else
		skip("this kernel runs no frame of that length", "%s", this->name);
}

/* Frames that are neither IPv4 nor IPv6, by the upper half of their first byte. */
static void run_versions(struct runner *runner)
{
	struct frame_spec spec = {.family = 4, .protocol = 6, .port = 25, .payload = 30};
	bool good = true;

	for (uint32_t version = 0; good && version < 16; version++) {
		struct frame_patch patch = {FROM_IP, 0, 1, version << 4 | 5};

		if (version == 4)
			continue;
		frame_build(&spec, &frame);
		frame_patch(&frame, &patch);
		frame_bare(&frame);
		good = as_expected(runner, RUN_WHOLE, &not_sound);
	}
	check(good, "bare: of no version, or of a wrong one");
}

void suite_bare(struct runner *runner)
{
	for (int id = 0; id < TEST_PROFILES; id++) {
		struct tables tables = {0};

		if (start(runner, (enum test_profile_id)id, &tables)) {
			for (size_t list = 0; list < ROW_LISTS; list++)
				for (size_t i = 0; i < row_list[list]->rows; i++)
					if (row_list[list]->row[i].profile ==
						    (enum test_profile_id)id &&
					    is_bare(&row_list[list]->row[i]))
						run_bare(runner, &row_list[list]->row[i], &tables);
			if (id == OPEN) {
				run_versions(runner);
				for (size_t i = 0; i < ARRAY_SIZE(tagged); i++)
					run_tagged(runner, &tagged[i]);
			}
			finish(runner, test_profile[id].name);
		}
		tables_free(&tables);
	}
}

/*
 * Good frames, all of which pass. A cut within the packet makes it malformed if its lengths are
 * left unchanged; with corrected lengths it is malformed unless `need` bytes after IP are there,
 * which are the whole upper header.
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
	 {MODEL_PASS, MODEL_PASS_PORT, PC_PORT(PC_TCP, 25), 0}},
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
	 {MODEL_PASS, MODEL_PASS_PORT, PC_PORT(PC_TCP, 25), 0}},
	{"UDP, IPv4, two tags",
	 {.family = 4, .protocol = 17, .port = 53, .tags = 2, .payload = 12},
	 8,
	 {MODEL_PASS, MODEL_PASS_PORT, PC_PORT(PC_UDP, 53), 0}},
	{"first fragment of TCP, IPv4",
	 {.family = 4,
	  .protocol = 6,
	  .port = 25,
	  .fragment = FRAGMENT_MORE,
	  .doff = 6,
	  .payload = 8},
	 24,
	 {MODEL_PASS, MODEL_PASS_PORT, PC_PORT(PC_TCP, 25), 0}},
	{"echo, IPv4 with the most options",
	 {.family = 4, .protocol = 1, .type = 8, .options = 10, .payload = 4},
	 8,
	 {MODEL_PASS, MODEL_PASS_ICMP, -1, 0}},
	{"TCP, IPv6",
	 {.family = 6, .protocol = 6, .port = 25, .payload = 5},
	 20,
	 {MODEL_PASS, MODEL_PASS_PORT, PC_PORT(PC_TCP, 25), 0}},
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
	 {MODEL_PASS, MODEL_PASS_PORT, PC_PORT(PC_TCP, 25), 0}},
	{"UDP behind eight extension headers",
	 {.family = 6,
	  .protocol = 17,
	  .port = 53,
	  .exts = 8,
	  .ext = {{0}, {60}, {60}, {43}, {60, 1}, {60}, {44, .more = true}, {60}},
	  .payload = 6},
	 8,
	 {MODEL_PASS, MODEL_PASS_PORT, PC_PORT(PC_UDP, 53), 0}},
	{"neighbour solicitation, a tag",
	 {.family = 6, .protocol = 58, .type = 135, .hop_limit = 255, .tags = 1, .payload = 16},
	 8,
	 {MODEL_PASS, MODEL_PASS_ICMP, -1, 0}},
};

static const struct model_verdict malformed = {MODEL_DROP, MODEL_MALFORMED, -1, 0};

/* In one buffer, and with as little in the linear part as the kernel accepts. */
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

/* Quotes of live flows, and the bytes of each that an error must hold. */
static const struct frame_spec quoted4 = {.family = 4,
					  .source = FRAME_TARGET4,
					  .target = FRAME_SOURCE4,
					  .protocol = 6,
					  .source_port = 40100,
					  .port = 993,
					  .options = 3,
					  .payload = 10};
static const struct frame_spec quoted6 = {.family = 6,
					  .source = FRAME_TARGET6,
					  .target = FRAME_SOURCE6,
					  .protocol = 17,
					  .source_port = 41000,
					  .port = 53,
					  .exts = 2,
					  .ext = {{0}, {60, 1}},
					  .payload = 10};
static const struct quote_cut {
	const char *name;
	struct frame_spec spec;
	size_t need, whole;
} quote_cut[] = {
	{"IPv4 with options, quoted",
	 {.family = 4, .protocol = 1, .type = 3, .quote = &quoted4},
	 32 + 8,
	 32 + 30},
	{"IPv6 with extensions, quoted",
	 {.family = 6, .protocol = 58, .type = 2, .tags = 1, .quote = &quoted6},
	 40 + 24 + 8,
	 40 + 24 + 18},
};

static void run_quote_cuts(struct runner *runner, const struct quote_cut *cut)
{
	static const struct model_verdict pass = {MODEL_PASS, MODEL_PASS_ICMP, -1, 0};
	static const struct model_verdict drop = {MODEL_DROP, MODEL_ICMP, -1, 0};
	struct frame_spec spec = cut->spec;
	bool good = true;

	for (size_t length = 1; good && length <= cut->whole; length++) {
		spec.quoted = length;
		spec.trailer = length & 1 ? 30 : 0; /* this does not complete a header */
		frame_build(&spec, &frame);
		good = as_expected_both(runner, length < cut->need ? &drop : &pass);
	}
	check(good, "cut at every byte: %s", cut->name);
}

void suite_cuts(struct runner *runner)
{
	struct tables tables = {0};

	if (!start(runner, OPEN, &tables))
		return;
	tables_free(&tables);
	for (size_t i = 0; i < ARRAY_SIZE(good_frame); i++) {
		check(cut_everywhere(runner, &good_frame[i].spec, good_frame[i].need,
				     &good_frame[i].expect, false),
		      "cut at every byte: %s", good_frame[i].name);
		check(cut_everywhere(runner, &good_frame[i].spec, good_frame[i].need,
				     &good_frame[i].expect, true),
		      "cut at every byte, lengths corrected: %s", good_frame[i].name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(quote_cut); i++)
		run_quote_cuts(runner, &quote_cut[i]);
	if (!runner->filter.frags)
		skip("this kernel has no xdp.frags", "cut frames in several buffers");
	finish(runner, "cuts");
}

/* Payloads with which frames end at, before and after the ends of pages, and of what TEST_RUN
 * accepts. */
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
						    PC_PORT(PC_TCP, 22), 0};
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
	 * At most 3520 bytes are linear: the chain ends there, and is moved over that place by one
	 * word each time.
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
	static const struct model_verdict pass = {MODEL_PASS, MODEL_PASS_PORT, PC_PORT(PC_TCP, 80),
						  0};
	static const struct model_verdict drop = {MODEL_DROP, MODEL_UNLISTED, PC_PORT(PC_TCP, 81),
						  0};

	struct tables tables = {0};

	if (!start(runner, GROUPS, &tables))
		return;
	tables_free(&tables);
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
