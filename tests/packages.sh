#!/usr/bin/env bash
# Builds and tests the Conan package, and runs the vcpkg port as far as that can be without vcpkg.
#
#   tests/packages.sh
#
# Conan comes from PyPI into an environment of its own below target/; it creates the packages of all four libraries, and
# builds and runs a program with each. vcpkg comes from a place that needs a network of another kind, so its port is run by
# CMake with the few functions that it calls replaced by plain ones: that shows that it builds, installs and cleans up, and
# that what it leaves can be used through CMake; not that vcpkg itself takes it. It needs cmake.
set -euo pipefail
cd "$(dirname "$0")/.."
ship=${INLAY_SHIP:-$PWD/target/ship}
work=$ship/packages
rm -rf "$work"
mkdir -p "$work"

# ---- Conan
[ -x "$ship/conan/bin/conan" ] || { python3 -m venv "$ship/conan" && "$ship/conan/bin/pip" install -q conan==2.34.0; }
export CONAN_HOME=$work/conan-home
conan=$ship/conan/bin/conan
$conan profile detect >/dev/null 2>&1
for shared in True False; do
    for compiler in True False; do
        echo "Conan: shared=$shared, compiler=$compiler"
        $conan create packaging/conan -o "inlay/*:shared=$shared" -o "inlay/*:compiler=$compiler" >"$work/log" 2>&1 ||
            { tail -n 40 "$work/log"; exit 1; }
    done
done

# ---- vcpkg
make --silent dist-source BUILD="$ship"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
grep -q "\"version\": \"$version\"" packaging/vcpkg/vcpkg.json || { echo "vcpkg.json has another version than $version" >&2; exit 1; }
cat >"$work/vcpkg.cmake" <<'CMAKE'
# What the port calls, done plainly.
function(vcpkg_extract_source_archive result)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "ARCHIVE" "")
  file(ARCHIVE_EXTRACT INPUT "${arg_ARCHIVE}" DESTINATION "${CURRENT_BUILDTREES_DIR}/src")
  file(GLOB source "${CURRENT_BUILDTREES_DIR}/src/*")
  set(${result} "${source}" PARENT_SCOPE)
endfunction()
function(vcpkg_execute_required_process)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "WORKING_DIRECTORY;LOGNAME" "COMMAND")
  execute_process(COMMAND ${arg_COMMAND} WORKING_DIRECTORY "${arg_WORKING_DIRECTORY}" COMMAND_ERROR_IS_FATAL ANY)
endfunction()
function(vcpkg_fixup_pkgconfig)
endfunction()
function(vcpkg_install_copyright)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "FILE_LIST")
  file(WRITE "${CURRENT_PACKAGES_DIR}/share/${PORT}/copyright" "")
  foreach(file IN LISTS arg_FILE_LIST)
    file(READ "${file}" text)
    file(APPEND "${CURRENT_PACKAGES_DIR}/share/${PORT}/copyright" "${text}")
  endforeach()
endfunction()
include(${PORTFILE})
CMAKE
for linkage in static dynamic; do
    echo "vcpkg's port: $linkage"
    packages=$work/vcpkg-$linkage
    INLAY_SOURCE_ARCHIVE=$ship/dist/inlay-$version.tar.gz cmake -DPORTFILE="$PWD/packaging/vcpkg/portfile.cmake" -DPORT=inlay \
        -DVERSION="$version" -DTARGET_TRIPLET=x64-linux -DVCPKG_LIBRARY_LINKAGE=$linkage -DCURRENT_PACKAGES_DIR="$packages" \
        -DCURRENT_BUILDTREES_DIR="$work/buildtrees" -P "$work/vcpkg.cmake" >"$work/log" 2>&1 || { tail -n 40 "$work/log"; exit 1; }
    rm -rf "$work/buildtrees/src"
    target=inlay
    [ $linkage = dynamic ] || target=static
    cmake -S examples-c/consumer -B "$work/consumer-$linkage" -Dinlay_DIR="$packages/share/inlay" -DCONSUMER_INLAY=inlay::$target >"$work/log" 2>&1 &&
        cmake --build "$work/consumer-$linkage" >>"$work/log" 2>&1 || { tail -n 40 "$work/log"; exit 1; }
    [ "$("$work/consumer-$linkage/consumer")" = "2 + 40 = 42" ] || { echo "the program fails" >&2; exit 1; }
    [ -s "$packages/share/inlay/copyright" ] || { echo "there is no copyright" >&2; exit 1; }
done
echo "The packages are built and work."
