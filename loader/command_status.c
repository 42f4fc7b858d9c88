// SPDX-License-Identifier: GPL-2.0
/* `status`: what is attached. */
#include "loader/command.h"
#include "loader/jsontext.h"
#include "loader/live.h"
#include "loader/report.h"

static json_t *status_json(const struct live *live)
{
	const struct pc_generation *generation = live->filter.current.copy;
	json_t *recipe = json_object_get(live->kept, "recipe");
	char attached[TIME_TEXT], made[TIME_TEXT];
	__free_text char *version =
		xstrndup(generation->program_version, sizeof(generation->program_version));

	return json_pack("{s:o, s:I, s:s, s:s, s:O?, s:O, s:I, s:s, s:s, s:o, s:I, s:o}", "name",
			 text_json(live->hook.name), "ifindex", (json_int_t)live->hook.ifindex,
			 "mode", hook_mode_name(live->hook.mode), "policy",
			 generation->policy == PC_POLICY_OBSERVE ? "observe" : "enforce",
			 "profiles", json_object_get(recipe, "profiles"), "recipe", recipe,
			 "generation", (json_int_t)generation->number, "attached_at",
			 report_time(generation->attached_at, attached), "generation_at",
			 report_time(generation->made_at, made), "program_version",
			 text_json(version), "memory", (json_int_t)filter_memory(&live->filter),
			 "total", report_counts(counters_total(live->counters)));
}

int command_status(const struct options *options, struct diag *diag)
{
	json_t *interfaces;
	struct live *list;
	size_t count, i;

	(void)diag;
	if (kernel_privileged("status") || live_read(&options->arguments, "status", &list, &count))
		return EXIT_FAILED;
	interfaces = json_array();
	for (i = 0; i < count; i++)
		json_array_append_new(interfaces, status_json(&list[i]));
	live_free(list, count);
	report_print(report_new("interfaces", interfaces),
		     options->json ? NULL : report_status_text);
	return EXIT_DONE;
}
