// SPDX-License-Identifier: GPL-2.0
/* Reports programs of other tools at the hooks of an interface. */
#include "loader/doctor/programs.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/columns.h"
#include "loader/base/file.h"
#include "loader/doctor/attach_words.h"
#include "loader/filter/hold.h"
#include "loader/net/netlink.h"
#include "loader/net/tc.h"
#include "loader/object/pin.h"

/* Constants of newer headers than this is built with. */
#define TCX_INGRESS ((enum bpf_attach_type)46)
#define TCX_EGRESS  ((enum bpf_attach_type)47)

#define PROGRAMS 64 /* that one tcx hook takes */

/* "'name', id 12", as far as it can be told; the caller frees. */
static char *program_text(__u32 id)
{
	__close_fd int fd = bpf_prog_get_fd_by_id(id);
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length) || !info.name[0])
		return xasprintf("id %u", id);
	return xasprintf("'%.*s', id %u", (int)sizeof(info.name), info.name, id);
}

static void check_xdp(struct doctor *doctor, const struct patient *patient)
{
	const struct hook *hook = &patient->hook;
	const char *kind = hook->mode == HOOK_GENERIC ? "xdpgeneric" : "xdp"; /* to ip-link(8) */
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
			"another portcullis command is attaching a filter: nothing gets in until it is there; run doctor again");
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

struct programs {
	__u32 id[PROGRAMS];
	size_t count;
	size_t others; /* of clsact filters: those that run no program */
};

/* In the order in which they run. -EINVAL: the kernel has no tcx. */
static int list_tcx(unsigned int ifindex, enum bpf_attach_type hook, struct programs *programs)
{
	LIBBPF_OPTS(bpf_prog_query_opts, query, .prog_ids = programs->id, .prog_cnt = PROGRAMS);
	int err = bpf_prog_query_opts(ifindex, hook, &query);

	programs->count = err ? 0 : query.prog_cnt;
	return err;
}

static void list_clsact(unsigned int ifindex, __u32 parent, struct programs *programs)
{
	__cleanup(netlink_close) struct mnl_socket *socket = NULL;
	__cleanup(tc_filters_free) struct tc_filters filters = {};
	size_t i;

	if (netlink_open(NETLINK_ROUTE, &socket) ||
	    tc_filters_list(socket, ifindex, parent, &filters))
		return;
	for (i = 0; i < filters.count; i++) {
		/*
		 * Filters of u32 and other kinds are listed once for each table; only programs
		 * count here.
		 */
		if (!filters.filter[i].handle)
			continue;
		if (!filters.filter[i].program_id)
			programs->others++;
		else if (programs->count < PROGRAMS)
			programs->id[programs->count++] = filters.filter[i].program_id;
	}
}

/* "'a', id 1; 'b', id 2" of all but `own`; the caller frees. */
static char *list_text(const struct programs *programs, __u32 own)
{
	struct names names = {};
	char *text;
	size_t i;

	for (i = 0; i < programs->count; i++) {
		__free_text char *one = NULL;

		if (programs->id[i] == own)
			continue;
		one = program_text(programs->id[i]);
		names_add(&names, one);
	}
	if (programs->others) {
		__free_text char *more = human_count(programs->others, "filter without a program",
						     "filters without a program");

		names_add(&names, more);
	}
	text = names_join(&names, "; ");
	names_free(&names);
	return text;
}

/* Warns if a program of another tool runs before ours: it may drop packets, or change them. */
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

	for (i = 0; i < more->count && programs->count < PROGRAMS; i++)
		programs->id[programs->count++] = more->id[i];
	programs->others += more->others;
}

static void say_side(struct doctor *doctor, const char *check, const struct programs *programs,
		     __u32 own)
{
	__free_text char *text = list_text(programs, own);

	doctor_say(doctor, check, DOCTOR_OK, NULL,
		   text[0] ? "programs of others run here, too: %s" : "no program of others%s",
		   text);
}

/* The qdisc `ingress` of old takes the place of the clsact that kernels without tcx need. */
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
		"an ingress qdisc stands where this kernel, which has no tcx, needs clsact for the egress program");
}

/* Checks ingress and egress. False, after a finding, if tcx cannot be queried. */
static bool list_all(struct doctor *doctor, const struct patient *patient, struct programs *ingress,
		     struct programs *egress)
{
	int err = list_tcx(patient->hook.ifindex, TCX_INGRESS, ingress);

	if (err == -EINVAL)
		check_qdisc(doctor, patient);
	else if (!err)
		err = list_tcx(patient->hook.ifindex, TCX_EGRESS, egress);
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
	list_clsact(patient->hook.ifindex, TC_INGRESS, &ingress);
	list_clsact(patient->hook.ifindex, TC_EGRESS, &later);
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
