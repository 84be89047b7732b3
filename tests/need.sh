# shellcheck shell=sh
# For the scripts in this directory, which read it: `need PACKAGE...` installs what is missing of Debian's or Ubuntu's packages, as
# root or with sudo. $web is a part of the names of Rust's: Debian 12 has a new Rust under names of its own, such as
# rustc-web, beside the old one that it was released with.

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

need() {
  missing=""
  for package in "$@"; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  as_root apt-get update -qq
  # shellcheck disable=SC2086 # a list of names
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >/dev/null
}

command -v apt-get >/dev/null || { echo "there is no apt-get here; the script's first lines say what it needs" >&2; exit 1; }
# shellcheck disable=SC2034 # for those who read this
if apt-cache show rustc-web >/dev/null 2>&1; then web=-web; else web=""; fi
