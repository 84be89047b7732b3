# Builds and installs the libraries as they ship.
#
#   make                    builds the libraries, shared and static, and the program `inlay`, in target/ship, or in
#                           target/ship/TRIPLE for another platform
#   make install            PREFIX=/usr/local, below DESTDIR if there is one; BINDIR, LIBDIR, INCLUDEDIR, DOCDIR, MANDIR, CMAKEDIR if
#                           not in it; KINDS=inlay, say, for one of the libraries; the program comes with inlay_cross
#   make uninstall          removes what `make install` with the same variables has put there
#   make dist               source archive and, of this platform, binary archive, with checksums, in target/ship/dist
#   make dist-source        only the source archive
#   make run, make real     the examples: see examples-c/Makefile
#   make clean              removes target/ship
#
# Three libraries have the same headers and symbols: inlay; inlay_runtime, which has no compiler and is a sixteenth of the
# size; and inlay_cross, which compiles for all targets, where inlay does for its own architecture, and is larger by a third.
# inlay_wasi and inlay_wasm, which is the standard C API, stand on any of them, and are linked beside it. To
# build them for another platform: make TRIPLE=aarch64-unknown-linux-gnu CROSS=aarch64-linux-gnu-, or, for Windows,
# TRIPLE=x86_64-pc-windows-gnu CROSS=x86_64-w64-mingw32-
#
# How a library is made. Cargo makes a static archive, from which one object is linked that has what the exported
# functions reach, and exports nothing else. That object is the static library, so that no symbol of Rust's can meet
# another library's, and the shared library is linked from it, so that symbols have a version: rustc brings a version
# script of its own for shared libraries, beside which the linker takes no other.

# Ranges of letters mean those of ASCII here, whatever the language of who builds: elsewhere [A-Z] can be other letters.
export LC_ALL := C

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
ABI := $(shell sed -n 's/^abi = \([0-9]*\)/\1/p' Cargo.toml)

PREFIX ?= /usr/local
override PREFIX := $(patsubst %/,%,$(PREFIX))
LIBDIR ?= $(PREFIX)/lib
BINDIR ?= $(PREFIX)/bin
INCLUDEDIR ?= $(PREFIX)/include
DOCDIR ?= $(PREFIX)/share/doc/inlay
MANDIR ?= $(PREFIX)/share/man
CMAKEDIR ?= $(LIBDIR)/cmake/inlay
DESTDIR ?=
D = $(DESTDIR)

CARGO ?= cargo
RUSTC ?= rustc
HOST := $(shell $(RUSTC) -vV | sed -n 's/^host: //p')
TRIPLE ?= $(HOST)
CROSS ?=
ifneq ($(CROSS),)
CC := $(CROSS)gcc
endif
AR := $(CROSS)ar
NM := $(CROSS)nm
OBJCOPY := $(CROSS)objcopy
INSTALL ?= install

# A relative CARGO_TARGET_DIR means relative to this directory.
TARGET_NAME := $(or $(CARGO_TARGET_DIR),target)
TARGET_DIR := $(if $(filter /%,$(TARGET_NAME)),$(TARGET_NAME),$(CURDIR)/$(TARGET_NAME))
BUILD ?= $(TARGET_DIR)/ship$(if $(filter-out $(HOST),$(TRIPLE)),/$(TRIPLE))

KINDS = inlay inlay_runtime inlay_cross inlay_wasi $(WASM_H)
FEATURES_inlay_runtime := --no-default-features
FEATURES_inlay_cross := --features all-arch
# Link-time optimization makes the compiler smaller and faster; the runtime it makes larger, for what is left out below of
# the standard library cannot be told from the rest then.
LTO_inlay := fat
LTO_inlay_cross := fat
LTO_inlay_runtime := off
LTO_inlay_wasi := off
LTO_disassembler := off
DESCRIPTION_inlay := WebAssembly, compiled and run inside memory that the host program owns
DESCRIPTION_inlay_cross := WebAssembly, compiled for any target
DESCRIPTION_inlay_runtime := WebAssembly that Inlay has compiled, run inside memory that the host program owns
DESCRIPTION_inlay_wasm := The standard C API of WebAssembly, over Inlay; link inlay or inlay_runtime, too
DESCRIPTION_inlay_wasi := WASI for WebAssembly that Inlay runs; link inlay or inlay_runtime, too
# A shared library's name ends with the SONAME's number and the version's other ones.
SUFFIX := so.$(ABI).$(shell echo $(VERSION) | cut -d . -f 2-)

.PHONY: all full runtime cross wasi wasm_h tool install uninstall dist dist-source dist-binary run real clean FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: full runtime cross wasi $(if $(WASM_H),wasm_h) tool

# ---- building ---------------------------------------------------------------------------------------------------------

# Where something was built is in no byte of it. `--print` says where the sources of the standard library would be.
CARGO_HOME ?= $(HOME)/.cargo
REMAP = $(CARGO_HOME)/registry/src=crates $(CURDIR)=inlay $(BUILD)=build $(shell $(RUSTC) --print sysroot)=rust

# The archive that cargo makes of a package, for one of the kinds or for the program.
archive = $(BUILD)/cargo/$(1)/$(TRIPLE)/release/lib$(subst -,_,$(PACKAGE_$(1))).a
PACKAGE_inlay := inlay
PACKAGE_inlay_runtime := inlay
PACKAGE_inlay_cross := inlay
PACKAGE_inlay_wasi := inlay-wasi
PACKAGE_disassembler := inlay-disassembler

# Cargo decides itself whether there is anything to do, and leaves the archive as it is if not.
define archive_rule
$(call archive,$(1)): FORCE
	@flags=$$$$(printf '%s\037' $$$$RUSTFLAGS $(foreach map,$(REMAP),'--remap-path-prefix=$(map)')) && \
	CARGO_ENCODED_RUSTFLAGS=$$$${flags%?} CARGO_PROFILE_RELEASE_LTO=$(LTO_$(1)) $(CARGO) rustc --release --locked \
	    --package $(PACKAGE_$(1)) --lib --crate-type staticlib \
	    --target-dir $(BUILD)/cargo/$(1) --target $(TRIPLE) $(FEATURES_$(1)) $(CARGOFLAGS)

endef
$(foreach kind,inlay inlay_runtime inlay_cross inlay_wasi disassembler,$(eval $(call archive_rule,$(kind))))

# Whatever a panic could print in the standard library is two thirds of the smallest library, and never runs in this one:
# `src/guard.rs` keeps panics from printing. All of it hangs on the function that prints a backtrace; another takes its
# place here, and what only it reached is left out. Where it is not found, the library is larger, and a test says so. Of the
# linkers only that of binutils leaves anything out of an object that will be linked again. Groups of sections become plain
# ones there: else a linker would take the group of another library of Rust's for this one's, whose symbols are local. On
# RISC-V binutils 2.40 writes a wrong `.eh_frame` if it leaves anything out here; what links a program leaves it out there.
LEAVE_OUT = $(if $(filter riscv%,$(TRIPLE)),--no-gc-sections,--gc-sections)
BACKTRACE = _R[A-Za-z0-9_]*BacktraceLock5print[A-Za-z0-9_]*7Display3fmt
.SECONDEXPANSION:
$(BUILD)/%.o: $$(call archive,$$*)
	@$(NM) -g --defined-only $< 2>/dev/null | sed -n 's/^[0-9a-f]* [A-Z] \(inlay_.*\)/\1/p' | \
	    sort -u >$(BUILD)/$*.all && sed '/^inlay_no_backtrace$$/d' $(BUILD)/$*.all >$(BUILD)/$*.symbols
	@backtrace=$$(cmp -s $(BUILD)/$*.all $(BUILD)/$*.symbols || tr -c 'A-Za-z0-9_' '\n' <$< | grep -x '$(BACKTRACE)' | sort -u | \
	    sed 's/.*/-Wl,--defsym=&=inlay_no_backtrace/') && \
	sed 's/^/-Wl,-u,/' $(BUILD)/$*.symbols >$(BUILD)/$*.roots && \
	$(CC) -r -nostdlib -fuse-ld=bfd -Wl,$(LEAVE_OUT),--force-group-allocation $$backtrace @$(BUILD)/$*.roots $< -o $@
	@$(OBJCOPY) --keep-global-symbols=$(BUILD)/$*.symbols --strip-unneeded -R .llvmbc -R .llvmcmd $@

# The standard C API is C over inlay.h. What its files share is hidden, and made local here. It is not for Windows yet.
WASM_H = $(if $(findstring windows,$(TRIPLE)),,inlay_wasm)
WASM_H_OBJECTS := $(patsubst wasm_h/src/%.c,$(BUILD)/wasm_h/%.o,$(sort $(wildcard wasm_h/src/*.c)))
$(BUILD)/wasm_h/%.o: wasm_h/src/%.c wasm_h/src/internal.h include/inlay.h include/wasm.h include/inlay_wasm.h
	@mkdir -p $(@D)
	@$(CC) -std=c11 -Wall -Wextra -Wpedantic -O2 $(CPPFLAGS) $(CFLAGS) -fPIC -fvisibility=hidden -ffunction-sections \
	    -fdata-sections -ffile-prefix-map=$(CURDIR)=inlay -Iinclude -c $< -o $@
$(BUILD)/inlay_wasm.o: $(WASM_H_OBJECTS)
	@$(CC) -r -nostdlib $^ -o $@
	@$(OBJCOPY) --localize-hidden --strip-unneeded $@

# ---- what differs by system -------------------------------------------------------------------------------------------
#
# The rules for the files of a library; which of them are installed, and how; and what a static one wants beside itself.

ifeq ($(findstring windows,$(TRIPLE)),)

EXE :=
FILES = $(BUILD)/lib$(1).so $(BUILD)/lib$(1).a
INSTALLED = lib$(1).a lib$(1).$(SUFFIX) lib$(1).so.$(ABI) lib$(1).so
PRIVATE_LIBS := -lpthread
TOOL_LIBRARY = $(BUILD)/libinlay_wasi.a $(BUILD)/libinlay_cross.a
TOOL_LINKED = $(TOOL_LIBRARY)
TOOL_LDFLAGS := -Wl,--gc-sections -Wl,-z,relro,-z,now -Wl,--build-id=sha1

$(BUILD)/lib%.a: $(BUILD)/%.o
	@rm -f $@
	@$(AR) crD $@ $<

$(BUILD)/lib%.so: $(BUILD)/%.o
	@printf 'INLAY_%s {\n  global: $(if $(filter inlay_wasm,$*),wasm_*; )inlay_*;\n  local: *;\n};\n' $(ABI) >$(BUILD)/$*.map
	@$(CC) -shared $< -o $(BUILD)/lib$*.$(SUFFIX) -s -Wl,-soname,lib$*.so.$(ABI) -Wl,--version-script=$(BUILD)/$*.map \
	    -Wl,-Bsymbolic -Wl,--gc-sections -Wl,-O1 -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--build-id=sha1 -Wl,--as-needed \
	    $(LDFLAGS) -lpthread
	@ln -sf lib$*.$(SUFFIX) $(BUILD)/lib$*.so.$(ABI)
	@ln -sf lib$*.so.$(ABI) $@

define install_files
	$(INSTALL) -m 644 $(BUILD)/lib$(kind).a $(BUILD)/lib$(kind).$(SUFFIX) $(D)$(LIBDIR)
	ln -sf lib$(kind).$(SUFFIX) $(D)$(LIBDIR)/lib$(kind).so.$(ABI)
	ln -sf lib$(kind).so.$(ABI) $(D)$(LIBDIR)/lib$(kind).so
endef

else

# The archive stays one, without what a debugger would want, since the linkers there make no such object. The DLL's names are
# those of a .def, from which dlltool makes the import library that Microsoft's linker reads.
EXE := .exe
FILES = $(BUILD)/$(1).dll $(BUILD)/$(1).lib $(BUILD)/lib$(1).a
INSTALLED = lib$(1).a lib$(1).dll.a $(1).lib $(1).def
PRIVATE_LIBS := -lntdll -luserenv -lws2_32
PRIVATE_CFLAGS = -D$(if $(filter inlay_wasi,$(kind)),INLAY_WASI,INLAY)_STATIC
# The archive has all names of Rust's, which the disassembler's has, too: so the program takes the DLL, which lies beside it.
TOOL_LIBRARY = $(BUILD)/libinlay_wasi.a $(BUILD)/inlay_cross.dll
TOOL_LINKED = $(BUILD)/libinlay_wasi.a $(BUILD)/libinlay_cross.dll.a
TOOL_CFLAGS := -D__USE_MINGW_ANSI_STDIO=1 -DINLAY_WASI_STATIC
TOOL_LDFLAGS := -Wl,--gc-sections -Wl,--no-insert-timestamp -static-libgcc

$(BUILD)/lib%.a: $$(call archive,$$*)
	@$(OBJCOPY) -D --strip-debug -R .llvmbc -R .llvmcmd $< $@

$(BUILD)/%.def: $(BUILD)/lib%.a
	@{ printf 'LIBRARY $*.dll\nEXPORTS\n' && $(NM) -g --defined-only $< 2>/dev/null | \
	    sed -n 's/^[0-9a-f]* T \(inlay_.*\)/    \1/p' | sort -u; } >$@

$(BUILD)/%.dll: $(BUILD)/lib%.a $(BUILD)/%.def
	@$(CC) -shared $(BUILD)/$*.def $< $(LINKED_$*) -o $@ -s -static-libgcc -Wl,--gc-sections -Wl,--no-insert-timestamp \
	    -Wl,--out-implib,$(BUILD)/lib$*.dll.a $(LDFLAGS) $(PRIVATE_LIBS)

# A DLL has to say from which other its names come: this one goes with the usual library. The static one goes with any.
LINKED_inlay_wasi = $(BUILD)/libinlay.dll.a
$(BUILD)/inlay_wasi.dll: $(BUILD)/inlay.dll

$(BUILD)/%.lib: $(BUILD)/%.def
	@$(CROSS)dlltool --deterministic-libraries -d $< -D $*.dll -l $@

define install_files
	$(INSTALL) -d $(D)$(BINDIR)
	$(INSTALL) -m 644 $(addprefix $(BUILD)/,lib$(kind).a lib$(kind).dll.a $(kind).lib $(kind).def) $(D)$(LIBDIR)
	$(INSTALL) -m 755 $(BUILD)/$(kind).dll $(D)$(BINDIR)
endef

endif

full: $(call FILES,inlay)
runtime: $(call FILES,inlay_runtime)
cross: $(call FILES,inlay_cross)
wasi: $(call FILES,inlay_wasi)
wasm_h: $(call FILES,inlay_wasm)

# ---- the program ------------------------------------------------------------------------------------------------------
#
# It has the library for all targets in itself, so that it can be moved and runs whatever else is installed; but not on Windows.

TOOL := $(BUILD)/inlay$(EXE)
TOOL_SOURCES := $(sort $(wildcard tools/inlay/*.c))

tool: $(TOOL)

# What it shows machine code with is not Inlay's, and no part of any library.
DISASSEMBLER := $(call archive,disassembler)

$(TOOL): $(TOOL_SOURCES) tools/inlay/tool.h tools/inlay/disassembler.h include/inlay.h include/inlay_wasi.h $(TOOL_LIBRARY) $(DISASSEMBLER)
	@$(CC) -std=c11 -Wall -Wextra -Wpedantic -O2 $(CPPFLAGS) $(CFLAGS) -ffile-prefix-map=$(CURDIR)=inlay -Iinclude $(TOOL_CFLAGS) \
	    $(TOOL_SOURCES) \
	    $(TOOL_LINKED) $(DISASSEMBLER) -o $@ -s $(TOOL_LDFLAGS) $(LDFLAGS) $(PRIVATE_LIBS) -lm

# ---- installing -------------------------------------------------------------------------------------------------------

# What is installed finds its parts from where it is itself, so that all of it can be moved; that cannot be for a LIBDIR
# elsewhere than in PREFIX, which is written down as it is.
empty :=
# A directory seen from PREFIX, or as it is; and PREFIX seen from a directory in it.
under = $(patsubst $(PREFIX)/%,%,$(1))
below = $(if $(filter /%,$(call under,$(1))),$(1),$(2)/$(call under,$(1)))
above = $(if $(filter /%,$(call under,$(1))),$(PREFIX),$(subst $(empty) $(empty),/,$(2) $(foreach part,$(subst /, ,$(call under,$(1))),..)))

FILL = sed -e 's|@VERSION@|$(VERSION)|' -e 's|@FILE@|$(SUFFIX)|' \
    -e 's|@PRIVATE_LIBS@|$(PRIVATE_LIBS)|' -e 's|@PRIVATE_CFLAGS@|$(PRIVATE_CFLAGS)|' \
    -e 's|@MORE_CFLAGS@|$(if $(filter inlay_wasm,$(kind)), -I$${includedir}/inlay)|' \
    -e 's|@CMAKE_LIBS@|$(subst $(empty) $(empty),;,$(PRIVATE_LIBS:-l%=%))|' \
    -e 's|@PC_PREFIX@|$(call above,$(LIBDIR)/pkgconfig,$${pcfiledir})|' \
    -e 's|@PC_LIBDIR@|$(call below,$(LIBDIR),$${prefix})|' -e 's|@PC_INCLUDEDIR@|$(call below,$(INCLUDEDIR),$${prefix})|' \
    -e 's|@CMAKE_PREFIX@|$(call above,$(CMAKEDIR),$${CMAKE_CURRENT_LIST_DIR})|' \
    -e 's|@CMAKE_BINDIR@|$(call below,$(BINDIR),$${_inlay_prefix})|' \
    -e 's|@CMAKE_LIBDIR@|$(call below,$(LIBDIR),$${_inlay_prefix})|' \
    -e 's|@CMAKE_INCLUDEDIR@|$(call below,$(INCLUDEDIR),$${_inlay_prefix})|'

# That of the standard is in a directory of its own, for other engines have one of that name, too.
WASM_HEADERS := wasm.h inlay_wasm.h
WITH_WASM_H = $(filter inlay_wasm,$(KINDS))
HEADERS = inlay.h inlay_builtins.h inlay.hpp $(if $(filter inlay_wasi,$(KINDS)),inlay_wasi.h)
CMAKE_FILES := inlay-config.cmake inlay-config-version.cmake
DOCUMENTS := README.md CHANGELOG.md SECURITY.md LICENSE THIRD-PARTY-LICENSES.txt
PAGES := $(sort $(wildcard docs/*.md))

define install_kind
$(install_files)
	$(FILL) -e 's|@KIND@|$(kind)|' -e 's|@DESCRIPTION@|$(DESCRIPTION_$(kind))|' packaging/inlay.pc.in \
	    >$(D)$(LIBDIR)/pkgconfig/$(kind).pc && chmod 644 $(D)$(LIBDIR)/pkgconfig/$(kind).pc

endef

WITH_TOOL := $(filter inlay_cross,$(KINDS))

install: $(foreach kind,$(KINDS),$(call FILES,$(kind))) $(if $(WITH_TOOL),$(TOOL))
	$(INSTALL) -d $(D)$(LIBDIR)/pkgconfig $(D)$(CMAKEDIR) $(D)$(INCLUDEDIR) $(D)$(DOCDIR)
	$(INSTALL) -m 644 $(addprefix include/,$(HEADERS)) $(D)$(INCLUDEDIR)
	$(INSTALL) -m 644 $(DOCUMENTS) $(D)$(DOCDIR)
	$(INSTALL) -d $(D)$(DOCDIR)/docs
	$(INSTALL) -m 644 $(PAGES) $(D)$(DOCDIR)/docs
	$(if $(WITH_WASM_H),$(INSTALL) -d $(D)$(INCLUDEDIR)/inlay)
	$(if $(WITH_WASM_H),$(INSTALL) -m 644 $(addprefix include/,$(WASM_HEADERS)) $(D)$(INCLUDEDIR)/inlay)
	$(foreach kind,$(KINDS),$(install_kind))
	$(if $(WITH_TOOL),$(INSTALL) -d $(D)$(BINDIR) $(D)$(MANDIR)/man1)
	$(if $(WITH_TOOL),$(INSTALL) -m 755 $(TOOL) $(D)$(BINDIR))
	$(if $(WITH_TOOL),$(INSTALL) -m 644 tools/inlay/inlay.1 $(D)$(MANDIR)/man1)
	for file in $(CMAKE_FILES); do \
	    $(FILL) packaging/$$file.in >$(D)$(CMAKEDIR)/$$file && chmod 644 $(D)$(CMAKEDIR)/$$file || exit 1; \
	done

uninstall:
	rm -f $(foreach kind,$(KINDS),$(addprefix $(D)$(LIBDIR)/,$(call INSTALLED,$(kind)) pkgconfig/$(kind).pc) $(D)$(BINDIR)/$(kind).dll)
	rm -f $(D)$(BINDIR)/inlay$(EXE) $(D)$(MANDIR)/man1/inlay.1
	rm -f $(addprefix $(D)$(INCLUDEDIR)/inlay/,$(if $(WITH_WASM_H),$(WASM_HEADERS)))
	rm -f $(addprefix $(D)$(INCLUDEDIR)/,$(HEADERS)) $(addprefix $(D)$(DOCDIR)/,$(DOCUMENTS) $(PAGES)) $(addprefix $(D)$(CMAKEDIR)/,$(CMAKE_FILES))
	@for directory in $(D)$(DOCDIR)/docs $(D)$(DOCDIR) $(D)$(CMAKEDIR) $(D)$(INCLUDEDIR)/inlay; do [ ! -d $$directory ] || rmdir --ignore-fail-on-non-empty $$directory; done

# ---- releasing --------------------------------------------------------------------------------------------------------
#
# The source archive is what is committed, and all crates that it names, so it builds without a network (but for bench/ and
# fuzz/, which have crates of their own). The binary archive is built from it. Where, when and by whom leaves no trace:
# `tests/reproducible.sh` builds both twice.

NAME := inlay-$(VERSION)
BINARY := $(NAME)-$(TRIPLE)
DIST := $(BUILD)/dist
STAGE := $(BUILD)/stage
# The time that all files in an archive have.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct)
PACK = tar --sort=name --mtime=@$(SOURCE_DATE_EPOCH) --owner=0 --group=0 --numeric-owner --mode=u+rwX,go+rX,go-w \
    --format=gnu -cf $(DIST)/$(2).tar -C $(1) $(2) && gzip -9nf $(DIST)/$(2).tar

dist: dist-binary
	cd $(DIST) && sha256sum *.tar.gz >SHA256SUMS && cat SHA256SUMS

dist-source:
	rm -rf $(STAGE) $(DIST)/$(NAME).tar.gz $(DIST)/$(BINARY).tar.gz
	mkdir -p $(STAGE)/$(NAME)/.cargo $(DIST)
	git archive -o $(STAGE)/$(NAME).tar HEAD
	tar -xf $(STAGE)/$(NAME).tar -C $(STAGE)/$(NAME)
	cd $(STAGE)/$(NAME) && $(CARGO) vendor --quiet --locked
	printf '[source.crates-io]\nreplace-with = "vendor"\n\n[source.vendor]\ndirectory = "vendor"\n' >$(STAGE)/$(NAME)/.cargo/config.toml
	$(call PACK,$(STAGE),$(NAME))

# A cargo that builds the standard library, as CARGOFLAGS then says, wants its crates, too.
STANDARD = $(shell $(RUSTC) --print sysroot)/lib/rustlib/src/rust/library/Cargo.toml

dist-binary: dist-source
	$(if $(findstring build-std,$(CARGOFLAGS)),cd $(STAGE)/$(NAME) && $(CARGO) vendor --quiet --locked --sync $(STANDARD))
	+CARGO_NET_OFFLINE=true $(MAKE) -C $(STAGE)/$(NAME) install BUILD=$(STAGE)/build DESTDIR=$(STAGE) PREFIX=/$(BINARY)
	$(call PACK,$(STAGE),$(BINARY))

run real:
	$(MAKE) -C examples-c $@

clean:
	rm -rf $(BUILD)

FORCE:
