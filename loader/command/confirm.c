// SPDX-License-Identifier: GPL-2.0
/* `confirm`: makes final what was attached, swapped or applied with --confirm. */
#include "loader/command/confirm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/base/shell.h"
#include "loader/compile/replan.h"
#include "loader/filter/change_log.h"
#include "loader/filter/confirm.h"
#include "loader/filter/generation_maps.h"
#include "loader/filter/hook.h"
#include "loader/filter/marks.h"
#include "loader/filter/open.h"
#include "loader/filter/settle.h"
#include "loader/filter/several.h"
#include "loader/host/attached.h"
#include "loader/host/lockout.h"
#include "loader/host/state_live.h"
#include "loader/object/folder.h"
#include "loader/object/privilege.h"
#include "loader/recipe/site.h"
#include "loader/report/answer.h"

struct confirm {
	const struct options *options;
	struct site site;
	struct hooks hooks;
	struct hook *hook; /* interfaces to confirm */
	size_t count;
	bool named;	  /* the user named the interfaces */
	size_t confirmed; /* how many interfaces were confirmed */
	bool late;	  /* one of the interfaces is reverted */
	struct change_log log;
};

static void say_late(const char *interface, const struct pc_generation *active)
{
	__free_text char *word = shell_word(interface);

	if (active->stand_in)
		error("%s: too late: the attach was not confirmed in time, and everything passes; attach again",
		      interface);
	else
		error("%s: too late: the swap was not confirmed in time, and generation %llu is active again; to see it: portcullis show --iface %s",
		      interface, active->number, word);
}

/* Checks it before anything is settled, because settling removes the reverted generation. */
static void look_for_late(struct confirm *confirm)
{
	size_t i;

	for (i = 0; i < confirm->count; i++) {
		__cleanup(filter_close) struct filter filter = FILTER_NONE;

		if (filter_open_head(confirm->hook[i].id, &filter) || !filter.reverted.copy)
			continue;
		say_late(confirm->hook[i].name, filter.current.copy);
		confirm->late = true;
		confirm->hook[i].id[0] = '\0';
	}
}

/*
 * Refuses a caller whose session could not be re-established, because confirming over it proves
 * nothing. If that cannot be checked, warns and continues.
 */
static int ask_guard(const struct confirm *confirm, const struct hook *hook,
		     const struct filter *filter)
{
	__cleanup(remade_free) struct remade remade = {};
	const struct guard_target target = {.interface = hook->name,
					    .ifindex = hook->ifindex,
					    .plan = &remade.plan,
					    .catalog = &remade.catalog,
					    .active = filter->current.copy};
	__free_text char *recipe = NULL;

	if (confirm->options->force || filter_recipe(filter, &recipe) ||
	    remake(hook->name, recipe, NULL, &remade)) {
		if (!confirm->options->force)
			warning("%s: not checked whether this locks anyone out", hook->name);
		return 0;
	}
	return guard_hold(&guard_confirm, &confirm->hooks, &target, 1,
			  confirm->site.management_given ? &confirm->site.management : NULL,
			  GUARD_CALLER);
}

static int confirm_one(struct confirm *confirm, const struct hook *hook)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;
	int err = filter_open(hook->id, &filter);
	struct answer *answer = confirm->options->answer;
	const struct pc_generation *current;

	if (err)
		return err == -ENOENT ? hook_missing(hook, "confirm") : err;
	current = filter.current.copy;
	if (current->reverted_at && confirm->named) {
		say_late(hook->name, current);
		return -ETIME;
	}
	answer_interface(answer, hook->name, ANSWER_NONE, NULL, NULL);
	answer_result(answer, hook->name, current->number, seconds_left(current));
	if (!current->deadline) {
		if (confirm->named)
			say_line("%s: nothing to confirm; generation %llu is final", hook->name,
				 current->number);
		return 0;
	}
	err = ask_guard(confirm, hook, &filter);
	if (err)
		return err;
	err = filter_confirm(&filter);
	if (err == -ETIME) /* the deadline passed after the filter was opened */
		say_late(hook->name, filter.fallback.copy);
	if (err)
		return err;
	answer->confirmed = true;
	answer_result(answer, hook->name, filter.current.copy->number, 0);
	change_log_add(&confirm->log, &(struct logged){.action = RECORD_CONFIRM,
						       .name = hook->name,
						       .generation = filter.current.copy->number});
	say_line("%s: confirmed; generation %llu is final", hook->name,
		 filter.current.copy->number);
	confirm->confirmed++;
	return 0;
}

static int run(struct confirm *confirm)
{
	const struct names *names = &confirm->options->arguments;
	int err = hooks_of(&confirm->hooks, names, "confirm", &confirm->hook, &confirm->count);
	size_t i;

	if (err)
		return err;
	confirm->named = names->count;
	look_for_late(confirm);
	/* Completes the change of an interrupted command first, and confirms it with the others. */
	err = hooks_settle(&confirm->hooks);
	for (i = 0; i < confirm->count && !err; i++)
		if (confirm->hook[i].id[0])
			err = confirm_one(confirm, &confirm->hook[i]);
	change_log_write(&confirm->log);
	if (!err && confirm->late)
		err = -ETIME;
	if (!err && !confirm->named && !confirm->confirmed)
		say_line("nothing to confirm");
	return err;
}

int command_confirm(const struct options *options, struct diag *diag)
{
	struct confirm confirm = {.options = options, .log = {.comment = options->comment}};
	__close_fd int lock = -1;
	int ready, err;

	if (kernel_privileged("confirm"))
		return EXIT_FAILED;
	/* A site file with an error must not prevent a confirm. */
	if (site_open(options->site, &confirm.site, diag))
		warning("confirm: the site file is not used: see below");
	ready = pins_ready(false);
	err = ready < 0 ? ready : ready ? pins_lock(&lock) : 0;
	if (!err)
		err = hooks_read(&confirm.hooks);
	if (!err)
		err = run(&confirm);
	if (!err && ready > 0 && confirm.confirmed)
		state_settle(&confirm.hooks);
	several_settle(&confirm.hooks);
	marks_settle(&confirm.hooks);
	change_log_free(&confirm.log);
	hooks_free(&confirm.hooks);
	free(confirm.hook);
	site_free(&confirm.site);
	return err ? EXIT_FAILED : EXIT_DONE;
}
