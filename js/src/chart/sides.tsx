// Which of two grids a line of their chart is of.

export function Sides({ names }: { names: string[] }) {
  return (
    <p class="lw-muted lw-sample">
      {names.map((name, side) => (
        <span key={side}>
          <svg width="24" height="8" aria-hidden="true">
            <path class={`lw-line${side ? " lw-other" : ""}`} d="M0 4H22" />
          </svg>
          <bdi>{name}</bdi>{" "}
        </span>
      ))}
    </p>
  );
}
