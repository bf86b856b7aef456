#!/bin/sh
# Builds portal.css, portal.js and plotly-basic.min.js.
#   sh build.sh           into ../static, and records in built.sha256 what was built from what
#   sh build.sh FOLDER    into FOLDER, to compare
#   sh build.sh --lock    writes packages.lock anew, after a change of package.json
# Needs Node, npm and sha256sum. Packages go to a temporary folder, never into the repository.
set -eu
styles=$(cd "$(dirname "$0")" && pwd)
static="$styles/../static"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$styles/package.json" "$work"

if [ "${1-}" = --lock ]; then
    cd "$work"
    npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund --loglevel=error
    # Addresses would tie the lock to one registry, and tests/architecture/test_repository.py refuses them.
    node -e '
        const fs = require("fs");
        const lock = JSON.parse(fs.readFileSync("package-lock.json"));
        for (const entry of Object.values(lock.packages)) { delete entry.funding; delete entry.resolved; }
        fs.writeFileSync(process.argv[1], JSON.stringify(lock, null, 1) + "\n");
    ' "$styles/packages.lock"
    exit
fi

output=$(cd "${1:-$static}" && pwd)
cp "$styles/packages.lock" "$work/package-lock.json"
cp "$styles"/*.scss "$styles/portal.mjs" "$work"
cd "$work"
# `ci` installs exactly what the lock names and compares each package's sha512 before any of it runs.
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
npx sass --style=compressed --no-source-map --load-path=node_modules portal.scss "$output/portal.css"
npx esbuild portal.mjs --bundle --minify --format=esm --target=es2020 --legal-comments=inline --outfile="$output/portal.js" --log-level=warning
# The source map is not shipped; a browser's tools would ask for it in vain.
grep -v sourceMappingURL node_modules/plotly.js-basic-dist-min/plotly-basic.min.js >"$output/plotly-basic.min.js"

if [ $# = 0 ]; then
    cd "$styles"
    sha256sum -- *.scss build.sh package.json packages.lock portal.mjs \
        ../static/plotly-basic.min.js ../static/portal.css ../static/portal.js >built.sha256
fi
