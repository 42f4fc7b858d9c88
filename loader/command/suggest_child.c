// SPDX-License-Identifier: GPL-2.0
/* The process that reads products' files for `suggest`. */
#include "loader/command/suggest_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader/base/confine.h"
#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/command/privileges.h"
#include "loader/recipe/claims_json.h"
#include "loader/recipe/claims_read.h"

#define MEMORY_LIMIT (1UL << 30) /* bytes */
#define TIME_LIMIT   20		 /* seconds of CPU time */

static int confine(void)
{
	const struct rlimit none = {}, memory = {MEMORY_LIMIT, MEMORY_LIMIT},
			    seconds = {TIME_LIMIT, TIME_LIMIT};

	if (privileges_drop("suggest", COMMAND_FILES) || setrlimit(RLIMIT_FSIZE, &none) ||
	    setrlimit(RLIMIT_CPU, &seconds) || setrlimit(RLIMIT_CORE, &none))
		return -EPERM;
#ifndef __SANITIZE_ADDRESS__ /* AddressSanitizer needs more */
	if (setrlimit(RLIMIT_AS, &memory))
		return -EPERM;
#endif
	(void)memory;
	return confine_calls(CONFINED_FILES);
}

static void run(const char *path, const struct names *catalogs, int pipe)
{
	struct root root = {.fd = -1};
	struct catalog catalog;
	struct claims claims = {};
	struct diag diag = {};
	int err = confine() ?: root_open(path, &root);
	FILE *to = fdopen(pipe, "w");

	/* The parent process reports errors of the catalog. */
	if (err || !to || catalog_open(catalogs, &catalog, &diag))
		_exit(1);
	messages_to(messages_drop, NULL);
	claims_read(&root, &catalog, &claims);
	json_dumpf(claims_json(&claims), to, JSON_COMPACT);
	_exit(fclose(to) ? 1 : 0);
}

static int start(const char *path, const struct names *catalogs, int *pid)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC)) {
		error("suggest: cannot make a pipe: %s", strerror(errno));
		return -errno;
	}
	*pid = fork();
	if (!*pid)
		run(path, catalogs, ends[1]);
	close(ends[1]);
	if (*pid >= 0)
		return ends[0];
	error("suggest: cannot start a process: %s", strerror(errno));
	close(ends[0]);
	return -EAGAIN;
}

static int ended(int pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		error("suggest: the process that reads the products' configuration failed (%s)",
		      strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		error("suggest: the process that reads the products' configuration failed");
	return status ? -EIO : 0;
}

int suggest_child_claims(const char *root, const struct names *catalogs, struct claims *claims)
{
	int pid = -1, fd = start(root, catalogs, &pid);
	__close_file FILE *from = NULL;
	json_error_t wrong;
	json_t *json;
	int err;

	if (fd < 0)
		return fd;
	from = fdopen(fd, "r");
	json = from ? json_loadf(from, 0, &wrong) : NULL;
	err = ended(pid);
	if (!err && !json) {
		error("suggest: the process that reads the products' configuration returned nothing");
		err = -EIO;
	}
	if (!err)
		claims_from_json(json, claims);
	json_decref(json);
	return err;
}
