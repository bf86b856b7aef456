#!/bin/sh
# Builds portal/web/static from portal/web/styles: packages are fetched by name into a temporary folder outside the repository.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
static="$here/../static"
plotly=${1:?"Give the version that plotly.offline.get_plotlyjs_version() reports, for example 4.1.1"}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund govuk-frontend@6.3.0 sass@1.108.2 esbuild@0.28.2 "plotly.js-basic-dist-min@$plotly"
cp "$here"/*.scss "$here"/portal.mjs "$work"
npx sass --style=compressed --no-source-map --load-path=node_modules portal.scss "$static/portal.css"
npx esbuild portal.mjs --bundle --minify --format=esm --target=es2020 --legal-comments=inline --outfile="$static/portal.js" --log-level=warning
cp "$here/dash-nonce.js" "$here/icon.svg" "$here/licences.txt" "$static"
grep -v sourceMappingURL node_modules/plotly.js-basic-dist-min/plotly-basic.min.js >"$static/plotly-basic.min.js"
ls -l "$static"
