"""Builds the project that examples-c/consumer is, with the package, and runs it."""

import os

from conan import ConanFile
from conan.tools.build import can_run
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain


class InlayTestConan(ConanFile):
    settings = "os", "arch", "compiler", "build_type"

    def requirements(self):
        self.requires(self.tested_reference_str)

    def layout(self):
        self.folders.source = os.path.join("..", "..", "..", "examples-c", "consumer")
        self.folders.build = os.path.join("build", str(self.settings.build_type))
        self.folders.generators = self.folders.build

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        # Nothing is written beside the sources, which others copy.
        toolchain.user_presets_path = False
        options = self.dependencies["inlay"].options
        kind = "inlay" if options.shared else "static"
        if options.compiler != "True":
            kind = "runtime" if options.shared else "runtime_static"
        toolchain.cache_variables["CONSUMER_INLAY"] = f"inlay::{kind}"
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def test(self):
        if can_run(self):
            # Without a compiler it says that there is none.
            expected = 0 if self.dependencies["inlay"].options.compiler == "True" else 1
            program = os.path.join(self.build_folder, "consumer")
            self.run(f"{program}; test $? -eq {expected}", env="conanrun")
