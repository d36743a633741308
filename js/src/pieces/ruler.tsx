// How wide a place is. A ruler has no height of its own, so what it makes grow can't make it report again.

import type { Signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

export function Ruler({ width }: { width: Signal<number> }) {
  const ruler = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    // at once, so that what is sized by it is painted in the same frame
    width.value = Math.floor(Number.parseFloat(getComputedStyle(ruler.current!).width));
    const observer = new ResizeObserver(([entry]) => {
      width.value = Math.floor(entry!.contentRect.width);
    });
    observer.observe(ruler.current!);
    return () => observer.disconnect();
  }, [width]);
  return <div ref={ruler} />;
}
