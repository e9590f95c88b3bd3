#!/bin/sh
# Brings Temporal's two databases to the schema of this release of admin-tools. Running it again changes nothing.
set -eu

schemas="${TEMPORAL_SCHEMA_DIR:-/etc/temporal/schema/postgresql/v12}"

upgrade() {
  temporal-sql-tool --plugin postgres12 --ep "$SQL_HOST" -p "$SQL_PORT" -u "$SQL_USER" --db "$1" setup-schema -v 0.0
  temporal-sql-tool --plugin postgres12 --ep "$SQL_HOST" -p "$SQL_PORT" -u "$SQL_USER" --db "$1" update-schema -d "$schemas/$2/versioned"
}

upgrade temporal temporal
upgrade temporal_visibility visibility
