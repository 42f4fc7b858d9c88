/* SPDX-License-Identifier: GPL-2.0 */
/* The slots of `generations`, for generation.c and confirm.c. */
#ifndef PORTCULLIS_FILTER_SLOTS_H
#define PORTCULLIS_FILTER_SLOTS_H

#include <stdbool.h>

#include "loader/filter/filter.h"

#define SLOT_ACTIVE   0
#define SLOT_FALLBACK 1
#define NOT_ARMED     (~0ULL) /* stands for a deadline that filter_arm will set */

/* Puts a generation into a slot, and waits until no CPU runs a program with the former one. */
int slot_put(const struct filter *filter, __u32 slot, int generation);

/* slot_has_fallback: whether the fallback's slot is in use. slot_clear_fallback: empties the
 * slot. */
bool slot_has_fallback(const struct filter *filter);
void slot_clear_fallback(const struct filter *filter);

/* Maps the head of a generation, as the programs read it; NULL with a message. */
struct pc_generation *generation_map_head(const struct installed *installed);
void generation_unmap_head(struct pc_generation **head);

/* Sets a deadline with one store, which all packets see at once. 0, or -errno with a message. */
int generation_set_deadline(struct installed *installed, __u64 deadline);

/* Frees generations that are neither active nor a fallback. */
void generation_retire(struct filter *filter, struct installed *old);

#endif
