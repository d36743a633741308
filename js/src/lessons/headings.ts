/** Whether a heading of the page or notebook says these words, so that a part need not say them again. */
export function isHeading(words: string): boolean {
  const headings = [...document.querySelectorAll("h1, h2")].filter((one) => !one.closest(".lenswidget"));
  return headings.some((one) => one.textContent!.includes(words));
}
