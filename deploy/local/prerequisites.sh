#!/usr/bin/env bash
# What the stack needs from the machine: Python 3.11+ with venv, Postgres 15+, Java 17+, Maven, setpriv; for PDF Pango,
# HarfBuzz' subsetter and a font with Cyrillic; to watch it and to test its alerts, Prometheus and Alertmanager; to test
# dashboards and containers, Node.js 18+ with npm and docker-compose. With the argument `pictures`, also what takes
# pictures of dashboards: Chromium and a font.
# Installs what is missing with apt where that is possible, after saying so; else says in one line what is missing.
set -euo pipefail

version_at_least() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n1)" = "$1" ]; }

has_python() { "${PYTHON:-python3}" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

has_postgres() {
    local initdb
    for initdb in ${PG_BIN:+"$PG_BIN/initdb"} /usr/lib/postgresql/*/bin/initdb "$(command -v initdb || true)"; do
        if [ -x "$initdb" ] && version_at_least 15 "$("$initdb" --version | grep -oE '[0-9]+' | head -n1)"; then
            return 0
        fi
    done
    return 1
}

has_java() {
    local java=${JAVA_HOME:+$JAVA_HOME/bin/}java
    command -v "$java" >/dev/null && version_at_least 17 "$("$java" -version 2>&1 | grep -oE '[0-9]+' | head -n1)"
}

has_library() { PATH=$PATH:/sbin:/usr/sbin ldconfig -p | grep -F "$1" >/dev/null; }

has_fonts() { find /usr/share/fonts /usr/local/share/fonts -name 'DejaVuSans*' 2>/dev/null | grep . >/dev/null; }

has_monitoring() {
    command -v promtool >/dev/null && command -v amtool >/dev/null && command -v prometheus >/dev/null &&
        { command -v alertmanager || command -v prometheus-alertmanager; } >/dev/null
}

has_node() {
    command -v npm >/dev/null && command -v node >/dev/null && version_at_least 18 "$(node --version | grep -oE '[0-9]+' | head -n1)"
}

missing=() packages=()
need() { missing+=("$1"); shift; packages+=("$@"); }

has_python || need "Python 3.11+ with venv" python3 python3-venv
has_postgres || need "Postgres 15+" postgresql
has_java || need "Java 17+" default-jre-headless
command -v mvn >/dev/null || need "Maven" maven
command -v setpriv >/dev/null || need "setpriv" util-linux
has_library libpango-1.0.so || need "Pango" libpango-1.0-0
has_library libpangoft2-1.0.so || need "Pango for FreeType" libpangoft2-1.0-0
has_library libharfbuzz-subset.so || need "HarfBuzz' subsetter" libharfbuzz-subset0
has_fonts || need "the DejaVu fonts" fonts-dejavu-core
has_monitoring || need "Prometheus and Alertmanager" prometheus prometheus-alertmanager
has_node || need "Node.js 18+ with npm" nodejs npm
command -v docker-compose >/dev/null || need "docker-compose" docker-compose
if [ "${1:-}" = pictures ]; then
    { command -v chromium || command -v chromium-browser; } >/dev/null || need "Chromium" chromium fonts-dejavu-core
fi
[ ${#missing[@]} -gt 0 ] || exit 0

listed=$(printf ', %s' "${missing[@]}")
listed=${listed:2}
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
if ! command -v apt-get >/dev/null || { [ ${#as_root[@]} -gt 0 ] && ! command -v sudo >/dev/null; }; then
    echo "Missing on this machine: $listed. Please install." >&2
    exit 1
fi

echo "Missing on this machine: $listed. Installing with apt: ${packages[*]}"
# The package of the server would start a cluster of its own; the stack makes its own.
if [[ " ${packages[*]} " == *" postgresql "* ]] && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    "${as_root[@]}" mkdir -p /etc/postgresql-common
    echo "create_main_cluster = false" | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
# Nor shall the packages start Prometheus or Alertmanager, now or with the machine: a masked unit does not.
if [[ " ${packages[*]} " == *" prometheus "* ]]; then
    for unit in prometheus prometheus-alertmanager; do
        [ -e "/etc/systemd/system/$unit.service" ] ||
            { "${as_root[@]}" mkdir -p /etc/systemd/system &&
                "${as_root[@]}" ln -s /dev/null "/etc/systemd/system/$unit.service"; }
    done
fi
log=$(mktemp)
{
    "${as_root[@]}" apt-get update -q &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
            -o Dpkg::Options::=--force-confold "${packages[@]}"
} >"$log" 2>&1 || {
    cat "$log" >&2
    exit 1
}
rm -f "$log"
has_python && has_postgres && has_java && has_node || {
    echo "This system's packages are older than what is needed: $listed. Please install by hand." >&2
    exit 1
}
