// SPDX-License-Identifier: GPL-2.0
/* `audit`: whether the rules of the filters fit this host, and the evidence for that. */
#include "loader/command/audit.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/clock.h"
#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/shell.h"
#include "loader/command/audit_evidence.h"
#include "loader/command/history.h"
#include "loader/command/swap_plan.h"
#include "loader/filter/cleared.h"
#include "loader/guard/fix.h"
#include "loader/host/attached.h"
#include "loader/host/audit.h"
#include "loader/host/machine_counts.h"
#include "loader/object/privilege.h"
#include "loader/report/json_forms.h"
#include "loader/report/text.h"
#include "loader/report/text_audit.h"
#include "loader/recipe/site.h"

struct auditing {
	const struct options *options;
	struct audited_host host;
	struct site site; /* groups of the site file, for fixes */
	bool fixes;
	struct live *list;
	size_t count;
	bool left_out;
	__u64 since; /* start of counting of the filter that has counted for the shortest time */
	json_t *interfaces, *findings;
};

/* --- fixes --- */

/* The command that opens the port to anyone, or NULL. The caller frees. */
static char *opening(const struct live *live, struct swap_plan *plan, const json_t *finding)
{
	__cleanup(guard_opening_free) struct guard_opening opening = {};
	__free_text char *name = shell_word(live->hook.name);
	const struct guard_need need = {
		.transport = strcmp(text_of(finding, "protocol"), "udp") ? PC_TCP : PC_UDP,
		.port = (__u16)json_integer_value(json_object_get(finding, "port")),
	};
	const struct guard_target target = {
		.interface = live->hook.name,
		.ifindex = live->hook.ifindex,
		.plan = &plan->plan,
		.catalog = &plan->catalog,
		.kept = live->kept,
	};

	if (!guard_open(&guard_explain, &target, &need, &opening) || !*opening.words)
		return NULL;
	return xasprintf("portcullis swap %s %s", name, opening.words);
}

static void add_fixes(const struct auditing *auditing, const struct live *live, json_t *findings)
{
	struct swap_plan *plan =
		auditing->fixes ? swap_plan_as_it_is(live->hook.name, live->kept, &auditing->site) :
				  NULL;
	json_t *finding;
	size_t i;

	json_array_foreach (findings, i, finding) {
		const char *kind = text_of(finding, "kind");
		__free_text char *fix = NULL;

		if (!plan || (strcmp(kind, "listens") != 0 && strcmp(kind, "published") != 0))
			continue;
		fix = opening(live, plan, finding);
		if (fix)
			json_object_set_new(finding, "fix", text_json(fix));
	}
	if (plan)
		swap_plan_free(plan);
	free(plan);
}

/* --- an interface --- */

static int audit_one(struct auditing *auditing, struct live *live,
		     const struct history_lines *lines)
{
	const struct pc_generation *generation = live->filter.current.copy;
	__u64 since = generation->attached_at;
	char text[TIME_TEXT];
	json_t *one, *findings, *counted;
	int err = cleared_subtract(&live->filter, live->counters, &since);

	if (err) {
		error("%s: cannot read the counters of the last --clear: %s", live->hook.name,
		      strerror(-err));
		return err;
	}
	if (!auditing->since || since > auditing->since)
		auditing->since = since;
	counted = json_object();
	one = json_pack("{s:o, s:s, s:I, s:s}", "name", text_json(live->hook.name), "policy",
			generation->policy == PC_POLICY_ENFORCE ? "enforce" : "observe",
			"generation", (json_int_t)generation->number, "since",
			report_time(since, text));
	machine_counts_add(live, true, counted);
	findings =
		audited_findings(&auditing->host, live->hook.name, live->hook.ifindex, live->kept,
				 live->counters, json_object_get(counted, "machines"));
	json_decref(counted);
	add_fixes(auditing, live, findings);
	json_array_extend(auditing->findings, findings);
	json_decref(findings);
	if (auditing->options->evidence)
		audit_evidence(one, live->hook.name, live->kept, lines);
	json_array_append_new(auditing->interfaces, one);
	return 0;
}

static int audit_all(struct auditing *auditing)
{
	__cleanup(history_lines_free) struct history_lines lines = {};
	int err = auditing->options->evidence ? history_open("audit", &lines) : 0;

	for (size_t i = 0; i < auditing->count && !err; i++)
		err = audit_one(auditing, &auditing->list[i], &lines);
	return err;
}

/* --- the report --- */

static json_t *report_of(struct auditing *auditing)
{
	char text[TIME_TEXT], host[HOST_NAME_MAX + 1] = "";
	json_t *report = report_new("findings", json_incref(auditing->findings));

	json_object_set_new(report, "since",
			    auditing->since ? json_string(report_time(auditing->since, text)) :
					      json_null());
	json_object_set(report, "interfaces", auditing->interfaces);
	if (!auditing->options->evidence)
		return report;
	gethostname(host, sizeof(host) - 1);
	json_object_set_new(report, "host", text_json(host));
	json_object_set_new(report, "date", json_string(report_time(clock_wall(), text)));
	json_object_set_new(report, "portcullis", json_string(PORTCULLIS_VERSION));
	return report;
}

static int read_host(struct auditing *auditing)
{
	__cleanup(diag_free) struct diag diag = {};
	int err = live_read(&auditing->options->arguments, "audit", &auditing->list,
			    &auditing->count, &auditing->left_out);

	if (err)
		return err;
	if (!auditing->count) {
		error_fix("portcullis attach IFACE -p PROFILE",
			  "audit: no interface of this network namespace has a filter");
		return -ENOENT;
	}
	err = audited_host_read(&auditing->host);
	if (err)
		error("audit: cannot list what listens on this host: %s", strerror(-err));
	auditing->fixes = !site_open(NULL, &auditing->site, &diag);
	return err;
}

int command_audit(const struct options *options, struct diag *diag)
{
	struct auditing auditing = {
		.options = options, .interfaces = json_array(), .findings = json_array()};
	bool found;
	int err;

	(void)diag;
	err = kernel_privileged("audit");
	if (!err)
		err = read_host(&auditing);
	if (!err)
		err = audit_all(&auditing);
	found = json_array_size(auditing.findings);
	if (!err)
		report_print(report_of(&auditing), options->json     ? NULL :
						   options->evidence ? report_evidence_text :
								       report_audit_text);
	json_decref(auditing.interfaces);
	json_decref(auditing.findings);
	audited_host_free(&auditing.host);
	live_free(auditing.list, auditing.count);
	site_free(&auditing.site);
	return err || auditing.left_out || (options->strict && found) ? EXIT_FAILED : EXIT_DONE;
}
