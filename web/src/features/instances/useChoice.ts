import { useSearchParams } from "react-router";

/** A choice that stands in the address: it survives a reload, and goes with a link. The first is meant where nothing stands. */
export function useChoice<V extends string>(name: string, choices: readonly [V, ...V[]]): [V, (next: V) => void] {
  const [params, setParams] = useSearchParams();
  const choose = (next: V) =>
    setParams(
      (before) => {
        const after = new URLSearchParams(before);
        if (next === choices[0]) after.delete(name);
        else after.set(name, next);
        return after;
      },
      { replace: true },
    );
  return [choices.find((one) => one === params.get(name)) ?? choices[0], choose];
}
