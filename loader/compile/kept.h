/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The text that is kept with a generation: {"version", "recipe", "catalog": folders, "profiles"},
 * and of machines behind the interface "machines" (kept_machines.h).
 */
#ifndef PORTCULLIS_COMPILE_KEPT_H
#define PORTCULLIS_COMPILE_KEPT_H

#include <jansson.h>
#include <stdbool.h>

#include "bpf/abi.h"
#include "loader/base/names.h"

/* Reads a kept text of an interface's filter. -EINVAL with a message if it is damaged. */
int kept_parse(const char *interface, const char *text, json_t **kept);
/* The text of a kept text that was read or made: kept_parse gives it back. The caller frees. */
char *kept_text(const json_t *kept);

/*
 * Adds the folders of the catalog that were kept with a generation. One that others may write to by
 * now, or that is gone: a message and -EPERM, for another profile of the name might be found.
 */
int kept_folders(const char *interface, const json_t *kept, struct names *folders);

/*
 * True if two kept texts have the same recipe and the same profiles; or if two profiles are the
 * same. The folder of a profile's file does not matter: it may be a copy (state.h).
 */
bool kept_same(const json_t *a, const json_t *b);
/* As kept_same, whatever DNS has answered for the names in their groups. */
bool kept_same_words(const json_t *a, const json_t *b);
bool kept_same_profile(const json_t *a, const json_t *b);

/*
 * True if an open service with the port admits the address by a prefix of a group. A prefix of all
 * addresses does not count, because it does not name this one. `kept` may be NULL.
 */
bool kept_group_admits(const json_t *kept, enum pc_transport transport, __u16 port, __u8 family,
		       const __u8 *address);

#endif
