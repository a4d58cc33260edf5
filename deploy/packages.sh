# The Debian packages that herald needs, and how to install the ones that are missing. Sourced by
# deploy/run, tests/run and whatever else builds on a bare Debian 12; the only list of packages.
#
#   . deploy/packages.sh
#   herald_install_missing build    # to build the binary
#   herald_install_missing test     # the same, and what the suite uses
#   herald_install_missing check    # the same, and clang's tools
#   herald_install_missing bench    # to build and run the benchmarks, and herald's peers in them

# shellcheck shell=bash

# What `cmake --preset release` needs: it configures the suite, too.
herald_build_packages=(
  ccache
  cmake
  g++
  libabsl-dev
  libboost1.81-dev
  libcaf-dev
  libcjose-dev
  libcpp-httplib-dev
  libcurl4-openssl-dev
  libgtest-dev
  libspdlog-dev
  libsqlite3-dev
  libssl-dev
  liburing-dev
  libutf8proc-dev
  ninja-build
  nlohmann-json3-dev
  pkg-config
  prometheus-cpp-dev
)

herald_test_packages=(
  apache2
  ca-certificates
  caddy
  chromium
  curl
  firefox-esr
  haproxy
  iproute2
  nginx
  nodejs
  openssl
  procps
  python3
  python3-requests
  python3-yaml
)

herald_check_packages=(
  clang
  clang-format
  clang-tidy
)

herald_bench_packages=(
  libbenchmark-dev
  libnginx-mod-nchan
  nginx
  nodejs
  pushpin
  python3
)

# Prints the packages of a set: build, test or bench (with those of build) or check (with those of
# build and test).
herald_packages() {
  case "${1:-}" in
  build) printf '%s\n' "${herald_build_packages[@]}" ;;
  test) printf '%s\n' "${herald_build_packages[@]}" "${herald_test_packages[@]}" ;;
  bench) printf '%s\n' "${herald_build_packages[@]}" "${herald_bench_packages[@]}" ;;
  check)
    printf '%s\n' "${herald_build_packages[@]}" "${herald_test_packages[@]}" \
      "${herald_check_packages[@]}"
    ;;
  *)
    echo "herald: no such set of packages: '${1:-}' (build, test, check or bench)" >&2
    return 2
    ;;
  esac
}

# Prints those of a set that are not installed.
herald_missing_packages() {
  local package names installed
  names=$(herald_packages "$1") || return
  # shellcheck disable=SC2016,SC2086 # dpkg-query's own ${...}; one word per package
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $names 2>/dev/null || true)
  for package in $names; do
    grep -qxF "$package installed" <<<"$installed" || echo "$package"
  done
}

# Runs a command as root: as it is, or through sudo.
herald_as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo -- "$@"
  fi
}

# Installs what a set lacks. Asks for nothing, and for no root where nothing is missing. Nothing
# that is installed is removed, and no service is started: a package's daemon (nginx) is there to be
# run by tests, not to take port 80.
herald_install_missing() {
  local missing
  missing=$(herald_missing_packages "$1") || return
  [ -n "$missing" ] || return 0
  # shellcheck disable=SC2086 # one word per package
  set -- $missing
  echo "herald: installing $*" >&2
  if ! command -v apt-get >/dev/null; then
    echo "herald: there is no apt-get here; herald is built and run on Debian 12. Missing: $*" >&2
    return 1
  fi
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    echo "herald: neither root nor sudo; as root, run: apt-get install --no-install-recommends $*" >&2
    return 1
  fi
  herald_as_root bash -s -- "$@" <<'AS_ROOT'
set -eu
export DEBIAN_FRONTEND=noninteractive
# Debian asks this file before it starts a daemon: 101 is "no". One that is there already stays.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
apt_options=(-q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
daemons=(apache2 caddy haproxy nginx pushpin)
new_daemons=()
for daemon in "${daemons[@]}"; do
  command -v "$daemon" >/dev/null || new_daemons+=("$daemon")
done
apt-get "${apt_options[@]}" update </dev/null >&2
if ! apt-get "${apt_options[@]}" install --no-install-recommends --no-remove "$@" </dev/null >&2; then
  echo "herald: apt could not install: $*" >&2
  exit 1
fi
# Not started now, and not at the next boot either.
if [ -d /run/systemd/system ]; then
  for daemon in "${new_daemons[@]}"; do
    if command -v "$daemon" >/dev/null; then
      systemctl disable "$daemon.service" >&2 || true
    fi
  done
fi
AS_ROOT
}
