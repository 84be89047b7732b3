"""Builds Inlay for Conan 2 from this checkout, or from an unpacked source archive: conan create packaging/conan

With options shared=True or False, compiler=False for the library that only runs what another has compiled, wasi=True for the one
with WASI beside it, and wasm_h=True for the standard C API. It needs Rust, make and binutils; a source archive has all crates, so nothing is fetched.
"""

import os
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.env import Environment
from conan.tools.files import copy, rm, rmdir


class InlayConan(ConanFile):
    name = "inlay"
    description = "Compiles WebAssembly with Cranelift and runs it inside memory that the host program owns"
    license = "Apache-2.0 WITH LLVM-exception"
    topics = ("webassembly", "wasm", "jit", "cranelift", "sandbox")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "compiler": [True, False], "wasi": [True, False], "wasm_h": [True, False]}
    default_options = {"shared": False, "compiler": True, "wasi": False, "wasm_h": False}

    @property
    def _kind(self):
        return "inlay" if self.options.compiler else "inlay_runtime"

    @property
    def _kinds(self):
        wasi, wasm_h = ["inlay_wasi"], ["inlay_wasm"]
        return (wasi if self.options.wasi else []) + (wasm_h if self.options.wasm_h else []) + [self._kind]

    def set_version(self):
        with open(os.path.join(self.recipe_folder, "..", "..", "Cargo.toml"), encoding="utf-8") as manifest:
            self.version = re.search(r'^version = "(.*)"', manifest.read(), re.MULTILINE).group(1)

    def export_sources(self):
        root = os.path.join(self.recipe_folder, "..", "..")
        for part in ("Makefile", "Cargo.*", "build.rs", "build/*", "src/*", "wasi/*", "wasm_h/*", "include/*", "packaging/*", "docs/*", "tests/*", "tools/*",
                     "vendor/*", ".cargo/*", "*.md", "LICENSE", "THIRD-PARTY-LICENSES.txt"):
            copy(self, part, src=root, dst=self.export_sources_folder)

    def validate(self):
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration("this recipe is for Linux so far")
        if self.settings.arch not in ("x86_64", "armv8", "riscv64", "s390x"):
            raise ConanInvalidConfiguration("Inlay has no code for this CPU")
        if self.settings_build.arch != self.settings.arch:
            raise ConanInvalidConfiguration("this recipe builds for the machine that it runs on")

    def package_id(self):
        # The interface is C, and the library is one build: neither the host's compiler nor its debugging changes it.
        del self.info.settings.compiler
        del self.info.settings.build_type

    def _make(self, target):
        environment = Environment()
        environment.unset("RUSTFLAGS")
        with environment.vars(self).apply():
            self.run(f'make {target} KINDS="{' '.join(self._kinds)}" BUILD="{self.build_folder}/ship" PREFIX=/ DESTDIR="{self.package_folder}" '
                     f'DOCDIR=/licenses', cwd=self.source_folder)

    def build(self):
        self._make(("full" if self.options.compiler else "runtime") + (" wasi" if self.options.wasi else "") + (" wasm_h" if self.options.wasm_h else ""))

    def package(self):
        self._make("install")
        lib = os.path.join(self.package_folder, "lib")
        rm(self, "*.a" if self.options.shared else "*.so*", lib)
        # Conan writes its own.
        rmdir(self, os.path.join(lib, "cmake"))
        rmdir(self, os.path.join(lib, "pkgconfig"))

    def package_info(self):
        self.cpp_info.libs = self._kinds
        if self.options.wasm_h:
            self.cpp_info.includedirs.append("include/inlay")
        self.cpp_info.set_property("cmake_file_name", "inlay")
        target = ("inlay" if self.options.shared else "static") if self.options.compiler else (
            "runtime" if self.options.shared else "runtime_static")
        self.cpp_info.set_property("cmake_target_name", f"inlay::{target}")
        self.cpp_info.set_property("pkg_config_name", self._kind)
        if not self.options.shared:
            self.cpp_info.system_libs = ["pthread"]
