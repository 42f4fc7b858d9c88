// SPDX-License-Identifier: GPL-2.0
/*
 * `apply`: makes this network namespace what the site file says. All interfaces change or none; at
 * boot, each by itself.
 */
#include "loader/command/apply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/columns.h"
#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/notify.h"
#include "loader/command/apply_hold.h"
#include "loader/command/apply_plan.h"
#include "loader/command/apply_run.h"
#include "loader/filter/resume.h"
#include "loader/host/newcomer.h"
#include "loader/net/link.h"
#include "loader/object/folder.h"
#include "loader/object/privilege.h"

#define SAMPLE PORTCULLIS_PREFIX "/share/doc/portcullis/examples/site.yaml"

/* True if the entry of the site file is for the named interface. */
static bool is_named(const struct site_interface *interface, const char *name)
{
	char real[IF_NAMESIZE];

	return !strcmp(interface->name, name) ||
	       (link_find(interface->name, real) > 0 && !strcmp(real, name));
}

static const struct site_interface *find_named(const struct site *site, const char *name)
{
	size_t i;

	for (i = 0; i < site->interfaces; i++)
		if (is_named(&site->interface[i], name))
			return &site->interface[i];
	return NULL;
}

static void add_wanted(struct apply *apply, const struct site_interface *interface,
		       struct catalog *catalog)
{
	apply->wanted[apply->count++] =
		(struct wanted){.of = apply->site, .site = interface, .catalog = catalog};
}

/*
 * Chooses the named interfaces, or all. -ENOENT with a message if a named one is not in the file.
 */
static int choose(struct apply *apply, struct catalog *catalog)
{
	const struct names *names = &apply->options->arguments;
	const struct site *site = apply->site;
	size_t i;

	apply->wanted = xcalloc(site->interfaces + names->count, sizeof(*apply->wanted));
	for (i = 0; i < site->interfaces && !names->count; i++)
		add_wanted(apply, &site->interface[i], catalog);
	for (i = 0; i < names->count; i++) {
		const struct site_interface *interface = find_named(site, names->name[i]);

		if (interface) {
			add_wanted(apply, interface, catalog);
		} else if (!apply->lenient) {
			error("apply: %s: is not in the site file %s", names->name[i], site->path);
			return -ENOENT;
		}
	}
	return 0;
}

/* Prints which interfaces each pattern of the file matches. */
static void tell_taken(const struct site *site)
{
	for (size_t i = 0; i < site->patterns; i++) {
		__cleanup(names_free) struct names names = {};
		__free_text char *list = NULL;

		for (size_t j = 0; j < site->interfaces; j++)
			if (site->interface[j].pattern == &site->pattern[i] &&
			    !site->interface[j].wrong)
				names_add(&names, site->interface[j].name);
		list = names_join(&names, ", ");
		if (names.count)
			say_line("'%s' in %s takes %s", site->pattern[i].name, site->path, list);
	}
}

/* If an interface's entry has an error, it gets the filter that was confirmed last. */
static bool fall_back(struct apply *apply, struct wanted *wanted, struct diag *diag)
{
	struct snapshot *confirmed = apply->confirmed;
	__cleanup(diag_free) struct diag unused = {};
	struct wanted before = *wanted;

	if (!confirmed->there || wanted->of == &confirmed->site)
		return false;
	before.of = &confirmed->site;
	before.catalog = &confirmed->catalog;
	before.site = site_interface(&confirmed->site, wanted->site->name);
	if (!before.site || !apply_check(apply, &before, &unused))
		return false;
	diag_report(diag);
	error("%s: has an error in the site file: its part of the site file that was confirmed last is applied",
	      wanted->site->name);
	*wanted = before;
	apply->fell_back = true;
	return true;
}

/*
 * Checks the words of each interface against the profiles. At boot an interface with errors is left
 * out.
 */
static int check_all(struct apply *apply, struct diag *diag)
{
	size_t i;
	int err = 0;

	/*
	 * At boot, errors do not end the checks: every interface that is not left out needs its
	 * plan.
	 */
	for (i = 0; i < apply->count && (apply->lenient || !diag_full(diag)); i++) {
		struct wanted *wanted = &apply->wanted[i];

		if (apply_check(apply, wanted, diag))
			continue;
		if (!apply->lenient)
			err = -EINVAL;
		else if (!fall_back(apply, wanted, diag))
			apply_leave_out(apply, wanted, "wrong in the site file", diag);
	}
	return diag_full(diag) && !apply->lenient ? -EINVAL : err;
}

/*
 * Sets the unit's status line. Users may read it much later, when udev has added missing
 * interfaces, but only the unit's own processes can change it; the journal has the details.
 */
static void tell_status(const struct apply *apply, const struct source *source)
{
	__free_text char *out = names_join(&apply->left_out, ", ");
	__free_text char *missing = names_join(&apply->missing, ", ");
	size_t good = apply->count - apply->left_out.count - apply->missing.count;
	__free_text char *interfaces = human_count(good, "interface", "interfaces");
	const char *as = source->saved	  ? " as confirmed last, not as the site file says" :
			 apply->fell_back ? ", some as confirmed last" :
					    "";

	if (apply->options->arguments.count || apply->options->dry_run)
		return;
	if (good == apply->count)
		notify_status("%s filtered%s", interfaces, as);
	else
		notify_status(
			"%zu of %zu interfaces filtered at once%s%s%s%s%s; see portcullis doctor",
			good, apply->count, as, *missing ? "; when they come: " : "", missing,
			*out ? "; left out: " : "", out);
}

static int exit_code(const struct apply *apply, const struct source *source, int err)
{
	bool incomplete = apply->left_out.count || apply->missing.count;

	/* The unit fails only if no interface could be filtered. */
	if (err || (apply->count && apply->failed == apply->count))
		return EXIT_FAILED;
	if (!apply->lenient)
		return incomplete ? EXIT_FAILED : EXIT_DONE;
	if (incomplete || apply->fell_back)
		return EXIT_INCOMPLETE;
	/* A command for one interface does not handle the rest of the file. */
	return !apply->quiet && (source->wrong || source->saved) ? EXIT_INCOMPLETE : EXIT_DONE;
}

/* Plans and makes the changes. */
static int carry_out_site(struct apply *apply, struct diag *diag)
{
	int err = check_all(apply, diag);

	if (!err && apply->options->strict && !apply->lenient && diag->count > diag->errors) {
		diag_report(diag);
		error("apply: --strict: refused because of these warnings; nothing was changed");
		err = -EINVAL;
	}
	if (!err)
		err = kernel_privileged("apply");
	return err ? err : apply_run(apply, diag);
}

static int apply_source(const struct options *options, bool lenient, struct source *source,
			struct diag *diag)
{
	const struct site *site = source_site(source);
	__cleanup(change_log_free) struct change_log log = {.comment = options->comment,
							    .as = options->as};
	struct apply apply = {
		.options = options,
		.source = source,
		.site = site,
		.lenient = lenient,
		.folders = &source->folders,
		.catalog = source_catalog(source),
		.confirmed = &source->confirmed,
		.was_tried = source->tried && !lenient,
		/* An interface whose entry an error hides must not be detached. */
		.hold = HOLD_NONE,
		.detaches = !options->arguments.count && !source->wrong,
		.quiet = lenient && options->arguments.count,
		.changes = {
			.command = &guard_apply,
			.done = "changed",
			.management = site->management_given ? &site->management : NULL,
			/* At boot, the guard must not leave the host unfiltered because of a
			 * stranger's connection to a watched port. */
			.force = options->force || options->boot,
			.each = lenient,
			.dry_run = options->dry_run,
			.boot = options->boot,
			.expect = options->expect,
			.answer = options->answer,
			.log = &log,
		}};
	int err = choose(&apply, source_catalog(source));
	size_t i;

	if (!err && !options->arguments.count)
		tell_taken(site);
	apply_find(&apply);
	/* udev calls `apply` with the name of every new interface. */
	if (!err && (apply.count || !apply.quiet)) {
		apply_hold(&apply);
		err = carry_out_site(&apply, diag);
		if (!err)
			tell_status(&apply, source);
	}
	if (apply.quiet && !apply.changed && !err && !apply.left_out.count && !apply.missing.count)
		diag_free(diag);
	err = exit_code(&apply, source, err);
	hold_free(&apply.hold);
	for (i = 0; i < apply.count; i++)
		plan_free(&apply.wanted[i].plan);
	free(apply.wanted);
	names_free(&apply.left_out);
	names_free(&apply.missing);
	return err;
}

static int check_usage(const struct options *options)
{
	const char *twice = names_twice(&options->arguments);

	if (twice)
		error("apply: %s: named twice", twice);
	else if (options->confirm && options->boot)
		error("apply: give either --confirm or --boot, not both");
	else if (options->reload && options->boot)
		error("apply: give either --reload or --boot, not both");
	else if (options->resumed && (options->boot || options->reload || options->dry_run ||
				      options->confirm || options->arguments.count))
		error("apply: --resumed takes no interfaces and no other options");
	else if (options->exit_code && !options->dry_run)
		error("apply: --exit-code goes with --dry-run");
	else if (options->expect && (options->dry_run || options->boot || options->reload))
		error("apply: --expect goes with neither --dry-run, --boot nor --reload");
	else if (options->as && (!options->boot || options->arguments.count != 1))
		error("apply: --as goes with --boot and one interface");
	else
		return 0;
	return -EINVAL;
}

/* The site file is not consulted. */
static int resume(const char *comment)
{
	__close_fd int lock = -1;
	int ready;

	if (kernel_privileged("apply"))
		return EXIT_FAILED;
	ready = pins_ready(false);
	if (ready < 0 || (ready && (pins_lock(&lock) || resume_all(comment))))
		return EXIT_FAILED;
	return EXIT_DONE;
}

int command_apply(const struct options *options, struct diag *diag)
{
	__cleanup(source_free) struct source source;
	bool lenient = options->boot || options->reload;
	int code, err;

	source = (struct source){};
	if (check_usage(options))
		return EXIT_USAGE;
	if (options->resumed)
		return resume(options->comment);
	if (options->boot && !options->arguments.count && !options->dry_run)
		newcomers_begin();
	err = source_open(options, lenient, &source, diag);
	if (err == -ENOENT && lenient && options->arguments.count) {
		diag_free(diag);
		return EXIT_DONE; /* udev also calls it if there is no site file */
	}
	if (!err && options->as &&
	    !source_rename(&source, options->arguments.name[0], options->as)) {
		diag_free(diag);
		return EXIT_DONE;
	}
	if (err == -ENOENT && !lenient)
		error("apply: %s: there is no site file; copy the sample, " SAMPLE
		      ", and edit it; portcullis-site(5) has all keys",
		      options->site ? options->site : SITE_FILE);
	if (err)
		return EXIT_FAILED;
	code = apply_source(options, lenient, &source, diag);
	/* Warnings about the host itself are known only at this point. */
	if (code == EXIT_DONE && options->strict && !lenient && messages_warned())
		code = EXIT_FAILED;
	return code;
}
