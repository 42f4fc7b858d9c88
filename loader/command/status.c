// SPDX-License-Identifier: GPL-2.0
/* `status`: the attached filters. */
#include "loader/command/status.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "loader/base/clock.h"
#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/catalog/dns_answer.h"
#include "loader/filter/drop_maps.h"
#include "loader/filter/egress.h"
#include "loader/filter/flows.h"
#include "loader/filter/kernel_memory.h"
#include "loader/filter/limit_maps.h"
#include "loader/host/attached.h"
#include "loader/host/bans.h"
#include "loader/host/dns_renew.h"
#include "loader/host/site_standing.h"
#include "loader/object/privilege.h"
#include "loader/recipe/kept_machines.h"
#include "loader/recipe/recipe_json.h"
#include "loader/recipe/sends.h"
#include "loader/report/json_forms.h"
#include "loader/report/text.h"

/* `egress`: from egress_state. NULL: members of the administrators' group cannot see it. */
static const char *egress_name(const struct live *live, int egress)
{
	if (live->filter.fd[FILTER_EGRESS] < 0)
		return NULL;
	switch (egress) {
	case EGRESS_TCX: return "tcx";
	case EGRESS_CLSACT: return "clsact";
	case EGRESS_MISSING: break;
	}
	return "missing";
}

/* The setting in the recipe's words: with a profile of `outbound: any` it is never enforced. */
static const char *outbound_of(const struct live *live)
{
	const json_t *recipe = json_object_get(live->kept, "recipe");
	const char *word = json_string_value(json_object_get(recipe, "outbound"));

	return word ?: outbound_name[live->filter.current.copy->outbound == PC_OUTBOUND_ENFORCE];
}

static json_t *outbound_any_json(const struct live *live)
{
	__cleanup(names_free) struct names any = {};

	sends_any(json_object_get(live->kept, "recipe"), json_object_get(live->kept, "profiles"),
		  &any);
	return names_json(&any);
}

/* [{"name", "address", "policy", "outbound", "profiles"}] */
static json_t *machines_json(const json_t *kept)
{
	json_t *list = json_array();

	for (size_t i = 0; i < kept_machines(kept); i++) {
		const json_t *address = json_object_get(
			json_array_get(json_object_get(kept, "machines"), i), "address");
		json_t *own = kept_machine(kept, i), *recipe = json_object_get(own, "recipe");

		json_array_append_new(list,
				      json_pack("{s:s, s:O?, s:O?, s:O?, s:O?}", "name",
						kept_machine_name(kept, i), "address", address,
						"policy", json_object_get(recipe, "policy"),
						"outbound", json_object_get(recipe, "outbound"),
						"profiles", json_object_get(recipe, "profiles")));
		json_decref(own);
	}
	return list;
}

/* Names of hosts in its groups that are not answered. */
static json_t *dns_failed_json(const struct live *live)
{
	__cleanup(recipe_free) struct recipe recipe = {};
	__cleanup(names_free) struct names names = {};
	__cleanup(diag_free) struct diag unused = {};
	json_t *list = json_array();
	char since[TIME_TEXT];
	size_t i;

	if (!recipe_from_json(&recipe, json_object_get(live->kept, "recipe"), &unused))
		dns_names_of_recipe(&recipe, &names);
	for (i = 0; i < names.count; i++) {
		__cleanup(dns_answer_free) struct dns_answer answer;

		if (dns_answer_read(names.name[i], &answer) || !answer.failed)
			continue;
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s?}", "name", names.name[i], "since",
						report_time(answer.failed * PC_SECOND, since),
						"error", answer.error));
	}
	return list;
}

/* Adds the state of the egress program. */
static json_t *state_json(const struct live *live, const struct flows *flows, int egress)
{
	const struct pc_generation *generation = live->filter.current.copy;
	const json_t *limit = json_object_get(json_object_get(live->kept, "recipe"), "echo_limit");

	return json_pack("{s:s, s:o, s:b, s:I, s:s?, s:o, s:o}", "outbound", outbound_of(live),
			 "outbound_any", outbound_any_json(live), "forward",
			 generation->forward & PC_FORWARD_OTHERS, "echo_limit",
			 json_is_integer(limit) ? json_integer_value(limit) : ECHO_LIMIT_DEFAULT,
			 "egress", egress_name(live, egress), "flows", flows_use_json(flows),
			 "outbound_total", report_counts(counters_outbound_total(live->counters)));
}

/* Errors are ignored: a state that cannot be read is left out of status. */
static json_t *waits_json(const struct live *live, const struct standing *standing)
{
	__free_text char *waits = NULL;

	messages_to(messages_drop, NULL);
	waits = standing_waits(standing, live->hook.name, live->hook.ifindex, live->kept);
	messages_to(NULL, NULL);
	return text_json(waits);
}

static void read_standing(struct standing *standing)
{
	messages_to(messages_drop, NULL);
	standing_read(standing);
	messages_to(NULL, NULL);
}

static json_t *site_json(const struct standing *standing)
{
	static const char *const name[] = {
		[SITE_WRONG] = "wrong",		[SITE_NEW] = "new",
		[SITE_CONFIRMED] = "confirmed", [SITE_CHANGED] = "changed",
		[SITE_WAITING] = "waiting",	[SITE_REVERTED] = "reverted",
	};

	if (standing->state == SITE_NONE)
		return json_null();
	return json_pack("{s:s, s:s?}", "file", SITE_FILE, "state", name[standing->state]);
}

/* When the record of `drops` begins; NULL, with a message, if that cannot be read. */
static json_t *drops_state_json(const struct live *live)
{
	__cleanup(drops_free) struct drops drops = {};
	char since[TIME_TEXT];
	int err = filter_drops(&live->filter, 0, &(struct prefix){}, &drops);

	if (err) {
		error("%s: cannot read the recorded drops: %s", live->hook.name, strerror(-err));
		return NULL;
	}
	return json_pack("{s:s, s:b, s:I}", "since",
			 report_time(clock_wall() - clock_boot() + drops.since * PC_SECOND, since),
			 "sampled", drops.sampled, "forgotten", (json_int_t)drops.forgotten);
}

static json_t *memory_json(const struct filter *filter)
{
	return filter->fd[FILTER_PROGRAM] < 0 ? json_null() : json_integer(filter_memory(filter));
}

/* Packets above a limit that passed, because there were too many sources to distinguish. */
static json_t *limits_json(const struct filter *filter)
{
	__u64 opened, ago;

	if (limits_opened(filter, &opened, &ago))
		return json_null();
	return json_pack("{s:I, s:o}", "opened", (json_int_t)opened, "ago",
			 opened ? json_integer((json_int_t)ago) : json_null());
}

/* Takes over `drops`. */
static json_t *status_json(const struct live *live, const struct flows *flows,
			   const struct standing *standing, int egress, json_t *drops)
{
	const struct pc_generation *generation = live->filter.current.copy;
	json_t *recipe = json_object_get(live->kept, "recipe"), *status, *state;
	long long bans = bans_count(&live->filter);
	char attached[TIME_TEXT], made[TIME_TEXT];
	__free_text char *version =
		xstrndup(generation->program_version, sizeof(generation->program_version));

	kept_machines_fill(live->kept);
	status =
		json_pack("{s:o, s:I, s:s, s:s, s:O?, s:O, s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:o}",
			  "name", text_json(live->hook.name), "ifindex",
			  (json_int_t)live->hook.ifindex, "mode", hook_mode_name(live->hook.mode),
			  "policy", generation->policy == PC_POLICY_ENFORCE ? "enforce" : "observe",
			  "profiles", json_object_get(recipe, "profiles"), "recipe", recipe,
			  "generation", (json_int_t)generation->number, "attached_at",
			  report_time(generation->attached_at, attached), "generation_at",
			  report_time(generation->made_at, made), "program_version",
			  text_json(version), "confirm", filter_confirm_json(&live->filter),
			  "waits", waits_json(live, standing), "memory", memory_json(&live->filter),
			  "total", report_counts(counters_total(live->counters)));
	json_object_set_new(status, "drops", drops);
	json_object_set_new(status, "dns_failed", dns_failed_json(live));
	json_object_set_new(status, "bans", bans < 0 ? json_null() : json_integer(bans));
	json_object_set_new(status, "limits", limits_json(&live->filter));
	json_object_set_new(status, "machines", machines_json(live->kept));
	state = state_json(live, flows, egress);
	json_object_update(status, state);
	json_decref(state);
	return status;
}

/* Filters of a namespace share a map. `*counted`: the map whose flows are already counted. */
static int count_flows(const struct live *live, __u32 *counted, struct flows *flows)
{
	const struct filter *filter = &live->filter;
	const int map[FLOW_MAPS] = {filter->fd[FILTER_CONNECTIONS], filter->fd[FILTER_STREAMS],
				    filter->fd[FILTER_FLOWS]};
	__u32 id;
	int err = flows_id(filter->fd[FILTER_FLOWS], &id);

	if (!err && id != *counted)
		err = flows_count(map, flows);
	if (err)
		error("%s: cannot read the flows: %s", live->hook.name, strerror(-err));
	else
		*counted = id;
	return err;
}

/* detach removes the egress program after the XDP program, so it is not lost, but being removed. */
static bool just_detached(const struct live *live, int egress)
{
	return egress == EGRESS_MISSING && !hook_there(&live->hook);
}

static int add_status(const struct live *live, const struct flows *flows,
		      const struct standing *standing, bool named, json_t *interfaces)
{
	int egress = egress_state(&live->filter, live->hook.ifindex);
	json_t *drops = drops_state_json(live);
	json_t *status = drops ? status_json(live, flows, standing, egress, drops) : NULL;

	if (!status)
		return -EIO;
	if (!just_detached(live, egress))
		return json_array_append_new(interfaces, status) ? -ENOMEM : 0;
	json_decref(status);
	return named ? hook_missing(&live->hook, "status") : 0;
}

int command_status(const struct options *options, struct diag *diag)
{
	__cleanup(standing_free) struct standing standing = {};
	struct flows flows = {};
	json_t *interfaces, *report;
	struct live *list;
	__u32 counted = 0;
	size_t count, i;
	bool left_out;
	int err = 0;

	(void)diag;
	if (kernel_readable("status") ||
	    live_read(&options->arguments, "status", &list, &count, &left_out))
		return EXIT_FAILED;
	read_standing(&standing);
	interfaces = json_array();
	for (i = 0; i < count && !err; i++) {
		err = count_flows(&list[i], &counted, &flows);
		if (!err)
			err = add_status(&list[i], &flows, &standing, options->arguments.count,
					 interfaces);
	}
	live_free(list, count);
	if (err) {
		json_decref(interfaces);
		return EXIT_FAILED;
	}
	report = report_new("interfaces", interfaces);
	json_object_set_new(report, "site", site_json(&standing));
	if (options->json || !left_out || count)
		report_print(report, options->json ? NULL : report_status_text);
	else
		json_decref(report);
	return left_out ? EXIT_FAILED : EXIT_DONE;
}
