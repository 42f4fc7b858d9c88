// SPDX-License-Identifier: GPL-2.0
/* `attach`: compiles profiles and attaches them to interfaces, all of them or none. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loader/command.h"
#include "loader/difference.h"
#include "loader/link.h"
#include "loader/plan.h"

/* One interface on its way to be attached. */
struct target {
	struct hook hook;
	struct filter filter;
	enum hook_mode mode;
	bool seeded; /* conntrack knows all that is forwarded by it */
};

/*
 * How long egress learns what is forwarded before packets are judged, where conntrack cannot tell:
 * whoever gets data acknowledges it within half a second (RFC 1122, 4.2.3.2), so this is twice
 * that.
 */
static const struct timespec learning_time = {.tv_sec = 1};

/* Every interface is there and free, before anything is made. */
static int find_targets(const struct names *interfaces, struct target *target)
{
	size_t i, j;
	int err;

	for (i = 0; i < interfaces->count; i++) {
		err = hook_find(interfaces->name[i], &target[i].hook);
		if (err)
			return err;
		if (target[i].hook.id[0]) {
			error("%s: portcullis is attached already; portcullis swap %s -p PROFILE changes the profile",
			      target[i].hook.name, target[i].hook.name);
			return -EEXIST;
		}
		err = hook_free(&target[i].hook);
		if (err)
			return err;
		for (j = 0; j < i; j++)
			if (target[j].hook.ifindex == target[i].hook.ifindex) {
				error("%s: is %s, which is named already", interfaces->name[i],
				      target[j].hook.name);
				return -EINVAL;
			}
	}
	return 0;
}

static int load_one(struct target *target, const struct filter *with, const struct plan *plan,
		    __u32 flows)
{
	int err = filter_load_sharing(&target->filter, with, flows);

	target->filter.ifindex = target->hook.ifindex;
	return err ? err : filter_switch(&target->filter, &plan->tables, plan->text);
}

/* The egress side first: when packets begin to be judged, their answers are learned already. */
static int hook_egress(struct target *target, bool forward)
{
	int err = filter_pin_egress(&target->filter);

	if (!err)
		err = egress_attach(&target->filter, target->hook.name, target->hook.ifindex);
	if (!err)
		target->seeded = seed_live(&target->filter, target->hook.ifindex, forward);
	return err;
}

/* Once for all interfaces, after all their egress hooks. */
static void learn_forwarded(const struct target *target, size_t count)
{
	size_t i;

	for (i = 0; i < count && target[i].seeded; i++)
		;
	if (i < count)
		nanosleep(&learning_time, NULL);
}

/* The flow maps are those of the namespace, else those of the first interface. */
static int load_all(struct target *target, size_t count, const struct plan *plan, __u32 flows)
{
	__cleanup(filter_close) struct filter with = FILTER_NONE;
	size_t i;
	int err = share_find(flows, &with);

	for (i = 0; i < count && !err; i++)
		err = load_one(&target[i], i && with.flows < 0 ? &target[0].filter : &with, plan,
			       flows ? flows : PC_FLOWS);
	return err;
}

/*
 * Pins last: until then the links end with this process. What does not, a filter at a clsact, the
 * next command finds by the folder that hook_egress made.
 */
static int attach_all(struct target *target, size_t count, const struct plan *plan,
		      const struct options *options)
{
	bool forward = plan->tables.generation->forward;
	size_t i;
	int err = load_all(target, count, plan, options->flows);

	for (i = 0; i < count && !err; i++)
		err = hook_egress(&target[i], forward);
	if (!err && forward)
		learn_forwarded(target, count);
	for (i = 0; i < count && !err; i++) {
		target[i].mode = options->mode;
		err = hook_attach(&target[i].filter, &target[i].hook, &target[i].mode);
	}
	for (i = 0; i < count && !err; i++)
		err = filter_pin(&target[i].filter);
	for (i = 0; err && i < count; i++)
		filter_detach(&target[i].filter);
	if (err && count > 1)
		error("nothing was attached: every interface is as it was");
	for (i = 0; !err && i < count; i++) {
		link_warn(target[i].hook.name, target[i].hook.ifindex, forward);
		plan_summary(plan, target[i].hook.name, hook_mode_name(target[i].mode), stdout);
	}
	return err;
}

static struct target *make_targets(size_t count)
{
	struct target *target = xcalloc(count, sizeof(*target));
	size_t i;

	for (i = 0; i < count; i++)
		target[i].filter = FILTER_NONE;
	return target;
}

static int attach(const struct options *options, const struct plan *plan)
{
	size_t count = options->arguments.count, i;
	struct target *target;
	__close_fd int lock = -1;
	int err;

	if (kernel_privileged("attach") || pins_ready(true) < 0 || pins_lock(&lock) ||
	    hook_collect())
		return EXIT_FAILED;
	target = make_targets(count);
	err = find_targets(&options->arguments, target);
	if (!err)
		err = attach_all(target, count, plan, options);
	share_settle();
	for (i = 0; i < count; i++)
		filter_close(&target[i].filter);
	free(target);
	return err ? EXIT_FAILED : EXIT_DONE;
}

static int dry_run(const struct options *options, const struct plan *plan)
{
	struct target *target = make_targets(options->arguments.count);
	__cleanup(filter_close) struct filter with = FILTER_NONE;
	json_t *none = json_object();
	int err = find_targets(&options->arguments, target);
	size_t i;

	if (!err)
		err = share_find(options->flows, &with);
	for (i = 0; !err && i < options->arguments.count; i++) {
		plan_summary(plan, target[i].hook.name, "would attach", stdout);
		difference_print(none, plan->kept, stdout);
	}
	json_decref(none);
	free(target);
	return err ? EXIT_FAILED : EXIT_DONE;
}

int command_attach(const struct options *options, struct diag *diag)
{
	__cleanup(catalog_close) struct catalog catalog = {};
	__cleanup(recipe_free) struct recipe recipe = {};
	__cleanup(plan_free) struct plan plan = {};

	if (!options->arguments.count || !options->profile.count) {
		error("attach: %s is missing: portcullis attach IFACE... -p PROFILE[,PROFILE]",
		      options->arguments.count ? "-p PROFILE" : "the interface");
		return EXIT_USAGE;
	}
	if (names_twice(&options->arguments)) {
		error("attach: %s: named twice", names_twice(&options->arguments));
		return EXIT_USAGE;
	}
	if (catalog_open(&options->catalog, &catalog, diag) ||
	    options_apply(options, &recipe, diag) ||
	    plan_make(&catalog, &options->catalog, &recipe, options->strict, &plan, diag))
		return EXIT_FAILED;
	diag_print(diag, stderr);
	diag_free(diag);
	plan_warn_open(&plan);
	plan_features(&plan, stderr);
	return options->dry_run ? dry_run(options, &plan) : attach(options, &plan);
}
