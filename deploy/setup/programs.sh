#!/usr/bin/env bash
# Sees to it that the programs named are there: nginx, java (17 or later), mvn. What is missing is asked of apt, where
# there is apt and this user may install; otherwise one line says what to install.
set -euo pipefail
PATH=$PATH:/usr/sbin:/usr/local/sbin

has() {
    case $1 in
        java) java -version 2>&1 | grep -qE 'version "?(1[7-9]|[2-9][0-9])' ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

package_of() {
    case $1 in
        java) echo default-jre-headless ;;
        mvn) echo maven ;;
        nginx) echo nginx-light ;;
        *) echo "usage: programs.sh nginx|java|mvn…" >&2; exit 2 ;;
    esac
}

missing=()
for program in "$@"; do
    package=$(package_of "$program")
    has "$program" || missing+=("$package")
done
[ ${#missing[@]} = 0 ] && exit 0

if [ "$(id -u)" = 0 ]; then root=(); else root=(sudo -n); fi
if ! command -v apt-get >/dev/null || ! "${root[@]}" true 2>/dev/null; then
    echo "Missing here: install ${missing[*]} (Java 17 or later), then try again." >&2
    exit 1
fi
"${root[@]}" apt-get update -qq
# Without a runlevel nothing is started that apt brings along: its nginx would take a port that nobody offered it.
"${root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null
for program in "$@"; do
    has "$program" || { echo "This system's $program is too old (Java 17 is needed): install a later one." >&2; exit 1; }
done
