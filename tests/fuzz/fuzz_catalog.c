// SPDX-License-Identifier: GPL-2.0
/* Fuzzes the catalog language: any bytes give a profile that keeps its promises, or errors. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/catalog/profile.h"
#include "tests/fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_names(const struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		CHECK(name_valid(names->name[i]));
}

/* The written form of a set of ports is read as the same set. */
static void check_ports(const struct ports *ports)
{
	struct ports again = {0};
	struct names text = {0};

	ports_strings(ports, &text);
	for (size_t i = 0; i < text.count; i++) {
		char *why = NULL;

		CHECK(!ports_parse(text.name[i], &again, &why));
	}
	CHECK(ports_equal(ports, &again));
	names_free(&text);
	ports_free(&again);
}

static void check_service(const struct service *service)
{
	CHECK(name_valid(service->name));
	CHECK(!service->feature || name_valid(service->feature));
	check_names(&service->from);
	check_names(&service->to);
	check_names(&service->formerly);
	check_names(&service->feature_formerly);
	check_ports(&service->in);
	check_ports(&service->out);
	check_ports(&service->from_port);
	CHECK(!service->dynamic || (!service->in.count && !service->out.count));
	CHECK(!service->to.count || service->out.count);
	CHECK(!service->from_port.count || service->in.count);
}

static void check_profile(const struct profile *profile)
{
	CHECK(name_valid(profile->name));
	check_names(&profile->include);
	for (size_t i = 0; i < profile->include.count; i++)
		CHECK(profile->include_place[i].line > 0);
	CHECK(profile->outbound < PROFILE_OUTBOUNDS);
	CHECK(!profile->protocol[6] && !profile->protocol[17] && !profile->protocol[0]);
	for (size_t i = 0; i < profile->services; i++)
		check_service(&profile->service[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct profile *profile = NULL;
	struct diag diag = {0};
	char *text = malloc(size ? size : 1);
	int err;

	/* A copy of exactly that size, so that a byte read beyond it is seen. */
	CHECK(text);
	memcpy(text, data, size);
	err = profile_parse("fuzz.yaml", text, size, &profile, &diag);
	CHECK(!err == !!profile && !err == !diag.errors);
	if (profile)
		check_profile(profile);
	check_errors(&diag, text, size);
	profile_free(profile);
	diag_free(&diag);
	free(text);
	return 0;
}
