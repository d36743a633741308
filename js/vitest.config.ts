import { existsSync } from "node:fs";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { writeColors } from "./colors.js";

writeColors();

// an installed Chromium if there is one, else Playwright's own
const installed = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser"].find(
  (path) => path && existsSync(path),
);

export default defineConfig({
  // bundled before the first test: found one by one, there would be two of preact
  optimizeDeps: {
    include: ["preact", "preact/hooks", "preact/jsx-runtime", "preact/jsx-dev-runtime", "@preact/signals", "axe-core"],
  },
  server: { fs: { allow: [".", "../tests/golden", "../lenswidget/grids"] } },
  test: {
    include: ["test/**/*.test.ts"],
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      viewport: { width: 1200, height: 900 },
      provider: playwright({
        launchOptions: {
          ...(installed ? { executablePath: installed } : {}),
          args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
        },
      }),
      instances: [{ browser: "chromium" }],
    },
  },
});
