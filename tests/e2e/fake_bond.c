// SPDX-License-Identifier: GPL-2.0
/* To be preloaded: a bridge is a bond to whoever asks with libmnl. For kernels without bonds. */
#include <dlfcn.h>
#include <libmnl/libmnl.h>
#include <string.h>

const char *mnl_attr_get_str(const struct nlattr *attribute)
{
	const char *(*real)(const struct nlattr *attribute) = dlsym(RTLD_NEXT, "mnl_attr_get_str");
	const char *text = real(attribute);

	return strcmp(text, "bridge") ? text : "bond";
}
