// SPDX-License-Identifier: GPL-2.0
/* Drops the capabilities that a command does not need. */
#include "loader/command/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/object/pin.h"

static const struct {
	unsigned int capability;
	enum command_flags use; /* kept by commands of this use or a greater one */
} kept[] = {
	{CAP_DAC_READ_SEARCH, COMMAND_FILES}, /* files of the user who called sudo */
	{CAP_BPF, COMMAND_LOOK},
	{CAP_PERFMON, COMMAND_LOOK},
	{CAP_NET_ADMIN, COMMAND_LOOK},
	{CAP_SYS_ADMIN, COMMAND_LOOK}, /* objects by id, mounting bpffs, other network namespaces */
	{CAP_SYS_PTRACE,
	 COMMAND_LOOK},		     /* namespaces and environment of the processes above it */
	{CAP_CHOWN, COMMAND_CHANGE}, /* pins for the administrators' group */
};

/* Never keeps more than the process has. */
static void choose(enum command_flags use)
{
	static const capng_type_t sets[] = {CAPNG_EFFECTIVE, CAPNG_PERMITTED};
	bool had[ARRAY_SIZE(kept)][ARRAY_SIZE(sets)];
	size_t i, set;

	for (i = 0; i < ARRAY_SIZE(kept); i++)
		for (set = 0; set < ARRAY_SIZE(sets); set++)
			had[i][set] = capng_have_capability(sets[set], kept[i].capability);
	capng_clear(CAPNG_SELECT_BOTH);
	for (i = 0; i < ARRAY_SIZE(kept); i++)
		for (set = 0; set < ARRAY_SIZE(sets); set++)
			if (use >= kept[i].use && had[i][set])
				capng_update(CAPNG_ADD, sets[set], kept[i].capability);
}

/* Before 5.11 maps count against this limit, which only CAP_SYS_RESOURCE can raise. */
static void raise_memlock(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		return;
	limit.rlim_max = RLIM_INFINITY;
	setrlimit(RLIMIT_MEMLOCK, &limit);
}

static int drop_failed(const char *command)
{
	error("%s: cannot drop privileges: %s", command, strerror(errno));
	return -EPERM;
}

/* Before Linux 5.19 each call of bpf(2) needs it, even for a pin that does not exist. */
static bool needs_bpf(void)
{
	capng_clear(CAPNG_SELECT_CAPS);
	capng_updatev(CAPNG_ADD, CAPNG_PERMITTED, CAP_BPF, CAP_PERFMON, -1);
	return capng_apply(CAPNG_SELECT_CAPS) || object_get("no", "pin") == -EPERM;
}

int privileges_drop_rest(const char *command)
{
	bool bpf;

	if (capng_get_caps_process())
		return drop_failed(command);
	if (!capng_have_capability(CAPNG_PERMITTED, CAP_BPF))
		return 0;
	bpf = needs_bpf();
	capng_clear(CAPNG_SELECT_CAPS);
	capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_PERFMON);
	if (bpf)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_BPF);
	return capng_apply(CAPNG_SELECT_CAPS) ? drop_failed(command) : 0;
}

int privileges_drop_all(const char *command)
{
	if (capng_get_caps_process())
		return drop_failed(command);
	capng_clear(CAPNG_SELECT_CAPS);
	return capng_apply(CAPNG_SELECT_CAPS) ? drop_failed(command) : 0;
}

int privileges_drop(const char *command, enum command_flags use)
{
	bool bounds;

	if (use > COMMAND_FILES)
		raise_memlock();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || capng_get_caps_process())
		goto failed;
	/* Otherwise libcap-ng would only complain in the system's log. */
	bounds = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	choose(use);
	if (bounds)
		capng_apply(CAPNG_SELECT_BOUNDS);
	if (capng_apply(CAPNG_SELECT_CAPS))
		goto failed;
	return 0;
failed:
	return drop_failed(command);
}
