/** Build of the page: hashed scripts below the gateway's static files, the page itself beside its view. */
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const ROOM = resolve(import.meta.dirname, "../gateway/console");
const STATIC = resolve(ROOM, "static/console");

/** The page must not be a static file, which would come without its content policy. */
const place: Plugin = {
  name: "place",
  writeBundle() {
    renameSync(resolve(STATIC, "index.html"), resolve(ROOM, "page.html"));
    const assets = resolve(STATIC, "assets");
    for (const name of readdirSync(assets).filter((each) => /\.(js|css)$/.test(each))) {
      // WhiteNoise sends these where a browser takes them.
      writeFileSync(
        resolve(assets, `${name}.gz`),
        gzipSync(readFileSync(resolve(assets, name)), { level: 9 }),
      );
    }
  },
};

export default defineConfig({
  base: "/static/console/",
  plugins: [place],
  build: {
    outDir: STATIC,
    emptyOutDir: true,
    target: "es2023",
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
});
