// The card beside a cell: what the model would have said there, how sure it was, and how the followed tokens fare.

import { useLayoutEffect, useRef } from "preact/hooks";
import { columnName, columnPlace, nameOf } from "./followed.js";
import type { Cell } from "./grid.js";
import { placeCard, type Rectangle } from "./layout.js";
import { isMuted } from "./marks.js";
import type { Reading } from "./reading.js";
import { verdicts } from "./strip.js";
import { Dot } from "./token.js";
import { facts, followingOf, listed, rowName, standing } from "./words.js";

interface Props {
  reading: Reading;
  cell: Cell;
  /** Where the cell is, or null when it has been scrolled out of sight. */
  at: Rectangle | null;
  /** A card that stays can be clicked; one that follows the pointer must never be under it. */
  held?: boolean;
  /** A small card, for looking elsewhere while another is held. */
  glance?: boolean;
}

export function Card({ reading, cell, at, held = false, glance = false }: Props) {
  const { grid, followed, slots } = reading;
  const card = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const element = card.current!;
    element.hidden = !at;
    if (!at) return;
    const cells = element.offsetParent!.getBoundingClientRect();
    const root = element.closest(".lenswidget")!.getBoundingClientRect();
    const frame = { x: root.x - cells.x, y: root.y - cells.y, width: root.width, height: root.height };
    const [x, y] = placeCard(at, { width: element.offsetWidth, height: element.offsetHeight }, cells, frame);
    element.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  });

  const slotOf = reading.slotOf.value;
  const next = followingOf(grid, cell.column);
  return (
    <section ref={card} class={held ? "lw-card lw-held" : "lw-card"} aria-label="Cell" aria-hidden={!held}>
      <p class="lw-strong">{rowName(grid.rows[cell.row]!)}</p>
      <p class="lw-muted">
        {grid.columnLabels ? "" : `${columnPlace(grid, cell.column)} · after `}“
        <bdi class="lw-token">{columnName(grid, cell.column)}</bdi>”
      </p>
      {verdicts(grid, cell.row).map(({ words, doubtful }) => (
        <p key={words} class={doubtful ? "lw-verdict lw-warning" : "lw-verdict lw-muted"}>
          {words}
        </p>
      ))}
      <ol class="lw-candidates">
        {listed(grid, cell, glance ? 3 : 5).map(({ token, probability, text }) => (
          <li key={token}>
            <button
              type="button"
              disabled={!held}
              class={isMuted(grid, token) ? "lw-token lw-odd" : "lw-token"}
              title="Click to pin, shift-click to join the last pin"
              onClick={(event) => reading.togglePin(token, event.shiftKey)}
            >
              <span class="lw-bar" style={{ width: `${100 * (probability || 0)}%` }} />
              {slotOf[token]! >= 0 && <Dot slot={slotOf[token]!} />}
              <bdi>{nameOf(grid, token) || "(empty)"}</bdi>
              {token === next && <span class="lw-follows">follows</span>}
            </button>
            <span class="lw-number">{text}</span>
          </li>
        ))}
      </ol>
      {!glance && (
        <dl>
          {facts(reading, cell).map(({ name, value }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
          {followed.value.map((one, i) => (
            <div key={i}>
              <dt>
                <Dot slot={slots.value[i]!} />
                <bdi class="lw-token">{one.label}</bdi>
              </dt>
              <dd>{standing(grid, one, cell)}</dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}
