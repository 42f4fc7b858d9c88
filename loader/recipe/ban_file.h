/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file that keeps the bans of a network namespace:
 *
 *	portcullis-bans 1 NUMBER BOOT-ID
 *	batch LENGTH SUM WALL BOOT
 *	LENGTH bytes of lines (ban_set.h)
 *	batch ...
 *
 * The changes of one command are a batch, which counts whole or not at all, so that a killed
 * command or a power cut leaves no partial change. NUMBER is random; it changes when the file is
 * written anew. Ends are CLOCK_BOOTTIME seconds of the boot with that id; in another boot the times
 * of the last batch, by both clocks, tell how much of a ban is left. A wall clock that is behind
 * the last batch is wrong: then a ban keeps what was left of it.
 */
#ifndef PORTCULLIS_RECIPE_BAN_FILE_H
#define PORTCULLIS_RECIPE_BAN_FILE_H

#include "loader/recipe/ban_set.h"

#define BOOT_ID_TEXT 40

/* The file as it was read. All zero: there is no file. */
struct ban_file {
	struct ban_set set;
	char *text; /* the file's text, to which the set points */
	__u64 number;
	__u64 length;  /* bytes up to the end of the last complete batch */
	__u64 size;    /* bytes of the file; it is longer after an interrupted command */
	/* `set` has ends of this boot, but the file does not: it must be rewritten */
	bool old_boot;
	size_t bad;    /* lines that could not be read */
};

/* The clocks in which ends are expressed. */
struct ban_clock {
	__u64 wall, boot; /* seconds since 1970; CLOCK_BOOTTIME seconds */
	char boot_id[BOOT_ID_TEXT];
};

void ban_clock_now(struct ban_clock *clock);

/*
 * Reads the file; it need not exist. -EINVAL: the file has another form; else -errno. Prints no
 * message.
 */
int ban_file_read(const char *path, const struct ban_clock *clock, struct ban_file *file);
void ban_file_free(struct ban_file *file);

/*
 * Reads number and length of a file that this boot wrote, but not its bans. -ESTALE: another boot
 * wrote it.
 */
int ban_file_head(const char *path, const struct ban_clock *clock, struct ban_file *file);

/*
 * Cuts off the bytes after the last complete batch, and appends a batch; sets `length`.
 * `*written` is a descriptor to sync, which the caller closes. Returns 0 or -errno.
 */
int ban_file_append(const char *path, const struct ban_clock *clock, struct ban_file *file,
		    const char *lines, size_t length, int *written);

/* Cuts the file to `length` bytes, which removes what was appended. Returns 0 or -errno. */
int ban_file_cut(int written, __u64 length, struct ban_file *file);

/*
 * Writes the set as a new file with a new number, synced, which replaces the old file. Makes the
 * folder. Returns 0 or -errno.
 */
int ban_file_write(const char *path, const struct ban_clock *clock, struct ban_file *file);

#endif
