// Terms in the prose of a page: each link that says what its term means, as `data-lens-term`, gets a card.

import { render } from "preact";
import { rootIn } from "../pieces/root.js";
import { followTheme } from "../style/theme.js";
import { Rich } from "./rich.js";

const LINK = "[data-lens-term]";
const REST = 120;

/** Shows what a term means on hover, on focus and where it is tapped; a second tap, like a click, follows the link. */
export function explainTerms(): void {
  if (!document.querySelector(LINK)) return;
  const { signal } = new AbortController();
  const { root } = rootIn(document.body, signal);
  root.className = "lenswidget lw-part lw-floating lw-explains";
  root.id = "lw-explains";
  root.role = "tooltip";
  root.hidden = true;
  root.dataset.state = "ready";
  followTheme(root, signal, () => {});
  let of: HTMLElement | null = null;
  let wait: ReturnType<typeof setTimeout> | undefined;
  const show = (link: HTMLElement | null) => {
    clearTimeout(wait);
    of?.removeAttribute("aria-describedby");
    of = link;
    root.hidden = !link;
    if (!link) return;
    link.setAttribute("aria-describedby", root.id);
    render(<Rich text={link.dataset.lensTerm!} />, root);
    place(root, link);
  };
  const later = (link: HTMLElement | null) => {
    clearTimeout(wait);
    wait = setTimeout(() => show(link), REST);
  };
  const linkOf = ({ target }: Event) => (target instanceof Element ? target.closest<HTMLElement>(LINK) : null);
  const isCard = ({ target }: Event) => root.contains(target as Node);
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType !== "mouse") return;
    if (isCard(event)) clearTimeout(wait);
    else if (linkOf(event) ?? of) later(linkOf(event));
  });
  document.addEventListener("focusin", (event) => show(linkOf(event)));
  document.addEventListener("keydown", (event) => event.key === "Escape" && show(null));
  let tapped: HTMLElement | null = null;
  document.addEventListener("pointerdown", (event) => {
    const link = linkOf(event);
    tapped = event.pointerType === "mouse" || link === of ? null : link;
    if (!link && !isCard(event)) show(null);
  });
  document.addEventListener("click", (event) => {
    if (!tapped || linkOf(event) !== tapped) return;
    event.preventDefault();
    show(tapped);
  });
}

function place(card: HTMLElement, link: HTMLElement): void {
  const { left, bottom } = link.getBoundingClientRect();
  const room = document.documentElement.clientWidth - card.offsetWidth - 8;
  card.style.left = `${Math.max(8, Math.min(left, room)) + scrollX}px`;
  card.style.top = `${bottom + scrollY + 4}px`;
}
