#!/bin/sh
# Makes the three databases of this stack, each with the role that owns it. Temporal's role cannot read our records,
# and ours cannot read Temporal's. Runs once, on an empty data directory; running it again changes nothing.
set -eu

make_role() {
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres --set role="$1" --set password="$2" <<'SQL'
SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', :'role', :'password')
WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = :'role') \gexec
SQL
}

make_database() {
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres --set database="$1" --set owner="$2" <<'SQL'
SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'owner')
WHERE NOT EXISTS (SELECT 1 FROM pg_database WHERE datname = :'database') \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'database') \gexec
SQL
}

make_role temporal "$TEMPORAL_DB_PASSWORD"
make_role reintegro "$REINTEGRO_DB_PASSWORD"
make_database temporal temporal
make_database temporal_visibility temporal
make_database reintegro reintegro
