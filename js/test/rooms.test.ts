// The plan of the front-end, held: every file lies in a room of src/README.md and imports only what its room may.

import { describe, expect, it } from "vitest";
import plan from "../src/README.md?raw";

/** Every file, by its path in src. */
const FILES = Object.fromEntries(
  Object.entries(
    import.meta.glob<string>("../src/**/*.{ts,tsx,css}", { query: "?raw", import: "default", eager: true }),
  ).map(([path, text]) => [path.replace("../src/", ""), text]),
);

interface Room {
  name: string;
  holds: string;
  mayImport: string[];
}

const ROOMS = roomsOf(plan);

/** The table of the plan, a room a line. */
function roomsOf(text: string): Room[] {
  const lines = text.split("\n").filter((line) => line.startsWith("| "));
  return lines.slice(2).map((line) => {
    const [name, holds, allowed] = line
      .split("|")
      .map((cell) => cell.trim())
      .slice(1, -1) as [string, string, string];
    return { name, holds, mayImport: allowed === "nothing" ? [] : allowed.split(", ") };
  });
}

/** What a file imports of ours, types too: paths in src, or what is written where no such file is. */
function importsOf(path: string, text: string, files: Record<string, string>): string[] {
  const written = /(?:\bfrom|\bimport\s*\(?|@import)\s*["'](\.[^"']+)["']/g;
  // lists that Python reads, too, stand in no room
  const shared = /^(\.\.\/)+lenswidget\/[\w/]+\.json$/;
  const imported = [...text.matchAll(written)].filter(([, to]) => !shared.test(to!));
  return imported.map(([, to]) => {
    const parts = path.split("/").slice(0, -1);
    for (const part of to!.split("/")) {
      if (part === "..") parts.pop();
      else if (part !== ".") parts.push(part);
    }
    const found = parts.join("/").replace(/\.js$/, "");
    return [found, `${found}.ts`, `${found}.tsx`].find((one) => one in files) ?? to!;
  });
}

/** What is against the plan, a sentence each, which names the file, the import and the rule. */
function violations(files: Record<string, string>, rooms: Room[]): string[] {
  const roomOf = (path: string) => rooms.find(({ name }) => path.startsWith(`${name}/`));
  const imports = new Map(Object.entries(files).map(([path, text]) => [path, importsOf(path, text, files)]));
  const found: string[] = [];
  for (const [path, text] of Object.entries(files)) {
    const room = roomOf(path);
    if (!room) {
      found.push(`src/${path} lies in no room: every file lies in a room of src/README.md.`);
      continue;
    }
    for (const to of imports.get(path)!) {
      const { name } = roomOf(to) ?? {};
      if (!name) found.push(`src/${path} imports ${to}, which is no file in a room of src/README.md.`);
      else if (name !== room.name && !room.mayImport.includes(name)) {
        const may = room.mayImport.length ? `only ${room.mayImport.join(", ")}` : "no other room";
        found.push(`src/${path} imports src/${to}, but ${room.name} (${room.holds}) may import ${may}.`);
      }
    }
    if (room.name !== "host" && /\bmodel\.(get|set|on|off|save_changes)\(/.test(text)) {
      found.push(`src/${path} touches the notebook's model, but only files in host may.`);
    }
  }
  return [...found, ...circles(imports).map((round) => `No cycle may be, but these import each other: ${round}.`)];
}

/** Each way round from a file back to itself, as it is walked. */
function circles(imports: Map<string, string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (path: string, way: string[]) => {
    if (way.includes(path)) found.push([...way.slice(way.indexOf(path)), path].map((one) => `src/${one}`).join(" → "));
    if (done.has(path) || way.includes(path)) return;
    for (const to of imports.get(path) ?? []) walk(to, [...way, path]);
    done.add(path);
  };
  for (const path of imports.keys()) walk(path, []);
  return found;
}

describe("the plan of the front-end", () => {
  it("has a sentence for every room, and every room stands below what it may import", () => {
    expect(ROOMS.length).toBeGreaterThan(5);
    for (const [i, { name, holds, mayImport }] of ROOMS.entries()) {
      const above = ROOMS.slice(0, i).map((room) => room.name);
      expect(holds, name).not.toBe("");
      expect(
        mayImport.filter((other) => !above.includes(other)),
        `${name} may import what isn’t above it`,
      ).toEqual([]);
      expect(
        Object.keys(FILES).filter((path) => path.startsWith(`${name}/`)),
        `${name} is empty`,
      ).not.toEqual([]);
    }
  });

  it("is kept by every file", () => {
    expect(Object.keys(FILES).length).toBeGreaterThan(50);
    expect(violations(FILES, ROOMS)).toEqual([]);
  });

  it.each([
    ["a file in no room", { "lost.ts": "" }, "src/lost.ts lies in no room"],
    [
      "a room that may not be imported",
      { "a/a.ts": 'import { b } from "../b/b.js";', "b/b.tsx": "" },
      "src/a/a.ts imports src/b/b.tsx, but a (first) may import no other room.",
    ],
    [
      "a type of it",
      { "a/a.ts": 'import type { B } from "../b/b.js";', "b/b.ts": "" },
      "src/a/a.ts imports src/b/b.ts",
    ],
    [
      "a type within a type",
      { "a/a.ts": 'type B = typeof import("../b/b.js");', "b/b.ts": "" },
      "src/a/a.ts imports src/b/b.ts",
    ],
    ["a stylesheet of it", { "a/a.css": '@import "../b/b.css";', "b/b.css": "" }, "src/a/a.css imports src/b/b.css"],
    [
      "a file that isn’t there",
      { "a/a.ts": 'export * from "./gone.js";' },
      "src/a/a.ts imports ./gone.js, which is no file",
    ],
    [
      "two that import each other",
      { "b/b.ts": 'import { c } from "./c.js";', "b/c.ts": 'import type { B } from "./b.js";' },
      "src/b/b.ts → src/b/c.ts → src/b/b.ts",
    ],
    ["the model, outside of host", { "a/a.ts": 'model.get("grids")' }, "src/a/a.ts touches the notebook's model"],
  ])("is told apart from %s", (_, files, sentence) => {
    const rooms = [
      { name: "a", holds: "first", mayImport: [] },
      { name: "b", holds: "second", mayImport: ["a"] },
    ];
    expect(violations(files as Record<string, string>, rooms)).toEqual([expect.stringContaining(sentence)]);
  });
});
