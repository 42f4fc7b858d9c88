// SPDX-License-Identifier: GPL-2.0
/* Reads and writes limits. */
#include "loader/recipe/limit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/catalog/group.h"

#define NS_PER_SECOND 1000000000ULL
#define RATE_FORMS    "20/s, 600/m or 10/h"
#define LIMIT_FORMS   "{rate: 20/s, burst: 60, per: {ipv4: 32, ipv6: 64}, except: [GROUP]}"

/* The position in a text that is being read. */
struct limit_reader {
	const char *at;
	char **why;
};

static int refuse(struct limit_reader *reader, char *why)
{
	*reader->why = why;
	return -EINVAL;
}

static void skip_blanks(struct limit_reader *reader)
{
	reader->at += strspn(reader->at, " \t\n");
}

/* Skips blanks. True if the next character is this one, which is then skipped, too. */
static bool take(struct limit_reader *reader, char wanted)
{
	skip_blanks(reader);
	if (*reader->at != wanted)
		return false;
	reader->at++;
	return true;
}

/* Reads a word up to the next character that ends one; the caller frees. */
static char *read_word(struct limit_reader *reader)
{
	size_t length;
	char *word;

	skip_blanks(reader);
	length = strcspn(reader->at, " \t\n,:{}[]");
	word = xstrndup(reader->at, length);
	reader->at += length;
	return word;
}

/* Reads digits. `*rest`: the text after them. */
static int parse_number(const char *text, unsigned int least, unsigned int most,
			unsigned int *number, const char **rest)
{
	unsigned long long value = 0;
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits > 9)
		return -EINVAL;
	for (size_t i = 0; i < digits; i++)
		value = 10 * value + (unsigned int)(text[i] - '0');
	*rest = text + digits;
	*number = (unsigned int)value;
	return value < least || value > most ? -EINVAL : 0;
}

static int read_number(struct limit_reader *reader, const char *key, unsigned int least,
		       unsigned int most, unsigned int *number)
{
	__free_text char *word = read_word(reader);
	const char *rest;

	if (!parse_number(word, least, most, number, &rest) && !*rest)
		return 0;
	return refuse(reader,
		      xasprintf("'%s: %s' is not a number from %u to %u", key, word, least, most));
}

static int read_rate(struct limit_reader *reader, struct limit *limit)
{
	static const struct {
		const char *name;
		unsigned int seconds;
	} unit[] = {{"/s", 1}, {"/m", 60}, {"/h", 3600}};
	__free_text char *word = read_word(reader);
	const char *rest;

	if (parse_number(word, 1, LIMIT_COUNT_MAX, &limit->count, &rest))
		return refuse(reader, xasprintf("'%s' is not a rate; write it as " RATE_FORMS
						", with a number from 1 to %u",
						word, LIMIT_COUNT_MAX));
	for (size_t i = 0; i < ARRAY_SIZE(unit); i++) {
		if (strcmp(rest, unit[i].name) != 0)
			continue;
		limit->unit = unit[i].seconds;
		return 0;
	}
	return refuse(reader, xasprintf("'%s' is not a rate; write it as " RATE_FORMS, word));
}

static int read_except(struct limit_reader *reader, struct limit *limit)
{
	bool list = take(reader, '[');

	do {
		__free_text char *word = read_word(reader);

		if (!strcmp(word, GROUP_ANYONE))
			return refuse(reader,
				      xstrdup("'except: " GROUP_ANYONE
					      "' leaves no source to limit; remove the limit"));
		if (!name_valid(word))
			return refuse(reader,
				      xasprintf("'%s' is not a group name; use only a-z, 0-9 and "
						"'-', at most %d characters",
						word, NAME_LIMIT));
		names_add_once(&limit->except, word);
	} while (list && take(reader, ','));
	return !list || take(reader, ']') ?
		       0 :
		       refuse(reader, xstrdup("']' is missing behind 'except: ['"));
}

/* Reads the value of a key. */
typedef int read_value(struct limit_reader *reader, const char *key, struct limit *limit);

/* Reads "{KEY: VALUE, ..}" after its '{'. */
static int read_mapping(struct limit_reader *reader, read_value *read, struct limit *limit)
{
	__cleanup(names_free) struct names keys = {};

	do {
		__free_text char *key = read_word(reader);

		if (!take(reader, ':'))
			return refuse(reader,
				      xasprintf("'%s' has no value; write " LIMIT_FORMS, key));
		if (names_have(&keys, key))
			return refuse(reader, xasprintf("'%s' appears twice", key));
		names_add(&keys, key);
		if (read(reader, key, limit))
			return -EINVAL;
	} while (take(reader, ','));
	return take(reader, '}') ? 0 : refuse(reader, xstrdup("'}' is missing at the end"));
}

static int read_length(struct limit_reader *reader, const char *key, struct limit *limit)
{
	if (!strcmp(key, "ipv4"))
		return read_number(reader, key, 8, 32, &limit->ipv4);
	if (!strcmp(key, "ipv6"))
		return read_number(reader, key, 16, 128, &limit->ipv6);
	return refuse(reader, xasprintf("unknown key '%s'; 'per' has ipv4 and ipv6", key));
}

static int read_key(struct limit_reader *reader, const char *key, struct limit *limit)
{
	if (!strcmp(key, "rate"))
		return read_rate(reader, limit);
	if (!strcmp(key, "burst"))
		return read_number(reader, key, 1, LIMIT_COUNT_MAX, &limit->burst);
	if (!strcmp(key, "except"))
		return read_except(reader, limit);
	if (strcmp(key, "per") != 0)
		return refuse(reader,
			      xasprintf("unknown key '%s'; a limit has rate, burst, per and except",
					key));
	if (!take(reader, '{'))
		return refuse(reader,
			      xstrdup("'per' is a mapping, as in per: {ipv4: 24, ipv6: 48}"));
	return read_mapping(reader, read_length, limit);
}

unsigned int limit_burst(const struct limit *limit)
{
	if (limit->burst)
		return limit->burst;
	return limit->count < LIMIT_BURST_LEAST ? LIMIT_BURST_LEAST : limit->count;
}

__u64 limit_interval(const struct limit *limit)
{
	return limit->unit * NS_PER_SECOND / limit->count;
}

unsigned int limit_weight(const struct limit *limit)
{
	static const struct {
		unsigned int burst, weight;
	} step[] = {{10, 1}, {5, 2}, {3, 4}, {2, 16}, {1, 512}};
	size_t i = 0;

	while (limit_burst(limit) < step[i].burst)
		i++;
	return step[i].weight;
}

static int check_burst(struct limit_reader *reader, const struct limit *limit)
{
	unsigned long long refill = (unsigned long long)limit_burst(limit) * limit->unit;

	if (refill / limit->count <= LIMIT_REFILL_MAX)
		return 0;
	return refuse(
		reader,
		xasprintf("a burst of %u takes %llu seconds to come back; at most %d are possible",
			  limit_burst(limit), refill / limit->count, LIMIT_REFILL_MAX));
}

static int read_limit(struct limit_reader *reader, struct limit *limit)
{
	if (!take(reader, '{')) {
		if (read_rate(reader, limit))
			return -EINVAL;
	} else if (read_mapping(reader, read_key, limit)) {
		return -EINVAL;
	}
	skip_blanks(reader);
	if (*reader->at)
		return refuse(reader,
			      xasprintf("'%s' is too much; write " RATE_FORMS ", or " LIMIT_FORMS,
					reader->at));
	if (!limit->count)
		return refuse(reader, xstrdup("there is no 'rate'; write " LIMIT_FORMS));
	return check_burst(reader, limit);
}

int limit_parse(const char *text, struct limit *limit, char **why)
{
	struct limit_reader reader = {.at = text, .why = why};

	*limit = (struct limit){.ipv4 = LIMIT_IPV4, .ipv6 = LIMIT_IPV6};
	return read_limit(&reader, limit);
}

static char *per_text(const struct limit *limit)
{
	bool ipv4 = limit->ipv4 != LIMIT_IPV4, ipv6 = limit->ipv6 != LIMIT_IPV6;
	__free_text char *four = ipv4 ? xasprintf("ipv4: %u", limit->ipv4) : xstrdup("");
	__free_text char *six = ipv6 ? xasprintf("ipv6: %u", limit->ipv6) : xstrdup("");

	return ipv4 || ipv6 ? xasprintf(", per: {%s%s%s}", four, ipv4 && ipv6 ? ", " : "", six) :
			      xstrdup("");
}

char *limit_text(const struct limit *limit)
{
	__free_text char *per = per_text(limit), *except = names_join(&limit->except, ", ");
	__free_text char *burst =
		limit->burst ? xasprintf(", burst: %u", limit->burst) : xstrdup("");
	__free_text char *rate = xasprintf("%u/%c", limit->count,
					   limit->unit == 1  ? 's' :
					   limit->unit == 60 ? 'm' :
							       'h');

	if (!*per && !*except && !*burst)
		return xstrdup(rate);
	return xasprintf("{rate: %s%s%s%s%s%s}", rate, burst, per, *except ? ", except: [" : "",
			 except, *except ? "]" : "");
}

void limit_free(struct limit *limit)
{
	names_free(&limit->except);
	*limit = (struct limit){};
}
