// SPDX-License-Identifier: GPL-2.0
/* Records: the fields that the journal gets, the user, and syslog if there is no journal. */
#include "loader/report/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "tests/unit/expect.h"
#include "tests/unit/files.h"

/* --- what the record reads, and where it goes: of the test --- */

static struct {
	bool journal; /* there is one */
	char *fields, *logged;
	char *to; /* the socket */
} sent;

/* Files of /proc and /etc are read below `root`; there are no processes above this one. */
static const char *instead(const char *path, char *buffer, size_t size)
{
	static const char *const known[] = {"/proc/self/loginuid", "/proc/self/cmdline",
					    "/etc/passwd"};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(path, known[i])) {
			snprintf(buffer, size, "%s/%s", root, strrchr(path, '/') + 1);
			return buffer;
		}
	return !strncmp(path, "/proc/", 6) ? "/nonexistent" : path;
}

int open(const char *path, int flags, ...)
{
	char buffer[256];
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	return (int)syscall(SYS_openat, AT_FDCWD, instead(path, buffer, sizeof(buffer)), flags,
			    mode);
}

FILE *fopen(const char *path, const char *mode)
{
	int fd = open(path, *mode == 'r' ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC, 0600);

	return fd < 0 ? NULL : fdopen(fd, *mode == 'r' ? "r" : "w");
}

ssize_t sendto(int fd, const void *bytes, size_t length, int flags, const struct sockaddr *address,
	       socklen_t size)
{
	assert_true(fd >= 0);
	assert_int_equal(size, sizeof(struct sockaddr_un));
	assert_true(flags & MSG_NOSIGNAL && flags & MSG_DONTWAIT);
	if (!sent.journal) {
		errno = ENOENT;
		return -1;
	}
	sent.to = xstrdup(((const struct sockaddr_un *)address)->sun_path);
	sent.fields = xstrndup(bytes, length);
	return (ssize_t)length;
}

void openlog(const char *name, int options, int facility)
{
	assert_string_equal(name, "portcullis");
	assert_true(options & LOG_PID);
	assert_int_equal(facility, LOG_DAEMON);
}

static void take_syslog(int priority, const char *format, va_list args)
{
	assert_int_equal(priority, LOG_NOTICE);
	sent.logged = xvasprintf(format, args);
}

void syslog(int priority, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	take_syslog(priority, format, args);
	va_end(args);
}

/* syslog under _FORTIFY_SOURCE, as in the package's build. */
void __syslog_chk(int priority, int flag, const char *format, ...);
void __syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list args;

	(void)flag;
	va_start(args, format);
	take_syslog(priority, format, args);
	va_end(args);
}

/* --- tests --- */

static void set_files(const char *loginuid, const char *cmdline, size_t length)
{
	put("loginuid", loginuid);
	put_bytes("cmdline", cmdline, length);
	put("passwd", "root:x:0:0::/root:/bin/sh\nal\x1bice:x:1001:1001::/:/bin/sh\n"
		      "alice2:x:1001:1001::/:/bin/sh\n");
}

#define COMMAND(text) text, sizeof(text)

static int set_up(void **state)
{
	int err = make_root(state);

	unsetenv("SUDO_USER");
	unsetenv("INVOCATION_ID");
	unsetenv("SSH_CONNECTION");
	set_files("4294967295", COMMAND("/usr/sbin/portcullis\0swap\0eth0"));
	sent.journal = true;
	return err;
}

static void forget(void)
{
	text_free(&sent.fields);
	text_free(&sent.logged);
	text_free(&sent.to);
}

static int tear_down(void **state)
{
	forget();
	unsetenv("SUDO_USER");
	unsetenv("INVOCATION_ID");
	unsetenv("SSH_CONNECTION");
	return remove_root(state);
}

static void record(const struct record *record)
{
	__cleanup(caller_free) struct caller caller = {};

	caller_find(&caller);
	record_change(record, &caller);
}

static void expect_fields(const struct record *change, const char *expected)
{
	int before = dup(0), after;

	record(change);
	after = dup(0);
	assert_int_equal(after, before + 1); /* no descriptor is left open */
	close(after);
	close(before);
	assert_string_equal(sent.to, "/run/systemd/journal/socket");
	assert_null(sent.logged);
	if (strcmp(sent.fields, expected))
		fail_msg("sent:\n%sexpected:\n%s", sent.fields, expected);
	forget();
}

#define HEAD "MESSAGE_ID=" RECORD_ID "\nPRIORITY=5\nSYSLOG_IDENTIFIER=portcullis\n"

static void test_fields(void **state)
{
	(void)state;
	set_files("1001\n", COMMAND("/usr/sbin/portcullis\0swap\0eth0\0-p\0a b\x1b"));
	setenv("SUDO_USER", "su\ndo", 1);
	setenv("SSH_CONNECTION", "198.51.2.9 50000 192.0.2.1 22", 1);
	expect_fields(&(struct record){.action = RECORD_SWAP,
				       .interface = "et\nh0",
				       .number = 12,
				       .generation = 7,
				       .what = "opens 25/tcp",
				       .seconds = 60},
		      "MESSAGE=et?h0: swapped by al?ice from 198.51.2.9: opens 25/tcp; to be "
		      "confirmed within 60 s\n" HEAD "PORTCULLIS_INTERFACE=et?h0\n"
		      "PORTCULLIS_ACTION=swap\nPORTCULLIS_NUMBER=12\nPORTCULLIS_GENERATION=7\n"
		      "PORTCULLIS_CHANGES=opens 25/tcp\nPORTCULLIS_FINAL=no\nPORTCULLIS_BY=al?ice\n"
		      "PORTCULLIS_SUDO_USER=su?do\nPORTCULLIS_CLIENT=198.51.2.9\n"
		      "PORTCULLIS_COMMAND=swap eth0 -p a b?\n");
}

static void admit(const struct admission *admission)
{
	__cleanup(caller_free) struct caller caller = {};

	caller_find(&caller);
	record_admission(admission, &caller);
}

/* Bans and grants; without a journal they are a line of syslog. */
static void test_admissions(void **state)
{
	(void)state;
	set_files("1001\n", COMMAND("/usr/sbin/portcullis\0ban"));
	setenv("SSH_CONNECTION", "198.51.2.9 50000 192.0.2.1 22", 1);
	admit(&(struct admission){.action = "ban",
				  .what = "198.51.100.7/32",
				  .list = "manual",
				  .comment = "sc\nans"});
	assert_null(sent.logged);
	assert_string_equal(
		sent.fields,
		"MESSAGE=ban by al?ice from 198.51.2.9: 198.51.100.7/32 (list manual); comment: sc?ans\n" HEAD
		"PORTCULLIS_ACTION=ban\nPORTCULLIS_LIST=manual\nPORTCULLIS_CHANGES=198.51.100.7/32\n"
		"PORTCULLIS_COMMENT=sc?ans\nPORTCULLIS_BY=al?ice\nPORTCULLIS_CLIENT=198.51.2.9\n"
		"PORTCULLIS_COMMAND=ban\n");
	forget();
	admit(&(struct admission){
		.action = "grant", .what = "192.0.2.7", .list = "office", .grants = true});
	assert_non_null(strstr(sent.fields, ": 192.0.2.7 (group office)\n"));
	assert_non_null(strstr(sent.fields, "PORTCULLIS_GROUP=office\n"));
	assert_null(strstr(sent.fields, "PORTCULLIS_LIST"));
	forget();
	sent.journal = false;
	admit(&(struct admission){.action = "unban", .what = "all"});
	assert_non_null(
		strstr(sent.logged, "unban by al?ice from 198.51.2.9: all (list every one)"));
	assert_null(strstr(sent.logged, "comment"));
}

static void test_actions(void **state)
{
	static const struct {
		enum record_action action;
		const char *name, *done;
		bool is_final; /* and says so */
	} cases[] = {
		{RECORD_ATTACH, "attach", "attached", true},
		{RECORD_SWAP, "swap", "swapped", true},
		{RECORD_DETACH, "detach", "detached", true},
		{RECORD_TAKEOVER, "takeover", "taken over", true},
		{RECORD_CONFIRM, "confirm", "confirmed", false},
		{RECORD_REVERT, "revert", "reverted", false},
		{RECORD_RESUME, "resume", "resumed", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__free_text char *expected = xasprintf(
			"MESSAGE=eth0: %s by root%s\n" HEAD
			"PORTCULLIS_INTERFACE=eth0\nPORTCULLIS_ACTION=%s\n"
			"PORTCULLIS_FINAL=yes\nPORTCULLIS_BY=root\nPORTCULLIS_COMMAND=swap eth0\n",
			cases[i].done, cases[i].is_final ? "; final" : "", cases[i].name);

		set_files("0", COMMAND("/usr/sbin/portcullis\0swap\0eth0"));
		expect_fields(&(struct record){.action = cases[i].action, .interface = "eth0"},
			      expected);
	}
}

/* The user: by the audit login, else by sudo, else the manager's unit, else the user id. */
static void test_callers(void **state)
{
	static const struct {
		const char *loginuid, *sudo, *unit, *by;
	} cases[] = {
		{"0", "bob", "x", "root"},
		{"1001", NULL, NULL, "al?ice"},
		{"77", NULL, NULL, "77"},
		{"4294967295", "bob", "x", "bob"},
		{"4294967295\n", "b\nob", NULL, "b?ob"},
		{"4294967295", "", "x", "systemd"},
		{"4294967295", NULL, "x", "systemd"},
		{"12x", "bob", NULL, "bob"},
		{"", "bob", NULL, "bob"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__free_text char *line = xasprintf("PORTCULLIS_BY=%s\n", cases[i].by);

		set_files(cases[i].loginuid, COMMAND("p\0x"));
		unsetenv("SUDO_USER");
		unsetenv("INVOCATION_ID");
		if (cases[i].sudo)
			setenv("SUDO_USER", cases[i].sudo, 1);
		if (cases[i].unit)
			setenv("INVOCATION_ID", cases[i].unit, 1);
		record(&(struct record){.action = RECORD_DETACH, .interface = "eth0"});
		if (!strstr(sent.fields, line))
			fail_msg("no %s in\n%s", line, sent.fields);
		forget();
	}
}

static void test_command(void **state)
{
	static const struct {
		const char *line;
		size_t length;
		const char *said;
	} cases[] = {
		{"p\0apply\0--boot", 15, "PORTCULLIS_COMMAND=apply --boot\n"},
		{"p\0apply\0--boot", 14, "PORTCULLIS_COMMAND=apply --boot\n"},
		{"portcullis", 11, NULL},
		{"portcullis", 10, NULL},
		{"", 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		set_files("0", cases[i].line, cases[i].length);
		record(&(struct record){.action = RECORD_DETACH, .interface = "eth0"});
		if (cases[i].said)
			assert_non_null(strstr(sent.fields, cases[i].said));
		else
			assert_null(strstr(sent.fields, "PORTCULLIS_COMMAND"));
		forget();
	}
}

static void test_syslog(void **state)
{
	(void)state;
	sent.journal = false;
	set_files("0", COMMAND("/usr/sbin/portcullis\0swap\0eth0"));
	record(&(struct record){
		.action = RECORD_ATTACH, .interface = "eth0", .what = "opens 1/tcp"});
	assert_string_equal(sent.logged, "eth0: attached by root: opens 1/tcp; final (swap eth0)");
	forget();
	set_files("0", "p", 2);
	record(&(struct record){.action = RECORD_REVERT, .interface = "eth0"});
	assert_string_equal(sent.logged, "eth0: reverted by root ()");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fields, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_admissions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_actions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_callers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_command, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_syslog, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("report/record", tests, NULL, NULL);
}
