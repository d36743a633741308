// The cross that takes away what it stands in.

export function Close({ label, act }: { label: string; act: () => void }) {
  return (
    <button type="button" aria-label={label} onClick={act}>
      ×
    </button>
  );
}
