#!/usr/bin/env bash
# Builds a release twice, as two people would who have nothing in common but the compilers, and compares the archives byte for byte: other
# directories of other lengths, another user with another home directory, time zone, locale, umask, number of jobs, and
# age of files. The second of them has no network when it comes to build.
#
#   tests/reproducible.sh
#
# What is compared is the last commit. Not a part of CI, because it takes eight minutes and a second user (as root it makes none: it is nobody).
# It installs bubblewrap and locales on Debian or Ubuntu. Everything is below INLAY_REPRODUCIBLE_DIR, or /var/tmp/inlay-reproducible.
set -euo pipefail
cd "$(dirname "$0")/.."
work=${INLAY_REPRODUCIBLE_DIR:-/var/tmp/inlay-reproducible}
. tests/need.sh
need bubblewrap locales
rm -rf "$work"
first=$work/first second=$work/second/with/a/longer/way
mkdir -p "$first" "$second" "$work/home"
chmod 755 "$work"
# A language in which i is not the small letter of I.
mkdir -p "$work/locale"
localedef -i tr_TR -f UTF-8 "$work/locale/tr_TR.UTF-8"
git clone -q . "$first/inlay"
git clone -q . "$second/other-name"

(
    cd "$first/inlay"
    umask 022
    TZ=UTC LC_ALL=C make --silent -j1 dist BUILD="$first/inlay/target/ship"
)

# A compiler that is in somebody's home directory can be read by others only if its path can.
toolchain=$(rustc --print sysroot)
rm -rf "$work/toolchain"
cp -r "$toolchain" "$work/toolchain"
find "$second" -exec touch -d '2001-02-03' {} +
as_other=""
if [ "$(id -u)" = 0 ]; then
    chown -R nobody "$second" "$work/home"
    as_other="setpriv --reuid nobody --regid nogroup --clear-groups"
fi
other() {
    (
        cd "$second/other-name"
        umask 077
        env -i PATH="$work/toolchain/bin:/usr/bin:/bin" HOME="$work/home" CARGO_HOME="$work/home/of-cargo" TZ=Asia/Kathmandu \
            LOCPATH="$work/locale" LC_ALL=tr_TR.UTF-8 "$@"
    )
}
other $as_other make --silent -j2 dist-source
# The sources have all that it needs: from here on nothing is fetched, and what was is not there.
rm -rf "$work/home/of-cargo"
other bwrap --dev-bind / / --unshare-net $as_other make --silent -j2 dist-binary -o dist-source
other $as_other make --silent dist -o dist-binary >/dev/null

cd "$work"
cmp "$first/inlay/target/ship/dist/SHA256SUMS" "$second/other-name/target/ship/dist/SHA256SUMS" || {
    diff "$first/inlay/target/ship/dist/SHA256SUMS" "$second/other-name/target/ship/dist/SHA256SUMS" || true
    echo "the archives differ" >&2
    exit 1
}
for archive in "$first"/inlay/target/ship/dist/*.tar.gz; do
    cmp "$archive" "$second/other-name/target/ship/dist/$(basename "$archive")"
    echo "the same twice: $(basename "$archive"), $(stat -c %s "$archive") bytes"
done
