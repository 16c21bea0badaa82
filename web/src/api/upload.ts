import { api, take } from "./client";
import type { Media } from "./types";

/** Stores a file at the server, to be sent with a message. */
export function upload(file: File): Promise<Media> {
  const form = new FormData();
  form.append("file", file, file.name);
  return take(
    api.POST("/api/media", {
      // The schema's body is the form's field; the form itself goes out.
      body: form as never,
      bodySerializer: (body) => body as never,
    }),
  );
}

/** What WhatsApp takes, in bytes. The server has the last word; this only saves an upload in vain. */
export const limits = { image: 5e6, video: 16e6, audio: 16e6, document: 100e6 } as const;

export type FileKind = keyof typeof limits;

/** As what a file is sent. Pictures that WhatsApp does not show go as documents. */
export function kindOf(file: File): FileKind {
  if (/^image\/(jpeg|png|webp)$/.test(file.type)) return "image";
  if (/^video\/(mp4|3gpp)$/.test(file.type)) return "video";
  if (/^audio\//.test(file.type)) return "audio";
  return "document";
}
