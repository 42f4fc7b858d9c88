// SPDX-License-Identifier: GPL-2.0
/* `replay`: what the filter would have done with the packets of a capture. */
#include "loader/command/replay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/invoker.h"
#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/command/explain_target.h"
#include "loader/command/monitor_output.h"
#include "loader/command/monitor_words.h"
#include "loader/command/privileges.h"
#include "loader/command/replay_bans.h"
#include "loader/command/replay_fix.h"
#include "loader/command/replay_local.h"
#include "loader/command/replay_reader.h"
#include "loader/command/replay_second.h"
#include "loader/host/machine_counts.h"
#include "loader/net/link.h"
#include "loader/object/privilege.h"
#include "loader/report/capture_filter.h"
#include "loader/report/json_forms.h"
#include "loader/report/machine_counters.h"
#include "loader/report/replay.h"
#include "loader/report/replay_state.h"
#include "loader/report/text_replay.h"

#define SEEN 8 /* addresses that are counted, for a message */

/* An address in packets that are left out. */
struct seen {
	__u8 family;
	__be32 address[4];
	__u64 packets;
};

struct replaying {
	const struct options *options;
	const char *name; /* path of the file */
	struct monitor_words words;
	struct explain_targets targets;
	struct explain_target *target;
	struct replay_reading reading;
	struct prefix *local; /* of `reading` */
	struct replay_reader reader;
	struct capture_filter *filter; /* NULL: no filter, so every packet counts */
	/* maps of the generation that decides; the struct does not own them */
	struct tables tables;
	struct replay_state *state;
	struct replay_bans bans;
	struct replay replay;
	struct monitor_output output;
	struct seen seen[SEEN];
	struct replay_packet packet;
};

/* --- one packet --- */

/* Misra and Gries: an address that every ninth packet has is among these at the end. */
static void note_address(struct replaying *replaying, __u8 family, const __be32 *address)
{
	struct seen *free_one = NULL;

	for (size_t i = 0; i < SEEN; i++) {
		struct seen *seen = &replaying->seen[i];

		if (seen->packets && seen->family == family &&
		    !memcmp(seen->address, address, sizeof(seen->address))) {
			seen->packets++;
			return;
		}
		if (!seen->packets)
			free_one = seen;
	}
	if (free_one) {
		*free_one = (struct seen){.family = family, .packets = 1};
		memcpy(free_one->address, address, sizeof(free_one->address));
		return;
	}
	for (size_t i = 0; i < SEEN; i++)
		replaying->seen[i].packets--;
}

static void leave_out(struct replaying *replaying)
{
	const struct replay_tuple *tuple = &replaying->packet.tuple;

	if (replaying->packet.way == REPLAY_CUT) {
		replaying->replay.cut++;
		return;
	}
	replaying->replay.aside++;
	if (!tuple->family || replaying->replay.packets)
		return;
	note_address(replaying, tuple->family, tuple->source);
	note_address(replaying, tuple->family, tuple->destination);
}

/* The packet as the program gets it, but longer if the whole packet is written. */
static void tell(struct replaying *replaying, const struct captured *captured,
		 struct pc_event *event)
{
	const struct options *options = replaying->options;
	const struct replay_packet *packet = &replaying->packet;
	bool whole = (captured->link == REPLAY_ETHERNET) ==
			     (replaying->reading.frame == PC_FRAME_ETHERNET) &&
		     captured->length == packet->length;
	json_t *json;

	if (!options->all && !(event->how & PC_EVENT_DROP))
		return;
	event->time = captured->time;
	event->length = packet->length;
	event->captured = whole ? captured->captured : packet->used;
	if (event->captured > event->length)
		event->captured = event->length;
	json = event_json(event, *replaying->target->name ? replaying->target->name : NULL,
			  captured->time, replaying->target->services);
	monitor_output_event(&replaying->output, 0, captured->time, event,
			     whole ? captured->bytes : packet->frame, json);
	json_decref(json);
}

/* The filter that answers, with the tallies of its machines. */
static const struct filter *answering_filter(const struct explain_target *target)
{
	return target->live ? &target->live->filter : &target->question.filter;
}

/* The cell of a machine's tally, instead of a cell for a port of this host. */
static __u32 machine_cell(const struct explain_target *target, const struct pc_event *event,
			  __u32 cell)
{
	const struct pc_generation *generation = answering_filter(target)->current.copy;
	enum pc_tally_kind dropped =
		event->how & PC_EVENT_WOULD ? PC_TALLY_WOULD_DROP : PC_TALLY_DROP;

	if (cell < PC_CELL_DROP)
		return machine_counts_cell(generation, event, PC_TALLY_PASS, false, cell);
	if (cell < PC_CELL_WOULD_DROP)
		return machine_counts_cell(generation, event, dropped, false, cell - PC_CELL_DROP);
	if (cell >= PC_CELL_OUT && cell < PC_CELL_REASON)
		return machine_counts_cell(generation, event, PC_TALLY_SENT, true,
					   cell - PC_CELL_OUT);
	if (cell >= PC_CELL_OUT_DROP && cell < PC_CELL_OUT_WOULD_DROP)
		return machine_counts_cell(generation, event, dropped, true,
					   cell - PC_CELL_OUT_DROP);
	return cell;
}

static void count(struct replaying *replaying, const struct pc_event *event, __u32 second,
		  __u64 time)
{
	const struct explain_target *target = replaying->target;
	const char *machine = event->class ? event_machine(event, target->services) : NULL;
	struct pc_event counted = *event;

	if (event->class) {
		counted.cell = machine_cell(target, event, event->cell);
		second = second ? machine_cell(target, event, second) : 0;
	}
	replay_count(&replaying->replay, &counted, machine, second, replaying->packet.length, time);
}

static int decide(struct replaying *replaying, const struct captured *captured)
{
	const struct replay_packet *packet = &replaying->packet;
	struct question_told told = {};
	struct pc_event event;
	__u32 second;
	int err;

	told.at = captured->time;
	told.second = replay_bans_second(&replaying->bans, captured->time);
	told.what = replay_state_tell(replaying->state, packet, captured->time, &told.first_cell,
				      &told.first_second);
	err = question_tell(&replaying->target->question, packet->frame, packet->used,
			    packet->way == REPLAY_OUT, &told, &event);
	if (err == -ENODATA)
		error("%s: the filter is being attached or detached; try again",
		      replaying->target->name);
	else if (err)
		error("replay: the kernel does not run the BPF program: %s", strerror(-err));
	if (err)
		return err;
	second = replay_second(&replaying->tables, packet, &event, &told);
	replay_state_note(replaying->state, packet, captured->time, &event, second, told.limited);
	count(replaying, &event, second, captured->time);
	if (replaying->options->listing || replaying->options->write)
		tell(replaying, captured, &event);
	return 0;
}

static int replay_one(struct replaying *replaying, const struct captured *captured)
{
	struct replay *replay = &replaying->replay;
	struct replay_packet *packet = &replaying->packet;

	replay_packet_read(&replaying->reading, captured, packet);
	if (packet->way == REPLAY_ASIDE || packet->way == REPLAY_CUT) {
		leave_out(replaying);
		return 0;
	}
	if (replaying->filter &&
	    !capture_filter_match(replaying->filter, packet->frame, packet->used, packet->length))
		return 0;
	if (!replay->first || captured->time < replay->first)
		replay->first = captured->time;
	if (captured->time > replay->last)
		replay->last = captured->time;
	if (replay_state_unsent(replaying->state, packet, captured->time)) {
		replay->unsent++;
		return 0;
	}
	return decide(replaying, captured);
}

/* -EINVAL: the file is broken, but the packets before count. Other errors end the command. */
static int replay_all(struct replaying *replaying)
{
	struct captured captured;
	int more;

	while ((more = replay_reader_next(&replaying->reader, &captured)) > 0) {
		int err = replay_one(replaying, &captured);

		if (err)
			return err == -EINVAL ? -EIO : err;
		if (replaying->output.err)
			return -EPIPE;
	}
	return more;
}

/* --- beginning --- */

/* The file is read with the rights of the user who called sudo, as is a file that is written. */
static int open_capture(const struct replaying *replaying)
{
	int fd;

	if (!strcmp(replaying->name, "-"))
		return STDIN_FILENO;
	fd = open(replaying->name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		error("%s: %s", replaying->name, strerror(errno));
	return fd;
}

static int compile_filter(struct replaying *replaying)
{
	__free_text char *why = NULL;
	const char *text = replaying->words.filter;
	int err = text ? capture_filter_compile(text, replaying->reading.frame == PC_FRAME_ETHERNET,
						&replaying->filter, &why) :
			 0;

	if (err == -EINVAL) {
		__free_text char *there = links_there(replaying->words.first);

		error("replay: '%s' is neither an interface of this network namespace nor a filter: %s%s; for filters see pcap-filter(7)",
		      text, why, there);
	} else if (err) {
		error("replay: %s", why);
	}
	return err;
}

/* Only one filter can be asked, because each would give another answer. */
static int choose_target(struct replaying *replaying)
{
	struct explain_targets *targets = &replaying->targets;
	__cleanup(names_free) struct names names = {};
	__free_text char *list = NULL;

	if (targets->count == 1) {
		replaying->target = targets->target;
		replaying->reading.frame = targets->target->question.frame;
		return 0;
	}
	for (size_t i = 0; i < targets->count; i++)
		names_add(&names, targets->target[i].name);
	list = names_join(&names, ", ");
	error("replay: name one of the interfaces with a filter: %s", list);
	return -EINVAL;
}

static const struct pc_generation *generation_of(const struct explain_target *target)
{
	return target->live ? target->live->filter.current.copy :
			      target->planned->plan.tables.generation;
}

/*
 * The prefixes of an attached filter are in the kernel. Here they are taken from its recipe, and
 * are the same unless profiles or files have changed since.
 */
static struct tables tables_of(const struct explain_target *target)
{
	const struct pc_generation *generation = generation_of(target);
	struct tables tables = {};

	if (target->planned &&
	    target->planned->plan.tables.generation->tries_digest == generation->tries_digest)
		tables = target->planned->plan.tables;
	tables.generation = (struct pc_generation *)generation;
	return tables;
}

static int open_all(struct replaying *replaying, struct diag *diag)
{
	const struct names *interfaces = &replaying->words.interfaces;
	int err = explain_targets_open(replaying->options,
				       interfaces->count ? interfaces->name[0] : NULL,
				       &replaying->targets, diag);

	diag_report(diag);
	if (!err)
		err = choose_target(replaying);
	if (!err)
		err = replay_local_read(replaying->options->local, "replay", &replaying->local,
					&replaying->reading.locals);
	replaying->reading.local = replaying->local;
	if (!err)
		err = compile_filter(replaying);
	if (err)
		return err;
	replay_bans_begin(&replaying->bans, &replaying->target->question);
	replaying->tables = tables_of(replaying->target);
	replaying->state = replay_state_new(generation_of(replaying->target)->echo_interval);
	replay_begin(&replaying->replay);
	return monitor_output_begin(&replaying->output, replaying->options, false);
}

/* Otherwise sockets of this host would answer for those of the capture's host. */
static int leave_network(void)
{
	if (!unshare(CLONE_NEWNET))
		return 0;
	error("replay: cannot enter an empty network namespace: %s", strerror(errno));
	return -errno;
}

/* --- the end --- */

/* An address that is in most of the packets that were left out, or NULL. */
static const struct seen *most_seen(const struct replaying *replaying)
{
	const struct seen *most = NULL;

	for (size_t i = 0; i < SEEN; i++)
		if (replaying->seen[i].packets &&
		    (!most || replaying->seen[i].packets > most->packets))
			most = &replaying->seen[i];
	return most;
}

static int none_of_this_host(const struct replaying *replaying)
{
	const struct seen *seen = most_seen(replaying);
	char text[INET6_ADDRSTRLEN] = "";
	__free_text char *fix = NULL;

	if (seen) {
		inet_ntop(seen->family == 4 ? AF_INET : AF_INET6, seen->address, text,
			  sizeof(text));
		fix = xasprintf("--local %s", text);
	}
	error("%s: no packet in it is from or to %s; name the addresses of the host%s%s%s",
	      replaying->name, replaying->options->local ?: "this host", fix ? ", as in: " : "",
	      fix ?: "", fix ? " (the address that most packets have)" : " with --local");
	return -EINVAL;
}

static void print_report(struct replaying *replaying)
{
	const struct explain_target *target = replaying->target;
	const struct replay_title title = {
		.file = replaying->name,
		.interface = *target->name ? target->name : NULL,
		.policy = generation_of(target)->policy,
		.forgotten = replay_state_forgotten(replaying->state),
	};
	json_t *machines = machine_counts_json(target->name, answering_filter(target),
					       replaying->replay.counters, target->kept, false);
	json_t *report = replay_json(&replaying->replay, &title, target->kept, machines,
				     replay_fixes(target, &replaying->replay, &replaying->bans));

	if (replaying->options->json)
		report_flatten_machines(report);
	if (!replaying->options->json)
		report_replay_text(report, &replaying->replay, target->kept, stdout);
	else if (replaying->options->listing)
		json_print(report, JSON_COMPACT);
	else
		json_print(report, JSON_INDENT(2));
	if (replaying->options->json)
		putchar('\n');
	if (title.forgotten)
		warning("%s: %llu flows were forgotten, because the capture has more flows at a time than replay can remember; their replies may be counted as dropped",
			replaying->name, (unsigned long long)title.forgotten);
	json_decref(report);
}

static bool any_dropped(const struct replaying *replaying)
{
	struct counts in = counters_total(replaying->replay.counters);
	struct counts out = counters_outbound_total(replaying->replay.counters);

	return in.drop.packets || in.would_drop.packets || out.drop.packets ||
	       out.would_drop.packets;
}

static int finish(struct replaying *replaying, int err)
{
	const struct replay *replay = &replaying->replay;

	if (err && err != -EINVAL)
		return EXIT_FAILED;
	if (!err && !replay->packets && replay->aside) {
		none_of_this_host(replaying);
		return EXIT_FAILED;
	}
	if (err && !replaying->reader.packets)
		return EXIT_FAILED;
	monitor_output_flush(&replaying->output);
	if (replaying->options->write_fd != STDOUT_FILENO)
		print_report(replaying);
	return err || replaying->output.err			       ? EXIT_FAILED :
	       replaying->options->exit_code && any_dropped(replaying) ? EXIT_DIFFERS :
									 EXIT_DONE;
}

/* --- the command --- */

static int run(struct replaying *replaying, struct diag *diag)
{
	__close_fd int file = open_capture(replaying);
	int err;

	if (file < 0)
		return EXIT_FAILED;
	/* The process inherits all open descriptors. */
	err = replay_reader_start(&replaying->reader, replaying->name, file,
				  replaying->options->write ? REPLAY_CAPTURE : REPLAY_FRAME);
	if (!err)
		err = open_all(replaying, diag);
	if (!err)
		err = leave_network();
	if (!err)
		err = privileges_drop_rest("replay");
	if (err)
		return EXIT_FAILED;
	monitor_output_interface(&replaying->output, replaying->target->name,
				 replaying->reading.frame, replaying->words.filter);
	return finish(replaying, replay_all(replaying));
}

static void end(struct replaying *replaying)
{
	replay_reader_end(&replaying->reader);
	explain_targets_close(&replaying->targets);
	monitor_words_free(&replaying->words);
	capture_filter_free(&replaying->filter);
	replay_state_free(&replaying->state);
	replay_end(&replaying->replay);
	replay_bans_end(&replaying->bans);
	monitor_output_end(&replaying->output);
	free(replaying->local);
	free(replaying);
}

/* An interface of the site file need not exist on this host. */
static void take_site_interface(struct replaying *replaying, struct names *rest)
{
	__cleanup(diag_free) struct diag diag = {};
	struct site site = {};

	if (!site_open(replaying->options->site, &site, &diag) &&
	    site_interface(&site, rest->name[0])) {
		names_add(&replaying->words.interfaces, rest->name[0]);
		rest->name++;
		rest->count--;
	}
	site_free(&site);
}

/* Reads the words FILE [IFACE] [FILTER]. */
static int read_words(struct replaying *replaying)
{
	const struct names *arguments = &replaying->options->arguments;
	struct names rest = {.name = arguments->name + 1, .count = arguments->count - 1};
	struct monitor_words words;

	if (!arguments->count) {
		error("replay: give the capture: portcullis replay FILE [IFACE], or - for stdin");
		return -EINVAL;
	}
	replaying->name = arguments->name[0];
	if (replaying->options->site && rest.count)
		take_site_interface(replaying, &rest);
	monitor_words_read(&rest, &words);
	names_add_all(&replaying->words.interfaces, &words.interfaces);
	replaying->words.first = words.first;
	replaying->words.filter = words.filter;
	names_free(&words.interfaces);
	if (replaying->words.interfaces.count > 1) {
		error("replay: takes one interface, whose filter decides");
		return -EINVAL;
	}
	return 0;
}

static bool is_wrong(const struct options *options)
{
	if (options->write_fd == STDOUT_FILENO && (options->json || options->listing)) {
		error("replay: --write - writes to stdout, as --%s does; give --write a file",
		      options->json ? "json" : "list");
		return true;
	}
	return false;
}

int command_replay(const struct options *options, struct diag *diag)
{
	struct replaying *replaying = xcalloc(1, sizeof(*replaying));
	int code = EXIT_USAGE;

	*replaying = (struct replaying){
		.options = options,
		.targets = {.command = "replay", .told = true},
		.bans = REPLAY_BANS_NONE,
		.reader = {.pid = -1, .fd = -1},
		.output.file = PCAPNG_NONE,
	};
	signal(SIGPIPE, SIG_IGN);
	if (!is_wrong(options) && !read_words(replaying))
		code = kernel_privileged("replay") ? EXIT_FAILED : run(replaying, diag);
	if (replaying->output.err == -EPIPE) {
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	end(replaying);
	return code;
}
