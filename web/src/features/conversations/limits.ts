/** The longest text and the longest caption that WhatsApp takes. */
export const TEXT_LIMIT = 4096;
export const CAPTION_LIMIT = 1024;
export const NOTE_LIMIT = 4096;

/** How long a text is: WhatsApp counts characters, not bytes. */
export const lengthOf = (text: string): number => [...text].length;
