// A button that copies a text, and the text itself where a frame may not write to the clipboard, nor a page that is opened
// from a file.

import { useSignal } from "@preact/signals";

export function Copy({ what, text }: { what: string; text: () => string }) {
  const isCopied = useSignal(false);
  const shown = useSignal("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
      isCopied.value = true;
      setTimeout(() => (isCopied.value = false), 1500);
    } catch {
      shown.value = text();
    }
  };
  return (
    <>
      <button type="button" onClick={copy}>
        {isCopied.value ? "copied" : `copy ${what}`}
      </button>
      {shown.value && (
        <>
          <p role="status">Not copied: take it by hand.</p>
          <textarea
            aria-label="What to copy"
            readOnly
            rows={3}
            value={shown}
            onFocus={(event) => event.currentTarget.select()}
          />
        </>
      )}
    </>
  );
}
