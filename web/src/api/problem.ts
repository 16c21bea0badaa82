import { t } from "~/i18n/t";

const sentence = (text: string): string => (/[.!?…]$/u.test(text) ? text : `${text}.`);

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
    super(sentence(String(detail || title || t("problem.status", { status: String(answer.status) }))));
    this.name = "Problem";
    this.status = answer.status;
    this.slug = typeof type === "string" ? (type.split("/").pop() ?? "") : "";
    this.requestId = typeof requestId === "string" ? requestId : (answer.headers.get("x-request-id") ?? undefined);
    // The server says what a field is ("is too short"); below the field it becomes a sentence.
    this.fields = (Array.isArray(errors) ? errors : []).map(({ pointer, detail: what }) => ({
      pointer: String(pointer),
      detail: sentence(/^\p{Ll}/u.test(String(what)) ? t("problem.it", { what: String(what) }) : String(what)),
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
