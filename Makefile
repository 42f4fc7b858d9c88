# SPDX-License-Identifier: GPL-2.0
# Everything is built under $(BUILD). `make help` lists the targets.

BUILD   ?= build
PREFIX  ?= /usr
# Read by ifupdown in /etc alone.
SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)
UNITDIR ?= $(PREFIX)/lib/systemd/system
ZSHDIR  ?= $(PREFIX)/share/zsh/site-functions
CLANG   ?= clang
LLVM_STRIP ?= llvm-strip
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
SCDOC   ?= scdoc
PKG_CONFIG ?= pkg-config
INSTALL ?= install

VERSION := 0.1.0
LIBS    := libbpf libelf zlib libfyaml jansson libmnl libcap-ng ncursesw
# Loaded when they are needed: only their headers belong to a build.
HEADERS := libxml-2.0

# `make WERROR=` for compilers that warn of more.
WERROR   ?= -Werror
WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 $(WERROR)
CFLAGS   ?= -O2 -g
SANITIZE :=
ALL_CFLAGS = -std=gnu11 $(WARNINGS) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) -D_GNU_SOURCE -I. -I$(BUILD) \
	-DPORTCULLIS_VERSION='"$(VERSION)"' -DPORTCULLIS_PREFIX='"$(PREFIX)"' \
	$(shell $(PKG_CONFIG) --cflags $(LIBS) $(HEADERS)) -MMD -MP
ALL_LDFLAGS = $(LDFLAGS) $(SANITIZE)
# The resolver is the C library's.
LDLIBS = $(shell $(PKG_CONFIG) --libs $(LIBS)) -lresolv

ARCH := $(shell uname -m | sed -e s/x86_64/x86/ -e s/aarch64/arm64/ -e s/ppc64le/powerpc/)
# Three nested functions share 512 bytes of stack, each rounded up to 32. From version 15 on clang spills more by these
# passes, and the kernel refuses the program ("combined stack size of 3 calls is 528. Too large").
BPF_STACK = $(shell [ "$$($(CLANG) -dumpversion | cut -d. -f1)" -lt 15 ] || \
	echo -mllvm -simplifycfg-sink-common=0 -mllvm -disable-machine-cse -mllvm -disable-machine-sink -mllvm -split-spill-mode=size)
BPF_CFLAGS = -target bpf -mcpu=v3 -O2 $(BPF_STACK) -g -std=gnu11 -D__TARGET_ARCH_$(ARCH) -I. \
	-idirafter /usr/include/$(shell $(CC) -print-multiarch 2>/dev/null) \
	-ffile-prefix-map=$(CURDIR)/= -ffile-prefix-map=$(CURDIR)=. -Wall -Wextra -Wshadow $(WERROR) -MMD -MP

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-7s %s\n'
endif

define newline


endef

# What a build needs and is not there: tools, the libraries of pkg-config, headers of the C library and of the kernel.
define missing
for tool in $(firstword $(CC)) $(CLANG) $(LLVM_STRIP) $(BPFTOOL) $(SCDOC) $(PKG_CONFIG); do command -v $$tool > /dev/null || echo $$tool; done
for library in $(LIBS) $(HEADERS); do $(PKG_CONFIG) --exists $$library || echo $$library; done
for header in dirent.h linux/bpf.h pcap/pcap.h; do echo "#include <$$header>" | $(CC) -E -o /dev/null - || echo $$header; done
endef
ifneq ($(filter-out clean help uninstall deb,$(or $(MAKECMDGOALS),all)),)
MISSING := $(shell { $(subst $(newline),; ,$(missing)); } 2> /dev/null)
ifneq ($(MISSING),)
$(error missing: $(MISSING). On Debian, scripts/setup installs what a build needs (as root))
endif
endif

.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

# The folders of the loader: each stands on those before it (tests/unit/layers.py).
FOLDERS := base net catalog object recipe report compile guard filter host doctor command
# Their files, without .c.
LOADER := $(sort $(patsubst loader/%.c,%,$(wildcard loader/*.c loader/*/*.c)))
# Pure: no BPF, no privilege. Tested and fuzzed alone.
PURE := $(filter base/% catalog/% recipe/% report/% compile/% guard/%,$(LOADER)) net/link_graph net/login net/socket_owner net/session net/frame net/frame_make net/local_address command/options command/option_values command/help command/packet_words command/machine_words
LOADER_OBJECTS = $(LOADER:%=$(BUILD)/loader/%.o)
LIBRARY_OBJECTS = $(filter-out $(BUILD)/loader/command/main.o,$(LOADER_OBJECTS))

UNIT   := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/*/test_*.c))
FUZZ   := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
PACKET := $(patsubst tests/packet/%.c,$(BUILD)/packet/%.o,$(sort $(wildcard tests/packet/*.c)))
BENCH  := $(patsubst tests/bench/%.c,$(BUILD)/bench/%.o,$(sort $(filter-out %.bpf.c,$(wildcard tests/bench/*.c))))
MANUAL := portcullis.8 portcullis-profile.5 portcullis-site.5

# Files that name the binary, or the schema, by their place.
REFRESH := portcullis-dns.service portcullis-dns.timer portcullis-groups.service portcullis-groups.path
METRICS := portcullis-metrics.socket portcullis-metrics@.service portcullis-textfile.service portcullis-textfile.timer
SYSTEM := portcullis.service portcullis-log.service portcullis.rules portcullis.ifupdown portcullis.bridge portcullis.sleep site.yaml $(METRICS) $(REFRESH)

PAGES := how-do-i.md emergency.md beside-others.md containers.md

ANSIBLE := $(sort $(shell find docs/ansible -type f))
# From the innermost to the outermost.
ANSIBLE_FOLDERS := $(addprefix doc/portcullis/examples/,$(patsubst docs/%,%,$(shell find docs/ansible -depth -type d)))

# What `make install` puts where: FILE=PATH. `make uninstall` removes these, and the folders of its own if they are empty.
INSTALLED = \
	$(BUILD)/portcullis=$(PREFIX)/sbin/portcullis \
	$(BUILD)/portcullis.service=$(UNITDIR)/portcullis.service \
	$(BUILD)/portcullis-log.service=$(UNITDIR)/portcullis-log.service \
	$(foreach unit,$(METRICS) $(REFRESH),$(BUILD)/$(unit)=$(UNITDIR)/$(unit)) \
	$(BUILD)/portcullis.rules=$(PREFIX)/lib/udev/rules.d/81-portcullis.rules \
	$(BUILD)/portcullis.ifupdown=$(SYSCONFDIR)/network/if-pre-up.d/zz-portcullis \
	$(BUILD)/portcullis.bridge=$(SYSCONFDIR)/network/if-pre-up.d/00-portcullis \
	$(BUILD)/portcullis.sleep=$(PREFIX)/lib/systemd/system-sleep/portcullis \
	systemd/fail2ban.conf=$(SYSCONFDIR)/fail2ban/action.d/portcullis.conf \
	systemd/crowdsec-bouncer=$(PREFIX)/lib/portcullis/crowdsec-bouncer \
	systemd/portcullis.sysusers=$(PREFIX)/lib/sysusers.d/portcullis.conf \
	$(BUILD)/site.yaml=$(PREFIX)/share/doc/portcullis/examples/site.yaml \
	docs/monitoring/alerts.yaml=$(PREFIX)/share/doc/portcullis/examples/alerts.yaml \
	docs/monitoring/dashboard.json=$(PREFIX)/share/doc/portcullis/examples/dashboard.json \
	docs/monitoring/zabbix.conf=$(PREFIX)/share/doc/portcullis/examples/zabbix.conf \
	docs/monitoring/check_mk=$(PREFIX)/share/doc/portcullis/examples/check_mk \
	$(foreach file,$(ANSIBLE),$(file)=$(PREFIX)/share/doc/portcullis/examples/$(file:docs/%=%)) \
	$(foreach page,$(PAGES),docs/$(page)=$(PREFIX)/share/doc/portcullis/$(page)) \
	completion/portcullis.bash=$(PREFIX)/share/bash-completion/completions/portcullis \
	completion/portcullis.zsh=$(ZSHDIR)/_portcullis \
	completion/portcullis.fish=$(PREFIX)/share/fish/vendor_completions.d/portcullis.fish \
	$(foreach page,$(MANUAL),$(BUILD)/$(page)=$(PREFIX)/share/man/man$(subst .,,$(suffix $(page)))/$(page)) \
	$(foreach file,$(wildcard profiles/*.yaml profiles/*.schema.json),$(file)=$(PREFIX)/share/portcullis/$(file))
# The administrator's: where the program looks for the site file, whatever PREFIX is.
SITE_FOLDERS = /etc/portcullis/profiles /etc/portcullis
OWN_FOLDERS = $(PREFIX)/lib/portcullis $(addprefix $(PREFIX)/share/,portcullis/profiles portcullis $(ANSIBLE_FOLDERS) doc/portcullis/examples doc/portcullis) $(SITE_FOLDERS)

installed_file = $(word 1,$(subst =, ,$(1)))
installed_path = $(DESTDIR)$(word 2,$(subst =, ,$(1)))
installed_mode = $(if $(filter %/sbin/portcullis %/zz-portcullis %/00-portcullis %/system-sleep/portcullis %/check_mk %/crowdsec-bouncer,$(1)),0755,0644)

all: $(BUILD)/portcullis $(SYSTEM:%=$(BUILD)/%) $(MANUAL:%=$(BUILD)/%)

$(BUILD)/portcullis: $(LOADER_OBJECTS)
	$(say) LINK $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/loader/%.o: loader/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# Objects are made again when the flags change (PREFIX, SANITIZE, CFLAGS).
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)' | cmp -s - $@ || \
		echo '$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)' > $@

# The skeleton comes before the objects that include it; after that, their .d files know.
$(patsubst %.c,$(BUILD)/%.o,$(shell grep -l '"portcullis.skel.h"' loader/*/*.c)): | $(BUILD)/portcullis.skel.h

$(BUILD)/portcullis.bpf.o: bpf/portcullis.bpf.c
	@mkdir -p $(@D)
	$(say) BPF $<
	$(Q)$(CLANG) $(BPF_CFLAGS) -MF $(@:.o=.d) -MT $@ -c -o $@ $<
	$(Q)$(LLVM_STRIP) -g $@

$(BUILD)/portcullis.skel.h: $(BUILD)/portcullis.bpf.o
	$(say) SKEL $@
	$(Q)$(BPFTOOL) gen skeleton $< name portcullis_bpf > $@

$(MANUAL:%=$(BUILD)/%): $(BUILD)/%: docs/%.scd
	@mkdir -p $(@D)
	$(say) MAN $@
	$(Q)$(SCDOC) < $< > $@
	$(Q)! grep -q '^\.TS' $@ || sed -i "1i'\\\\\" t" $@ # has tables: man runs tbl

$(SYSTEM:%=$(BUILD)/%): $(BUILD)/%: systemd/%.in $(BUILD)/flags
	$(say) UNIT $@
	$(Q)sed 's|@PREFIX@|$(PREFIX)|' $< > $@

# --- tests ---

unit: $(UNIT:%=$(BUILD)/unit/%)

# A test of a folder is linked with what is pure in that folder and in those before it: what looks up does not link.
up_to = $(firstword $(2)) $(if $(filter-out $(1),$(firstword $(2))),$(call up_to,$(1),$(wordlist 2,$(words $(2)),$(2))))
pure_up_to = $(patsubst %,$(BUILD)/loader/%.o,$(filter $(addsuffix /%,$(call up_to,$(1),$(FOLDERS))),$(PURE)))

define unit_rule
$(BUILD)/unit/$(1)/%: $(BUILD)/tests/unit/$(1)/%.o $(call pure_up_to,$(1))
	@mkdir -p $$(@D)
	$$(say) TEST $$@
	$$(Q)$$(CC) $$(ALL_LDFLAGS) -o $$@ $$(filter %.o,$$^) $$(LDLIBS) -lcmocka
endef
$(foreach folder,$(FOLDERS),$(eval $(call unit_rule,$(folder))))
.PRECIOUS: $(BUILD)/tests/unit/%.o

$(BUILD)/tests/unit/%.o: tests/unit/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# Needs root and BPF to run.
packet: $(BUILD)/packet/test_packet

$(BUILD)/packet/test_packet: $(PACKET) $(LIBRARY_OBJECTS)
	$(say) TEST $@
	$(Q)$(CC) $(ALL_LDFLAGS) -pthread -o $@ $^ $(LDLIBS)

$(BUILD)/packet/%.o: tests/packet/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# The measuring part of scripts/bench, the programs that it compares with, and the one that sends.
bench: $(BUILD)/bench/bench $(BUILD)/bench/reference.bpf.o $(BUILD)/bench/send.bpf.o

$(BUILD)/bench/bench: $(BENCH) $(patsubst %,$(BUILD)/loader/%.o,$(filter base/%,$(PURE)))
	$(say) LINK $@
	$(Q)$(CC) $(ALL_LDFLAGS) -pthread -o $@ $^ $(LDLIBS)

$(BUILD)/bench/%.o: tests/bench/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/bench/%.bpf.o: tests/bench/%.bpf.c
	@mkdir -p $(@D)
	$(say) BPF $<
	$(Q)$(CLANG) $(BPF_CFLAGS) -MF $(@:.o=.d) -MT $@ -c -o $@ $<

# The fuzzers are built by clang from the sources themselves, so that these are instrumented too: once, for all of them.
FUZZ_CFLAGS = -std=gnu11 -O1 -g1 -D_GNU_SOURCE -I. -DPORTCULLIS_VERSION='"$(VERSION)"' -DPORTCULLIS_PREFIX='"$(PREFIX)"' \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined \
	$(shell $(PKG_CONFIG) --cflags $(LIBS) $(HEADERS)) -MMD -MP

fuzz: $(FUZZ:%=$(BUILD)/fuzz/%)

$(BUILD)/fuzz/loader/%.o: loader/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -c -o $@ $<

$(BUILD)/fuzz/%: tests/fuzz/%.c $(PURE:%=$(BUILD)/fuzz/loader/%.o)
	@mkdir -p $(@D)
	$(say) FUZZ $@
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer -MF $@.d -MT $@ -o $@ $(filter %.c %.o,$^) $(LDLIBS)

# Binaries that say they are version 0.0.9: of this layout of the maps, and of one to come.
LAYOUTS   := 4 5
VERSIONED = $(patsubst loader/%.c,%,$(shell grep -rlE 'PC_ABI_VERSION|PORTCULLIS_VERSION' --include='*.c' loader))
# Binaries of older layouts are built from the last commit that had them: they count and learn in their own maps. Its
# profiles are kept beside them, because an older version does not know every key of these. The tests that need them are skipped where the repository's history is cut short.
COMMIT_OF_LAYOUT_2 := affbb01b61f26b2583203366ac7f1c8ea33b041f
COMMIT_OF_LAYOUT_3 := 81177636a31ed0ca36da60dcdab391371fcb8ba7
OLD_LAYOUTS := $(foreach layout,2 3,$(shell git cat-file -e '$(COMMIT_OF_LAYOUT_$(layout))^{commit}' 2> /dev/null && \
	echo $(layout)))

# What the end-to-end tests use besides the binary.
E2E_C := send faults wait_for_objects probe marks
e2e-tools: $(E2E_C:%=$(BUILD)/e2e/%) $(BUILD)/e2e/explain_all $(BUILD)/e2e/foreign.bpf.o $(LAYOUTS:%=$(BUILD)/e2e/portcullis-layout-%) \
	$(OLD_LAYOUTS:%=$(BUILD)/e2e/portcullis-layout-%)

$(OLD_LAYOUTS:%=$(BUILD)/e2e/portcullis-layout-%): $(BUILD)/e2e/portcullis-layout-%:
	$(say) OLD $@
	$(Q)rm -rf $(@D)/layout-$* && mkdir -p $(@D)/layout-$*
	$(Q)git archive '$(COMMIT_OF_LAYOUT_$*)' Makefile bpf loader profiles | tar -x -C $(@D)/layout-$*
	$(Q)$(MAKE) --no-print-directory -C $(@D)/layout-$* BUILD=build CFLAGS=-O0 VERSION=0.0.$* build/portcullis > /dev/null
	$(Q)rm -rf $(@D)/profiles-layout-$* && mv $(@D)/layout-$*/profiles $(@D)/profiles-layout-$*
	$(Q)chmod -R go-w $(@D)/profiles-layout-$*
	$(Q)mv $(@D)/layout-$*/build/portcullis $@ && rm -rf $(@D)/layout-$*

$(BUILD)/e2e/portcullis-layout-%: $(LOADER_OBJECTS)
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -UPORTCULLIS_VERSION -DPORTCULLIS_VERSION='"0.0.9"' \
		-DPC_ABI_VERSION=$* $(ALL_LDFLAGS) -o $@ $(VERSIONED:%=loader/%.c) \
		$(filter-out $(VERSIONED:%=$(BUILD)/loader/%.o),$^) $(LDLIBS)

$(E2E_C:%=$(BUILD)/e2e/%): $(BUILD)/e2e/%: tests/e2e/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(say) TEST $@
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -MF $@.d -MT $@ -o $@ $<

$(BUILD)/e2e/explain_all: tests/e2e/explain_all.c $(LIBRARY_OBJECTS)
	@mkdir -p $(@D)
	$(say) TEST $@
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -MF $@.d -MT $@ -o $@ $^ $(LDLIBS)

$(BUILD)/%.bpf.o: tests/%.bpf.c
	@mkdir -p $(@D)
	$(say) BPF $<
	$(Q)$(CLANG) $(BPF_CFLAGS) -MF $(@:.o=.d) -MT $@ -c -o $@ $<

# What scripts/kernels runs in its guests, beside the binary and the packet tests.
kernels-tools: $(BUILD)/kernels/facts $(BUILD)/kernels/datagram $(BUILD)/e2e/send

$(BUILD)/kernels/facts: $(BUILD)/kernels/facts.o $(LIBRARY_OBJECTS)
	$(say) TEST $@
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,--wrap=bpf_object__load,--wrap=beside_begin -o $@ $^ $(LDLIBS)

$(BUILD)/kernels/datagram: $(BUILD)/kernels/datagram.o
	$(say) TEST $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^

$(BUILD)/kernels/%.o: tests/kernels/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# What scripts/guest takes into its guests, beside the binary.
GUEST_C := prober links listen names
guest-tools: $(GUEST_C:%=$(BUILD)/guest/%) $(BUILD)/guest/drop.bpf.o

$(BUILD)/guest/%: tests/guest/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(say) TEST $@
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -MF $@.d -MT $@ -o $@ $< $(shell $(PKG_CONFIG) --libs libmnl)

debug:
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/debug CFLAGS='-O1 -g1' \
		SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=undefined' all unit

install: all
	$(INSTALL) -d -m 0755 $(SITE_FOLDERS:%=$(DESTDIR)%)
	$(foreach row,$(INSTALLED),$(INSTALL) -D -m $(call installed_mode,$(row)) $(call installed_file,$(row)) $(call installed_path,$(row))$(newline)	)

uninstall:
	rm -f $(foreach row,$(INSTALLED),$(call installed_path,$(row)))
	for folder in $(OWN_FOLDERS:%=$(DESTDIR)%); do [ ! -d $$folder ] || rmdir --ignore-fail-on-non-empty $$folder; done

# The Debian packages and their source, from a copy of the tree in which nothing is built.
deb:
	@command -v dpkg-buildpackage > /dev/null && command -v dh > /dev/null || { echo 'missing: dpkg-dev debhelper. On Debian, scripts/setup package installs them' >&2; exit 1; }
	rm -rf $(BUILD)/deb
	umask 022; mkdir -p $(BUILD)/deb/portcullis; { git ls-files --cached --others --exclude-standard 2> /dev/null || find . -type f ! -path './build*' ! -path './.git*'; } | \
		{ while read -r file; do [ ! -e "$$file" ] || echo "$$file"; done; } | \
		tar -c --mode=u=rwX,go=rX -T - | tar -x -C $(BUILD)/deb/portcullis
	cd $(BUILD)/deb/portcullis && env -u MAKEFLAGS -u MAKELEVEL -u BUILD -u PREFIX -u DESTDIR -u CFLAGS -u CPPFLAGS -u LDFLAGS \
		dpkg-buildpackage --unsigned-source --unsigned-changes
	rm -rf $(BUILD)/deb/portcullis

# The unit tests, run. scripts/test runs them and all others.
check: unit
	@for test in $(UNIT:%=$(BUILD)/unit/%); do $$test || exit; done
	@for test in $(wildcard tests/unit/*.py); do /usr/bin/python3 $$test || exit; done

clean:
	rm -rf $(BUILD)

help:
	@echo 'all      the binary $(BUILD)/portcullis and the man pages'
	@echo 'unit     unit tests, built into $(BUILD)/unit'
	@echo 'packet   packet tests, built as $(BUILD)/packet/test_packet (root runs them)'
	@echo 'e2e-tools what the end-to-end tests use, built into $(BUILD)/e2e'
	@echo 'kernels-tools what scripts/kernels runs in its guests, built into $(BUILD)/kernels'
	@echo 'guest-tools what scripts/guest takes into its guests, built into $(BUILD)/guest'
	@echo 'bench    what scripts/bench measures with, built into $(BUILD)/bench (root runs it)'
	@echo 'fuzz     libFuzzer harnesses, built into $(BUILD)/fuzz'
	@echo 'debug    everything with ASan and UBSan, in $(BUILD)/debug'
	@echo 'install  binary, profiles, schema, man pages, systemd unit, udev rule, completion, sample (DESTDIR, PREFIX, SYSCONFDIR, UNITDIR, ZSHDIR)'
	@echo 'uninstall removes what install has put there'
	@echo 'deb      Debian packages, built into $(BUILD)/deb'
	@echo 'check    runs the unit tests'
	@echo 'clean    remove $(BUILD)'

FORCE:
.PHONY: all unit packet e2e-tools kernels-tools guest-tools bench fuzz debug install uninstall deb check clean help FORCE

-include $(shell find $(BUILD) -path $(BUILD)/deb -prune -o -type f -name '*.d' -print 2>/dev/null)
