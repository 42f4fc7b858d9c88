// SPDX-License-Identifier: GPL-2.0
/* Checks the driver: native XDP and what it needs, queues, offloads. */
#include "loader/doctor/driver.h"

#include <string.h>
#include <unistd.h>

#include "loader/base/columns.h"
#include "loader/base/memory.h"
#include "loader/doctor/attach_words.h"
#include "loader/filter/refusal.h"
#include "loader/net/nic.h"

/*
 * The largest MTU that fits one page with the headroom of XDP and the kernel's bookkeeping behind
 * the frame. Drivers differ by some bytes; without frames of several buffers none allows more.
 */
#define MTU_OF_ONE_PAGE 3498

/*
 * Requirements of drivers for native XDP, which only some of them report (Linux 5.10 to 6.18):
 * additional queues for XDP, as many receive as transmit queues, or small buffers.
 */
static const struct need {
	const char *driver;
	bool half;   /* at most half of the available queues may be in use */
	bool same;   /* as many queues must send as receive */
	bool no_lro; /* it refuses a program while LRO is on, even where other drivers do not */
	unsigned int mtu;
} needs[] = {
	{"ena", true, false, false, MTU_OF_ONE_PAGE},
	{"gve", true, true, false, 2032},
	{DRIVER_HYPERV, false, false, true, MTU_OF_ONE_PAGE},
	{"", false, false, false, MTU_OF_ONE_PAGE},
};

static const struct need *need_of(const struct nic *nic)
{
	const struct need *need = needs;

	while (need->driver[0] && strcmp(need->driver, nic->driver))
		need++;
	return need;
}

static bool is_native(const struct patient *patient)
{
	return patient->open && patient->hook.mode == HOOK_NATIVE;
}

static bool is_generic(const struct patient *patient)
{
	return patient->open && patient->hook.mode == HOOK_GENERIC;
}

static void check_native(struct doctor *doctor, const struct patient *patient)
{
	const struct nic *nic = &patient->nic;
	const char *driver = nic->driver[0] ? nic->driver : "its driver";
	__free_text char *recipe = doctor_recipe(patient);
	__free_text char *fix =
		xasprintf("portcullis detach %s && portcullis attach %s%s --mode native",
			  patient->name, patient->name, recipe);

	if (is_native(patient))
		doctor_say(doctor, "native", DOCTOR_OK, NULL, "%s runs in native mode", driver);
	else if (is_generic(patient) && nic->xdp & NIC_XDP_NATIVE)
		doctor_say(
			doctor, "native", DOCTOR_WARNING, fix,
			"runs in generic mode, which is slower, although %s has native XDP; attach it in native mode, or find out why the driver refuses",
			driver);
	else if (is_generic(patient))
		doctor_say(doctor, "native", DOCTOR_OK, NULL, "runs in generic mode%s%s%s",
			   nic->xdp_known ? ": " : "", nic->xdp_known ? driver : "",
			   nic->xdp_known ? " has no native XDP" : "");
	else if (!nic->xdp_known)
		doctor_say(
			doctor, "native", DOCTOR_OK, NULL,
			"%s: this kernel does not report whether the driver has native XDP; attach tries it",
			driver);
	else if (nic->xdp & NIC_XDP_NATIVE)
		doctor_say(doctor, "native", DOCTOR_OK, NULL, "%s has native XDP", driver);
	else
		doctor_say(doctor, "native", DOCTOR_WARNING, NULL,
			   "%s has no native XDP: attach uses generic mode, which is slower",
			   driver);
}

/* As many queues as CPUs, if the NIC can have so many. */
static unsigned int queues_wanted(const struct nic *nic, unsigned int cpus)
{
	unsigned int most = need_of(nic)->half ? nic->most / 2 : nic->most;

	return most && most < cpus ? most : cpus;
}

static char *queues_fix(const struct patient *patient, unsigned int wanted)
{
	const struct nic *nic = &patient->nic;

	if (!nic->combined && need_of(nic)->same)
		return xasprintf("ethtool -L %s rx %u tx %u", patient->name, wanted, wanted);
	return xasprintf("ethtool -L %s %s %u", patient->name, nic->combined ? "combined" : "rx",
			 wanted);
}

/* The reason why this driver would refuse native XDP. */
static const char *queues_refused(const struct nic *nic)
{
	const struct need *need = need_of(nic);

	if (need->half && nic->rx > nic->most / 2)
		return "at most half of them are";
	if (need->same && !nic->combined && nic->rx != nic->tx)
		return "as many send as receive";
	return NULL;
}

static void check_queues(struct doctor *doctor, const struct patient *patient)
{
	const struct nic *nic = &patient->nic;
	unsigned int cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int wanted = queues_wanted(nic, cpus);
	__free_text char *all = human_count(cpus, "CPU", "CPUs");
	__free_text char *fix = queues_fix(patient, wanted);
	const char *refused = is_native(patient) ? NULL : queues_refused(nic);

	if (!nic->rx)
		return; /* the driver gives no reason */
	if (refused)
		doctor_say(doctor, "queues", DOCTOR_WARNING, fix,
			   "%u of %u in use: %s has native XDP only if %s", nic->rx, nic->most,
			   nic->driver, refused);
	else if (!patient->link.kind[0] && nic->rx < wanted)
		doctor_say(doctor, "queues", DOCTOR_WARNING, fix,
			   "%u in use for %s: at most %u of them filter packets", nic->rx, all,
			   nic->rx);
	else
		doctor_say(doctor, "queues", DOCTOR_OK, NULL, "%u in use for %s", nic->rx, all);
}

static void check_mtu(struct doctor *doctor, const struct patient *patient)
{
	const struct nic *nic = &patient->nic;
	bool one_buffer = nic->xdp & NIC_XDP_NATIVE && !(nic->xdp & NIC_XDP_FRAGS);
	unsigned int most = need_of(nic)->mtu;
	__free_text char *fix = xasprintf("ip link set dev %s mtu 1500", patient->name);

	if (!nic->mtu)
		return;
	if (!is_native(patient) && nic->mtu > most && (one_buffer || most < MTU_OF_ONE_PAGE))
		doctor_say(doctor, "mtu", DOCTOR_WARNING, fix,
			   "%u: %s has native XDP only for frames of one buffer, up to about %u",
			   nic->mtu, nic->driver[0] ? nic->driver : "its driver", most);
	else
		doctor_say(doctor, "mtu", DOCTOR_OK, NULL, "%u", nic->mtu);
}

/* Offloads that merge frames below XDP; many drivers refuse XDP together with them. */
static void check_gluing(struct doctor *doctor, const struct patient *patient, const char *name,
			 const char *check, enum offload state)
{
	__free_text char *fix = xasprintf("ethtool -K %s %s off", patient->name, name);
	__free_text char *elsewhere = refusal_virtio(patient->name);
	bool virtio = !strcmp(patient->nic.driver, "virtio_net");
	bool refuses = need_of(&patient->nic)->no_lro && !strcmp(check, "lro");

	if (state == OFFLOAD_UNKNOWN)
		return;
	if (state == OFFLOAD_OFF)
		doctor_say(doctor, check, DOCTOR_OK, NULL, "is off");
	else if (state == OFFLOAD_FIXED)
		doctor_say(
			doctor, check, DOCTOR_WARNING, virtio ? elsewhere : NULL,
			"is on, and the driver cannot turn it off: merged packets count as one, and native XDP may be refused");
	else if (is_native(patient))
		doctor_say(doctor, check, DOCTOR_WARNING, fix,
			   "is on: merged packets count as one");
	else if (refuses)
		doctor_say(doctor, check, DOCTOR_WARNING, fix,
			   "is on: %s refuses native XDP with it", patient->nic.driver);
	else
		doctor_say(doctor, check, DOCTOR_WARNING, fix,
			   "is on: many drivers refuse native XDP with it");
}

static void check_tags(struct doctor *doctor, const struct patient *patient)
{
	enum offload state = patient->nic.vlan;
	__free_text char *fix = xasprintf("ethtool -K %s rxvlan off", patient->name);
	bool on = state == OFFLOAD_ON || state == OFFLOAD_FIXED;

	if (state == OFFLOAD_UNKNOWN)
		return;
	if (!patient->link.vlans)
		doctor_say(doctor, "vlan-offload", DOCTOR_OK, NULL, "no VLAN is on this interface");
	else if (!on)
		doctor_say(doctor, "vlan-offload", DOCTOR_OK, NULL,
			   "is off: the filter sees the tags");
	else
		doctor_say(
			doctor, "vlan-offload", DOCTOR_WARNING, state == OFFLOAD_ON ? fix : NULL,
			"is on: the driver removes the tag before the filter sees the frame, so bytes are counted without it");
}

/*
 * With SR-IOV, Hyper-V and Azure give a guest a second NIC, which carries the packets of the first.
 * hv_netvsc passes the program on to it, so that its driver must support XDP; netlink does not show
 * that program.
 */
static void check_vf(struct doctor *doctor, const struct patient *patient)
{
	__cleanup(links_free) struct links links = {};

	if (strcmp(patient->nic.driver, DRIVER_HYPERV))
		return;
	links_list(&links);
	for (size_t i = 0; i < links.count; i++) {
		struct link *vf = &links.link[i];

		if (vf->master == patient->hook.ifindex)
			doctor_say(
				doctor, "vf", DOCTOR_OK, NULL,
				"%s carries its packets (SR-IOV): %s gives it the same program; if its driver refuses, the kernel's log says vf_setxdp failed",
				vf->name, patient->nic.driver);
	}
}

void doctor_nic(struct doctor *doctor, const struct patient *patient)
{
	check_native(doctor, patient);
	check_queues(doctor, patient);
	check_mtu(doctor, patient);
	check_gluing(doctor, patient, "lro", "lro", patient->nic.lro);
	check_gluing(doctor, patient, "rx-gro-hw", "gro-hw", patient->nic.gro_hw);
	check_tags(doctor, patient);
	check_vf(doctor, patient);
}
