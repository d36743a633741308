// Many prompts: what is known of a column stands in its card, as text, and in the table that a reader takes away.

import { expect, it } from "vitest";
import { decode } from "../src/data/wire.js";
import { csvOf } from "../src/export/tables.js";
import { card, FakeModel, show } from "./host.js";
import { message } from "./messages.js";

const HOSTILE = "<img src=x onerror=alert(1)>";
const below = {
  groups: ["a", "b", HOSTILE, "__proto__"],
  says: [[], [], [HOSTILE, "far", `${HOSTILE}!`], []],
  quantities: [],
};

it("a column's group and what is said of it stand in its card, as text", async () => {
  const { root } = await show(new FakeModel(await message({ below }), { selected: [2, 2] }));
  await expect.poll(() => card(root)?.textContent).toContain(`${HOSTILE}far${HOSTILE}!`);
  expect(root.querySelector("img")).toBeNull();
});

it("what is said of a prompt names it, also of the last one", async () => {
  const columnLabels = ["first", "second", "third", HOSTILE];
  const { root } = await show(new FakeModel(await message({ below, columnLabels })));
  expect(root.querySelector(".lw-story")?.textContent).toContain(HOSTILE);
});

it("a table has the group of each column", async () => {
  const { grids } = await decode(await message({ below }));
  const [head, ...lines] = csvOf(grids, ["a"]).split("\n");
  const place = head!.split(",").indexOf('"group"');
  expect(lines.slice(0, 4).map((line) => line.split(",")[place])).toEqual(
    ["a", "b", HOSTILE, "__proto__"].map((group) => `"${group}"`),
  );
});
