import { expect, it } from "vitest";
import { fill, knownOf } from "./variables";

const known = knownOf(
  { name: "Asha Naidoo", phone: "+27820001001" },
  { name: "Sipho Dlamini" },
  { name: "Sales", phone: null },
  { name: "Kusasa Homes" },
);

it.each([
  ["Good day {{contact.first_name}}", "Good day Asha", []],
  ["Good day {{ contact.name | there }}, {{user.first_name}} here", "Good day Asha Naidoo, Sipho here", []],
  ["Call {{number.phone|the office}} of {{workspace.name}}", "Call the office of Kusasa Homes", []],
  ["Call {{number.phone}}, {{number.phone}}", "Call , ", ["number.phone"]],
  ["{{contact.nme}} {x} {{", "{{contact.nme}} {x} {{", []],
  ["{{number.phone|{ours}}}", "{ours}", []],
])("fills %s", (text, filled, missing) => expect(fill(text, known)).toEqual({ text: filled, missing }));

it("uses what stands in when nobody knows the name", () => {
  const nobody = knownOf({ name: null, phone: null }, {}, {}, {});
  expect(fill("Good day {{contact.first_name|there}}", nobody)).toEqual({ text: "Good day there", missing: [] });
});

it("fills values as they are, whatever stands in them", () => {
  expect(fill("{{contact.name}}", { "contact.name": "$& {{user.name}}" }).text).toBe("$& {{user.name}}");
});
