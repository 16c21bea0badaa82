import { expect, it } from "vitest";
import { isShort, readPlace } from "./place";

const flat = { latitude: -26.2041, longitude: 28.0473 };

it.each([
  ["-26.2041, 28.0473", flat],
  ["  -26.2041 28.0473 ", flat],
  ["-26.2041;28.0473", flat],
  ["26.2041° S, 28.0473° E", flat],
  ["26°12'14.76\"S 28°02'50.28\"E", flat],
  ["geo:-26.2041,28.0473", flat],
  ["geo:-26.2041,28.0473;u=35", flat],
  ["geo:0,0?q=-26.2041,28.0473(The+flat)", { ...flat, name: "The flat" }],
  ["https://www.google.com/maps/@-26.2041,28.0473,17z", flat],
  [
    "https://www.google.com/maps/place/Zo%C3%AB's+Caf%C3%A9/@-26.1,28.1,17z/data=!3m1!4b1!4m6!3m5!8m2!3d-26.2041!4d28.0473",
    { ...flat, name: "Zoë's Café" },
  ],
  [
    "https://www.google.com/maps/place/26%C2%B012'14.8%22S+28%C2%B002'50.3%22E/@-26.2,28.0,17z",
    { latitude: -26.204111, longitude: 28.047306 },
  ],
  ["https://www.google.com/maps/search/?api=1&query=-26.2041%2C28.0473", flat],
  ["https://www.google.com/maps/search/-26.2041,+28.0473?entry=tts", flat],
  ["https://maps.google.com/?q=-26.2041,28.0473", flat],
  ["maps.google.com/maps?ll=-26.2041,28.0473&z=12", flat],
  ["https://www.openstreetmap.org/?mlat=-26.2041&mlon=28.0473#map=16/-26.3/28.1", flat],
  ["https://www.openstreetmap.org/#map=16/-26.2041/28.0473", flat],
  ["https://maps.apple.com/?ll=-26.2041,28.0473&q=The%20flat", { ...flat, name: "The flat" }],
])("reads %s", (text, spot) => expect(readPlace(text)).toEqual(spot));

it.each([
  "",
  "The flat",
  "91, 28",
  "-26.2, 181",
  "12",
  "1,2,3",
  "geo:",
  "geo:x,y",
  "javascript:alert(1)",
  "https://www.google.com/maps/place/%E0%A4%A/",
  "https://www.google.com/maps",
  "https://maps.app.goo.gl/abc123",
  "https://www.openstreetmap.org/?mlat=&mlon=",
  "9".repeat(5000),
])("finds no place in %s", (text) => expect(readPlace(text)).toBeUndefined());

it("knows a link that only its maker can read", () => {
  expect(isShort("https://maps.app.goo.gl/abc123")).toBe(true);
  expect(isShort("https://osm.org/go/abc")).toBe(true);
  expect(isShort("https://www.google.com/maps/@1,2,3z")).toBe(false);
});
