// SPDX-License-Identifier: GPL-2.0
/* Runs the changes of `apply`: all or none; at boot each interface by itself, present ones
 * first. */
#include "loader/command/apply_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/filter/marks.h"
#include "loader/filter/settle.h"
#include "loader/guard/management.h"
#include "loader/host/audit.h"
#include "loader/host/state_live.h"
#include "loader/net/link.h"
#include "loader/object/folder.h"
#include "loader/recipe/state_write.h"
#include "loader/report/audit.h"

/* At boot, interfaces appear when their drivers are ready. */
static void wait_for_interfaces(struct apply *apply, unsigned int seconds)
{
	static const struct timespec pause = {.tv_nsec = 50000000};
	unsigned int i;

	for (i = 0; i < seconds * 20 && !apply_find(apply); i++)
		nanosleep(&pause, NULL);
}

/* At boot, an interface that cannot be filtered must not prevent the filters of others. */
void apply_leave_out(struct apply *apply, struct wanted *wanted, const char *why, struct diag *diag)
{
	__free_text char *note = xasprintf("%s (%s)", wanted->site->name, why);

	diag_report(diag);
	error("%s: left out, and stays as it is; the other interfaces are applied",
	      wanted->site->name);
	names_add(&apply->left_out, note);
	apply->failed += wanted->ifindex != 0;
	wanted->done = true;
}

/* Handles a missing interface. -ENODEV if that is an error. */
static int plan_missing(struct apply *apply, struct wanted *wanted, bool waits)
{
	const char *name = wanted->site->name;
	bool leave = apply->lenient || apply->options->wait;
	__free_text char *there = leave ? xstrdup("") : links_there(name);

	if (waits) {
		say_line("%s: not there yet; waiting up to %u s for it", name,
			 apply->options->wait);
		return 0;
	}
	error("%s: no such interface in this network namespace%s%s", name,
	      leave ? ": left out" : there, leave ? "" : "; --wait TIME waits for it");
	if (!leave)
		return -ENODEV;
	names_add(&apply->missing, name);
	wanted->done = true;
	return 0;
}

static int plan_one(struct apply *apply, struct wanted *wanted, bool waits, struct diag *diag)
{
	if (wanted->ifindex < 0) {
		error("%s: cannot look up the interface: %s", wanted->site->name,
		      strerror(-wanted->ifindex));
	} else if (!wanted->ifindex) {
		return plan_missing(apply, wanted, waits);
	} else if (!apply_plan(apply, wanted)) {
		return 0;
	} else {
		apply_drop(apply);
	}
	if (!apply->lenient)
		return -EINVAL;
	apply_leave_out(apply, wanted, "cannot be filtered", diag);
	return 0;
}

/* `only`: one interface; NULL: all. `waits`: missing interfaces are waited for. */
static int plan_all(struct apply *apply, const struct wanted *only, bool waits, struct diag *diag)
{
	size_t i;
	int err = 0;

	for (i = 0; i < apply->count; i++) {
		struct wanted *wanted = &apply->wanted[i];

		if (!wanted->done && (!only || wanted == only) &&
		    plan_one(apply, wanted, waits, diag))
			err = -EINVAL;
	}
	return err;
}

/* Prints the changes that only newer profiles cause. */
static void say_waiting(const struct changes *changes)
{
	size_t i;

	for (i = 0; i < changes->count; i++) {
		const struct change *change = &changes->change[i];
		__free_text char *waits =
			change->kept ? state_waits(change->name, change->kept) : NULL;

		if (waits)
			say_line("%s: %s", change->name, waits);
	}
}

static void say_digest(const struct answer *answer)
{
	char digest[ANSWER_DIGEST];

	if (answer_digest(answer, digest))
		say_line("to apply this, and nothing else: portcullis apply --expect %s", digest);
}

/* Whether to try each interface alone after all together failed: the kernel may refuse only one. */
static bool tries_each(const struct apply *apply)
{
	return apply->lenient && !apply->options->dry_run && !apply->alone;
}

/* If the guard refused all changes together, they must not be made one by one. */
static bool wants_each(const struct apply *apply, int err)
{
	return err && err != -EACCES && tries_each(apply);
}

static void collect(void *context, bool is_error, const char *text, const char *fix)
{
	struct diag *said = context;

	(is_error ? diag_error_fix : diag_warning_fix)(said, NULL, fix, "%s", text);
}

/*
 * An error of all interfaces together is only a warning if each is tried by itself afterwards,
 * because it may not occur then.
 */
static int run_mildly(struct apply *apply)
{
	__cleanup(diag_free) struct diag said = {};
	const struct message_sink sink = messages_to(collect, &said);
	const int err = changes_run(&apply->changes);
	const bool mild = wants_each(apply, err);

	messages_to(sink.take, sink.context);
	for (size_t i = 0; i < said.count; i++) {
		const struct diag_entry *entry = &said.entry[i];

		(entry->level == DIAG_ERROR && !mild ? error_fix : warning_fix)(entry->fix, "%s",
										entry->message);
	}
	return err;
}

/* Prints whether the new rules would fit this host, on a line for each interface that changes. */
static void say_fit(const struct changes *changes)
{
	__cleanup(audited_host_free) struct audited_host host = {};

	if (audited_host_read(&host))
		return;
	for (size_t i = 0; i < changes->count; i++) {
		const struct change *change = &changes->change[i];
		__free_text char *summary = NULL;
		json_t *findings;

		if (change->kind == CHANGE_DETACH || !change->plan)
			continue;
		findings = audited_findings(&host, change->name, change->hook.ifindex,
					    change->plan->kept, NULL, NULL);
		summary = audit_summary(findings);
		json_decref(findings);
		if (summary)
			say_line("%s: %s", change->name, summary);
	}
}

static int run(struct apply *apply, struct diag *diag)
{
	struct changes *changes = &apply->changes;
	size_t i;
	int err;

	if (!apply->quiet || changes->count)
		diag_report(diag);
	diag_free(diag);
	for (i = 0; i < changes->count; i++)
		if (changes->change[i].kind == CHANGE_ATTACH)
			management_warn_open(changes->count > 1 ? changes->change[i].name : NULL,
					     changes->change[i].plan);
	if (apply->was_tried && changes->count)
		warning("apply: %s was applied before, and not confirmed: after --confirm, run portcullis confirm from a new connection",
			apply->site->path);
	if (apply->options->dry_run)
		say_waiting(changes);
	err = tries_each(apply) ? run_mildly(apply) : changes_run(changes);
	if (!err && apply->options->dry_run && !apply->options->json)
		say_fit(changes);
	if (!err && apply->options->dry_run)
		say_digest(apply->options->answer);
	apply->changed |= !err && changes->count;
	apply->settled |= !err && !apply->options->dry_run;
	for (i = 0; i < changes->count && !err; i++)
		apply->waits |= changes->change[i].kind != CHANGE_DETACH &&
				changes->change[i].filter.current.copy &&
				changes->change[i].filter.current.copy->deadline;
	return err;
}

static int carry_out(struct apply *apply, const struct wanted *only, bool waits, struct diag *diag)
{
	size_t i;
	int err;

	apply_find(apply);
	apply_start(apply);
	err = plan_all(apply, only, waits, diag);
	if (!err && apply->detaches && !only)
		apply_plan_detaches(apply);
	if (!err)
		err = run(apply, diag);
	else
		error("nothing was changed: every interface is as it was");
	for (i = 0; i < apply->count && !err; i++)
		apply->wanted[i].done |=
			apply->wanted[i].ifindex > 0 && (!only || &apply->wanted[i] == only);
	apply_end(apply);
	return err;
}

static int carry_out_each(struct apply *apply, struct diag *diag)
{
	size_t i;
	int err = 0;

	apply->alone = true;
	warning("apply: the interfaces cannot be changed together: each one is tried by itself");
	for (i = 0; i < apply->count; i++) {
		struct wanted *wanted = &apply->wanted[i];

		if (!wanted->done && wanted->ifindex > 0 && carry_out(apply, wanted, false, diag))
			apply_leave_out(apply, wanted, "cannot be filtered", diag);
	}
	if (apply->detaches)
		err = carry_out(apply, NULL, false, diag);
	apply->alone = false;
	return err;
}

/* Called before a deadline begins, so that a boot before the confirm does not use the new file. */
static void try(void *context)
{
	struct apply *apply = context;
	bool all = apply->count == apply->site->interfaces;
	struct names names = {};
	size_t i;

	for (i = 0; i < apply->count && !all; i++)
		names_add(&names, apply->wanted[i].site->name);
	apply->tried = true;
	state_recover(apply->changes.hooks);
	state_try(apply->site, apply->catalog, &names);
	names_free(&names);
}

/* Makes the snapshot `trying` pending, or removes it if the change failed. */
static void settle_tried(struct apply *apply, int err)
{
	struct source *source = apply->source;
	char digest[SHA256_TEXT];

	if (!apply->tried)
		return;
	apply->tried = false;
	if (err) {
		site_digest(apply->site, digest);
		state_untry(source->tried ? NULL : digest);
	} else {
		state_pend();
		source->tried = true;
	}
}

/* Keeps the file for boot if all of it was applied and is final. The caller holds the lock. */
static void keep(const struct apply *apply, int err)
{
	struct source *source = apply->source;

	if (!source->kept || apply->options->dry_run)
		return;
	if (!err && !apply->waits && !apply->fell_back && !source->wrong && !source->saved &&
	    apply->count == apply->site->interfaces)
		state_keep(apply->site, source_catalog(source));
}

static int apply_once(struct apply *apply, bool waits, struct diag *diag)
{
	__cleanup(hooks_free) struct hooks hooks = {};
	__close_fd int lock = -1;
	int err;

	apply->settled = false;
	if (apply->options->dry_run ?
		    hooks_read(&hooks) :
		    pins_ready(true) < 0 || pins_lock(&lock) || hooks_collect(&hooks))
		return -EPERM;
	apply->changes.hooks = &hooks;
	err = carry_out(apply, NULL, waits, diag);
	if (wants_each(apply, err))
		err = carry_out_each(apply, diag);
	settle_tried(apply, err);
	if (!waits)
		keep(apply, err);
	if (!apply->options->dry_run && !apply->settled)
		marks_settle(&hooks); /* new interfaces may exist */
	return err;
}

/* At boot, present interfaces get their filters before missing ones are waited for. */
int apply_run(struct apply *apply, struct diag *diag)
{
	const struct options *options = apply->options;
	int err;

	if (apply->source->kept && !apply->source->saved) {
		apply->changes.before_deadline = try;
		apply->changes.context = apply;
	}
	if (apply->lenient && options->wait && !options->dry_run && !apply_find(apply)) {
		err = apply_once(apply, true, diag);
		if (err)
			return err;
		apply->detaches = false;
	}
	wait_for_interfaces(apply, options->wait);
	return apply_once(apply, false, diag);
}
