#!/bin/sh
# A role and a database for each service named in SERVICES: each can open its own and no other. May be run again.
# PGHOST, PGUSER and PGPASSWORD lead to the server; <SERVICE>_DATABASE_PASSWORD is the role's.
set -eu
for service in $SERVICES; do
    name="regulars_$service"
    password=$(printenv "$(printf %s "$service" | tr '[:lower:]' '[:upper:]')_DATABASE_PASSWORD")
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set name="$name" --set password="$password" --dbname postgres <<'SQL'
SELECT format('CREATE ROLE %I LOGIN', :'name')
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
ALTER ROLE :"name" PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'name')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
REVOKE CONNECT, TEMPORARY ON DATABASE :"name" FROM PUBLIC;
SQL
done
