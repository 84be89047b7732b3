#!/usr/bin/env bash
# Makes the modules that bench/ races: the kernels, which are compiled here, and modules that others published on npm,
# which are fetched. They go into the directory INLAY_SUITE, or else into target/suite below the repository's root.
# What is there already is not fetched again. Each package has a pinned version and a checksum; another is an error.
# Needs node and npm besides what bench/kernels/build.sh needs.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
dir=${INLAY_SUITE:-$root/target/suite}
mkdir -p "$dir/tarballs" "$dir/npm"
dir=$(cd "$dir" && pwd)

for tool in node npm sha256sum tar; do
    if ! command -v "$tool" > /dev/null; then
        echo "bench/suite.sh needs $tool" >&2
        exit 1
    fi
done

"$root/bench/kernels/build.sh" "$dir/kernels"

# Name, version and SHA-256 of the tarball. Versions are pinned, since the drivers know the names that a build gave to its
# functions, and since times are compared over years.
packages='
@bokuweb/zstd-wasm 0.0.27 680a6ae81375a786c30671cf3824ff8c1d04657b5e540b4f92178897f2210344
@cwasm/lodepng 0.1.9 5e739f062988d8dc858d46c044e4225fc72fe78df16062f1894805433500dd91
@dimforge/rapier2d 0.21.0 6fd8baa351b7b925f9ba1d63c18bbfdd434ede2c13ac3843ffe67870a2606ac0
@jitl/quickjs-wasmfile-release-sync 0.32.0 8459053841d6b053207b70287b5a6d762fd5608a3908b40956c5aa3178dcf9c8
@resvg/resvg-wasm 2.6.2 ff51acbb5ee0074601b75c3bea9226a18d346752af787f6d2d3adcdd98493d71
argon2-browser 1.18.0 cdb11795a4971bde095fe6b836aa424de50c4558ed4b9505bc74111eee7f6d35
blake3-wasm 3.0.0 83bad3dc00d9f4fcc97dab4ab1d32a87c32d1296a37db57c1b8e76a76514bd20
brotli-wasm 3.0.1 413c3589dae9b5a9971c24c8649cdf1e5c8cedb110067a381786930ed614f174
es-module-lexer 1.7.0 e41b2e74ac3cc5871fc5bfbc108c114f95f4f743a5b7bb1e0793d0bb57fe25f9
lz4-wasm 0.9.2 173c68ab95bb78563ab25b0ac9ffd5ee92999f4bb061d7436e9e1d8452ed48a2
snappy-wasm 0.3.0 626b0cc51ad5f81b729c286f6aa8722a8653be6735d0c12745dddfd6ee70769a
source-map 0.7.4 65dea7e28963ef0ade5a47a6921d34782f9fb35863045ef8604ec90673947d3d
sql.js 1.13.0 6d70e68446df85ac8f56e34dd10986cfe1182335cb0f071b71b3f007bc33394a
tiny-secp256k1 2.2.4 8d5f2233e3411a9a42abfef5a72e11929a685516134e7939fd1d268557b0e3f6
undici 6.21.0 3aa7df5476eeb26e7322dec54cc00f261e155ee9430018777d059d0962b6f665
vscode-oniguruma 2.0.1 3b42911fd9609f2cc3b9c6dd52236b3da73780e633aa7dc381267006b7e7da21
'

while read -r name version sum; do
    [ -n "$name" ] || continue
    # npm names the tarball of @scope/name scope-name-version.tgz.
    tarball=${name#@}
    tarball=$dir/tarballs/${tarball//\//-}-$version.tgz
    if ! [ -e "$tarball" ]; then
        (cd "$dir/tarballs" && npm pack --silent "$name@$version" < /dev/null > /dev/null)
    fi
    if [ "$(sha256sum < "$tarball" | cut -d ' ' -f 1)" != "$sum" ]; then
        echo "$tarball is not the $name@$version that was published: its checksum is another" >&2
        exit 1
    fi
    rm -rf "${dir:?}/npm/$name"
    mkdir -p "$dir/npm/$name"
    tar -xzf "$tarball" -C "$dir/npm/$name" --strip-components=1
done <<< "$packages"

# Two packages have their module as base 64 in JavaScript: the first string that begins as modules do.
extract() {
    node -e '
        const fs = require("fs");
        const found = fs.readFileSync(process.argv[1], "utf8").match(/["\x27](AGFzb[A-Za-z0-9+\/=]*)["\x27]/);
        if (!found) throw new Error("no module in " + process.argv[1]);
        fs.writeFileSync(process.argv[2], Buffer.from(found[1], "base64"));
    ' "$dir/npm/$1" "$dir/npm/$2"
}
extract undici/lib/llhttp/llhttp-wasm.js undici/lib/llhttp/llhttp.wasm
extract es-module-lexer/dist/lexer.cjs es-module-lexer/dist/lexer.wasm

printf 'export INLAY_SUITE=%q\n' "$dir"
