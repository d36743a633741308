/** The name of a part of a figure, for those who hear it: a group. A section with a name would be a landmark, and pages have many figures. */
export function named(name: string): { role: "group"; "aria-label": string } {
  return { role: "group", "aria-label": name };
}
