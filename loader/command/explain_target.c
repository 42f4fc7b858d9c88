// SPDX-License-Identifier: GPL-2.0
/* The filters that `explain` asks. */
#include "loader/command/explain_target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/compile/kept.h"
#include "loader/host/bans.h"
#include "loader/host/grants.h"
#include "loader/host/site_links.h"
#include "loader/net/frame_find.h"
#include "loader/net/link.h"

/* --- what is asked --- */

/* Whether a planned filter is for this host, so that its bans apply. */
static bool is_of_host(const struct explain_targets *targets, const struct explain_target *target)
{
	return !targets->told || (targets->of_host && target->ifindex);
}

static int open_plan(const struct explain_targets *targets, struct explain_target *target)
{
	enum pc_frame frame = PC_FRAME_ETHERNET;
	int err = target->ifindex ? frame_of(target->name, target->ifindex, &frame) : 0;

	target->kept = target->planned->plan.kept;
	if (!err)
		err = question_open_new(&target->question, &target->planned->plan.tables, frame,
					target->ifindex, targets->told);
	if (err)
		return err;
	if (targets->told && is_of_host(targets, target))
		err = grants_imagine(&target->question.filter);
	return err ? err : bans_imagine(&target->question.filter, is_of_host(targets, target));
}

static int open_target(const struct explain_targets *targets, struct explain_target *target)
{
	int err = target->live ?
			  question_open(&target->question, &target->live->filter, targets->told) :
			  open_plan(targets, target);

	if (!err)
		target->services = event_services_new(target->kept);
	return err;
}

static struct explain_target *add_target(struct explain_targets *targets)
{
	struct explain_target *target;

	targets->target = grow(targets->target, targets->count, sizeof(*targets->target));
	target = &targets->target[targets->count++];
	*target = (struct explain_target){.question = {.filter = FILTER_NONE}};
	return target;
}

static void name_target(struct explain_target *target, const char *name, unsigned int ifindex)
{
	snprintf(target->name, sizeof(target->name), "%s", name);
	target->ifindex = ifindex;
}

/* --- a filter as it is --- */

/* A wrong site file does not prevent the answer, but `swap` would fail, so there is no fix. */
static bool read_groups(struct explain_targets *targets)
{
	__cleanup(diag_free) struct diag diag = {};

	if (!site_open(NULL, &targets->site, &diag))
		return true;
	warning("%s: no fix is shown, because none would work while the site file has errors: portcullis check",
		targets->command);
	return false;
}

static void add_live(struct explain_targets *targets)
{
	bool fixes = read_groups(targets);
	size_t i;

	for (i = 0; i < targets->lives; i++) {
		struct explain_target *target = add_target(targets);
		const struct live *live = &targets->live[i];

		name_target(target, live->hook.name, live->hook.ifindex);
		target->live = live;
		target->hook = &live->hook;
		target->kept = live->kept;
		if (fixes)
			target->planned =
				swap_plan_as_it_is(target->name, target->kept, &targets->site);
	}
}

/* --- a filter that is not there yet --- */

/* The plan that `swap` with these options would make for an attached filter. */
static int add_swap(const struct options *options, const struct live *live,
		    struct explain_targets *targets, struct diag *diag)
{
	struct explain_target *target = add_target(targets);

	name_target(target, live->hook.name, live->hook.ifindex);
	target->hook = &live->hook;
	target->planned = xcalloc(1, sizeof(*target->planned));
	target->planned->name = target->name;
	target->planned->quiet = true;
	target->planned->kept = json_incref(live->kept);
	return swap_plan_make(options, &targets->site, target->planned, diag);
}

/* The plan that `attach` with these options would make. */
static int add_attach(const struct options *options, const char *interface,
		      struct explain_targets *targets, struct diag *diag)
{
	struct explain_target *target = add_target(targets);
	struct swap_plan *plan = xcalloc(1, sizeof(*plan));
	int err, ifindex;

	target->planned = plan;
	if (interface) {
		ifindex = link_find(interface, target->name);
		if (ifindex < 0)
			return ifindex;
		target->ifindex = (unsigned int)ifindex;
	}
	site_merge_groups(&targets->site, target->name, &plan->recipe);
	site_deny(&targets->site, &plan->recipe);
	err = catalog_open(&options->catalog, &plan->catalog, diag);
	if (!err)
		err = options_apply(options, &plan->recipe, diag);
	return err ? err :
		     plan_make(&plan->catalog, &options->catalog, &plan->recipe, options->strict,
			       &plan->plan, diag);
}

/* The plan that `apply` would make for an interface of the site file. */
static int add_of_site(const struct options *options, const struct site_interface *interface,
		       struct explain_targets *targets, struct diag *diag)
{
	struct explain_target *target = add_target(targets);
	int err, ifindex = link_find(interface->name, target->name);

	if (ifindex > 0)
		target->ifindex = (unsigned int)ifindex;
	else
		name_target(target, interface->name, 0);
	target->of = &targets->site;
	target->planned = xcalloc(1, sizeof(*target->planned));
	err = catalog_open(&options->catalog, &target->planned->catalog, diag);
	return err ? err :
		     plan_make(&target->planned->catalog, &options->catalog, &interface->recipe,
			       options->strict, &target->planned->plan, diag);
}

static int add_site(const struct options *options, const char *interface,
		    struct explain_targets *targets, struct diag *diag)
{
	__cleanup(names_free) struct names named = {};
	struct site *site = &targets->site;
	size_t errors = diag->errors, i;
	int err = 0;

	if (interface)
		names_add(&named, interface);
	site_take_links(site, &named, diag);
	if (diag->errors != errors)
		return -EINVAL;
	if (interface && !site_interface(site, interface)) {
		error("%s: %s: does not list the interface %s", targets->command, options->site,
		      interface);
		return -ENOENT;
	}
	for (i = 0; i < site->interfaces && !err; i++)
		if (!interface || !strcmp(site->interface[i].name, interface))
			err = add_of_site(options, &site->interface[i], targets, diag);
	if (!err && !targets->count) {
		error("%s: %s: lists no interface", targets->command, options->site);
		return -ENOENT;
	}
	return err;
}

static int add_planned(const struct options *options, const char *interface,
		       struct explain_targets *targets, struct diag *diag)
{
	size_t i;
	int err = 0;

	if (!targets->lives && options->profile.count)
		return add_attach(options, interface, targets, diag);
	for (i = 0; i < targets->lives && !err; i++)
		err = add_swap(options, &targets->live[i], targets, diag);
	return err;
}

/* --- all --- */

/* Adds the attached filters; none if an interface without one gets a plan of its own. */
static int read_live(const struct options *options, const char *interface, bool plans,
		     struct explain_targets *targets)
{
	__cleanup(names_free) struct names named = {};
	struct hook hook = {};
	int err = 0;

	if (interface && plans && options->profile.count) {
		__cleanup(hooks_free) struct hooks hooks = {};

		err = hooks_read(&hooks);
		if (!err)
			err = hook_find(&hooks, interface, &hook);
		if (err || !hook.id[0])
			return err;
	}
	if (interface)
		names_add(&named, interface);
	err = live_read_kept(&named, targets->command, &targets->live, &targets->lives,
			     &targets->left_out);
	if (!err && !targets->lives && !(plans && options->profile.count)) {
		error_fix(
			"portcullis attach IFACE -p PROFILE",
			"%s: no interface of this network namespace has a filter: every packet passes",
			targets->command);
		return -ENOENT;
	}
	return err;
}

int explain_targets_open(const struct options *options, const char *interface,
			 struct explain_targets *targets, struct diag *diag)
{
	bool plans = options_given(options, OPTIONS_RECIPE | OPTIONS_SWAP);
	bool of_site = options->site && !plans;
	size_t i;
	int err = plans || of_site ? site_open(options->site, &targets->site, diag) : 0;

	if (!err && !of_site)
		err = read_live(options, interface, plans, targets);
	if (err)
		return err;
	/* For --site and -p alone, that is not known. */
	targets->of_host = interface || (!options->site && !options->profile.count);
	if (of_site)
		err = add_site(options, interface, targets, diag);
	else if (plans)
		err = add_planned(options, interface, targets, diag);
	else
		add_live(targets);
	for (i = 0; i < targets->count && !err; i++)
		err = open_target(targets, &targets->target[i]);
	return err;
}

void explain_targets_close(struct explain_targets *targets)
{
	size_t i;

	for (i = 0; i < targets->count; i++) {
		struct explain_target *target = &targets->target[i];

		question_close(&target->question);
		event_services_free(&target->services);
		if (target->planned)
			swap_plan_free(target->planned);
		free(target->planned);
	}
	free(targets->target);
	live_free(targets->live, targets->lives);
	site_free(&targets->site);
}
