// Small words for the page: elements, calls, times.

/** An element with attributes (a function is an event's listener; null and false are left out) and children. */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A drawing from the paths of a 24 (or `w` by `h`) grid. */
export function drawing(paths, className, w = 24, height = 24) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", `0 0 ${w} ${height}`);
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  for (const d of paths) {
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

export const $ = (id) => document.getElementById(id);

/** A call to the control API. What goes wrong is said, and thrown. */
export async function call(method, path, body) {
  let answer;
  try {
    answer = await fetch(`/control${path}`, {
      method,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    say("The simulator does not answer.");
    throw new Error("unreachable");
  }
  const text = await answer.text();
  const value = text === "" ? null : JSON.parse(text);
  if (!answer.ok) {
    say(value?.error ?? `That failed (${answer.status}).`);
    throw new Error(value?.error ?? String(answer.status));
  }
  return value;
}

let hiding;
/** Says something for a while. */
export function say(words) {
  const toast = $("toast");
  toast.textContent = words;
  toast.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => (toast.hidden = true), 5000);
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const date = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" });

export const time = (ms) => clock.format(ms);
export const day = (ms) => (date.format(ms) === date.format(Date.now()) ? "Today" : date.format(ms));
/** For a list: the time of today, else the day. */
export const when = (ms) => (day(ms) === "Today" ? time(ms) : date.format(ms));

/** Two letters for a face. */
export function initials(name) {
  const words = name.trim().split(/\s+/).filter((word) => /\p{L}/u.test(word));
  if (words.length === 0) return name.slice(-2);
  return (words[0][0] + (words.length > 1 ? words[words.length - 1][0] : "")).toUpperCase();
}

/** `+27 82 000 1001` from digits: a blank after the country of South Africa, else just a plus. */
export const number = (digits) => (/^27\d{9}$/.test(digits) ? `+27 ${digits.slice(2, 4)} ${digits.slice(4, 7)} ${digits.slice(7)}` : `+${digits}`);

/** A file as base64. */
export function base64(blob) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(blob);
  });
}
