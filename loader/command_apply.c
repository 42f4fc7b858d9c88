// SPDX-License-Identifier: GPL-2.0
/*
 * `apply`: makes this network namespace what the site file says, all of it or nothing; at boot,
 * each interface by itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loader/apply.h"
#include "loader/command.h"
#include "loader/link.h"
#include "loader/notify.h"

/* At boot, interfaces come when their drivers are ready. */
static void wait_for_interfaces(struct apply *apply, unsigned int seconds)
{
	static const struct timespec pause = {.tv_nsec = 50000000};
	unsigned int i;

	for (i = 0; i < seconds * 20 && !apply_find(apply); i++)
		nanosleep(&pause, NULL);
}

static void note_left_out(struct apply *apply, struct wanted *wanted, const char *why)
{
	__free_text char *note = xasprintf("%s (%s)", wanted->site->name, why);

	names_add(&apply->left_out, note);
	apply->failed += wanted->ifindex != 0;
	wanted->done = true;
}

/* At boot an interface that cannot be filtered must not keep the others open. */
static void leave_out(struct apply *apply, struct wanted *wanted, const char *why,
		      struct diag *diag)
{
	diag_print(diag, stderr);
	diag_free(diag);
	error("%s: left out, and stays as it is; the other interfaces are applied",
	      wanted->site->name);
	note_left_out(apply, wanted, why);
}

/* It is not there: -ENODEV if that is an error. */
static int plan_missing(struct apply *apply, struct wanted *wanted, bool waits)
{
	const char *name = wanted->site->name;
	bool leave = apply->options->boot || apply->options->wait;

	if (waits) {
		say_line("%s: not there yet; waiting up to %u s for it", name,
			 apply->options->wait);
		return 0;
	}
	error("%s: no such interface in this network namespace%s", name,
	      leave ? ": left out" : "; --wait SECONDS waits for it");
	if (!leave)
		return -ENODEV;
	note_left_out(apply, wanted, "not there");
	return 0;
}

static int plan_one(struct apply *apply, struct wanted *wanted, bool waits, struct diag *diag)
{
	if (wanted->ifindex < 0) {
		error("%s: cannot look for it: %s", wanted->site->name, strerror(-wanted->ifindex));
	} else if (!wanted->ifindex) {
		return plan_missing(apply, wanted, waits);
	} else if (!apply_plan(apply, wanted, diag)) {
		return 0;
	} else {
		apply_drop(apply);
	}
	if (!apply->options->boot)
		return -EINVAL;
	leave_out(apply, wanted, "cannot be filtered", diag);
	return 0;
}

/* `only`: one interface, NULL: all. `waits`: those that are not there are waited for. */
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

static int run(struct apply *apply, struct diag *diag)
{
	struct changes *changes = &apply->changes;
	size_t i;
	int err;

	if (!apply->quiet || changes->count)
		diag_print(diag, stderr);
	diag_free(diag);
	for (i = 0; i < changes->count; i++)
		if (changes->change[i].kind == CHANGE_ATTACH)
			plan_warn_open(changes->change[i].plan);
	err = changes_run(changes);
	apply->changed |= !err && changes->count;
	return err;
}

static int carry_out(struct apply *apply, const struct wanted *only, bool waits, struct diag *diag)
{
	struct hook *hook;
	size_t count, i;
	int err = hook_list(&hook, &count);

	if (err)
		return err;
	apply_find(apply);
	apply_start(apply, count);
	err = plan_all(apply, only, waits, diag);
	if (!err && apply->detaches && !only)
		apply_plan_detaches(apply, hook, count);
	if (!err)
		err = run(apply, diag);
	else
		error("nothing was changed: every interface is as it was");
	for (i = 0; i < apply->count && !err; i++)
		apply->wanted[i].done |=
			apply->wanted[i].ifindex > 0 && (!only || &apply->wanted[i] == only);
	apply_end(apply);
	free(hook);
	return err;
}

/* What fails together, as the kernel may refuse one of them, is tried one by one. */
static int carry_out_each(struct apply *apply, struct diag *diag)
{
	size_t i;

	warning("apply: they cannot be changed together: each interface is tried by itself");
	for (i = 0; i < apply->count; i++) {
		struct wanted *wanted = &apply->wanted[i];

		if (!wanted->done && wanted->ifindex > 0 && carry_out(apply, wanted, false, diag))
			leave_out(apply, wanted, "cannot be filtered", diag);
	}
	return apply->detaches ? carry_out(apply, NULL, false, diag) : 0;
}

static int apply_once(struct apply *apply, bool waits, struct diag *diag)
{
	__close_fd int lock = -1;
	int err;

	if (!apply->options->dry_run &&
	    (pins_ready(true) < 0 || pins_lock(&lock) || hook_collect()))
		return -EPERM;
	err = carry_out(apply, NULL, waits, diag);
	if (err && apply->options->boot && !apply->options->dry_run)
		err = carry_out_each(apply, diag);
	return err;
}

/* At boot the interfaces that are there get their filter before the wait for the others. */
static int apply_waiting(struct apply *apply, struct diag *diag)
{
	const struct options *options = apply->options;
	int err;

	if (options->boot && options->wait && !options->dry_run && !apply_find(apply)) {
		err = apply_once(apply, true, diag);
		if (err)
			return err;
		apply->detaches = false;
	}
	wait_for_interfaces(apply, options->wait);
	return apply_once(apply, false, diag);
}

/* Whether the site file's interface is the one that was named. */
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
	apply->wanted[apply->count++] = (struct wanted){.site = interface, .catalog = catalog};
}

/* Those named, else all. -ENOENT with a message: one that is named is not in the file. */
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
		} else if (!apply->options->boot) {
			error("apply: %s: is not in the site file %s", names->name[i], site->path);
			return -ENOENT;
		}
	}
	return 0;
}

/* Holds the words of each interface against the profiles. At boot what is wrong is left out. */
static int check_all(struct apply *apply, struct diag *diag)
{
	size_t i;
	int err = 0;

	for (i = 0; i < apply->count && !diag_full(diag); i++) {
		struct wanted *wanted = &apply->wanted[i];

		if (site_check_interface(wanted->catalog, apply->site, wanted->site, diag))
			continue;
		err = -EINVAL;
		if (apply->options->boot)
			leave_out(apply, wanted, "wrong in the site file", diag);
	}
	return apply->options->boot ? 0 : err;
}

/* The unit's status line. The journal tells why. */
static void tell_status(const struct apply *apply)
{
	__free_text char *list = names_join(&apply->left_out, ", ");
	size_t good = apply->count - apply->left_out.count;

	if (apply->options->arguments.count || apply->options->dry_run)
		return;
	if (apply->left_out.count)
		notify_status("%zu of %zu interfaces filtered; left out: %s; see portcullis doctor",
			      good, apply->count, list);
	else
		notify_status("%zu interface%s filtered", good, good == 1 ? "" : "s");
}

static int exit_code(const struct apply *apply, int err, bool wrong)
{
	/* Where no interface at all could be filtered, the unit has failed. */
	if (err || (apply->count && apply->failed == apply->count))
		return EXIT_FAILED;
	if (apply->options->boot && (apply->left_out.count || wrong))
		return EXIT_INCOMPLETE;
	return apply->left_out.count ? EXIT_FAILED : EXIT_DONE;
}

/* `wrong`: the file has an error somewhere. */
static int apply_site(const struct options *options, const struct site *site, bool wrong,
		      struct diag *diag)
{
	__cleanup(catalog_close) struct catalog catalog = {};
	struct apply apply = {
		.options = options,
		.site = site,
		/* What an error hides may be wanted. */
		.detaches = !options->arguments.count && !wrong,
		.quiet = options->boot && options->arguments.count,
		.changes = {
			.command = "apply",
			.done = "changed",
			.management = site->management_given ? &site->management : NULL,
			/* At boot a stranger's connection to a watched port must not keep the host
			 * open. */
			.force = options->force || options->boot,
			.each = options->boot,
			.dry_run = options->dry_run,
		}};
	int err = choose(&apply, &catalog);

	apply_find(&apply);
	/* udev names every interface that comes. */
	if (!err && (apply.count || !apply.quiet)) {
		err = catalog_open(&options->catalog, &catalog, diag);
		if (!err)
			err = check_all(&apply, diag);
		if (!err)
			err = kernel_privileged("apply");
		if (!err)
			err = apply_waiting(&apply, diag);
		if (!err)
			tell_status(&apply);
	}
	if (apply.quiet && !apply.changed && !err && !apply.left_out.count)
		diag_free(diag);
	err = exit_code(&apply, err, wrong && !apply.quiet);
	free(apply.wanted);
	names_free(&apply.left_out);
	return err;
}

/* 0, 1 if it has errors but may be used at boot, or -errno with a message. */
static int read_site(const struct options *options, struct site *site, struct diag *diag)
{
	const char *path = options->site ? options->site : SITE_FILE;
	int err = options->boot ? site_draft(path, site, diag) : site_read(path, site, diag);

	if (!err && !site->interfaces_given) {
		error("apply: %s: there is no key 'interfaces': it has groups only; 'interfaces: {}' has every filter of this network namespace detached",
		      path);
		return -EINVAL;
	}
	if (err && site->path && site->interfaces_given)
		return 1;
	if (err == -ENOENT && !options->boot)
		error("apply: %s: there is no site file; portcullis-site(5) tells what stands in it",
		      path);
	return err;
}

static struct site_interface *find_exactly(struct site *site, const char *name)
{
	size_t i;

	for (i = 0; i < site->interfaces; i++)
		if (!strcmp(site->interface[i].name, name))
			return &site->interface[i];
	return NULL;
}

/*
 * udev filters an interface before it renames it: while its database does not know the interface,
 * nobody takes it for ready. What the file says of the new name is said of the old one, and the
 * other way round. False: the file does not know the new name.
 */
static bool rename_ahead(struct site *site, const char *name, const char *as)
{
	struct site_interface *future = find_exactly(site, as), *present;
	char *text;

	if (!future || !strcmp(name, as))
		return future;
	present = find_exactly(site, name);
	text = future->name;
	future->name = present ? present->name : xstrdup(name);
	if (present)
		present->name = text;
	else
		free(text);
	return true;
}

int command_apply(const struct options *options, struct diag *diag)
{
	__cleanup(site_free) struct site site = {};
	const char *twice = names_twice(&options->arguments);
	int err;

	if (twice) {
		error("apply: %s: named twice", twice);
		return EXIT_USAGE;
	}
	if (options->confirm && options->boot) {
		error("apply: --confirm and --boot exclude each other");
		return EXIT_USAGE;
	}
	if (options->as && (!options->boot || options->arguments.count != 1)) {
		error("apply: --as goes with --boot and one interface");
		return EXIT_USAGE;
	}
	err = read_site(options, &site, diag);
	if (err >= 0 && options->as &&
	    !rename_ahead(&site, options->arguments.name[0], options->as)) {
		diag_free(diag);
		return EXIT_DONE;
	}
	if (err == -ENOENT && options->boot && options->arguments.count) {
		diag_free(diag);
		return EXIT_DONE; /* udev asks before there is a site file, too */
	}
	return err < 0 ? EXIT_FAILED : apply_site(options, &site, err, diag);
}
