// What esbuild writes for JSX; `build.js` puts it into every file that has some.

export { Fragment, h } from "preact";
