// A switch of an edit: on while it is made.

interface Props {
  on: boolean;
  label: string;
  flip: () => void;
}

export function Switch({ on, label, flip }: Props) {
  return <button type="button" role="switch" class="lw-switch" aria-checked={on} aria-label={label} onClick={flip} />;
}
