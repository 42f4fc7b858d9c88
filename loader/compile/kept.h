/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The text that is kept with a generation: {"version", "recipe", "catalog": folders, "profiles"},
 * and "machines" for machines behind the interface (kept_machines.h).
 */
#ifndef PORTCULLIS_COMPILE_KEPT_H
#define PORTCULLIS_COMPILE_KEPT_H

#include <jansson.h>
#include <stdbool.h>

#include "bpf/abi.h"
#include "loader/base/names.h"

/* Parses the kept text of an interface's filter. -EINVAL with a message if it is damaged. */
int kept_parse(const char *interface, const char *text, json_t **kept);
/* Writes a kept text in the form that kept_parse reads. The caller frees. */
char *kept_text(const json_t *kept);

/*
 * Adds the catalog folders that were kept with a generation. If one is gone, or others can write to
 * it: -EPERM with a message, because another profile of the same name might be found.
 */
int kept_folders(const char *interface, const json_t *kept, struct names *folders);

/*
 * kept_same: two kept texts have the same recipe and profiles. kept_same_profile: two profiles are
 * the same. The folder of a profile's file does not matter: it may be a copy (state.h).
 */
bool kept_same(const json_t *a, const json_t *b);
/* As kept_same, but ignores which addresses DNS gave for the names in groups. */
bool kept_same_words(const json_t *a, const json_t *b);
bool kept_same_profile(const json_t *a, const json_t *b);

/*
 * True if an open service with the port admits the address by a prefix of a group. A prefix of all
 * addresses does not count, because it is not about this address. `kept` may be NULL.
 */
bool kept_group_admits(const json_t *kept, enum pc_transport transport, __u16 port, __u8 family,
		       const __u8 *address);

#endif
