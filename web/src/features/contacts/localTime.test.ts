import { describe, expect, it } from "vitest";
import { localTime } from "./localTime";

const noon = Date.parse("2026-11-20T10:00:00Z");
const here = "Africa/Johannesburg";

describe("the contact's own time", () => {
  it("is shown when it is an hour or more away", () => {
    expect(localTime("+254722000111", noon, here)).toEqual({ time: "Fri 13:00", country: "Kenya" });
    expect(localTime("+919820000111", noon, here)?.time).toBe("Fri 15:30");
    expect(localTime("+447700900123", noon, here)?.time).toBe("Fri 10:00");
  });

  it("says nothing when it is the reader's own", () => {
    expect(localTime("+27821234567", noon, here)).toBeUndefined();
    expect(localTime("+263771234567", noon, here)).toBeUndefined();
    expect(localTime("+97798000000", noon, "Asia/Kolkata")).toBeUndefined(); // 15 minutes apart
  });

  it("says nothing where a country has several times, or nobody knows the number", () => {
    for (const phone of ["+12025550123", "+5511987654321", "+34612345678", "+79161234567", "+61412345678", null, "+0"])
      expect(localTime(phone, noon, here)).toBeUndefined();
  });

  it("follows summer time on both sides", () => {
    const july = Date.parse("2026-07-01T10:00:00Z");
    expect(localTime("+447700900123", july, here)?.time).toBe("Wed 11:00");
    expect(localTime("+4915112345678", july, here)).toBeUndefined();
  });
});
