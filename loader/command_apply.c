// SPDX-License-Identifier: GPL-2.0
/*
 * `apply`: makes this network namespace, or some of its interfaces, what the site file says; all of
 * it or nothing, but at boot as much as can be.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loader/change.h"
#include "loader/command.h"
#include "loader/link.h"
#include "loader/object.h"
#include "loader/takeover.h"

/* One interface: what the file says, and what is there. */
struct target {
	const struct site_interface *wanted; /* NULL: the file does not name it */
	struct plan plan;
	json_t *kept; /* what is there was made from */
};

struct apply {
	const struct options *options;
	const struct site *site;
	struct catalog catalog;
	int *ifindex; /* of each interface of the site; 0: it is not there */
	struct target *target;
	struct changes changes;		    /* a change a target */
	const struct site_interface *alone; /* NULL: all that the command line means */
	bool first_pass; /* at boot, before the wait for those that are not there */
	size_t left_out; /* interfaces that are not there, or at boot cannot be filtered */
};

/* Its ifindex, 0: there is none; -errno. */
static int find(const struct site_interface *wanted)
{
	char real[IF_NAMESIZE];

	return link_find(wanted->name, real);
}

/* Whether the file's `wanted` is what the command line calls `name`. */
static bool is_named(const struct site_interface *wanted, const char *name)
{
	char real[IF_NAMESIZE];

	return !strcmp(wanted->name, name) ||
	       (link_find(wanted->name, real) > 0 && !strcmp(real, name));
}

/* Without a name on the command line it means every interface of the file. */
static bool is_meant(const struct options *options, const struct site_interface *wanted)
{
	const struct names *names = &options->arguments;
	size_t i;

	for (i = 0; i < names->count; i++)
		if (is_named(wanted, names->name[i]))
			return true;
	return !names->count;
}

/*
 * Every name on the command line must stand in the file. At boot udev asks for each interface that
 * comes: -ENOENT without a message if the file has none of them.
 */
static int check_names(const struct options *options, const struct site *site)
{
	size_t i, j, found = 0;
	int err = 0;

	for (i = 0; i < options->arguments.count; i++) {
		const char *name = options->arguments.name[i];

		for (j = 0; j < site->interfaces && !is_named(&site->interface[j], name); j++)
			;
		if (j < site->interfaces) {
			found++;
		} else if (!options->boot) {
			error("apply: %s: is not in the site file %s", name, site->path);
			err = -EINVAL;
		}
	}
	return !err && options->arguments.count && !found ? -ENOENT : err;
}

static bool all_there(const struct options *options, const struct site *site)
{
	size_t i;

	for (i = 0; i < site->interfaces; i++)
		if (is_meant(options, &site->interface[i]) && !find(&site->interface[i]))
			return false;
	return true;
}

/* At boot, interfaces come when their drivers are ready. */
static void wait_for_interfaces(const struct options *options, const struct site *site)
{
	static const struct timespec pause = {.tv_nsec = 50000000};
	unsigned int i;

	for (i = 0; i < options->wait * 20 && !all_there(options, site); i++)
		nanosleep(&pause, NULL);
}

static bool same_part(const json_t *a, const json_t *b, const char *key)
{
	return json_equal(json_object_get(a, key), json_object_get(b, key));
}

static int check_mode(const struct change *change, enum hook_mode wanted)
{
	if (wanted == HOOK_AUTO || wanted == change->hook.mode)
		return 0;
	error("%s: is attached in %s mode, and the site file wants %s: portcullis detach %s, then apply again",
	      change->name, hook_mode_name(change->hook.mode), hook_mode_name(wanted),
	      change->name);
	return -EINVAL;
}

static int check_flows(const struct change *change)
{
	struct bpf_map_info info;
	int err = change->flows ? object_map(change->filter.flows, &info) : 0;

	if (err || !change->flows || info.max_entries == change->flows)
		return err;
	error("%s: this network namespace has a map of %u flows, and the site file wants %u: portcullis detach every interface, then apply again",
	      change->name, info.max_entries, change->flows);
	return -EINVAL;
}

/* What is as wanted may still wait to be confirmed. 1: it is to be swapped, for a new deadline. */
static int say_same(const struct apply *apply, struct change *change)
{
	__u64 deadline = change->filter.current.copy->deadline, now = boot_time();
	int err;

	if (!deadline) {
		say_line("%s: is as the site file says", change->name);
		return 0;
	}
	if (apply->options->confirm)
		return 1;
	if (!apply->options->boot || apply->options->dry_run) {
		say_line(
			"%s: is as the site file says, but waits to be confirmed, %llu s: portcullis confirm %s",
			change->name, deadline > now ? (deadline - now) / PC_SECOND : 0,
			change->name);
		return 0;
	}
	err = filter_confirm(&change->filter);
	if (!err)
		say_line("%s: is as the site file says, and final now", change->name);
	return err == -ETIME ? 1 : err;
}

/* Of one that is attached: 1 if it is to be swapped, 0 if it is as wanted. */
static int compare(const struct apply *apply, struct target *target, struct change *change)
{
	const struct takeover how = {
		.command = "apply",
		.management = apply->changes.management,
		.force = apply->changes.force,
		.confirm = change->confirm,
		.dry_run = apply->options->dry_run,
	};
	int err = takeover(&change->hook, &how);

	if (err)
		return err;
	err = filter_open(change->hook.id, &change->filter);
	if (err == -ENOENT)
		err = hook_missing(&change->hook, "apply");
	if (!err && !apply->options->dry_run)
		err = filter_ready(&change->filter, change->name);
	if (!err)
		err = check_mode(change, target->wanted->mode);
	if (!err)
		err = check_flows(change);
	if (!err)
		err = plan_kept(change->name, &change->filter, &target->kept);
	if (err)
		return err;
	change->kept = target->kept;
	if (same_part(target->kept, target->plan.kept, "recipe") &&
	    same_part(target->kept, target->plan.kept, "profiles"))
		return say_same(apply, change);
	return 1;
}

static struct change *add(struct apply *apply, enum change_kind kind, const char *name)
{
	struct change *change = &apply->changes.change[apply->changes.count++];

	*change = (struct change){.kind = kind, .name = name, .filter = FILTER_NONE};
	return change;
}

/* Takes the last change back. */
static void drop(struct apply *apply)
{
	struct target *target = &apply->target[--apply->changes.count];

	filter_close(&apply->changes.change[apply->changes.count].filter);
	plan_free(&target->plan);
	json_decref(target->kept);
	*target = (struct target){};
}

static unsigned int wanted_confirm(const struct options *options,
				   const struct site_interface *wanted)
{
	if (options->boot)
		return 0;
	return options->confirm ? options->confirm : wanted->confirm;
}

/* An interface of the file: what is to be done with it, if anything. */
static int plan_wanted(struct apply *apply, const struct site_interface *wanted, struct diag *diag)
{
	struct target *target = &apply->target[apply->changes.count];
	struct change *change = add(apply, CHANGE_ATTACH, wanted->name);
	size_t i;
	int err;

	*target = (struct target){.wanted = wanted};
	change->plan = &target->plan;
	change->catalog = &apply->catalog;
	change->mode = wanted->mode;
	change->flows = wanted->flows;
	change->confirm = wanted_confirm(apply->options, wanted);
	err = plan_make(&apply->catalog, &apply->options->catalog, &wanted->recipe,
			apply->options->strict, &target->plan, diag);
	if (!err)
		err = hook_find(wanted->name, &change->hook);
	if (err)
		return err;
	change->name = change->hook.name; /* the real one */
	for (i = 0; i + 1 < apply->changes.count; i++)
		if (apply->changes.change[i].hook.ifindex == change->hook.ifindex) {
			error("%s: is %s, which the site file names already", wanted->name,
			      change->hook.name);
			return -EINVAL;
		}
	if (!change->hook.id[0])
		return change_find_free(change);
	change->kind = CHANGE_SWAP;
	err = compare(apply, target, change);
	if (!err)
		drop(apply);
	return err < 0 ? err : 0;
}

static bool is_wanted(const struct apply *apply, unsigned int ifindex)
{
	size_t i;

	for (i = 0; i < apply->site->interfaces; i++)
		if (apply->ifindex[i] == (int)ifindex)
			return true;
	return false;
}

/* The filters of interfaces that the file does not name. */
static void plan_detaches(struct apply *apply, const struct hook *hook, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!is_wanted(apply, hook[i].ifindex)) {
			struct change *change = add(apply, CHANGE_DETACH, hook[i].name);

			change->hook = hook[i];
			change->filter.ifindex = hook[i].ifindex;
			memcpy(change->filter.id, hook[i].id, sizeof(change->filter.id));
		}
}

/* At boot an interface that cannot be filtered must not keep the others open. */
static void leave_out(struct apply *apply, const struct site_interface *wanted)
{
	drop(apply);
	apply->left_out++;
	error("%s: left out, and stays as it is; the other interfaces are applied", wanted->name);
}

static int plan_all(struct apply *apply, struct diag *diag)
{
	const struct site *site = apply->site;
	bool missing = false;
	size_t i;
	int err = 0;

	for (i = 0; i < site->interfaces; i++) {
		const struct site_interface *wanted = &site->interface[i];

		if (apply->alone ? wanted != apply->alone : !is_meant(apply->options, wanted))
			continue;
		apply->ifindex[i] = find(wanted);
		if (apply->ifindex[i] < 0) {
			error("%s: cannot look for it: %s", wanted->name,
			      strerror(-apply->ifindex[i]));
			err = apply->ifindex[i];
		} else if (!apply->ifindex[i] && apply->first_pass) {
			say_line("%s: not there yet; waiting up to %u s for it", wanted->name,
				 apply->options->wait);
		} else if (!apply->ifindex[i]) {
			error("%s: no such interface in this network namespace%s", wanted->name,
			      apply->options->boot || apply->options->wait ?
				      ": left out" :
				      "; --wait SECONDS waits for it");
			apply->left_out++;
			missing = true;
		} else if (plan_wanted(apply, wanted, diag)) {
			if (apply->options->boot)
				leave_out(apply, wanted);
			else
				err = -EINVAL;
		}
	}
	if (!err && missing && !apply->options->boot && !apply->options->wait)
		err = -ENODEV;
	return err;
}

static int carry_out(struct apply *apply, struct diag *diag)
{
	struct changes *changes = &apply->changes;
	struct hook *hook;
	size_t count, room, i;
	int err = hook_list(&hook, &count);

	if (err)
		return err;
	room = apply->site->interfaces + count;
	changes->change = xcalloc(room, sizeof(*changes->change));
	apply->target = xcalloc(room, sizeof(*apply->target));
	apply->ifindex = xcalloc(apply->site->interfaces, sizeof(*apply->ifindex));
	err = plan_all(apply, diag);
	if (!err) {
		diag_print(diag, stderr);
		diag_free(diag);
		if (!apply->alone && !apply->options->arguments.count)
			plan_detaches(apply, hook, count);
		for (i = 0; i < changes->count; i++)
			if (changes->change[i].kind == CHANGE_ATTACH)
				plan_warn_open(changes->change[i].plan);
		err = changes_run(changes);
	} else {
		error("nothing was changed: every interface is as it was");
	}
	free(hook);
	while (changes->count)
		drop(apply);
	free(changes->change);
	free(apply->target);
	free(apply->ifindex);
	return err;
}

/*
 * The interfaces one by one: at boot the one that fails must not keep the others open. An error if
 * all fail.
 */
static int carry_out_alone(struct apply *apply, struct diag *diag)
{
	const struct site *site = apply->site;
	size_t i, done = 0, failed = 0;
	int err, last = 0;

	apply->left_out = 0;
	for (i = 0; i < site->interfaces; i++) {
		if (!is_meant(apply->options, &site->interface[i]))
			continue;
		apply->alone = &site->interface[i];
		err = carry_out(apply, diag);
		if (err) {
			last = err;
			failed++;
			error("%s: left out, and stays as it is; the other interfaces are applied",
			      apply->alone->name);
		} else {
			done++;
		}
	}
	apply->alone = NULL;
	apply->left_out += failed;
	return done ? 0 : last;
}

static int apply_once(struct apply *apply, struct diag *diag)
{
	__close_fd int lock = -1;
	int err;

	if (!apply->options->dry_run &&
	    (pins_ready(true) < 0 || pins_lock(&lock) || hook_collect()))
		return -EPERM;
	apply->left_out = 0;
	err = carry_out(apply, diag);
	return err && apply->options->boot ? carry_out_alone(apply, diag) : err;
}

/* At boot the interfaces that are there get their filter before the wait for the others. */
static int apply_waiting(struct apply *apply, struct diag *diag)
{
	const struct options *options = apply->options;

	if (options->boot && options->wait && !options->dry_run &&
	    !all_there(options, apply->site)) {
		apply->first_pass = true;
		apply_once(apply, diag); /* what fails here is tried and told again below */
		apply->first_pass = false;
	}
	wait_for_interfaces(options, apply->site);
	return apply_once(apply, diag);
}

int command_apply(const struct options *options, struct diag *diag)
{
	__cleanup(site_free) struct site site = {};
	struct apply apply = {.options = options, .site = &site};
	int err;

	if (options->confirm && options->boot) {
		error("apply: --confirm and --boot exclude each other");
		return EXIT_USAGE;
	}
	err = site_read(options->site ? options->site : SITE_FILE, &site, diag);
	if (err == -ENOENT)
		error("apply: %s: there is no site file; portcullis-site(5) tells what stands in it",
		      options->site ? options->site : SITE_FILE);
	if (!err && !site.interfaces_given) {
		error("apply: %s: there is no key 'interfaces': it has groups only; 'interfaces: {}' has every filter of this network namespace detached",
		      site.path);
		err = -EINVAL;
	}
	if (!err)
		err = check_names(options, &site);
	if (err == -ENOENT && options->boot && site.interfaces_given)
		return EXIT_DONE;
	if (err || catalog_open(&options->catalog, &apply.catalog, diag))
		return EXIT_FAILED;
	err = site_check(&apply.catalog, &site, diag);
	if (!err)
		err = kernel_privileged("apply");
	apply.changes = (struct changes){
		.command = "apply",
		.done = "changed",
		.management = site.management_given ? &site.management : NULL,
		/* At boot a stranger's connection to a watched port must not keep the host open. */
		.force = options->force || options->boot,
		.dry_run = options->dry_run,
	};
	if (!err)
		err = apply_waiting(&apply, diag);
	catalog_close(&apply.catalog);
	if (err || (apply.left_out && !options->boot))
		return EXIT_FAILED;
	return apply.left_out ? EXIT_INCOMPLETE : EXIT_DONE;
}
