/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lists of ports as the field writes them: `25/tcp`, `5060/tcp+udp`, `60000-60099/udp`,
 * `imaps/tcp`.
 */
#ifndef PORTCULLIS_CATALOG_PORTS_H
#define PORTCULLIS_CATALOG_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "bpf/abi.h"
#include "loader/base/names.h"

extern const char *const transport_name[PC_TRANSPORTS]; /* "tcp", "udp" */

/* Ports first..last (host order, both included) of each transport in the mask. */
struct port_range {
	__u16 first, last;
	__u8 transports; /* 1 << PC_TCP | 1 << PC_UDP */
};

struct ports {
	struct port_range *range;
	size_t count;
};

/*
 * Parses one item and appends it. Service names are looked up in the services database
 * (getservbyname) for each protocol given. Returns 0, or -EINVAL and in `*why` (the caller frees)
 * what is wrong and what would be right: "port 70000 is out of range 1-65535",
 * "'25' has no protocol; write 25/tcp, 25/udp or 25/tcp+udp".
 */
int ports_parse(const char *item, struct ports *ports, char **why);

/*
 * Parses one port of one protocol, as PC_PORT. Errors are those of ports_parse, without the forms
 * that give several ports.
 */
int port_parse(const char *item, __u32 *port, char **why);

/* Parses a comma-separated list of ports, each as by ports_parse: "25/tcp,587/tcp". */
int ports_parse_list(const char *list, struct ports *ports, char **why);

void ports_copy(struct ports *to, const struct ports *from);
void ports_free(struct ports *ports);
/* whether both are the same set of ports */
bool ports_equal(const struct ports *a, const struct ports *b);
bool ports_have(const struct ports *ports, enum pc_transport transport, __u16 port);

/*
 * Writes the set in its canonical form: sorted, neighbours of one protocol joined, each string with
 * one protocol, tcp before udp: "25/tcp", "5060/tcp", "60000-60099/udp". Appends to `names`.
 */
void ports_strings(const struct ports *ports, struct names *names);

/* "25/tcp" or "60000-60099/udp"; the caller frees. */
char *port_range_text(unsigned int first, unsigned int last, const char *protocol);

#endif
