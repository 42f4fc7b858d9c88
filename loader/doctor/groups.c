// SPDX-License-Identifier: GPL-2.0
/* `doctor`'s check of groups with names of hosts: whether name servers answer, and whether the
 * timer asks. */
#include "loader/doctor/groups.h"

#include <errno.h>

#include "loader/base/clock.h"
#include "loader/base/memory.h"
#include "loader/catalog/dns_answer.h"
#include "loader/host/attached.h"
#include "loader/host/dns_renew.h"
#include "loader/recipe/recipe_json.h"
#include "loader/report/json_forms.h"

#define SECOND	1000000000ULL /* in ns */
#define OVERDUE 900	      /* seconds after which the timer is late: it runs each minute */
#define ENABLE	"systemctl enable --now portcullis-dns.timer"

static void look_at(struct doctor *doctor, const char *name)
{
	__cleanup(dns_answer_free) struct dns_answer answer;
	const __u64 now = clock_wall() / SECOND;
	char since[TIME_TEXT];
	int err = dns_answer_read(name, &answer);

	if (err == -EACCES)
		doctor_say(doctor, "groups", DOCTOR_WARNING, DOCTOR_SUDO,
			   DNS_WORD "%s: only root can see its answers", name);
	else if (now > answer.due + OVERDUE)
		doctor_say(doctor, "groups", DOCTOR_WARNING, ENABLE,
			   DNS_WORD "%s: is not asked again since its answer has expired", name);
	else if (!answer.since)
		doctor_say(doctor, "groups", DOCTOR_WARNING, NULL,
			   DNS_WORD "%s: was never answered, and admits no source%s%s", name,
			   answer.error ? ": " : "", answer.error ? answer.error : "");
	else if (answer.failed)
		doctor_say(doctor, "groups", DOCTOR_WARNING, NULL,
			   DNS_WORD
			   "%s: fails since %s (%s): the last addresses that were answered stay",
			   name, report_time(answer.failed * SECOND, since), answer.error);
	else if (answer.error)
		doctor_say(doctor, "groups", DOCTOR_WARNING, NULL, DNS_WORD "%s: %s", name,
			   answer.error);
}

void doctor_groups(struct doctor *doctor)
{
	__cleanup(names_free) struct names names = {};
	struct live *list;
	bool left_out = false;
	size_t count, i;

	if (live_read_kept(&(struct names){}, "doctor", &list, &count, &left_out))
		return;
	for (i = 0; i < count; i++) {
		__cleanup(recipe_free) struct recipe recipe = {};
		__cleanup(diag_free) struct diag unused = {};

		if (!recipe_from_json(&recipe, json_object_get(list[i].kept, "recipe"), &unused))
			dns_names_of_recipe(&recipe, &names);
	}
	live_free(list, count);
	doctor_unhear(doctor);
	for (i = 0; i < names.count; i++)
		look_at(doctor, names.name[i]);
}
