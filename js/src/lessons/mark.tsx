// What stands before an answer: whether it is right.

const TOLD = { right: "Right: ", wrong: "Not right: ", open: "" };
export type Stand = keyof typeof TOLD;

export function Mark({ stand }: { stand: Stand }) {
  return (
    <span class="lw-mark" data-stand={stand}>
      <span class="lw-spoken">{TOLD[stand]}</span>
      <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
        <circle cx="10" cy="10" r="9" />
        {stand !== "open" && <path d={stand === "right" ? "M5.8 10.4 8.7 13.2 14.2 7.2" : "M7 7 13 13 M13 7 7 13"} />}
      </svg>
    </span>
  );
}
