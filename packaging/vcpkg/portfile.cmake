# An overlay port: vcpkg install inlay --overlay-ports=packaging, with the source archive that `make dist-source` makes, which
# has all crates, named by INLAY_SOURCE_ARCHIVE in the environment (and in VCPKG_KEEP_ENV_VARS). It needs Rust and make.
if(NOT DEFINED ENV{INLAY_SOURCE_ARCHIVE})
  message(FATAL_ERROR "INLAY_SOURCE_ARCHIVE is not set: it says where the source archive of Inlay ${VERSION} is")
endif()
vcpkg_extract_source_archive(SOURCE_PATH ARCHIVE "$ENV{INLAY_SOURCE_ARCHIVE}")

find_program(MAKE make REQUIRED)
vcpkg_execute_required_process(
  COMMAND "${MAKE}" install "KINDS=inlay inlay_runtime inlay_wasi inlay_wasm" "BUILD=${CURRENT_BUILDTREES_DIR}/ship" PREFIX=/ "DESTDIR=${CURRENT_PACKAGES_DIR}"
    DOCDIR=/share/${PORT} CMAKEDIR=/share/${PORT}
  WORKING_DIRECTORY "${SOURCE_PATH}"
  LOGNAME "install-${TARGET_TRIPLET}")

# Of each library there is one build, and the triplet says whether it is shared.
set(VCPKG_BUILD_TYPE release)
if(VCPKG_LIBRARY_LINKAGE STREQUAL "static")
  file(GLOB unwanted "${CURRENT_PACKAGES_DIR}/lib/*.so*")
else()
  file(GLOB unwanted "${CURRENT_PACKAGES_DIR}/lib/*.a")
endif()
file(REMOVE ${unwanted})

vcpkg_fixup_pkgconfig()
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE" "${SOURCE_PATH}/THIRD-PARTY-LICENSES.txt")
