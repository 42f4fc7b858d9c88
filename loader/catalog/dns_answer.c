// SPDX-License-Identifier: GPL-2.0
/* Names of hosts in groups, and the file that holds the last good answer for each. */
#include "loader/catalog/dns_answer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/utf8.h"

#define ANSWER_LIMIT (64 << 10) /* bytes of a file */
#define NAME_MOST    253	/* characters of a name in DNS: RFC 1035, 3.1 */
#define LABEL_MOST   63
#define QUOTE_LIMIT  60
#define NEW	     ".new"

/* --- names --- */

static bool is_label(const char *label, size_t length)
{
	if (!length || length > LABEL_MOST || label[0] == '-' || label[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!(label[i] >= 'a' && label[i] <= 'z') &&
		    !(label[i] >= '0' && label[i] <= '9') && label[i] != '-' && label[i] != '_')
			return false;
	return true;
}

/* The last label must not be a number: 192.0.2.1 is an address. */
static bool is_name(const char *name)
{
	const char *end, *label = name;
	size_t labels = 0;

	for (;; label = end + 1) {
		end = strchrnul(label, '.');
		if (!is_label(label, (size_t)(end - label)))
			return false;
		labels++;
		if (!*end)
			break;
	}
	return labels > 1 && strlen(name) <= NAME_MOST && label[strspn(label, "0123456789")];
}

int dns_name_parse(const char *text, size_t length, char **name, char **why)
{
	char *read;

	if (length && text[length - 1] == '.')
		length--;
	read = xstrndup(text, length);
	for (char *c = read; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c += 'a' - 'A';
	if (strlen(read) == length && is_name(read)) {
		*name = read;
		return 0;
	}
	free(read);
	*why = xasprintf("'" DNS_WORD
			 "%.*s' must be a full name, with its domain (example: " DNS_WORD
			 "mail.example.org; letters beyond ASCII as xn--...)",
			 (int)(length < QUOTE_LIMIT ? length : QUOTE_LIMIT), text);
	return -EINVAL;
}

/* --- addresses --- */

static const struct {
	const char *prefix, *what;
} refused[] = {
	{"0.0.0.0/8", "this host"},	  {"127.0.0.0/8", "loopback"},
	{"169.254.0.0/16", "link-local"}, {"224.0.0.0/4", "multicast"},
	{"240.0.0.0/4", "reserved"},	  {"::/96", "loopback or unspecified"},
	{"fe80::/10", "link-local"},	  {"fec0::/10", "site-local"},
	{"ff00::/8", "multicast"},
};

static const __u8 mapped[12] = {[10] = 0xff, [11] = 0xff};

const char *dns_refused(const struct prefix *prefix)
{
	if (prefix->family == AF_INET6 && !memcmp(prefix->address, mapped, sizeof(mapped)))
		return "IPv4 written as IPv6";
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		__free_text char *why = NULL;
		struct prefix range;

		if (!prefix_parse(refused[i].prefix, &range, &why) &&
		    prefix_contains(&range, prefix->family, prefix->address))
			return refused[i].what;
	}
	return NULL;
}

/* --- files --- */

static __u64 time_of(const json_t *json, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(json, key));

	return value > 0 ? (__u64)value : 0;
}

static int read_addresses(const json_t *list, struct dns_answer *answer)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > DNS_ADDRESSES)
		return -EBADMSG;
	answer->prefix = xcalloc(DNS_ADDRESSES, sizeof(*answer->prefix));
	json_array_foreach (list, i, item) {
		struct prefix *prefix = &answer->prefix[answer->prefixes];
		__free_text char *why = NULL;

		if (!json_is_string(item) || prefix_parse(json_string_value(item), prefix, &why) ||
		    prefix->length != (prefix->family == AF_INET ? 32 : 128) || dns_refused(prefix))
			return -EBADMSG;
		answer->prefixes++;
	}
	prefixes_sort(answer->prefix, answer->prefixes);
	return 0;
}

static int read_json(const json_t *json, struct dns_answer *answer)
{
	const char *error = json_string_value(json_object_get(json, "error"));

	answer->since = time_of(json, "since");
	answer->asked = time_of(json, "asked");
	answer->due = time_of(json, "due");
	answer->failed = time_of(json, "failed");
	answer->error = error ? text_printable(error) : NULL;
	return read_addresses(json_object_get(json, "addresses"), answer);
}

int dns_answer_parse(const char *text, size_t length, struct dns_answer *answer)
{
	json_t *json = json_loadb(text, length, 0, NULL);
	int err;

	*answer = (struct dns_answer){};
	err = json ? read_json(json, answer) : -EBADMSG;
	json_decref(json);
	if (err)
		dns_answer_free(answer);
	return err;
}

int dns_answer_read(const char *name, struct dns_answer *answer)
{
	__free_text char *path = xasprintf(DNS_FOLDER "/%s.json", name);
	__free_text char *text = NULL;
	size_t length;
	int err = read_file(path, ANSWER_LIMIT, &text, &length);

	*answer = (struct dns_answer){};
	return err ? err : dns_answer_parse(text, length, answer);
}

char *dns_answer_text(const struct dns_answer *answer)
{
	json_t *list = json_array(), *json;
	char text[PREFIX_TEXT];
	char *whole;

	for (size_t i = 0; i < answer->prefixes; i++)
		json_array_append_new(list, json_string(prefix_format(&answer->prefix[i], text)));
	json = json_pack("{s:o, s:I, s:I, s:I, s:I, s:s?}", "addresses", list, "since",
			 (json_int_t)answer->since, "asked", (json_int_t)answer->asked, "due",
			 (json_int_t)answer->due, "failed", (json_int_t)answer->failed, "error",
			 answer->error);
	whole = json_dumps(json, JSON_INDENT(1));
	json_decref(json);
	return whole;
}

/*
 * Makes the folder and its parent. Both must be the caller's alone, because their files decide
 * which sources are admitted.
 */
static int open_folder(int *folder)
{
	__free_text char *parent = xstrndup(DNS_FOLDER, strrchr(DNS_FOLDER, '/') - DNS_FOLDER);
	struct stat st;

	if ((mkdir(parent, 0700) && errno != EEXIST) ||
	    (mkdir(DNS_FOLDER, 0700) && errno != EEXIST))
		return -errno;
	*folder = open(DNS_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*folder < 0 || fstat(*folder, &st))
		return -errno;
	return st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH) ? -EPERM : 0;
}

static int write_text(int folder, const char *name, const char *text)
{
	__close_fd int fd =
		openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	size_t length = strlen(text);
	ssize_t written;

	if (fd < 0)
		return -errno;
	for (; length; text += written, length -= (size_t)written) {
		written = write(fd, text, length);
		if (written < 0)
			return -errno;
	}
	return fsync(fd) ? -errno : 0;
}

int dns_answer_write(const char *name, const struct dns_answer *answer)
{
	__free_text char *to = xasprintf("%s.json", name);
	/* Two commands may ask for a name at once, so each writes a file of its own and renames
	 * it. */
	__free_text char *from = xasprintf("%s.%d" NEW, name, getpid());
	__free_text char *text = dns_answer_text(answer);
	__close_fd int folder = -1;
	int err = open_folder(&folder);

	if (!err)
		err = write_text(folder, from, text);
	if (!err && (renameat(folder, from, folder, to) || fsync(folder)))
		err = -errno;
	if (err && folder >= 0)
		unlinkat(folder, from, 0);
	return err;
}

void dns_answers_keep(const struct names *names)
{
	const time_t now = time(NULL);
	DIR *folder = opendir(DNS_FOLDER);
	const struct dirent *entry;
	struct stat st;

	while (folder && (entry = readdir(folder))) {
		__free_text char *name = xstrdup(entry->d_name);
		/* an interrupted command leaves temporary files */
		char *end = strstr(name, ".json");

		if (end)
			*end = '\0';
		if (*entry->d_name != '.' && (!end || end[5] || !names_have(names, name)) &&
		    !fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    st.st_mtim.tv_sec + DNS_FORGET < now)
			unlinkat(dirfd(folder), entry->d_name, 0);
	}
	if (folder)
		closedir(folder);
}

void dns_answer_free(struct dns_answer *answer)
{
	free(answer->prefix);
	free(answer->error);
	*answer = (struct dns_answer){};
}
