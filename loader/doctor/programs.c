// SPDX-License-Identifier: GPL-2.0
/* Reports programs of other tools at the hooks of an interface. */
#include "loader/doctor/programs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/doctor/attach_words.h"
#include "loader/filter/hold.h"
#include "loader/net/netlink.h"
#include "loader/net/tc.h"
#include "loader/object/pin.h"
#include "loader/object/tc_programs.h"

static void check_xdp(struct doctor *doctor, const struct patient *patient)
{
	const struct hook *hook = &patient->hook;
	/* the word that ip-link(8) uses */
	const char *kind = hook->mode == HOOK_GENERIC ? "xdpgeneric" : "xdp";
	__free_text char *program = NULL;
	__free_text char *fix = NULL;
	__u32 link;

	if (!hook->program_id || hook->id[0]) {
		doctor_say(doctor, "xdp", DOCTOR_OK, NULL, "no other program is at the hook");
		return;
	}
	if (hold_is(hook->program_id)) {
		doctor_say(
			doctor, "xdp", DOCTOR_WARNING, NULL,
			"another portcullis command is attaching a filter: every packet is dropped until the filter is attached; run doctor again");
		return;
	}
	program = program_text(hook->program_id);
	link = hook_link(hook);
	fix = link ? xasprintf("bpftool link detach id %u", link) :
		     xasprintf("ip link set dev %s %s off", patient->name, kind);
	if (doctor->privileged)
		doctor_say(
			doctor, "xdp", DOCTOR_PROBLEM, fix,
			"another XDP program is attached: %s (%s); portcullis leaves it alone, and cannot attach beside it",
			program, hook_mode_name(hook->mode));
	else
		doctor_say(doctor, "xdp", DOCTOR_WARNING, DOCTOR_SUDO,
			   "a program is attached, %s (%s); only root can see whose it is", program,
			   hook_mode_name(hook->mode));
}

/* --- tc --- */

/* Warns if another tool's program runs before ours, because it may drop or change packets. */
static bool is_preceded(const struct programs *programs, __u32 own)
{
	size_t i;

	for (i = 0; i < programs->count; i++)
		if (programs->id[i] == own)
			return i > 0;
	return false;
}

static void append(struct programs *programs, const struct programs *more)
{
	size_t i;

	for (i = 0; i < more->count && programs->count < PROGRAMS_MOST; i++)
		programs->id[programs->count++] = more->id[i];
	programs->others += more->others;
}

static void say_side(struct doctor *doctor, const char *check, const struct programs *programs,
		     __u32 own)
{
	__free_text char *text = programs_text(programs, own);

	doctor_say(doctor, check, DOCTOR_OK, NULL,
		   text[0] ? "programs of others run here, too: %s" : "no program of others%s",
		   text);
}

/* The older qdisc `ingress` takes the place of clsact, which kernels without tcx need. */
static void check_qdisc(struct doctor *doctor, const struct patient *patient)
{
	__cleanup(netlink_close) struct mnl_socket *socket = NULL;
	__free_text char *fix = xasprintf("tc qdisc del dev %s ingress", patient->name);
	enum tc_qdisc found = TC_QDISC_NONE;

	if (netlink_open(NETLINK_ROUTE, &socket) ||
	    tc_qdisc_find(socket, patient->hook.ifindex, &found) || found != TC_QDISC_OTHER)
		return;
	doctor_say(
		doctor, "tc-egress", DOCTOR_PROBLEM, fix,
		"an ingress qdisc is in the place where this kernel, which has no tcx, needs clsact for the egress program");
}

/* Checks ingress and egress. False, after a finding, if tcx cannot be queried. */
static bool list_all(struct doctor *doctor, const struct patient *patient, struct programs *ingress,
		     struct programs *egress)
{
	int err = programs_tcx(patient->hook.ifindex, TCX_INGRESS, ingress);

	if (err == -EINVAL)
		check_qdisc(doctor, patient);
	else if (!err)
		err = programs_tcx(patient->hook.ifindex, TCX_EGRESS, egress);
	if (!err || err == -EINVAL)
		return true;
	doctor_say(doctor, "tc", DOCTOR_WARNING, doctor->privileged ? NULL : DOCTOR_SUDO,
		   "cannot see the programs at tcx: %s", strerror(-err));
	return false;
}

static void check_tc(struct doctor *doctor, const struct patient *patient)
{
	struct programs ingress = {}, egress = {}, later = {};
	__free_text char *recipe = doctor_recipe(patient);
	__free_text char *fix = xasprintf("portcullis detach %s && portcullis attach %s%s",
					  patient->name, patient->name, recipe);
	__u32 own = 0;

	if (!list_all(doctor, patient, &ingress, &egress))
		return;
	if (patient->open)
		object_program(patient->filter.fd[FILTER_EGRESS], &own);
	programs_clsact(patient->hook.ifindex, TC_INGRESS, &ingress);
	programs_clsact(patient->hook.ifindex, TC_EGRESS, &later);
	if (is_preceded(&egress, own) || is_preceded(&later, own))
		doctor_say(
			doctor, "tc-egress", DOCTOR_WARNING, fix,
			"another program runs before the filter, which sees only the packets that it lets through");
	say_side(doctor, "tc-ingress", &ingress, 0);
	append(&egress, &later);
	say_side(doctor, "tc-egress", &egress, own);
}

void doctor_programs(struct doctor *doctor, const struct patient *patient)
{
	check_xdp(doctor, patient);
	check_tc(doctor, patient);
}
