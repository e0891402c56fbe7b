#!/usr/bin/env bash
# Brings the jars of a real Kafka broker into the folder given: no container, no running service. Needs Maven.
set -euo pipefail
lib=${1:?usage: broker.sh FOLDER}
pom="$(dirname "$0")/../kafka/pom.xml"

rm -rf "$lib"
mkdir -p "$lib"
mvn -q -f "$pom" dependency:copy-dependencies -DoutputDirectory="$(cd "$lib" && pwd)" -DincludeScope=runtime
