// The cross that takes away what it stands in.

export function Close({ label, act }: { label: string; act: () => void }) {
  return (
    <button type="button" class="lw-close" aria-label={label} onClick={act}>
      ×
    </button>
  );
}
