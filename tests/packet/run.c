// SPDX-License-Identifier: GPL-2.0
/* Runs frames by BPF_PROG_TEST_RUN, and finds out what changed in the counters. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <linux/pkt_cls.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/compile/cells.h"
#include "loader/compile/compile.h"
#include "loader/filter/filter.h"
#include "loader/filter/generation.h"
#include "loader/filter/load.h"
#include "loader/recipe/compose.h"
#include "tests/packet/check.h"
#include "tests/packet/run.h"

/* One cell that changed, and by how much. */
struct move {
	unsigned int cell;
	struct total by;
};

#define MOVES	 4
#define LOOPBACK 1 /* ifindex of lo, in each network namespace */
struct moves {
	struct move move[MOVES];
	unsigned int count; /* may be above MOVES */
};

static void move_to_cpu(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set)) {
		error("cannot run on CPU %u: %s", cpu, strerror(errno));
		exit(1);
	}
}

/* The descriptor of a map of the filter's program that struct filter does not have; -1: none. */
static int map_of(int program, const char *name)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info), id[64];

	info.map_ids = (__u64)(unsigned long)id;
	info.nr_map_ids = ARRAY_SIZE(id);
	if (bpf_obj_get_info_by_fd(program, &info, &size))
		return -1;
	for (__u32 i = 0; i < info.nr_map_ids && i < ARRAY_SIZE(id); i++) {
		int fd = bpf_map_get_fd_by_id(id[i]);
		struct bpf_map_info map = {0};

		size = sizeof(map);
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &map, &size) && !strcmp(map.name, name))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

/* Drivers may leave the linear part empty, but a test run on older kernels cannot. */
static size_t least_linear(const struct runner *runner)
{
	static struct frame frame = {.length = 60};

	return runner->filter.frags && runner_fire(runner, &frame, 0, 1) >= 0 ? 0 : RUN_FRAME_MIN;
}

static void *map_memory(int map, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int map_counters(struct runner *runner)
{
	runner->state = map_memory(runner->filter.fd[FILTER_STATE], sizeof(*runner->state));
	if (!runner->state)
		return -errno;
	runner->row_pages = cells_row_pages(runner->state);
	runner->total_pages = cells_total_pages(runner->state);
	runner->pages = map_memory(runner->filter.fd[FILTER_COUNTERS],
				   runner->row_pages * sizeof(*runner->pages));
	if (!runner->pages)
		return -errno;
	runner->totals = map_memory(runner->filter.fd[FILTER_TOTALS],
				    runner->total_pages * sizeof(*runner->totals));
	return runner->totals ? 0 : -errno;
}

/* With room to count every port at a place of its own. */
static int load_all_ports(struct runner *runner, enum pc_frame kind)
{
	struct pc_generation *all = xcalloc(1, sizeof(*all));
	struct filter none = FILTER_NONE;
	int err;

	memset(all->port, PC_PORT_OPEN, sizeof(all->port));
	memset(all->out, PC_PORT_OPEN, sizeof(all->out));
	err = filter_load_sharing(&runner->filter, &none, &none, PC_FLOWS, kind, all);
	free(all);
	return err;
}

int runner_open(struct runner *runner, unsigned int cpu, enum pc_frame kind)
{
	int err;

	*runner = (struct runner){.filter = FILTER_NONE,
				  .question = {.filter = FILTER_NONE},
				  .kind = kind,
				  .echo = -1,
				  .cpus = (unsigned int)libbpf_num_possible_cpus()};
	move_to_cpu(cpu);
	err = load_all_ports(runner, kind);
	if (err)
		return err;
	err = map_counters(runner);
	if (err) {
		error("counters: mmap: %s", strerror(-err));
		runner_close(runner);
		return err;
	}
	runner->came_in = mmap(NULL, sizeof(*runner->came_in), PROT_READ | PROT_WRITE, MAP_SHARED,
			       runner->filter.fd[FILTER_CAME_IN], 0);
	if (runner->came_in == MAP_FAILED) {
		err = -errno;
		runner->came_in = NULL;
		error("came_in: mmap: %s", strerror(-err));
		runner_close(runner);
		return err;
	}
	runner->echo = map_of(runner->filter.fd[FILTER_PROGRAM], "echo");
	runner->seen = xcalloc(PC_CELLS, sizeof(__u64));
	runner->cpu = cpu;
	runner->least = least_linear(runner);
	err = question_open(&runner->question, &runner->filter, false);
	if (err)
		runner_close(runner);
	/* Another interface than the kernel's default, so that passing one is tested. */
	runner->question.ifindex = LOOPBACK;
	return err;
}

void runner_close(struct runner *runner)
{
	if (runner->totals)
		munmap(runner->totals, runner->total_pages * sizeof(*runner->totals));
	if (runner->pages)
		munmap(runner->pages, runner->row_pages * sizeof(*runner->pages));
	if (runner->state)
		munmap(runner->state, sizeof(*runner->state));
	if (runner->came_in)
		munmap(runner->came_in, sizeof(*runner->came_in));
	free(runner->seen);
	close(runner->echo);
	question_close(&runner->question);
	filter_close(&runner->filter);
}

void profile_tables(const struct test_profile *profile, struct tables *tables)
{
	struct recipe recipe = {.policy = profile->policy};
	struct composition composition = {0};
	struct catalog catalog = {0};
	struct profile *parsed = NULL;
	struct diag diag = {0};
	int err;

	err = profile_parse(profile->name, profile->yaml, strlen(profile->yaml), &parsed, &diag);
	if (!err) {
		catalog.profile = xcalloc(1, sizeof(*catalog.profile));
		catalog.profile[catalog.profiles++] = parsed;
		err = recipe_profiles(&recipe, profile->name, &diag);
	}
	for (size_t i = 0; !err && profile->group[i]; i++)
		err = recipe_group(&recipe, profile->group[i], &diag);
	if (!err)
		err = compose(&catalog, &recipe, false, &composition, &diag);
	if (!err)
		err = compile(&composition, tables, &diag);
	if (err) {
		diag_print(&diag, stderr);
		error("test profile '%s': %s", profile->name, strerror(-err));
		exit(1);
	}
	tables->generation->outbound = (__u8)profile->outbound;
	tables->generation->forward = profile->forward ? PC_FORWARD_ALL : 0;
	tables->generation->echo_interval = 0;
	composition_free(&composition);
	recipe_free(&recipe);
	catalog_close(&catalog);
	diag_free(&diag);
}

/* The page of a cell in a row; 0: it has none. */
static unsigned int page_of(const struct runner *runner, unsigned int cell)
{
	if (cell >= PC_CELL_MACHINES)
		return runner->state->page[PC_LISTED_MACHINE(cell)];
	if (cell >= PC_CELL_REASON)
		return PC_PAGE_WIDE;
	if (PC_CELL_IS_DROP(cell))
		return PC_PAGE_DROP + cell % PC_PORTS / PC_PAGE_CELLS;
	return runner->state->page[PC_LISTED(cell)];
}

/* Whether a cell is a wide word. */
static bool is_wide(unsigned int cell)
{
	return cell >= PC_CELL_REASON && cell < PC_CELLS;
}

static bool has_place(const struct runner *runner, unsigned int cell)
{
	return is_wide(cell) || page_of(runner, cell);
}

unsigned int runner_index(const struct runner *runner, unsigned int cell)
{
	if (is_wide(cell))
		return PC_TOTAL_WIDE(cell);
	if (PC_CELL_IS_DROP(cell))
		return PC_TOTAL_PORT(cell);
	return PC_TOTAL_LISTED(page_of(runner, cell), cell);
}

/* A cell in the row of a CPU, as a wide word. */
static __u64 word_of(const struct runner *runner, unsigned int cpu, unsigned int cell)
{
	unsigned int row = runner->state->row[cpu];
	const struct pc_page *page = &runner->pages[row + page_of(runner, cell)];
	__u32 narrow;
	__u32 sign = PC_CELL_SIGN(cell) ? 1U << 31 : 0;

	if (row == PC_ROW_NONE || !has_place(runner, cell) || !PC_CELL_COUNTS(cell))
		return 0;
	narrow = page->cell[cell % PC_PAGE_CELLS];
	if (is_wide(cell))
		return page->word[cell - PC_CELL_REASON];
	if ((narrow & 1U << 31) != sign)
		return 0;
	return (__u64)(narrow >> 21 & 0x3ff) << 36 | (narrow & 0x1fffff);
}

__u64 runner_word(const struct runner *runner, unsigned int cell)
{
	return word_of(runner, runner->cpu, cell);
}

void runner_set(struct runner *runner, unsigned int cell, __u64 packets, __u64 bytes)
{
	unsigned int row = runner->state->row[runner->cpu], at = page_of(runner, cell);
	struct pc_page *page = &runner->pages[row + at];

	if (cell >= PC_CELL_REASON) {
		page->word[cell - PC_CELL_REASON] = packets << 36 | bytes;
		return;
	}
	runner->pages[row + PC_PAGE_TOUCHED].cell[at / 32] |= 1U << at % 32;
	page->cell[cell % PC_PAGE_CELLS] =
		(__u32)(packets << 21 | bytes) | (PC_CELL_SIGN(cell) ? 1U << 31 : 0);
}

__u64 *runner_shared(const struct runner *runner, unsigned int cell)
{
	unsigned int index = runner_index(runner, cell);

	return &runner->totals[index / PC_PAGE_WORDS].word[index % PC_PAGE_WORDS];
}

static struct pc_count carried(const struct runner *runner, unsigned int cell)
{
	__u32 index = runner_index(runner, cell);
	struct pc_count count = {};

	bpf_map_lookup_elem(runner->filter.fd[FILTER_CARRIES], &index, &count);
	return count;
}

__u64 runner_counted(const struct runner *runner, unsigned int cell)
{
	return has_place(runner, cell) ? runner_word(runner, cell) + *runner_shared(runner, cell) :
					 0;
}

struct total runner_total(const struct runner *runner, unsigned int cell)
{
	struct pc_count count = carried(runner, cell);
	__u64 word = runner_word(runner, cell), shared = *runner_shared(runner, cell);

	return (struct total){
		.packets = (word >> 36) + (shared >> 36) + count.packets,
		.bytes = (word & 0xfffffffffULL) + (shared & 0xfffffffffULL) + count.bytes,
	};
}

/* Ends at a map that cannot be emptied. */
static void empty(int hash)
{
	for (__u32 key; !bpf_map_get_next_key(hash, NULL, &key);)
		if (bpf_map_delete_elem(hash, &key))
			return;
}

void runner_zero(struct runner *runner)
{
	empty(runner->filter.fd[FILTER_CARRIES]);
	memset(runner->totals, 0, runner->total_pages * sizeof(*runner->totals));
	memset(runner->pages, 0, runner->row_pages * sizeof(*runner->pages));
	memset(runner->seen, 0, PC_CELLS * sizeof(*runner->seen));
}

void runner_move(struct runner *runner, unsigned int cpu)
{
	move_to_cpu(cpu);
	runner->cpu = cpu;
	for (unsigned int cell = 0; cell < PC_CELLS; cell++)
		runner->seen[cell] = runner_counted(runner, cell);
}

int runner_switch(struct runner *runner, const struct tables *tables)
{
	int err;

	err = filter_switch(&runner->filter, tables, "{}", false);
	if (!err)
		runner_zero(runner);
	return err;
}

bool runner_takes(const struct runner *runner, const struct frame *frame, size_t linear)
{
	size_t in_page = linear < RUN_LINEAR_MAX ? linear : RUN_LINEAR_MAX;

	if (frame->length < RUN_FRAME_MIN || linear < runner->least)
		return false;
	return frame->length <= in_page ||
	       (runner->filter.frags && frame->length <= in_page + RUN_FRAGS_MAX);
}

int runner_fire(const struct runner *runner, const struct frame *frame, size_t linear,
		unsigned int repeat)
{
	struct xdp_md context = {.data_end = (__u32)linear};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->data,
		    .data_size_in = (__u32)frame->length, .repeat = (int)repeat);

	if (linear < frame->length) {
		options.ctx_in = &context;
		options.ctx_size_in = sizeof(context);
	}
	if (bpf_prog_test_run_opts(runner->filter.fd[FILTER_PROGRAM], &options))
		return -errno;
	return (int)options.retval;
}

static void look(struct runner *runner, unsigned int cell, struct moves *moves)
{
	__u64 now = runner_counted(runner, cell), by = now - runner->seen[cell];

	if (!by)
		return;
	runner->seen[cell] = now;
	if (moves->count < MOVES)
		moves->move[moves->count] = (struct move){cell, {by >> 36, by & 0xfffffffffULL}};
	moves->count++;
}

static void look_at_port(struct runner *runner, int port, struct moves *moves)
{
	look(runner, PC_CELL_PASS + (unsigned int)port, moves);
	look(runner, PC_CELL_DROP + (unsigned int)port, moves);
	look(runner, PC_CELL_WOULD_DROP + (unsigned int)port, moves);
}

static void look_everywhere(struct runner *runner, struct moves *moves)
{
	for (unsigned int cell = 0; cell < PC_CELL_REASON; cell++)
		look(runner, cell, moves);
}

/* The meaning of one cell of a reason or of another pass. The port still has to be added. */
static bool verdict_of_class(unsigned int cell, struct model_verdict *verdict)
{
	for (int why = 0; why < MODEL_WHYS; why++) {
		enum model_action action = why < MODEL_PASS_PORT ? MODEL_DROP : MODEL_PASS;

		if (why == MODEL_PASS_PORT)
			continue;
		*verdict = (struct model_verdict){action, (enum model_why)why, -1, 0};
		if (model_cell(verdict) == cell)
			return true;
		verdict->action = MODEL_WOULD_DROP;
		if (action == MODEL_DROP && model_cell(verdict) == cell)
			return true;
	}
	return false;
}

static enum model_action action_of_port(unsigned int cell)
{
	if (cell < PC_CELL_DROP)
		return MODEL_PASS;
	return cell < PC_CELL_WOULD_DROP ? MODEL_DROP : MODEL_WOULD_DROP;
}

/* The joint meaning of the cells of a port, of a remote port and of a class; each may be
 * missing. */
static const char *read_cells(const struct move *port, const struct move *out,
			      const struct move *class, struct model_verdict *verdict)
{
	bool at_port;

	if (!class) {
		*verdict = (struct model_verdict){action_of_port(port ? port->cell : 0),
						  MODEL_PASS_PORT,
						  port ? (int)(port->cell % PC_PORTS) : -1, 0};
		if (out || !port)
			return "counted at a remote port and for no class";
		return verdict->action == MODEL_PASS ? NULL : "dropped at a port for no reason";
	}
	if (!verdict_of_class(class->cell, verdict))
		return "counted in a cell that has no meaning here";
	if (out && verdict->why != MODEL_PASS_REPLY && verdict->why != MODEL_PASS_EGRESS)
		return "counted at a remote port, and is no reply";
	verdict->out = out ? out->cell : 0;
	at_port = verdict->why == MODEL_SOURCE || verdict->why == MODEL_UNLISTED;
	if (!port)
		return at_port ? "counted for a port's reason and no port" : NULL;
	if (!at_port)
		return "counted at a port and for a reason that has none";
	verdict->port = (int)(port->cell % PC_PORTS);
	return verdict->action == action_of_port(port->cell) ?
		       NULL :
		       "port and reason are counted under different actions";
}

/* The joint meaning of the changed cells, or why they have none. */
static const char *read_moves(const struct moves *moves, size_t length,
			      struct model_verdict *verdict)
{
	const struct move *port = NULL, *out = NULL, *class = NULL;

	if (moves->count == 0)
		return "no counter moved";
	if (moves->count > 2)
		return "more than two counters moved";
	for (unsigned int i = 0; i < moves->count; i++) {
		const struct move *move = &moves->move[i];
		const struct move **place = move->cell < PC_CELL_OUT	? &port :
					    move->cell < PC_CELL_REASON ? &out :
									  &class;

		if (move->by.packets != 1)
			return "not one packet counted";
		if (move->by.bytes != length)
			return "bytes counted are not those of the frame";
		if (*place)
			return "counted twice";
		*place = move;
	}
	return read_cells(port, out, class, verdict);
}

/* Removes the count of a drop at egress from `rare`. Returns its remote port, or -1. */
static const char *read_rare(const struct runner *runner, size_t length,
			     struct model_verdict *verdict, int guess)
{
	unsigned int base =
		verdict->action == MODEL_DROP ? PC_CELL_OUT_DROP : PC_CELL_OUT_WOULD_DROP;
	__u32 key = base + (unsigned int)guess;
	struct pc_count count;

	if (guess < 0 || bpf_map_lookup_elem(runner->filter.fd[FILTER_RARE], &key, &count)) {
		if (bpf_map_get_next_key(runner->filter.fd[FILTER_RARE], NULL, &key))
			return NULL;
		bpf_map_lookup_elem(runner->filter.fd[FILTER_RARE], &key, &count);
	}
	bpf_map_delete_elem(runner->filter.fd[FILTER_RARE], &key);
	if (key < base || key >= base + PC_PORTS)
		return "a rare cell of another action";
	verdict->port = (int)(key - base);
	return count.packets == 1 && count.bytes == length ? NULL : "a rare cell counts wrong";
}

int runner_action(const struct model_verdict *verdict, bool egress)
{
	if (egress)
		return verdict->action == MODEL_DROP ? TC_ACT_SHOT : TC_ACT_UNSPEC;
	return verdict->action == MODEL_DROP ? XDP_DROP : XDP_PASS;
}

/* The cells do not have the port of a drop at egress. */
static bool is_as_guessed(const struct model_verdict *guess, const struct model_verdict *verdict)
{
	return guess && guess->why == verdict->why && guess->out == verdict->out &&
	       (guess->why == MODEL_OUTBOUND || guess->port == verdict->port);
}

/* The meaning of the counters after a frame was run, and of the program's return value for it. */
static void read_outcome(struct runner *runner, size_t length, int action, bool egress,
			 const struct model_verdict *guess, struct outcome *outcome)
{
	struct moves moves = {0};
	unsigned int cell;

	for (cell = PC_CELL_REASON; cell < PC_CELLS; cell++)
		look(runner, cell, &moves);
	if (guess && guess->port >= 0)
		look_at_port(runner, guess->port, &moves);
	if (guess && guess->out)
		look(runner, guess->out, &moves);
	*outcome = (struct outcome){.verdict = {MODEL_PASS, MODEL_WHYS, -1, 0}};
	outcome->odd = read_moves(&moves, length, &outcome->verdict);
	if (outcome->odd || !is_as_guessed(guess, &outcome->verdict)) {
		look_everywhere(runner, &moves); /* another port may have counted it */
		outcome->odd = read_moves(&moves, length, &outcome->verdict);
	}
	if (!outcome->odd && outcome->verdict.why == MODEL_OUTBOUND)
		outcome->odd =
			read_rare(runner, length, &outcome->verdict, guess ? guess->port : -1);
	if (!outcome->odd && action != runner_action(&outcome->verdict, egress))
		outcome->odd = "action returned is not the one counted";
}

int runner_explain(struct runner *runner, const struct frame *frame, bool egress,
		   struct pc_event *event)
{
	*event = (struct pc_event){};
	if (frame->length > RUN_LINEAR_MAX)
		return 0;
	return question_ask(&runner->question, frame->data, frame->length, egress, event);
}

/* The cell that an event has for a verdict: as if enforced. */
static unsigned int event_cell(const struct model_verdict *verdict)
{
	struct model_verdict enforced = *verdict;

	if (verdict->why == MODEL_PASS_PORT)
		return PC_CELL_PASS + (unsigned int)verdict->port;
	if (enforced.action == MODEL_WOULD_DROP)
		enforced.action = MODEL_DROP;
	return model_cell(&enforced);
}

static enum model_action event_action(const struct pc_event *event)
{
	return event->how & PC_EVENT_WOULD ? MODEL_WOULD_DROP :
	       event->how & PC_EVENT_DROP  ? MODEL_DROP :
					     MODEL_PASS;
}

bool runner_explained(const struct pc_event *event, const struct model_verdict *verdict)
{
	bool at_port = verdict->why == MODEL_SOURCE || verdict->why == MODEL_UNLISTED;

	return !event->length ||
	       (event->cell == event_cell(verdict) && event_action(event) == verdict->action &&
		(!at_port || event->local_port == (verdict->port & 0xffff)));
}

static void compare_explained(const struct pc_event *event, int err, struct outcome *outcome)
{
	if (outcome->odd)
		return;
	if (err)
		outcome->odd = "explain has no answer";
	else if (!runner_explained(event, &outcome->verdict))
		outcome->odd = "explain said otherwise";
}

int runner_run(struct runner *runner, const struct frame *frame, size_t linear,
	       const struct model_verdict *guess, struct outcome *outcome)
{
	struct pc_event event;
	int err = runner_explain(runner, frame, false, &event);
	int action = runner_fire(runner, frame, linear, 1);

	if (action < 0)
		return action;
	read_outcome(runner, frame->length, action, false, guess, outcome);
	compare_explained(&event, err, outcome);
	return 0;
}

bool runner_sends(const struct frame *frame)
{
	bool ipv4 = !memcmp(frame->data + 12, "\x08\x00", 2);
	bool ipv6 = !memcmp(frame->data + 12, "\x86\xdd", 2);

	return frame->length >= RUN_FRAME_MIN + (ipv4 ? 20 :
						 ipv6 ? 40 :
							0) &&
	       frame->length <= RUN_SEND_MAX;
}

int runner_fire_egress(const struct runner *runner, const struct frame *frame, int *action)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->data,
		    .data_size_in = (__u32)frame->length, .repeat = 1);

	if (bpf_prog_test_run_opts(runner->filter.fd[FILTER_EGRESS], &options))
		return -errno;
	*action = (int)options.retval;
	return 0;
}

int runner_send(struct runner *runner, const struct frame *frame, const struct model_verdict *guess,
		struct outcome *outcome)
{
	struct pc_event event;
	int explained = runner_explain(runner, frame, true, &event), action;
	int err = runner_fire_egress(runner, frame, &action);

	if (err)
		return err;
	read_outcome(runner, frame->length, action, true, guess, outcome);
	compare_explained(&event, explained, outcome);
	return 0;
}

bool runner_settled(struct runner *runner)
{
	bool settled = true;
	__u32 rare, carry;

	for (unsigned int cell = 0; cell < PC_CELLS; cell++) {
		__u64 word = runner_counted(runner, cell);

		for (unsigned int cpu = 0; cpu < runner->cpus && has_place(runner, cell); cpu++)
			word += cpu == runner->cpu ? 0 : word_of(runner, cpu, cell);
		if (word == runner->seen[cell])
			continue;
		note("cell %u is %#llx where %#llx was seen", cell, word, runner->seen[cell]);
		settled = false;
	}
	if (!bpf_map_get_next_key(runner->filter.fd[FILTER_CARRIES], NULL, &carry)) {
		note("total %u was carried", carry);
		settled = false;
	}
	if (!bpf_map_get_next_key(runner->filter.fd[FILTER_RARE], NULL, &rare)) {
		note("rare cell %u was counted unseen", rare);
		settled = false;
	}
	return settled;
}

void verdict_print(const char *who, const struct model_verdict *verdict)
{
	const char *why = verdict->why < MODEL_WHYS ? model_why_name[verdict->why] : "?";

	const char *action = model_action_name[verdict->action];
	unsigned int out = verdict->out - PC_CELL_OUT;

	if (verdict->port >= 0)
		note("%s: %s %s at %u/%s", who, action, why, verdict->port & 0xffff,
		     verdict->port >> 16 == PC_TCP ? "tcp" : "udp");
	else if (verdict->out)
		note("%s: %s %s, of remote port %u/%s", who, action, why, out & 0xffff,
		     out >> 16 == PC_TCP ? "tcp" : "udp");
	else
		note("%s: %s %s", who, action, why);
}

void outcome_print(const char *who, const struct outcome *outcome)
{
	if (outcome->odd)
		note("%s: %s", who, outcome->odd);
	else
		verdict_print(who, &outcome->verdict);
}
