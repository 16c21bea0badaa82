import { language } from "~/i18n/language";
import { t, told } from "~/i18n/t";

const sentence = (text: string): string => (/[.!?…]$/u.test(text) ? text : `${text}.`);

/** What the server says of a field, as far as we can say it in other languages. */
const wrong: [RegExp, string][] = [
  [/is missing|is required|missing field/i, "wrong.missing"],
  [/not your password/i, "wrong.password"],
  [/at most 1024 bytes/i, "rule.passwordLong"],
  [/at least 8|too short/i, "rule.passwordShort"],
  [/too long/i, "rule.long"],
  [/not an e-mail/i, "rule.email"],
  [/not the one that was invited/i, "wrong.invited"],
  [/country code|not a (whole )?(phone )?number|E\.164/i, "wrong.phone"],
  [/1 to 100 characters/i, "wrong.name"],
  [/file is empty/i, "wrong.emptyFile"],
  [/picture is damaged/i, "wrong.picture"],
  [/nothing answers there/i, "wrong.noAnswer"],
  [/does not take this key/i, "wrong.key"],
  [/not a gateway of this kind/i, "wrong.gateway"],
];

/** The server speaks English. In another language its own words are shown only where we have none for them. */
const ofType = (slug: string): string | undefined => (language.code === "en" ? undefined : told(`problem.is.${slug}`));

/** Why a message was not sent: in our words where we have them, else in those of the server or the gateway. */
export const failure = ({ code, detail }: { code: string; detail: string | null }): string | null =>
  ofType(code) ?? detail;

function ofField(what: string): string {
  const ours = language.code === "en" ? undefined : told(wrong.find(([said]) => said.test(what))?.[1] ?? "wrong.it");
  if (ours) return ours;
  // The server says what a field is ("is too short"); below the field it becomes a sentence.
  return sentence(/^\p{Ll}/u.test(what) ? t("problem.it", { what }) : what);
}

/** The server's answer to what it would not do (RFC 9457). Its detail tells a person what to do next. */
export class Problem extends Error {
  readonly status: number;
  /** The last part of `type`: "outside-window", "no-code". */
  readonly slug: string;
  readonly requestId: string | undefined;
  readonly fields: { pointer: string; detail: string }[];
  /** Seconds to wait, when the server gave them. */
  readonly retryAfter: number | undefined;

  constructor(answer: Response, body: unknown) {
    const { type, title, detail, requestId, errors } = (body ?? {}) as Record<string, unknown>;
    const slug = typeof type === "string" ? (type.split("/").pop() ?? "") : "";
    super(ofType(slug) ?? sentence(String(detail || title || t("problem.status", { status: String(answer.status) }))));
    this.name = "Problem";
    this.status = answer.status;
    this.slug = slug;
    this.requestId = typeof requestId === "string" ? requestId : (answer.headers.get("x-request-id") ?? undefined);
    this.fields = (Array.isArray(errors) ? errors : []).map(({ pointer, detail: what }) => ({
      pointer: String(pointer),
      detail: ofField(String(what)),
    }));
    const wait = Number(answer.headers.get("retry-after"));
    this.retryAfter = Number.isFinite(wait) && wait > 0 ? wait : undefined;
  }
}

/** No answer came: no network, a server that is down, or one that took too long. What was asked may still have been done. */
export class Unreachable extends Error {
  constructor(readonly late: boolean) {
    super(t(late ? "problem.late" : "problem.unreachable"));
    this.name = "Unreachable";
  }
}

/** An error in words, with the id to look it up by. */
export function describe(error: unknown): { detail: string; requestId?: string | undefined } {
  if (error instanceof Problem) {
    if (error.status === 429 && error.retryAfter)
      return { detail: t("problem.wait", { n: error.retryAfter }), requestId: error.requestId };
    return { detail: error.message, requestId: error.requestId };
  }
  if (error instanceof Unreachable) return { detail: error.message };
  return { detail: t("problem.unexpected") };
}
