import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { timed, useSilent } from "./pulse";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

it("a server that hangs is known within eight seconds, and again when it goes on", async () => {
  let hangs = true;
  vi.stubGlobal(
    "fetch",
    () => new Promise((answer, refuse) => (hangs ? setTimeout(refuse, 3_000) : answer(new Response()))),
  );
  const { result } = renderHook(useSilent);
  void timed(new Promise(() => undefined));
  await pass(3_500);
  expect(result.current).toBe(false);
  await pass(4_000);
  expect(result.current).toBe(true);
  hangs = false;
  await pass(6_500);
  expect(result.current).toBe(false);
});

it("one slow answer is not a server that hangs", async () => {
  vi.stubGlobal("fetch", async () => new Response());
  const { result } = renderHook(useSilent);
  void timed(new Promise(() => undefined));
  await pass(10_000);
  expect(result.current).toBe(false);
});
