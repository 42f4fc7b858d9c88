/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file that keeps the bans of a network namespace:
 *
 *	portcullis-bans 1 NUMBER BOOT-ID
 *	batch LENGTH SUM WALL BOOT
 *	LENGTH bytes of lines (ban_set.h)
 *	batch ...
 *
 * What one command changes is a batch: it counts whole or not at all, so a command that was killed,
 * or a power cut, leaves no half of it. NUMBER is random; it changes when the file is written anew.
 * Ends are CLOCK_BOOTTIME seconds of the boot with that id; in another boot the times of the last
 * batch, by both clocks, tell how much of a ban is left. A wall clock that is behind the last batch
 * is wrong: then a ban keeps what was left of it.
 */
#ifndef PORTCULLIS_RECIPE_BAN_FILE_H
#define PORTCULLIS_RECIPE_BAN_FILE_H

#include "loader/recipe/ban_set.h"

#define BOOT_ID_TEXT 40

/* The file as it was read. All zero: there is none. */
struct ban_file {
	struct ban_set set;
	char *text; /* to which the set points */
	__u64 number;
	__u64 length;  /* up to the end of the last whole batch */
	__u64 size;    /* of the file: more is left of a command that was interrupted */
	bool old_boot; /* `set` has ends of this boot, the file has not: it has to be written anew
			*/
	size_t bad;    /* lines that could not be read */
};

/* The clocks by which ends are told. */
struct ban_clock {
	__u64 wall, boot; /* seconds: since 1970, CLOCK_BOOTTIME */
	char boot_id[BOOT_ID_TEXT];
};

void ban_clock_now(struct ban_clock *clock);

/*
 * Reads the file; there need not be one. -EINVAL: it is not such a file; else -errno. Both without
 * a message.
 */
int ban_file_read(const char *path, const struct ban_clock *clock, struct ban_file *file);
void ban_file_free(struct ban_file *file);

/*
 * Reads number and length of a file that this boot wrote, without its bans. -ESTALE: another boot
 * did.
 */
int ban_file_head(const char *path, const struct ban_clock *clock, struct ban_file *file);

/*
 * Appends a batch behind the last whole one, and cuts off the bytes that are there; sets `length`.
 * `*written` is a descriptor to sync, which the caller closes. Returns 0 or -errno.
 */
int ban_file_append(const char *path, const struct ban_clock *clock, struct ban_file *file,
		    const char *lines, size_t length, int *written);

/* Cuts off what was appended to a file that had `length` bytes. Returns 0 or -errno. */
int ban_file_cut(int written, __u64 length, struct ban_file *file);

/*
 * Writes the set as a new file with a new number, synced, in the place of the old one. Makes the
 * folder. Returns 0 or -errno.
 */
int ban_file_write(const char *path, const struct ban_clock *clock, struct ban_file *file);

#endif
