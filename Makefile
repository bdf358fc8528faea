# spawnd: how it is built, tested and installed. GNU make.
#
#	make                            ./spawnd
#	make check                      units, then bats
#	make BUILD=build/asan SANITIZE=address,undefined check-unit
#	make BUILD=build/clang CC=clang WERROR=1
#	make ROOMS="base watchdog wire" check-unit    only these rooms and their tests
#
# Builds with other flags live side by side under other BUILD directories; changed flags rebuild.

VERSION = 0.1.0

CC ?= cc
CFLAGS ?= -O2 -g
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
SANITIZE ?=
WERROR ?=
INSTALL ?= install
PKG_CONFIG ?= pkg-config
CLANG_FORMAT ?= clang-format
BATS ?= bats

BINDIR = $(PREFIX)/bin
MANDIR = $(PREFIX)/share/man
# With PREFIX=/usr or /usr/local systemd looks there.
UNITDIR = $(PREFIX)/lib/systemd
# Directories for other service managers, to be copied to where theirs are.
SERVICEDIR = $(PREFIX)/share/spawnd

comma = ,
WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
	-Wswitch-enum -Wconversion -Wno-sign-conversion $(if $(WERROR),-Werror)
SANITIZERS = $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all \
	-fno-omit-frame-pointer)

# Everything comes from archives where there are any: nothing is searched for, mapped and bound at the start
# of every command, which is most of what a call costs. pkg-config knows what the archives need in turn.
PACKAGES = libbsd libmd inih sqlite3 jansson
WANTED := $(shell $(PKG_CONFIG) --static --libs-only-l $(PACKAGES) 2>/dev/null)
ifeq ($(strip $(WANTED)),)
WANTED := -lbsd -lmd -linih -lsqlite3 -lm -lz -ljansson
endif
WANTED_BSD := $(shell $(PKG_CONFIG) --static --libs-only-l libbsd 2>/dev/null)
ifeq ($(strip $(WANTED_BSD)),)
WANTED_BSD := -lbsd -lmd
endif
PACKAGE_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null)

# The compiler answers with a path where it finds the archive, and with the bare name where not.
archive = $(filter /%,$(shell $(CC) -print-file-name=$(patsubst -l%,lib%.a,$(1))))
from_libc = -lc -lm -lpthread -ldl -lrt
link_with = $(foreach l,$(1),$(or $(if $(filter $(from_libc),$(l)),$(l)),$(call archive,$(l)),$(l)))
# Base64 is in libresolv where glibc is older than 2.34.
LIBS := $(call link_with,$(WANTED)) -lresolv
LIBS_BSD := $(call link_with,$(WANTED_BSD))

# libc, too, unless it has no archive here, or a sanitizer is to be put before it; `make STATIC=` shares it. SQLite
# could load extensions, which the linker warns of; nothing in spawnd asks it to.
has_file = $(filter /%,$(shell $(CC) -print-file-name=$(1)))
is_archived = $(if $(strip $(foreach l,$(WANTED) -lc -lresolv,$(if $(call archive,$(l)),,$(l)))),,$(call has_file,rcrt1.o))
QUIET_LINK = $(if $(shell $(CC) -Wl,--help 2>/dev/null | grep -e --no-warnings),-Wl$(comma)--no-warnings)
ifeq ($(SANITIZE),)
STATIC ?= $(if $(is_archived),-static-pie $(QUIET_LINK))
endif
STATIC_FLAGS := $(STATIC)

ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -DSPAWND_VERSION='"$(VERSION)"' -I. -I$(BUILD)/gen \
	$(PACKAGE_CFLAGS) $(WARNINGS) $(SANITIZERS) $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(SANITIZERS) $(CFLAGS) -Wl,--as-needed $(LDFLAGS)

# V=1 shows the commands; `make -s` says nothing at all.
V ?=
Q = $(if $(V),,@)
is_silent = $(findstring s,$(firstword -$(MAKEFLAGS)))
say = $(if $(V)$(is_silent),,@echo '	$(1)	$(2)')

ROOMS ?= base watchdog wire config queue store supervisor server cli
SUPERVISOR_ROOMS = base watchdog wire supervisor

objects = $(patsubst %.c,$(BUILD)/%.o,$(1))
SOURCES = $(sort $(wildcard $(addsuffix /*.c,$(ROOMS))))
OBJECTS = $(call objects,$(SOURCES))
SUPERVISOR_OBJECTS = $(call objects,$(sort $(wildcard $(addsuffix /*.c,$(SUPERVISOR_ROOMS)))))
ALL_UNITS = $(sort $(wildcard tests/unit/test_*.c))
UNITS = $(patsubst tests/%.c,$(BUILD)/%,$(if $(filter file,$(origin ROOMS)),$(ALL_UNITS),$(ROOM_UNITS)))
ROOM_UNITS = $(filter $(addprefix tests/unit/test_,$(notdir $(SOURCES))),$(ALL_UNITS))
HELPERS = $(patsubst tests/%.c,$(BUILD)/%,$(sort $(wildcard tests/helper/*.c)))
HARNESSES = $(patsubst tests/%.c,$(BUILD)/%,$(sort $(wildcard tests/harness/*.c)))
FUZZERS = $(patsubst tests/%.c,$(BUILD)/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
MANUALS = $(sort $(wildcard man/*.[157]))
SCRIPTS = $(shell grep -lE '^\#!.*[/ ](ba)?sh( |$$)' $$(find tests bench contrib doc -type f ! -name '*.c') /dev/null)
FORMATTED = $(sort $(wildcard *.c */*.[ch] tests/*/*.[ch]))

LIBRARY = $(BUILD)/libspawnd.a
BINARY = $(BUILD)/spawnd
VARLINK_H = $(BUILD)/gen/org_spawnd_varlink.h

.DELETE_ON_ERROR:
.SECONDARY:

.PHONY: all
ifeq ($(BUILD),build)
all: spawnd

# The link is as old as what it points to, which is what make looks at.
spawnd: $(BINARY)
	ln -sf $(BINARY) $@
else
all: $(BINARY)
endif

# Where libc is shared, all symbols are bound at the start: else each forked child binds anew, up to its exec,
# what the supervisor itself never calls.
$(BINARY): $(BUILD)/spawnd.o $(LIBRARY) $(BUILD)/flags
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $(STATIC_FLAGS) -Wl,-z,now -o $@ $(BUILD)/spawnd.o $(LIBRARY) $(LIBS)

# Made anew, so that it keeps no member whose source is gone.
$(LIBRARY): $(OBJECTS) $(BUILD)/members
	$(call say,AR,$@)
	@rm -f $@
	$(Q)$(AR) rcs $@ $(OBJECTS)

$(BUILD)/%.o: %.c $(BUILD)/flags | $(VARLINK_H)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(VARLINK_H): server/org.spawnd.varlink
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q){ echo '#define ORG_SPAWND_VARLINK \'; \
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/	"&\\n" \\/' $<; echo '	""'; } >$@

# Two files that change when the flags or the list of sources do.
flags_now = $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(STATIC_FLAGS) $(LIBS)
quoted = '$(subst ','\'',$(1))'
write_if_changed = @mkdir -p $(@D); printf '%s\n' $(call quoted,$(1)) | cmp -s - $@ || \
	printf '%s\n' $(call quoted,$(1)) >$@

.PHONY: FORCE
FORCE:

$(BUILD)/flags: FORCE
	$(call write_if_changed,$(flags_now))

$(BUILD)/members: FORCE
	$(call write_if_changed,$(OBJECTS))

$(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(LIBRARY)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(LIBRARY) $(LIBS) -lcmocka

$(BUILD)/helper/%: $(BUILD)/tests/helper/%.o
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $<

$(BUILD)/harness/%: $(BUILD)/tests/harness/%.o $(SUPERVISOR_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_BSD)

# The supervisor with the functions by which it makes system calls wrapped. Each site of a call lies at the
# same address in each run.
FAULT_WRAPS := $(shell sed -n 's/ fails$$//p' tests/fault/calls)
FAULT_HARNESS = $(BUILD)/fault/fault_harness
FAULT_DRIVE = $(BUILD)/fault/drive

$(FAULT_HARNESS): $(call objects,$(addprefix tests/fault/,harness.c fault.c player.c adopted.c wrap.c)) \
	$(SUPERVISOR_OBJECTS) tests/fault/calls
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -no-pie $(addprefix -Wl$(comma)--wrap=,$(FAULT_WRAPS)) -o $@ \
		$(filter %.o,$^) $(LIBS_BSD)

$(FAULT_DRIVE): $(call objects,$(addprefix tests/fault/,drive.c run.c fault.c player.c adopted.c)) \
	$(SUPERVISOR_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_BSD)

# The whole program with failpoints around what it writes, sends, receives and starts.
TORTURE_POINTS := $(shell sed -n 's/^\tX(\([a-z0-9_]*\)).*/\1/p' tests/torture/failpoint.h)
TORTURE_WRAPS = $(TORTURE_POINTS) wire_send wire_receive server_run supervisor_run clock_gettime
TORTURE_BINARY = $(BUILD)/torture/spawnd

$(TORTURE_BINARY): $(call objects,tests/torture/failpoint.c tests/torture/wrap.c) \
	$(BUILD)/spawnd.o $(LIBRARY) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,-z,now $(addprefix -Wl$(comma)--wrap=,$(TORTURE_WRAPS)) -o $@ \
		$(filter %.o %.a,$^) $(LIBS)

# The real supervisor in a simulated world: three of its files and libc's system calls are replaced.
SIM_REPLACED = supervisor/proc.c supervisor/contain.c wire/wire.c
SIM_CALLS = clock_gettime close epoll_create1 epoll_ctl epoll_wait fcntl fstat getpgid \
	getrandom getrlimit kill log_line notify_send open pipe2 prctl read setrlimit signal signalfd sigprocmask \
	slots_init syscall timerfd_create timerfd_settime
SIM_OBJECTS = $(call objects,$(sort $(wildcard tests/sim/*.c))) \
	$(filter-out $(call objects,$(SIM_REPLACED)),$(SUPERVISOR_OBJECTS))

$(BUILD)/sim: $(SIM_OBJECTS) $(BUILD)/flags
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $(addprefix -Wl$(comma)--wrap=,$(SIM_CALLS)) -o $@ $(SIM_OBJECTS) \
		$(LIBS_BSD)

# The real server, with its store and its queue, in a simulated world of users and of jobs that have children.
FAMILY_REPLACED = base/loop.c server/conn.c server/link.c server/runtime.c
FAMILY_CALLS = arc4random_buf clock_gettime deliver_flush inotify_add_watch inotify_init1 inotify_rm_watch log_line \
	prlimit queue_next queue_start store_commit timerfd_create timerfd_settime
FAMILY_OBJECTS = $(call objects,$(sort $(wildcard tests/family/*.c)) tests/sim/world.c) \
	$(filter-out $(call objects,$(FAMILY_REPLACED)),$(OBJECTS))

$(BUILD)/family: $(FAMILY_OBJECTS) $(BUILD)/flags
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $(addprefix -Wl$(comma)--wrap=,$(FAMILY_CALLS)) -o $@ $(FAMILY_OBJECTS) \
		$(LIBS)

SIM_SECONDS ?= 300
.PHONY: sim sim-family sim-planted
sim: $(BUILD)/sim
	$(BUILD)/sim --seconds $(SIM_SECONDS)

sim-family: $(BUILD)/family
	$(BUILD)/family --seconds $(SIM_SECONDS)

# Whether they find bugs.
sim-planted: $(BUILD)/sim $(BUILD)/family
	tests/sim/plant $(BUILD)
	tests/family/plant $(BUILD)

$(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/%.o $(LIBRARY)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $< $(LIBRARY) $(LIBS)

.PHONY: check check-unit check-bats
check: check-unit
	$(MAKE) check-bats

check-unit: $(UNITS) $(if $(filter file,$(origin ROOMS)),$(HARNESSES))
	@for t in $(UNITS); do \
		echo "# $$t"; TEST_HARNESS=$(abspath $(BUILD)/harness) $$t || exit 1; \
	done

check-bats: all $(HELPERS) $(if $(filter file,$(origin ROOMS)),$(HARNESSES))
	SPAWND=$(abspath $(BINARY)) TEST_HELPERS=$(abspath $(BUILD)/helper) \
		PATH="$(abspath $(BUILD)):$$PATH" $(BATS) tests/bats

# That what must not fail needs no library but libc and libbsd; the program is what its tests drive.
.PHONY: supervisor-only
supervisor-only: $(HARNESSES)

# Those that are clients of the daemon, and those that link nothing but libc.
BENCH_CLIENTS = $(addprefix $(BUILD)/bench/,batch crowd lateness recover)
BENCH_BARE = $(addprefix $(BUILD)/bench/,child loop nothing pair stall)
BENCHES = $(BENCH_CLIENTS) $(BENCH_BARE) $(BUILD)/bench/allocations.so $(BUILD)/bench/spawnd

$(BENCH_CLIENTS): $(BUILD)/bench/%: $(BUILD)/bench/%.o $(BUILD)/bench/client.o
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BENCH_BARE): $(BUILD)/bench/%: $(BUILD)/bench/%.o
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $<

# With a libc that something can be put before: allocations.so.
$(BUILD)/bench/spawnd: $(BUILD)/spawnd.o $(LIBRARY) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,-z,now -o $@ $(BUILD)/spawnd.o $(LIBRARY) $(LIBS)

$(BUILD)/bench/allocations.so: bench/allocations.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -shared -fPIC -o $@ $<

# Figures, as ratios, beside other programs that `contrib/install-packages bench` installs; see bench/run. Not a
# test. BENCH_OPTIONS=--long takes its time, `make bench-curves` an hour.
BENCH_OPTIONS ?=
.PHONY: bench bench-check bench-curves bench-programs bench-record
bench-programs: all $(BENCHES)

bench: all $(BENCHES)
	bench/run $(BENCH_OPTIONS) $(abspath $(BINARY)) $(abspath $(BUILD)/bench)

bench-curves: all $(BENCHES)
	bench/curves $(abspath $(BINARY)) $(abspath $(BUILD)/bench)

# What is counted, against bench/expected.tsv, or into it; see bench/check.
bench-check bench-record: all $(BENCHES)
	bench/check $(if $(filter %-record,$@),--record) $(abspath $(BINARY)) $(abspath $(BUILD)/bench)

# Programs to be run by hand: build/fuzzers/fuzz/NAME [-max_total_time=S] [CORPUS]. What they find worth
# keeping goes into the first CORPUS; tests/fuzz/corpus/NAME has what to begin with.
.PHONY: fuzz fuzz-programs
fuzz:
	$(MAKE) BUILD=build/fuzzers CC=clang SANITIZE=address,undefined,fuzzer-no-link fuzz-programs

fuzz-programs: $(FUZZERS)

# Each system call of the supervisor fails in turn; see tests/fault/drive.c. FAULT_OPTIONS='-s 90': a sample.
FAULT_OPTIONS ?=
.PHONY: fault fault-programs
fault-programs: $(FAULT_HARNESS) $(FAULT_DRIVE)

fault: fault-programs
	tests/fault/check-calls $(SUPERVISOR_OBJECTS)
	$(FAULT_DRIVE) $(FAULT_OPTIONS) $(abspath $(FAULT_HARNESS))

# The daemon is killed at its failpoints and at random moments; see tests/torture/drive. What it takes a
# failpoint to see, but no campaign, is in tests/torture/faults.bats.
TORTURE_OPTIONS ?= --expect-adoption
.PHONY: torture torture-programs torture-kills torture-faults
torture-programs: $(TORTURE_BINARY) $(HELPERS)

torture: torture-faults torture-kills

torture-kills: torture-programs
	tests/torture/drive $(TORTURE_OPTIONS) $(abspath $(TORTURE_BINARY))

torture-faults: torture-programs
	SPAWND=$(abspath $(TORTURE_BINARY)) TEST_HELPERS=$(abspath $(BUILD)/helper) \
		PATH="$(abspath $(BUILD)/torture):$$PATH" $(BATS) $(BATS_OPTIONS) tests/torture/faults.bats

.PHONY: floors lint format check-format
floors:
	tests/floors

format:
	$(CLANG_FORMAT) -i $(FORMATTED)

check-format:
	$(CLANG_FORMAT) --dry-run -Werror $(FORMATTED)

lint: $(VARLINK_H)
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
		--error-exitcode=1 --suppress=missingIncludeSystem --suppress=unknownMacro \
		--suppress=normalCheckLevelMaxBranches -D_GNU_SOURCE \
		--suppress=uninitvar --suppress=ctuuninitvar \
		-D__attribute__\(x\)= -I. -I$(BUILD)/gen $(wildcard *.c) $(SOURCES)
	$(if $(strip $(SCRIPTS)),shellcheck -x $(SCRIPTS))
	$(if $(MANUALS),mandoc -Tlint -Wwarning $(MANUALS))

UNITS_SYSTEMD = $(sort $(wildcard contrib/systemd/*/spawnd.*))
SERVICES = $(sort $(wildcard contrib/s6/* contrib/runit/* contrib/runners/*))

.PHONY: install uninstall
install: all
	$(INSTALL) -d $(DESTDIR)$(BINDIR)
	$(INSTALL) -m 755 $(BINARY) $(DESTDIR)$(BINDIR)/spawnd
	set -e; for m in $(MANUALS); do \
		d=$(DESTDIR)$(MANDIR)/man$${m##*.}; \
		$(INSTALL) -d $$d; $(INSTALL) -m 644 $$m $$d; \
	done
	set -e; for m in man/spawnd-service.7 man/spawnd.ini.5; do \
		sed 's,/usr/local/share/spawnd,$(SERVICEDIR),g; s,/usr/local/bin/,$(BINDIR)/,g; s,/usr/local/lib/systemd,$(UNITDIR),g' \
			$$m >$(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/}; \
	done
	set -e; for u in $(UNITS_SYSTEMD:contrib/systemd/%=%); do \
		$(INSTALL) -d $(DESTDIR)$(UNITDIR)/$${u%/*}; \
		sed 's,/usr/local/bin/,$(BINDIR)/,g' contrib/systemd/$$u >$(DESTDIR)$(UNITDIR)/$$u; \
		chmod 644 $(DESTDIR)$(UNITDIR)/$$u; \
	done
	set -e; for f in $(SERVICES:contrib/%=%); do \
		$(INSTALL) -d $(DESTDIR)$(SERVICEDIR)/$${f%/*}; \
		cp -p contrib/$$f $(DESTDIR)$(SERVICEDIR)/$$f; \
		sed 's,exec spawnd ,exec $(BINDIR)/spawnd ,; s,/usr/local/share/spawnd,$(SERVICEDIR),g' \
			contrib/$$f \
			>$(DESTDIR)$(SERVICEDIR)/$$f; \
	done

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/spawnd
	for m in $(MANUALS); do \
		rm -f $(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/}; \
	done
	rm -f $(UNITS_SYSTEMD:contrib/systemd/%=$(DESTDIR)$(UNITDIR)/%)
	rm -f $(SERVICES:contrib/%=$(DESTDIR)$(SERVICEDIR)/%)

.PHONY: clean
clean:
	rm -rf $(BUILD)
	rm -f spawnd

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
