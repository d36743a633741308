// The model goes on by itself: how many tokens, how each is chosen, and an end to it.

import { type Live, writing } from "../state/live.js";
import { Popup } from "./popup.js";

const FIELDS = [
  { name: "count", label: "tokens", min: 1, max: 500, step: 1 },
  { name: "temperature", label: "temperature", min: 0, max: 5, step: 0.1 },
  { name: "top_p", label: "top-p", min: 0.05, max: 1, step: 0.05 },
  { name: "seed", label: "seed", min: 0, max: 999_999, step: 1 },
] as const;

interface Props {
  ask: Live["ask"] | undefined;
  isLost: boolean;
  isRunning: boolean;
}

export function Writing({ ask, isLost, isRunning }: Props) {
  return (
    <>
      {isRunning ? (
        <button type="button" onClick={() => ask?.({ do: "stop" })}>
          stop
        </button>
      ) : (
        <button type="button" disabled={isLost} onClick={() => ask?.({ do: "write", ...writing.value })}>
          go on
        </button>
      )}
      <Popup label="How the model goes on" summary="⚙">
        {FIELDS.map(({ name, label, ...limits }) => (
          <label key={name}>
            <input
              type="number"
              {...limits}
              value={writing.value[name]}
              onChange={({ currentTarget }) => {
                const { value, validity } = currentTarget;
                if (value && validity.valid) writing.value = { ...writing.value, [name]: Number(value) };
                else currentTarget.value = `${writing.value[name]}`;
              }}
            />
            {label}
          </label>
        ))}
      </Popup>
    </>
  );
}
