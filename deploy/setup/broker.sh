#!/usr/bin/env bash
# Brings the jars of a real Kafka broker into the folder given, for the tests: no container, no running service.
# Java and Maven are asked of apt only where they are missing and this user may install; otherwise it says what to do.
set -euo pipefail
lib=${1:?usage: broker.sh FOLDER}
pom="$(dirname "$0")/../kafka/pom.xml"

has_java() { java -version 2>&1 | grep -qE 'version "?(1[7-9]|[2-9][0-9])'; }
has_maven() { command -v mvn >/dev/null; }

if ! has_java || ! has_maven; then
    if [ "$(id -u)" = 0 ]; then root=(); else root=(sudo -n); fi
    if ! command -v apt-get >/dev/null || ! "${root[@]}" true 2>/dev/null; then
        echo "The tests run against a real Kafka broker: install Java 17 or later and Maven, then try again." >&2
        exit 1
    fi
    "${root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -y -qq --no-install-recommends \
        default-jre-headless maven >/dev/null
    has_java || { echo "This system's Java is older than 17, which Kafka needs: install a later one." >&2; exit 1; }
fi

rm -rf "$lib"
mkdir -p "$lib"
mvn -q -f "$pom" dependency:copy-dependencies -DoutputDirectory="$(cd "$lib" && pwd)" -DincludeScope=runtime
