// The lessons of a course beside a page of one: how far each is, and the section that is being read. Python writes the list
// (lenswidget/lessons/course_pages.py); what is done is read from where the browser keeps answers.

import { scoreOf } from "./storage.js";

/** Shows in every list of lessons how far each is, and goes on doing so. */
export function followCourse(): void {
  const lists = [...document.querySelectorAll<HTMLElement>("[data-lens-course]")];
  if (!lists.length) return;
  const show = () => {
    for (const list of lists) showProgress(list);
  };
  show();
  addEventListener("storage", show);
  // as answers are given in this page, of which no event tells
  addEventListener("lenswidget-kept", show);
  followSections();
}

function showProgress(list: HTMLElement): void {
  const lessons = [...list.querySelectorAll<HTMLElement>("[data-lesson]")];
  let done = 0;
  for (const lesson of lessons) {
    const score = scoreOf(lesson.dataset.lesson!);
    const isDone = score !== null && score.answered >= score.asked;
    done += Number(isDone);
    lesson.dataset.stand = isDone ? "done" : score?.answered ? "begun" : "";
    const shown = lesson.querySelector(".score");
    if (shown) shown.textContent = score?.answered ? (isDone ? `${score.right}/${score.asked}` : "begun") : "";
  }
  const kept = list.querySelector(".kept");
  if (kept) kept.textContent = `${done} done · kept in this browser`;
  const bar = list.querySelector<HTMLElement>(".done-bar i");
  if (bar) bar.style.width = `${(100 * done) / lessons.length}%`;
}

/** Marks the section that is being read: the last whose heading has passed the upper third of the window. */
function followSections(): void {
  const items = [...document.querySelectorAll<HTMLElement>(".sections [data-section]")];
  const heads = items.map((item) => document.getElementById(item.dataset.section!));
  if (!items.length) return;
  let asked = false;
  const mark = () => {
    asked = false;
    const passed = heads.map((head) => head !== null && head.getBoundingClientRect().top < innerHeight / 3);
    const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
    const here = atEnd && scrollY ? passed.length - 1 : passed.lastIndexOf(true);
    for (const [i, item] of items.entries()) item.toggleAttribute("data-here", i === here);
  };
  const later = () => {
    if (!asked) requestAnimationFrame(mark);
    asked = true;
  };
  addEventListener("scroll", later, { passive: true });
  addEventListener("resize", later);
  mark();
}
