import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { fake } from "./dev/fake.ts";
import { chunkOf } from "./scripts/chunks.ts";
import { emoji } from "./scripts/emoji.ts";

// What the first sight needs is asked for with the page: the one font file not when the style sheet has been read, and the inbox, which most
// people come for, not when the frame around it has been.
function preload(): Plugin {
  return {
    name: "indaba-preload",
    transformIndexHtml: {
      order: "post",
      handler(html, context) {
        const bundle = context.bundle ?? {};
        const font = Object.keys(bundle).find((name) => /figtree-latin-wght-normal.*\.woff2$/.test(name));
        const inbox = Object.values(bundle).find(
          (one) => one.type === "chunk" && one.facadeModuleId?.endsWith("/InboxPage.tsx"),
        );
        if (!font || inbox?.type !== "chunk") return [];
        const files = new Set<string>();
        const add = (file: string) => {
          const chunk = bundle[file];
          if (files.has(file) || chunk?.type !== "chunk") return;
          files.add(file);
          chunk.imports.forEach(add);
        };
        add(inbox.fileName);
        const link = (attrs: Record<string, string>) => ({
          tag: "link",
          attrs: { crossorigin: "", ...attrs },
          injectTo: "head" as const,
        });
        return [
          ...[...files]
            .filter((file) => !html.includes(file))
            .map((file) => link({ rel: "modulepreload", href: `/${file}` })),
          link({ rel: "preload", href: `/${font}`, as: "font", type: "font/woff2" }),
        ];
      },
    },
  };
}

const server = process.env.INDABA_DEV_SERVER ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react(), tailwindcss(), emoji(), preload(), fake()],
  resolve: { alias: { "~": new URL("./src", import.meta.url).pathname } },
  build: {
    target: "es2022",
    manifest: true,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        codeSplitting: { includeDependenciesRecursively: false, groups: [{ name: chunkOf, debugName: "first sight" }] },
      },
    },
  },
  server: { proxy: process.env.INDABA_FAKE ? {} : { "/api": { target: server, ws: true } } },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}", "tests/**/*.test.{ts,tsx}"],
    setupFiles: ["./tests/setup.ts"],
    css: false,
    testTimeout: 15_000,
  },
});
