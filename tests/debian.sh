#!/usr/bin/env bash
# Builds the Debian packages from the source archive, without a network, checks them with lintian, and builds and runs a
# program with what is in them.
#
#   tests/debian.sh
#
# It installs what it needs, as root or with sudo: debhelper, lintian, bubblewrap and Debian's own rustc and cargo. Not a
# part of CI, which has none of them. What comes out is in target/ship/debian.
set -euo pipefail
cd "$(dirname "$0")/.."
ship=${INLAY_SHIP:-$PWD/target/ship}
. tests/need.sh
need debhelper lintian dpkg-dev fakeroot pkg-config bubblewrap "rustc$web" "cargo$web"

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
grep -q "^inlay ($version-" packaging/debian/changelog || { echo "packaging/debian/changelog has another version than $version" >&2; exit 1; }
make --silent dist-source BUILD="$ship"
work=$ship/debian
rm -rf "$work"
mkdir -p "$work/tree"
cp "$ship/dist/inlay-$version.tar.gz" "$work/inlay_$version.orig.tar.gz"
tar -xzf "$work/inlay_$version.orig.tar.gz" -C "$work"
cp -r packaging/debian "$work/inlay-$version/"
(cd "$work/inlay-$version" && env -u CARGO_HOME -u RUSTFLAGS PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    bwrap --dev-bind / / --unshare-net dpkg-buildpackage -us -uc >"$work/log" 2>&1) || { tail -n 40 "$work/log"; exit 1; }

# An error or a warning of lintian's is a failure, but for what the packages list themselves, with the reason.
for changes in "$work"/*.changes; do
    lintian --no-cfg --allow-root --fail-on error,warning --display-info "$changes"
done

for package in "$work"/*.deb; do
    echo "$(basename "$package"), $(stat -c %s "$package") bytes"
    dpkg-deb -x "$package" "$work/tree"
done
lib=$work/tree/usr/lib/$(dpkg-architecture -q DEB_HOST_MULTIARCH)
export PKG_CONFIG_PATH=$lib/pkgconfig
# shellcheck disable=SC2046 # lists of options
cc examples-c/consumer/main.c -o "$work/shared" $(pkg-config --cflags --libs inlay) -Wl,-rpath,"$lib"
# shellcheck disable=SC2046
cc examples-c/consumer/main.c -o "$work/static" -static $(pkg-config --cflags --libs --static inlay)
for program in shared static; do
    [ "$("$work/$program")" = "2 + 40 = 42" ] || { echo "the $program program fails" >&2; exit 1; }
done
for package in libinlay0 libinlay-runtime0 libinlay-cross0 inlay libinlay-dev; do
    [ -s "$work/tree/usr/share/doc/$package/copyright" ] || { echo "$package has no copyright" >&2; exit 1; }
done
[ "$("$work/tree/usr/bin/inlay" --version | cut -d , -f 1)" = "inlay $version" ] || { echo "the program inlay fails" >&2; exit 1; }
echo "The packages are built, clean, and work."
